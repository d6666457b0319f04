from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeloop.measure.client.answer import AnswerReader, BadAnswer

ANSWERS = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello", False),
    "odd spelling": (b"HTTP/1.1 200\r\nCONTENT-LENGTH:5 \r\n\r\nhello", 200, b"hello", False),
    "empty": (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, b"", False),
    "chunks": (
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nhello\r\n00C;size=twelve\r\n\r\nbig\r\nworld\r\n0\r\nX-Sum: 1\r\n\r\n"
        ),
        200,
        b"hello\r\nbig\r\nworld",
        False,
    ),
    "chunks beat the length": (
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n"
            b"2\r\nhi\r\n0\r\n\r\n"
        ),
        200,
        b"hi",
        False,
    ),
    "early hints first": (
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"
        ),
        404,
        b"none",
        False,
    ),
    "no content": (b"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", 204, b"", False),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\n\r\n", 304, b"", False),
    "closing": (
        b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nhi",
        200,
        b"hi",
        True,
    ),
    "old and closing": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi", True),
    "old and kept alive": (
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
        200,
        b"hi",
        False,
    ),
    "length said twice": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
        200,
        b"hi",
        False,
    ),
}

GARBAGE = {
    "no HTTP": (b"SSH-2.0-OpenSSH_9\r\n\r\n", "not an HTTP/1.1 answer"),
    "no status": (b"HTTP/1.1 OK\r\n\r\n", "not an HTTP/1.1 answer"),
    "no header": (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "bad header in the answer"),
    "negative length": (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "bad Content-Length"),
    "two lengths": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "bad Content-Length",
    ),
    "too long": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nhello",
        "bytes after the end of the answer",
    ),
    "bad chunk size": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n",
        "bad chunk",
    ),
    "chunk longer than said": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
        "bad chunk",
    ),
    "endless head": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000, "head of the answer too long"),
}


def feed_all(reader: AnswerReader, pieces: list[bytes]) -> list[bool]:
    return [reader.feed(piece) for piece in pieces]


@given(data=st.data())
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_reads_the_same_however_its_bytes_are_cut(name: str, data: st.DataObject) -> None:
    """TCP keeps bytes in order and promises nothing about where they are cut."""
    raw, status, body, close = ANSWERS[name]
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=12).map(sorted))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True) if a < b]

    reader = AnswerReader()
    complete = feed_all(reader, pieces)

    assert complete == [False] * (len(pieces) - 1) + [True]
    assert reader.head is not None
    assert (reader.head.status, reader.body(), reader.head.close) == (status, body, close)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_reads_the_same_byte_by_byte_and_twice_in_a_row(name: str) -> None:
    """Nothing of one answer may leak into the next on the same connection."""
    raw, _, body, _ = ANSWERS[name]
    reader = AnswerReader()

    for _ in range(2):
        reader.begin()
        complete = feed_all(reader, [bytes([byte]) for byte in raw])

        assert complete.index(True) == len(raw) - 1
        assert reader.body() == body


@pytest.mark.parametrize("name", GARBAGE)
@pytest.mark.parametrize("whole", [True, False])
def test_what_is_no_answer_is_refused_with_its_reason(name: str, whole: bool) -> None:
    """A wrong length or a wrong protocol is a failure of the server, never a hang of ours."""
    raw, reason = GARBAGE[name]
    step = len(raw) if whole else 1 + len(raw) // 200
    reader = AnswerReader()

    with pytest.raises(BadAnswer, match=reason):
        feed_all(reader, [raw[at : at + step] for at in range(0, len(raw), step)])


def test_the_answer_to_head_has_no_body_whatever_its_length_says() -> None:
    """HEAD is answered with the length that GET would have."""
    reader = AnswerReader()
    reader.begin(bodyless=True)

    assert reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    assert reader.body() == b""


def test_without_length_the_body_goes_on_until_the_connection_closes() -> None:
    """Old servers and streams say the end by closing."""
    reader = AnswerReader()

    assert not reader.feed(b"HTTP/1.1 200 OK\r\n\r\nhel")
    assert not reader.feed(b"lo")
    assert reader.close()
    assert reader.body() == b"hello"


@pytest.mark.parametrize(
    "raw", [b"HTTP/1.1 2", ANSWERS["length"][0][:-1], ANSWERS["chunks"][0][:-2]]
)
def test_a_connection_closed_inside_an_answer_is_a_failure(raw: bytes) -> None:
    """Half an answer must not count as one."""
    reader = AnswerReader()
    reader.feed(raw)

    with pytest.raises(BadAnswer, match="closed inside"):
        reader.close()


def test_an_endless_body_is_forgotten_but_for_its_start() -> None:
    """A stream that runs for minutes must not fill the memory of the load client."""
    reader = AnswerReader()
    reader.feed(b"HTTP/1.1 200 OK\r\n\r\n")

    for _ in range(1000):
        reader.feed(b"more ")
        reader.forget_body()

    assert b"more more " in reader.body()
    assert len(reader.body()) < 1000
