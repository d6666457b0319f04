"""Granian, a server in Rust, with its WSGI and its ASGI face."""

from __future__ import annotations

from typing import ClassVar

from freeloop.measure.servers.base import Interface, Server

_BACKLOG = 2048


class _Granian(Server):
    distribution = "granian"
    extras = ("uvloop",)
    environment_prefixes = ("GRANIAN_",)

    def _shared(self, python: str, entry_module: str, port: int, workers: int) -> list[str]:
        return [
            *(python, "-m", "granian", f"{entry_module}:application"),
            *("--interface", self.interface),
            *("--host", "127.0.0.1", "--port", str(port)),
            *("--workers", str(workers)),
            *("--backlog", str(_BACKLOG)),
            # The default divides the backlog among the workers and would refuse requests early.
            *("--backpressure", str(_BACKLOG)),
            *("--workers-kill-timeout", "2"),
            *("--no-access-log", "--log-level", "warning"),
        ]


class GranianWsgi(_Granian):
    """Requests run on a pool of threads that Rust makes."""

    name = "granian:wsgi"
    interface: ClassVar[Interface] = "wsgi"
    has_threads = True

    def command(
        self, python: str, entry_module: str, port: int, workers: int, threads: int
    ) -> list[str]:
        """Return the command; `threads` are its blocking threads."""
        shared = self._shared(python, entry_module, port, workers)
        return [*shared, "--blocking-threads", str(threads)]

    def thread_limit(self, workers: int, threads: int) -> int:
        """Return processes times blocking threads."""
        return workers * threads


class GranianAsgi(_Granian):
    """One event loop in each process."""

    name = "granian:asgi"
    interface: ClassVar[Interface] = "asgi"

    def command(
        self, python: str, entry_module: str, port: int, workers: int, threads: int
    ) -> list[str]:
        """Return the command."""
        del threads
        return self._shared(python, entry_module, port, workers)

    def thread_limit(self, workers: int, threads: int) -> None:
        """Return None: every request gets its own task and, from Django, its own thread."""
        del workers, threads


SERVERS = (GranianAsgi(), GranianWsgi())
