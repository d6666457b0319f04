"""Messages between freeloop and its load client: a length, then a pickle, over a pipe."""

from __future__ import annotations

import os
import pickle
import select
import struct
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freeloop.errors import FreeloopError
    from freeloop.measure.load import Load, LoadResult

_LENGTH = struct.Struct("!Q")
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """Loads that run side by side."""

    loads: tuple[Load, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a job.

    Attributes:
        results: In the order of the loads; empty after an error.
        error: The user's mistake that stopped the job, or None.
        trace: Traceback of any other error that stopped it; "" when nothing did.
    """

    results: tuple[LoadResult, ...] = ()
    error: FreeloopError | None = None
    trace: str = ""


def write(pipe: int, message: Job | Report) -> None:
    """Write one message to the file descriptor."""
    payload = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    left = memoryview(_LENGTH.pack(len(payload)) + payload)
    while left:
        left = left[os.write(pipe, left) :]


def read(pipe: int, *, within_s: float | None = None) -> Job | Report:
    """Read one message; the pipe connects two processes of freeloop, never a stranger.

    Raises:
        EOFError: If the other side is gone.
        TimeoutError: If no whole message came in time.
    """
    deadline_s = None if within_s is None else monotonic() + within_s
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size, deadline_s))
    message: Job | Report = pickle.loads(_exactly(pipe, length, deadline_s))
    return message


def _exactly(pipe: int, count: int, deadline_s: float | None) -> bytes:
    data = bytearray()
    while len(data) < count:
        left_s = None if deadline_s is None else max(deadline_s - monotonic(), 0.0)
        if not select.select([pipe], [], [], left_s)[0]:
            raise TimeoutError
        some = os.read(pipe, min(count - len(data), _READ_BYTES))
        if not some:
            raise EOFError
        data += some
    return bytes(data)
