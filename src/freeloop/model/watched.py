"""What running workers reported of their event loops, and the overview that people are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from freeloop.watch.stretch import Frame, Stretch


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool of database connections, at the moment of a report.

    Attributes:
        used: Connections that are taken or being opened.
        most: Its size at the most; 0 where it was not told.
        waiting: Threads that wait for one.
    """

    used: int
    most: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Report:
    """One line of a file of JSON lines.

    Attributes:
        stretch: What was seen.
        file: Name of the file, as given.
        pid: Of the process that wrote it; None where the line does not tell.
        threads: Its threads then; None where the line does not tell.
        pools: Its pools then, by alias.
    """

    stretch: Stretch
    file: str
    pid: int | None = None
    threads: int | None = None
    pools: Mapping[str, Pool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Lines of a file that are no reports.

    Attributes:
        file: Name of the file, as given.
        count: How many.
        first: "line 12: schema is 'x', not 'freeloop.stretch/1'", of the first one.
    """

    file: str
    count: int
    first: str


@dataclass(frozen=True, slots=True)
class WorstLine:
    """Stretches of one kind, cause, route, line of the project and callee.

    Attributes:
        kind: "block", "hidden" or "host".
        cause: Slug.
        route: Pattern of the URLconf; None where it is not known.
        line: Deepest frame of the project; else the innermost; None where there is no stack.
        callee: Function that ran innermost; None where there is no stack.
        count: Stretches.
        total_ms: Their sum.
        p99_ms: What 99 of 100 do not exceed, up to a tenth too high.
        max_ms: The longest.
        last: Unix time at which the latest one started.
    """

    kind: str
    cause: str
    route: str | None
    line: Frame | None
    callee: str | None
    count: int
    total_ms: float
    p99_ms: float
    max_ms: float
    last: float


@dataclass(frozen=True, slots=True)
class Worker:
    """One process that reports.

    Attributes:
        pid: Of the process.
        file: Where it reports.
        held_share: Share of the latest minute in which its loop was held or not run.
        longest_ms: The longest delay of its loop in the latest minute; 0 for none.
        threads: When it last reported; None where it does not tell.
        pools: When it last reported, by alias.
        last: Unix time of its latest report.
    """

    pid: int
    file: str
    held_share: float
    longest_ms: float
    threads: int | None
    pools: Mapping[str, Pool]
    last: float


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that files of reports say together; all of it measured.

    Attributes:
        at: Unix time for which it holds.
        reports: Lines that were read.
        held_ms: Sum of the blocks.
        lines: Most time first.
        workers: By their latest minute, the worst first.
        unreadable: One for each file that has such lines.
        absent: Files that are not there, or not yet.
    """

    at: float
    reports: int
    held_ms: float
    lines: tuple[WorstLine, ...] = ()
    workers: tuple[Worker, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    absent: tuple[str, ...] = ()
