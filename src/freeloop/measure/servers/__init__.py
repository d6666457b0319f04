"""Every server that bench can start, found by walking this folder: adding one is adding a file."""

from __future__ import annotations

import difflib
import importlib
import json
import pkgutil
import subprocess
from functools import cache

from freeloop.errors import FreeloopError
from freeloop.measure.servers.base import Server

__all__ = ["Server", "installed", "require", "server_named", "servers"]

_VERSIONS = """
import importlib.metadata, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found[name] = None
print(json.dumps(found))
"""


@cache
def servers() -> tuple[Server, ...]:
    """Return every known server, sorted by name.

    A module of this folder takes part by having `SERVERS`, a tuple of `Server`.
    """
    found: list[Server] = []
    for module in pkgutil.iter_modules(__path__):
        content = importlib.import_module(f"{__name__}.{module.name}")
        found.extend(getattr(content, "SERVERS", ()))
    return tuple(sorted(found, key=lambda server: server.name))


def server_named(name: str) -> Server:
    """Return the server of that name.

    Raises:
        FreeloopError: "unknown-server", with the nearest known name.
    """
    by_name = {server.name: server for server in servers()}
    if name in by_name:
        return by_name[name]
    near = difflib.get_close_matches(name, by_name, n=1, cutoff=0.4)
    raise FreeloopError(
        "unknown-server",
        what=f"there is no server named {name!r}",
        where=f"known servers: {', '.join(by_name)}",
        mend=f"did you mean {near[0]}?" if near else "use one of the known names",
    )


def installed(python: str, timeout_s: float = 30.0) -> dict[str, str | None]:
    """Return the version of every server's distribution in the project's interpreter.

    Args:
        python: The project's interpreter.
        timeout_s: How long that interpreter may take to answer.

    Returns:
        Distribution name to version; None when it is not installed.

    Raises:
        FreeloopError: "no-interpreter" when it does not run.
    """
    names = sorted({server.distribution for server in servers()})
    try:
        answer = subprocess.run(
            [python, "-c", _VERSIONS, *names],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=True,
        )
        versions: dict[str, str | None] = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise FreeloopError(
            "no-interpreter",
            what="the project's interpreter does not run",
            where=f"{python}: {error}",
            mend="give the interpreter of the project with --python PATH",
        ) from error
    return versions


def require(server: Server, python: str) -> str:
    """Return the installed version of a server.

    Raises:
        FreeloopError: "server-missing", with the command that installs it.
    """
    version = installed(python)[server.distribution]
    if version is None:
        raise FreeloopError(
            "server-missing",
            what=f"{server.name} needs {server.distribution}, which is not installed",
            where=f"interpreter {python}",
            mend=server.install_command(python),
        )
    return version
