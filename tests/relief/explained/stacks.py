"""Stacks of middleware, drawn with a seed: sync, async and both-capable, Django's and own ones."""

from __future__ import annotations

import random

SEED = 20
HOW_MANY = 20
LONGEST = 9

SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
DJANGOS = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.BrokenLinkEmailsMiddleware",
]
NEED_SESSIONS = [
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
OWN = "tests.relief.explained.middleware."
SYNC = [f"{OWN}sync_function", f"{OWN}SyncClass"]
ASYNC = [f"{OWN}async_only", f"{OWN}AsyncView"]
BOTH = [f"{OWN}{name}" for name in ("either", "Hybrid", "OnlyResponse", "OwnCall")]
EITHER_WAY = [*BOTH, f"{OWN}NotUsed"]


def generated(seed: int = SEED, how_many: int = HOW_MANY) -> list[list[str]]:
    """Return stacks that a project could have; the same seed gives the same ones."""
    drawn = random.Random(seed)
    return [_one(drawn) for _ in range(how_many)]


def _one(drawn: random.Random) -> list[str]:
    stack = [
        *_some(drawn, DJANGOS, 5),
        *_some(drawn, SYNC, 2),
        *_some(drawn, ASYNC, 2),
        *_some(drawn, EITHER_WAY, 3),
    ]
    drawn.shuffle(stack)
    stack = stack[: LONGEST - 3]
    if drawn.random() < 0.5:
        place = drawn.randint(0, len(stack))
        below = [*stack[place:], *_some(drawn, NEED_SESSIONS, 2)]
        drawn.shuffle(below)
        stack = [*stack[:place], SESSIONS, *below]
    return stack


def _some(drawn: random.Random, paths: list[str], most: int) -> list[str]:
    return drawn.sample(paths, drawn.randint(0, min(most, len(paths))))


def short(stack: list[str]) -> str:
    """Return a stack as the last parts of its paths."""
    return ", ".join(path.rpartition(".")[2].removesuffix("Middleware") for path in stack) or "none"
