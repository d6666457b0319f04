"""Server: what bench must know of a server to start it and to judge its limits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from freeloop.errors import install_command

if TYPE_CHECKING:
    from collections.abc import Mapping

Interface = Literal["wsgi", "asgi"]

# Longer than any pause between two rounds: a connection that the server closes in between
# would be counted as a failed request.
KEEP_ALIVE_S = 75


class Server(ABC):
    """One way to serve a Django project.

    Attributes:
        name: As written in plans: "gunicorn:gthread".
        interface: What it calls: a WSGI or an ASGI application.
        distribution: Name of the package that carries it.
        extras: Packages that make it as fast as it is usually deployed.
        environment_prefixes: Variables that would change its options behind our back; they are
            taken out of the server's environment.
        files: Files that it wants to find on its import path, by name.
        has_threads: Whether the `threads` of an arm mean anything to it.
    """

    name: ClassVar[str]
    interface: ClassVar[Interface]
    distribution: ClassVar[str]
    extras: ClassVar[tuple[str, ...]] = ()
    environment_prefixes: ClassVar[tuple[str, ...]] = ()
    files: ClassVar[Mapping[str, str]] = {}
    has_threads: ClassVar[bool] = False

    @abstractmethod
    def command(
        self, python: str, entry_module: str, port: int, workers: int, threads: int
    ) -> list[str]:
        """Return the command that serves `entry_module:application` on 127.0.0.1:`port`.

        Access logs are off: they would be measured with the application.
        """

    @abstractmethod
    def thread_limit(self, workers: int, threads: int) -> int | None:
        """Return how many requests it handles at once, None without a limit."""

    def install_command(self, python: str) -> str:
        """Return what to type when it is missing."""
        return install_command(python, self.distribution, *self.extras)
