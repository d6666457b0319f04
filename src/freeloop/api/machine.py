"""The machine under a run: which cores are whose, and what a reader needs to repeat it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from freeloop import __version__
from freeloop.model.run import Environment
from freeloop.source.facts import Facts


def split_cores() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the cores for servers and for the client; both empty where they cannot be held.

    The client gets a core of its own: beside the server it would be measured with it.
    """
    if not hasattr(os, "sched_getaffinity"):
        return (), ()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        return (), ()
    return tuple(cores[:-1]), (cores[-1],)


@contextmanager
def held_to(cores: tuple[int, ...]) -> Iterator[None]:
    """Keep this process off the servers' cores: it watches them many times a second."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def environment_of(
    facts: Facts,
    server_cores: tuple[int, ...],
    client_cores: tuple[int, ...],
    command: str,
) -> Environment:
    """Return where a run is made."""
    return Environment(
        freeloop=__version__,
        started=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
        python=facts.python,
        packages=facts.packages,
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        cores=os.cpu_count() or 1,
        server_cores=server_cores,
        client_cores=client_cores,
        databases=tuple(database.sentence for database in facts.databases),
        middleware=facts.middleware,
        command=command,
        load_before=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )
