"""Launch: what to start, and the run directory and environment that a server is started with."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from freeloop.errors import FreeloopError
from freeloop.measure import entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freeloop.measure.servers.base import Server

ENTRY_MODULE = "freeloop_run_entry"
_ENTRY = """\
import importlib.util
_spec = importlib.util.spec_from_file_location("freeloop_entry", {path!r})
_entry = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_entry)
application = _entry.application_from_environment()
"""
_HERE = Path(__file__).parent
# The kill switch of `freeloop.relief.switch`.
_RELIEF_VARIABLE = "FREELOOP_RELIEF"
# A UNIX socket's path may have 107 bytes; the agent adds a name of at most 20.
_LONGEST_DIRECTORY = 80


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start: a server, a project, and how they are set up.

    Attributes:
        server: From `servers.server_named`.
        root: Folder of the project: its working directory, first on its import path.
        settings: Settings module; None leaves DJANGO_SETTINGS_MODULE of the environment.
        app: "package.asgi:application" of the project, or None: one is made.
        python: The project's interpreter.
        workers: Processes.
        threads: Threads per process, for servers that have them.
        overrides: Django settings that replace the project's own; plain values, as in JSON.
        relief: Install `freeloop.relief`, or forbid it; None leaves it to the project.
        cores: Cores the server is held to; empty for all.
        port: None takes a free one.
        observed: Run behind the agent; never in timed rounds.
        host: Value of the Host header of the request that `wait_ready` sends.
        environment: Variables added to those of the user.
    """

    server: Server
    root: Path
    settings: str | None = None
    app: str | None = None
    python: str = sys.executable
    workers: int = 1
    threads: int = 1
    overrides: Mapping[str, object] = field(default_factory=dict)
    relief: bool | None = None
    cores: tuple[int, ...] = ()
    port: int | None = None
    observed: bool = False
    host: str = "127.0.0.1"
    environment: Mapping[str, str] = field(default_factory=dict)


def configuration(launch: Launch, sockets: Path) -> str:
    """Return what `entry.py` needs to know, as JSON.

    Raises:
        FreeloopError: "setting-not-plain" for an override that JSON cannot carry.
    """
    config = {
        "settings": launch.settings,
        "overrides": dict(launch.overrides),
        "interface": launch.server.interface,
        "app": launch.app,
        "root": str(launch.root.resolve()),
        "agent": str(_HERE / "agent.py") if launch.observed else None,
        "relief": str(_HERE.parent) if launch.relief else None,
        "sockets": str(sockets),
    }
    try:
        return json.dumps(config)
    except (TypeError, ValueError) as error:
        raise FreeloopError(
            "setting-not-plain",
            what=f"a setting of the arm cannot be handed to the server: {error}",
            where=f"settings {', '.join(launch.overrides)}",
            mend="use text, numbers, true, false, null, lists and tables only",
        ) from error


def environment(launch: Launch, directory: Path) -> dict[str, str]:
    """Return the user's environment, changed so that the server finds our entry and its project."""
    prefixes = launch.server.environment_prefixes
    kept = {
        name: value
        for name, value in os.environ.items()
        if not (prefixes and name.startswith(prefixes))
    }
    kept.update(launch.environment)
    if launch.relief is not None:
        kept[_RELIEF_VARIABLE] = str(int(launch.relief))
    path = [str(directory), str(launch.root.resolve()), *filter(None, [kept.get("PYTHONPATH")])]
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(path),
        entry.VARIABLE: configuration(launch, directory),
    }


def run_directory() -> Path:
    """Return a new private folder, still empty: an interrupt finds it known to its owner."""
    usual = tempfile.gettempdir()
    parent = usual if len(usual) <= _LONGEST_DIRECTORY - 20 else Path(os.sep, "tmp")
    return Path(tempfile.mkdtemp(prefix="freeloop-", dir=parent))


def fill(directory: Path, launch: Launch) -> None:
    """Write the entry module and the files that the server asks for."""
    text = _ENTRY.format(path=str(_HERE / "entry.py"))
    for name, content in {f"{ENTRY_MODULE}.py": text, **launch.server.files}.items():
        (directory / name).write_text(content, encoding="utf-8")
