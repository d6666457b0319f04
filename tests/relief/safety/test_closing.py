"""What a request opened is closed: files, bodies, iterators, and what was hung on the response."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.test import override_settings

from tests.relief.safety.exchange import Answer, Asked, answer_of, loop_thread, on_a_loop, relieved
from tests.relief.safety.exchange import ask as ask_on_loop
from tests.relief.safety.project.told import said


def form(content: bytes, pieces: int = 1) -> Asked:
    """Return an upload of one file, sent in so many pieces."""
    boundary = "line"
    body = (
        f"--{boundary}\r\nContent-Disposition: form-data; name=file; filename=dish.txt\r\n"
        "Content-Type: text/plain\r\n\r\n"
    ).encode()
    body += content + f"\r\n--{boundary}--\r\n".encode()
    size = len(body) // pieces + 1
    return Asked(
        "/upload/",
        "POST",
        (
            ("Content-Type", f"multipart/form-data; boundary={boundary}"),
            ("Content-Length", str(len(body))),
        ),
        tuple(body[start : start + size] for start in range(0, len(body), size)),
    )


@pytest.mark.parametrize(
    ("bytes_sent", "kind"),
    [(100, "InMemoryUploadedFile"), (50_000, "TemporaryUploadedFile")],
    ids=["memory", "disk"],
)
@pytest.mark.parametrize("middleware", [True, False], ids=["middleware", "bare"])
def test_an_upload_is_closed_and_leaves_no_file(
    bytes_sent: int, kind: str, middleware: bool, both: bool, settings_folder: Path
) -> None:
    """In memory and rolled to disk."""
    options: dict[str, Any] = {} if middleware else {"MIDDLEWARE": []}
    with relieved(on=both), override_settings(**options):
        answer = answer_of(ASGIHandler(), form(b"x" * bytes_sent, pieces=5))

    assert answer.body == f"{kind} {bytes_sent}".encode()
    (file,) = said
    assert file.closed
    assert list(settings_folder.glob("*.upload*")) == []


@pytest.mark.parametrize("bytes_sent", [0, 100, 50_000])
def test_a_body_comes_whole(bytes_sent: int, both: bool) -> None:
    """The view reads it, on the loop or from disk."""
    body = bytes(number % 251 for number in range(bytes_sent))
    pieces = tuple(body[start : start + 7_000] for start in range(0, len(body), 7_000))
    with relieved(on=both):
        answer = answer_of(ASGIHandler(), Asked("/echo/", "POST", (), pieces))

    assert (answer.status, answer.body) == (200, body)


def test_a_file_that_is_sent_is_closed(both: bool) -> None:
    """FileResponse puts it among the closers."""
    with pytest.warns(Warning, match="must consume synchronous iterators"), relieved(on=both):
        answer = answer_of(ASGIHandler(), "/file/")

    (file,) = said
    assert answer.body == Path(file.name).read_bytes()
    assert file.closed


def test_closers_run_in_the_requests_thread_as_stock(both: bool) -> None:
    """What a view hangs on the response may belong to a thread."""
    with relieved(on=both):
        answer = answer_of(ASGIHandler(), "/with_closer/")

    assert answer.status == 200
    assert [name for name, _thread in said] == ["closer"]
    assert said[0][1] != loop_thread()


def test_a_close_of_its_own_runs_in_a_thread_as_stock(both: bool) -> None:
    """A subclass may do anything there."""
    with relieved(on=both):
        assert answer_of(ASGIHandler(), "/own_close/").status == 200

    assert [name for name, _thread in said] == ["close"]
    assert said[0][1] != loop_thread()


def test_an_async_stream_is_closed_in_time(both: bool) -> None:
    """Its `finally` runs before the request ends."""
    with relieved(on=both):
        answer = answer_of(ASGIHandler(), "/stream/")

    assert answer.body == b"part 0\npart 1\npart 2\n"
    assert said == ["closed"]


def test_a_sync_stream_is_closed(both: bool) -> None:
    """Collected to the end in a thread, then closed."""
    with pytest.warns(Warning, match="must consume synchronous iterators"), relieved(on=both):
        answer = answer_of(ASGIHandler(), "/stream_sync/")

    assert re.fullmatch(rb"(part \d\n){3}", answer.body)
    assert [name for name, _thread in said] == ["closed"]


def test_a_stream_whose_client_is_slow_is_sent_as_it_comes(both: bool) -> None:
    """Piece for piece, and `more_body` last."""

    async def main() -> Answer:
        return await ask_on_loop(ASGIHandler(), "/stream/")

    with relieved(on=both):
        answer = on_a_loop(main)

    assert [each.get("more_body", False) for each in answer.messages[1:]] == [True] * 3 + [False]


@pytest.mark.parametrize(
    "asked",
    [
        Asked("/echo/", "POST", (("Content-Length", "nonsense"),)),
        Asked("/echo/", "POST", (("Content-Length", "99999999"),), (b"x",)),
        Asked("/form/?q=%ff%fe"),
        Asked("/form/", "POST", (("Content-Type", "multipart/form-data; boundary=x"),), (b"junk",)),
        Asked("/echo/", "POST", (), (b"x" * 3_000_000,)),
    ],
    ids=["length", "short", "query", "multipart", "too-long"],
)
def test_broken_requests_get_stocks_answer(asked: Asked) -> None:
    """Also those for which there is no request object."""
    answers = {}
    for on in (False, True):
        with relieved(on=on):
            answer = answer_of(ASGIHandler(), asked)
            answers[on] = (answer.status, answer.headers, answer.body, repr(answer.raised))

    assert answers[True] == answers[False]


@pytest.fixture
def settings_folder() -> Path:
    """Where uploads are put."""
    from django.conf import settings

    return Path(settings.FILE_UPLOAD_TEMP_DIR)
