"""What a data file says of a function that blocks, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a call waits for; CPU: it computes for milliseconds, as the hashing of passwords does.

    NET: a socket. DB: a database. FILE: the file system. PROC: another process. SLEEP: time. LOCK:
    another thread. DNS: the resolver of the system, with no socket of Python's.
    """

    NET = "net"
    DB = "db"
    FILE = "file"
    PROC = "proc"
    SLEEP = "sleep"
    LOCK = "lock"
    CPU = "cpu"
    DNS = "dns"


@dataclass(frozen=True, slots=True)
class Blocking:
    """One function that blocks.

    Attributes:
        name: "requests.get", "django.db.models.query.QuerySet.get": as people import it.
        kind: What it waits for.
        primitive: The function in C that waits in the end, such as "_socket.socket.connect"; "" in
            files of users that do not say.
        twin: What an async function awaits in its place, with the same arguments; None if the
            library has none.
        library: Distribution that has it, "python" for the standard library.
        version: Of that library, in the run that derived the row.
        proof: Id of the exercise that ran, "" in files of users.
        chain: Functions from this one down to the primitive, both left out; some may be private.
        guarded: Whether Django raises SynchronousOnlyOperation when it runs on an event loop: it
            crashes there, and blocks nobody.
        in_memory: Whether it is harmless on a file in memory (`io.BytesIO`), as that of zipfile is.
    """

    name: str
    kind: Kind
    primitive: str
    twin: str | None
    library: str
    version: str
    proof: str
    chain: tuple[str, ...] = ()
    in_memory: bool = False
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one data file.

    Attributes:
        calls: By name.
        aliases: Other name of a module, class or function -> its name in `calls` and `bases`.
        bases: Every class that is known -> its bases among them, nearest first.
        harmless: Class -> the methods that a row "Class.*" does not mean.
        returns: Function or class method -> class of what it returns.
    """

    calls: Mapping[str, Blocking]
    aliases: Mapping[str, str]
    bases: Mapping[str, tuple[str, ...]]
    returns: Mapping[str, str]
    harmless: Mapping[str, tuple[str, ...]]
