"""Deployment: what the project's own files say about the servers that run it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Where commands that start a server are written, beside gunicorn's own file.
FILES = ("Procfile", "Dockerfile", "docker-compose.yml", "docker-compose.yaml", "compose.yml",
         "compose.yaml", "fly.toml", "render.yaml", "app.json")  # fmt: skip
LARGEST = 200_000
# With it Django runs queries on the event loop, which wait there.
ALLOWS_UNSAFE = "DJANGO_ALLOW_ASYNC_UNSAFE"
_SERVER = re.compile(r"\b(gunicorn|uvicorn|granian|hypercorn|daphne|uwsgi)\b(.*)")
_WORKERS = re.compile(r"(?:--workers|--processes|(?<![\w-])-w)[ =\"',]+(\d+)")
_LIMIT = re.compile(r"max_connections[ =\"',:]+(\d+)")
_SETTING = re.compile(r"^workers\s*=\s*(\d+)\s*(?:#.*)?$", re.MULTILINE)
_ASGI = re.compile(r"asgi|uvicorn|daphne|hypercorn", re.IGNORECASE)
_WSGI = re.compile(r"wsgi", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is written about the servers.

    Attributes:
        interfaces: "asgi" and "wsgi", those that a command names.
        workers: Most worker processes that a file names; None if none does.
        workers_at: That file, and the line in it.
        most_connections: `max_connections` that the database is started with; None if not told.
        allows_unsafe: Whether a file sets DJANGO_ALLOW_ASYNC_UNSAFE.
    """

    interfaces: frozenset[str] = frozenset()
    workers: int | None = None
    workers_at: tuple[str, int] = ("", 0)
    most_connections: int | None = None
    allows_unsafe: bool = False


def read_deployment(root: Path) -> Deployment:
    """Return what the files at the root of a project say; they are read as text."""
    interfaces: set[str] = set()
    workers: list[tuple[int, str, int]] = []
    limits: list[int] = []
    unsafe = False
    for path, text in _texts(root):
        unsafe = unsafe or ALLOWS_UNSAFE in text
        if path.name == "gunicorn.conf.py":
            workers += [
                (int(match[1]), str(path), text.count("\n", 0, match.start()) + 1)
                for match in _SETTING.finditer(text)
            ]
            continue
        limits += [int(match[1]) for match in _LIMIT.finditer(text)]
        for number, line in enumerate(text.splitlines(), 1):
            command = None if line.lstrip().startswith("#") else _SERVER.search(line)
            if command is None:
                continue
            if _ASGI.search(line):
                interfaces.add("asgi")
            elif _WSGI.search(line):
                interfaces.add("wsgi")
            workers += [
                (int(match[1]), str(path), number) for match in _WORKERS.finditer(command[2])
            ]
    limit = min(limits, default=None)
    if not workers:
        return Deployment(frozenset(interfaces), most_connections=limit, allows_unsafe=unsafe)
    most, file, number = max(workers)
    return Deployment(frozenset(interfaces), most, (file, number), limit, unsafe)


def _texts(root: Path) -> Iterator[tuple[Path, str]]:
    for name in ("gunicorn.conf.py", *FILES):
        path = root / name
        try:
            if path.is_file() and path.stat().st_size <= LARGEST:
                yield path, path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
