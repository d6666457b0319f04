"""What `explain` computes is what the hop probe counts around the real ASGI handler."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.relief.explained.asking import Asking, asking

DEFAULT = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
# Can stand anywhere; the session's has to come before those that need one.
DJANGOS_OWN = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.BrokenLinkEmailsMiddleware",
    "django.middleware.cache.UpdateCacheMiddleware",
]
NEED_SESSIONS = [
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
OTHERS = [
    f"tests.relief.explained.middleware.{name}"
    for name in (
        *("sync_function", "SyncClass", "async_only", "either", "AsyncView", "Hybrid"),
        *("OnlyResponse", "NoHooks", "OwnCall", "OwnAcall", "SubclassOfCommon", "SubclassOfCsrf"),
        *("NotUsed", "makes_djangos"),
    )
]
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"


@st.composite
def stacks(draw: st.DrawFn) -> list[str]:
    """A stack that a project could have, in any order that works."""
    free = draw(st.lists(st.sampled_from(DJANGOS_OWN + OTHERS), max_size=7, unique=True))
    if not draw(st.booleans()):
        return free
    needy = draw(st.lists(st.sampled_from(NEED_SESSIONS), unique=True))
    place = draw(st.integers(0, len(free)))
    below = draw(st.permutations([*free[place:], *needy]))
    return [*free[:place], SESSIONS, *below]


@pytest.fixture(scope="module")
def ask() -> Iterator[Asking]:
    """One process for all questions of this module."""
    with asking() as ask:
        yield ask


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(stack=stacks())
def test_what_is_computed_is_what_is_counted(ask: Asking, stack: list[str]) -> None:
    """For any stack, both kinds of view, stock and relieved: functions by name, and threads."""
    answered = ask(stack)

    assert answered.differences() == []
    assert answered.same_when_installed


def test_the_default_stack_costs_fifteen_hops_and_none_with_relief(ask: Asking) -> None:
    """The numbers of the README."""
    answered = ask(DEFAULT)

    said = answered.explanation
    assert answered.differences() == []
    assert said.async_view.stock is not None
    assert said.async_view.relieved is not None
    assert said.sync_view.relieved is not None
    assert (said.async_view.stock.hops, said.async_view.relieved.hops) == (15, 0)
    assert said.async_view.relieved.threads == 0
    # The view's own hop, and closing after it.
    assert said.sync_view.relieved.hops == 2
