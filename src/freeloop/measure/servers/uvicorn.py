"""Uvicorn: one event loop in each process."""

from __future__ import annotations

from typing import ClassVar

from freeloop.measure.servers.base import KEEP_ALIVE_S, Interface, Server


class Uvicorn(Server):
    """Uses uvloop and httptools where the project's interpreter has them ("auto")."""

    name = "uvicorn"
    interface: ClassVar[Interface] = "asgi"
    distribution = "uvicorn"
    extras = ("uvloop", "httptools", "websockets")
    environment_prefixes = ("UVICORN_", "WEB_CONCURRENCY")

    def command(
        self, python: str, entry_module: str, port: int, workers: int, threads: int
    ) -> list[str]:
        """Return the command; an application without lifespan events is taken as it is."""
        del threads
        return [
            *(python, "-m", "uvicorn", f"{entry_module}:application"),
            *("--host", "127.0.0.1", "--port", str(port)),
            *("--workers", str(workers)),
            *("--loop", "auto", "--http", "auto", "--lifespan", "auto"),
            *("--timeout-keep-alive", str(KEEP_ALIVE_S)),
            *("--timeout-graceful-shutdown", "1"),
            *("--no-access-log", "--log-level", "warning"),
        ]

    def thread_limit(self, workers: int, threads: int) -> None:
        """Return None: every request gets its own task and, from Django, its own thread."""
        del workers, threads


SERVERS = (Uvicorn(),)
