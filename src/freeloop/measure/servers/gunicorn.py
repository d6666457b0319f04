"""Gunicorn with its two WSGI workers: one request per process, or a thread per request."""

from __future__ import annotations

from typing import ClassVar

from freeloop.measure.servers.base import KEEP_ALIVE_S, Interface, Server

# Gunicorn reads gunicorn.conf.py from the current folder unless it is given another file. From
# version 25 it also makes a control socket in the user's home; a name in this file is ignored by
# the older versions, an option on the command line would stop them.
_CONFIG_MODULE = "freeloop_gunicorn_config"
_CONFIG = "control_socket_disable = True\n"


class _Gunicorn(Server):
    interface: ClassVar[Interface] = "wsgi"
    distribution = "gunicorn"
    environment_prefixes = ("GUNICORN_", "WEB_CONCURRENCY")
    files = {f"{_CONFIG_MODULE}.py": _CONFIG}  # noqa: RUF012 - never changed

    def _shared(self, python: str, entry_module: str, port: int, workers: int) -> list[str]:
        return [
            *(python, "-m", "gunicorn", f"{entry_module}:application"),
            *("--config", f"python:{_CONFIG_MODULE}"),
            *("--bind", f"127.0.0.1:{port}"),
            *("--workers", str(workers)),
            *("--keep-alive", str(KEEP_ALIVE_S)),
            # A worker that waits long is what some measurements are about: never kill it.
            *("--timeout", "0"),
            *("--graceful-timeout", "1"),
            *("--log-level", "warning"),
        ]


class GunicornSync(_Gunicorn):
    """One request at a time in each process; closes the connection after each answer."""

    name = "gunicorn:sync"

    def command(
        self, python: str, entry_module: str, port: int, workers: int, threads: int
    ) -> list[str]:
        """Return the command; `threads` would silently make gunicorn change the worker class."""
        del threads
        return [*self._shared(python, entry_module, port, workers), "--worker-class", "sync"]

    def thread_limit(self, workers: int, threads: int) -> int:
        """Return the number of processes."""
        del threads
        return workers


class GunicornThreads(_Gunicorn):
    """A pool of threads in each process."""

    name = "gunicorn:gthread"
    has_threads = True

    def command(
        self, python: str, entry_module: str, port: int, workers: int, threads: int
    ) -> list[str]:
        """Return the command; connections beyond the threads wait in the process."""
        return [
            *self._shared(python, entry_module, port, workers),
            *("--worker-class", "gthread"),
            *("--threads", str(threads)),
            *("--worker-connections", str(max(1000, 2 * threads))),
        ]

    def thread_limit(self, workers: int, threads: int) -> int:
        """Return processes times threads."""
        return workers * threads


SERVERS = (GunicornSync(), GunicornThreads())
