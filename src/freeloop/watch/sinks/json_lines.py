"""Outlet: a file of JSON lines, appended to by any number of processes.

Each line is one write to a descriptor opened for appending: the system puts it at the end of the
file whole, whoever else writes. `freeloop watch FILE` follows such files.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from dataclasses import replace
from typing import Any

from freeloop.watch.stretch import Stretch

DEFAULT_MAX_BYTES = 50_000_000
# A line of more frames than this tells nobody more.
MOST_FRAMES = 60


class JsonLines:
    """Appends each stretch to a file, with the process, its threads and its connection pools.

    A file that reached its bound becomes FILE.1 in place of an older one; so no more than twice the
    bound lies on the disk. One thread of a process calls it: the watchdog's.
    """

    def __init__(self, path: str, *, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._file: int | None = None
        self._process = 0
        self._torn = False

    def __call__(self, stretch: Stretch) -> None:
        """Append one line.

        Raises:
            OSError: If it cannot be written; the next line tries again.
        """
        line = (_line(stretch) + "\n").encode("utf-8", "replace")
        file = self._opened()
        if self._torn:  # the disk was full in the middle of a line: that one is lost, no other
            line = b"\n" + line
        self._torn = os.write(file, line) != len(line)
        if os.fstat(file).st_size >= self._max_bytes:
            self._rotate(file)

    def close(self) -> None:
        """Close the file; a further stretch opens it again."""
        self._close()

    def _opened(self) -> int:
        """Return the descriptor of the file that has the name now: others rotate it too.

        A forked process opens its own: a lock would be shared with a descriptor that is.
        """
        if self._process != os.getpid() or (self._file and not _is_at(self.path, self._file)):
            self._close()
        if self._file is None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
            # For the owner alone: paths of requests are in it.
            self._file = os.open(self.path, flags, 0o600)
            self._process = os.getpid()
        return self._file

    def _rotate(self, file: int) -> None:
        """Give the full file its second name, unless another process is at it or was."""
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        # The lock ends with the descriptor. Whoever comes second finds another file at the name.
        if _is_at(self.path, file):
            os.replace(self.path, f"{self.path}.1")  # noqa: PTH105 - pathlib may not be loaded
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _is_at(path: str, file: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(file))  # noqa: PTH116
    except OSError:
        return False


def _line(stretch: Stretch) -> str:
    if max(len(stretch.frames), len(stretch.other)) > MOST_FRAMES:
        stretch = replace(
            stretch, frames=stretch.frames[:MOST_FRAMES], other=stretch.other[:MOST_FRAMES]
        )
    process = json.dumps(process_now(), separators=(",", ":"))
    return f'{stretch.to_json()[:-1]},"process":{process}}}'


def process_now() -> dict[str, Any]:
    """Return what is known of this process: its number, its threads, its connection pools."""
    known: dict[str, Any] = {"pid": os.getpid(), "threads": threading.active_count()}
    if pools := _pools():
        known["pools"] = pools
    return known


def _pools() -> dict[str, dict[str, int]]:
    """Return Django's psycopg pools by alias; none where the project has none."""
    backend = sys.modules.get("django.db.backends.postgresql.base")
    opened = getattr(getattr(backend, "DatabaseWrapper", None), "_connection_pools", None)
    if not isinstance(opened, dict):
        return {}
    found = {}
    for alias, pool in list(opened.items()):
        stats = pool.get_stats()
        size, idle = stats.get("pool_size", 0), stats.get("pool_available", 0)
        found[str(alias)] = {
            "used": size - idle,
            "max": stats.get("pool_max", 0),
            "waiting": stats.get("requests_waiting", 0),
        }
    return found
