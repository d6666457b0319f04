"""VERIFY: every GET is answered as stock, and compared with what relief answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.test import override_settings

from tests.relief.safety.exchange import (
    Answer,
    Asked,
    Message,
    answer_of,
    ask,
    on_a_loop,
    relieved,
)
from tests.relief.safety.project.told import said


@pytest.fixture
def verified(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Relief with VERIFY, and what it logs."""
    with (
        override_settings(FREELOOP={"RELIEF": {"VERIFY": True}}),
        relieved(),
        caplog.at_level(logging.ERROR, "freeloop.relief.verify"),
    ):
        yield caplog


def logged(verified: pytest.LogCaptureFixture) -> list[str]:
    """Return what VERIFY said."""
    records = [each for each in verified.records if each.name == "freeloop.relief.verify"]
    return [each.getMessage() for each in records]


@pytest.mark.parametrize(
    "path",
    [*("/", "/page/", "/missing/", "/stream/", "/query/", "/json/"), "/tells_relief/?random"],
)
def test_verify_is_silent_without_a_difference(
    path: str, verified: pytest.LogCaptureFixture
) -> None:
    """Also for a page with a random token in it."""
    answer = answer_of(ASGIHandler(), path)

    assert answer.whole
    assert logged(verified) == []


@pytest.mark.parametrize("part", ["status", "headers", "cookies", "body"])
def test_verify_logs_a_real_difference(part: str, verified: pytest.LogCaptureFixture) -> None:
    """A view that answers by whether it is relieved; the client gets stock's answer."""
    answer = answer_of(ASGIHandler(), f"/tells_relief/?{part}")

    assert [each.partition(": ")[2].partition(":")[0] for each in logged(verified)] == [
        f"{part} differs"
    ]
    assert logged(verified)[0].startswith("relief answers GET /tells_relief/: ")
    assert answer.status == 200
    assert b"eased" not in answer.body + repr(answer.headers).encode()


def test_verify_runs_a_get_three_times(verified: pytest.LogCaptureFixture) -> None:
    """Twice as stock, since a page may differ from itself, and once relieved."""
    answer_of(ASGIHandler(), "/tells_relief/")

    assert said == ["GET"] * 3


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_verify_runs_nothing_else_again(method: str, verified: pytest.LogCaptureFixture) -> None:
    """It may write; so it is relieved as without VERIFY."""
    with override_settings(MIDDLEWARE=[]):
        answer_of(ASGIHandler(), Asked("/tells_relief/", method))

    assert said == [method]
    assert logged(verified) == []


def test_verify_does_not_compare_what_is_too_long(verified: pytest.LogCaptureFixture) -> None:
    """The answer goes to the client all the same."""
    answer = answer_of(ASGIHandler(), "/tells_relief/?length")

    assert len(answer.body) == 5 * 300_000
    assert logged(verified) == []


def test_verify_does_not_repeat_what_the_client_left(verified: pytest.LogCaptureFixture) -> None:
    """An event stream may never end, and would be asked for twice more."""

    async def main() -> Answer:
        gone = asyncio.Event()

        async def leave(message: Message) -> None:
            if message["type"] == "http.response.body":
                gone.set()

        return await ask(ASGIHandler(), "/endless/", gone=gone, on_send=leave)

    answer = on_a_loop(main)

    assert not answer.whole
    assert logged(verified) == []
