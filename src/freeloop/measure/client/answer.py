"""AnswerReader: finds where an HTTP/1.1 answer ends, however its bytes are cut up."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple

CHUNKED = -1
UNTIL_CLOSE = -2

_HEAD_LIMIT_BYTES = 65536
_KEPT_HEADS = 512
_HELD_PIECES = 64

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: [^\r\n]*)?\r\n")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n]*?)[ \t]*\r\n")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?")
_NO_BODY_STATUS = frozenset({204, 304})
_SWITCHING = 101
_NOT_FOUND = -1 + 4


class BadAnswer(Exception):  # noqa: N818 - named for what came, it is no fault of ours
    """The bytes are not an answer that HTTP/1.1 allows; the text is the reason to count."""


class Head(NamedTuple):
    """What the head says about the rest of the answer.

    Attributes:
        status: Status code.
        length: Bytes of the body, or CHUNKED, or UNTIL_CLOSE.
        close: Whether the server closes the connection after this answer.
        event_stream: Whether the body is a `text/event-stream`.
    """

    status: int
    length: int
    close: bool
    event_stream: bool


class _Part(IntEnum):
    HEAD = 0
    BODY = 1
    CHUNK_SIZE = 2
    CHUNK_DATA = 3
    CHUNK_END = 4
    TRAILER = 5
    DONE = 6


class AnswerReader:
    """Reads one answer after the other on one connection.

    Attributes:
        head: Head of the current answer, None until it is complete.
        pieces: Pieces of the body so far, in order.
        chunks: Chunks of a chunked body that are complete.
    """

    __slots__ = ("_bodyless", "_left", "_part", "_pending", "chunks", "head", "pieces")

    def __init__(self) -> None:
        self.begin()

    def begin(self, *, bodyless: bool = False) -> None:
        """Expect a new answer; `bodyless` when the request was a HEAD."""
        self.head: Head | None = None
        self.pieces: list[bytes] = []
        self.chunks = 0
        self._bodyless = bodyless
        self._part = _Part.HEAD
        self._pending = b""
        self._left = 0

    def feed(self, data: bytes) -> bool:
        """Take the bytes that arrived and return whether the answer is complete.

        Raises:
            BadAnswer: If they are no HTTP/1.1, or go on after the end of the answer.
        """
        if self._pending:
            data = self._pending + data
            self._pending = b""
        part = self._part
        if part == _Part.HEAD:
            return self._feed_head(data)
        if part == _Part.BODY:
            return self._feed_body(data)
        if part == _Part.DONE:
            raise BadAnswer("bytes after the end of the answer")
        return self._feed_chunks(data)

    def close(self) -> bool:
        """Say that the server closed; return whether that completes the answer.

        Raises:
            BadAnswer: If the connection was closed inside the answer.
        """
        if self._part == _Part.BODY and self._left == UNTIL_CLOSE:
            self._part = _Part.DONE
            return True
        if self.head is not None or self._pending:
            raise BadAnswer("connection closed inside the answer")
        return False

    def body(self) -> bytes:
        """Return the body as far as it was kept."""
        return b"".join(self.pieces)

    def forget_body(self) -> None:
        """Drop the body but for its start, so that an endless answer does not fill the memory."""
        if len(self.pieces) > _HELD_PIECES:
            del self.pieces[_HELD_PIECES:]

    def _feed_head(self, data: bytes) -> bool:
        while True:
            end = data.find(b"\r\n\r\n") + 4
            if end == _NOT_FOUND:
                self._keep_head(data)
                return False
            head = _heads.get(data[:end]) or _read_head(data[:end])
            if head.status >= 200 or head.status == _SWITCHING:
                break
            data = data[end:]
        self.head = head
        body = data[end:]
        length = 0 if self._bodyless else head.length
        if length == len(body):
            if length:
                self.pieces.append(body)
            self._part = _Part.DONE
            return True
        if length == CHUNKED:
            self._part = _Part.CHUNK_SIZE
            return bool(body) and self._feed_chunks(body)
        self._part = _Part.BODY
        self._left = length
        return bool(body) and self._feed_body(body)

    def _keep_head(self, data: bytes) -> None:
        if not data.startswith(b"HTTP/1."[: len(data)]):
            raise BadAnswer("not an HTTP/1.1 answer")
        if len(data) > _HEAD_LIMIT_BYTES:
            raise BadAnswer("head of the answer too long")
        self._pending = data

    def _feed_body(self, data: bytes) -> bool:
        left = self._left
        if left != UNTIL_CLOSE:
            left -= len(data)
            if left < 0:
                raise BadAnswer("bytes after the end of the answer")
            self._left = left
        self.pieces.append(data)
        if left:
            return False
        self._part = _Part.DONE
        return True

    def _feed_chunks(self, data: bytes) -> bool:
        at = 0
        while True:
            if self._part == _Part.CHUNK_DATA:
                piece = data[at : at + self._left]
                if not piece:
                    return False
                self.pieces.append(piece)
                self._left -= len(piece)
                if self._left:
                    return False
                at += len(piece)
                self._part = _Part.CHUNK_END
            end = data.find(b"\r\n", at)
            if end < 0:
                self._pending = data[at:]
                if len(self._pending) > _HEAD_LIMIT_BYTES:
                    raise BadAnswer("bad chunk")
                return False
            line = data[at:end]
            at = end + 2
            if self._feed_chunk_line(line):
                if at != len(data):
                    raise BadAnswer("bytes after the end of the answer")
                return True

    def _feed_chunk_line(self, line: bytes) -> bool:
        """Take one line between chunks and return whether it was the last of the answer."""
        if self._part == _Part.CHUNK_END:
            if line:
                raise BadAnswer("bad chunk")
            self.chunks += 1
            self._part = _Part.CHUNK_SIZE
        elif self._part == _Part.CHUNK_SIZE:
            size = _CHUNK_SIZE.fullmatch(line)
            if size is None:
                raise BadAnswer("bad chunk")
            self._left = int(size[1], 16)
            self._part = _Part.CHUNK_DATA if self._left else _Part.TRAILER
        elif not line:
            self._part = _Part.DONE
            return True
        return False


# The same view answers with the same head for a second (the Date header changes then), so most
# heads are read once: one look-up instead of one search per header.
_heads: dict[bytes, Head] = {}


def _read_head(raw: bytes) -> Head:
    line = _STATUS_LINE.match(raw)
    if line is None:
        raise BadAnswer("not an HTTP/1.1 answer")
    fields: dict[bytes, list[bytes]] = {}
    at = line.end()
    while at < len(raw) - 2:
        field = _FIELD.match(raw, at)
        if field is None:
            raise BadAnswer("bad header in the answer")
        fields.setdefault(field[1].lower(), []).append(field[2].lower())
        at = field.end()
    status = int(line[2])
    length = _body_length(status, fields)
    says = b",".join(fields.get(b"connection", ()))
    # Before 1.1 a connection is closed unless the server says that it stays open.
    close = (
        length == UNTIL_CLOSE or b"close" in says or (line[1] == b"0" and b"keep-alive" not in says)
    )
    kind = fields.get(b"content-type", [b""])[0]
    head = Head(status, length, close, kind.startswith(b"text/event-stream"))
    if len(_heads) >= _KEPT_HEADS:
        _heads.clear()
    _heads[raw] = head
    return head


def _body_length(status: int, fields: dict[bytes, list[bytes]]) -> int:
    if status in _NO_BODY_STATUS or status < 200:
        return 0
    codings = b",".join(fields.get(b"transfer-encoding", ())).split(b",")
    if codings[-1].strip() == b"chunked":
        return CHUNKED
    lengths = {
        part.strip() for line in fields.get(b"content-length", ()) for part in line.split(b",")
    }
    if not lengths or codings[-1]:
        return UNTIL_CLOSE
    length = lengths.pop()
    if lengths or not length.isdigit():
        raise BadAnswer("bad Content-Length")
    return int(length)
