"""Reports of running workers, added up: the worst lines, and each worker's latest minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from freeloop.model.watched import Overview, Report, Unreadable, Worker, WorstLine
from freeloop.watch.sinks.groups import Group, Groups
from freeloop.watch.stretch import Kind

MINUTE_S = 60.0
# More lines than a person reads; the sums still hold all.
MOST_GROUPS = 5000
# Workers come and go with each deployment; the oldest are forgotten.
MOST_WORKERS = 200
_ORDER = (Kind.BLOCK.value, Kind.HIDDEN.value, Kind.HOST.value)


class Tally:
    """Adds reports up, in bounded memory."""

    def __init__(self) -> None:
        self._groups = Groups(MOST_GROUPS)
        self._workers: dict[tuple[str, int], _Worker] = {}
        self._reports = 0
        self._held_ms = 0.0
        self._newest = 0.0

    def add(self, report: Report) -> None:
        """Count a report."""
        stretch = report.stretch
        self._groups.add(stretch)
        self._reports += 1
        self._newest = max(self._newest, stretch.started)
        if stretch.kind is Kind.BLOCK:
            self._held_ms += stretch.ms
        if report.pid is not None:
            self._worker(report.file, report.pid).add(report)

    def overview(
        self,
        *,
        at: float | None = None,
        unreadable: Sequence[Unreadable] = (),
        absent: Sequence[str] = (),
    ) -> Overview:
        """Return what was counted.

        Args:
            at: The end of the latest minute, in Unix time; when the newest report began if None.
            unreadable: Lines that could not be counted.
            absent: Files that could not be read.
        """
        now = self._newest if at is None else at
        workers = [worker.seen(now) for worker in self._workers.values()]
        return Overview(
            at=now,
            reports=self._reports,
            held_ms=self._held_ms,
            lines=tuple(sorted(map(_line, self._groups), key=_worst_first)),
            workers=tuple(sorted(workers, key=lambda each: (-each.held_share, each.pid))),
            unreadable=tuple(unreadable),
            absent=tuple(absent),
        )

    def _worker(self, file: str, pid: int) -> _Worker:
        worker = self._workers.pop((file, pid), None) or _Worker(file, pid)
        if len(self._workers) >= MOST_WORKERS:
            del self._workers[next(iter(self._workers))]
        self._workers[file, pid] = worker
        return worker


class _Worker:
    """One process: its latest report, and the delays of its latest minute."""

    def __init__(self, file: str, pid: int) -> None:
        self._file = file
        self._pid = pid
        self._latest: Report | None = None
        self._delays: deque[tuple[float, float]] = deque()

    def add(self, report: Report) -> None:
        stretch = report.stretch
        self._latest = report
        if stretch.kind is not Kind.HIDDEN:
            self._delays.append((stretch.started, stretch.ms))
        while self._delays and self._delays[0][0] < stretch.started - MINUTE_S:
            self._delays.popleft()

    def seen(self, now: float) -> Worker:
        latest = self._latest
        assert latest is not None  # made with its first report
        recent = [ms for started, ms in self._delays if started + ms / 1000 >= now - MINUTE_S]
        return Worker(
            pid=self._pid,
            file=self._file,
            # Loops in several threads may be held at once.
            held_share=min(1.0, sum(recent) / 1000 / MINUTE_S),
            longest_ms=max(recent, default=0.0),
            threads=latest.threads,
            pools=latest.pools,
            last=latest.stretch.started,
        )


def _line(group: Group) -> WorstLine:
    key = group.key
    return WorstLine(
        kind=key.kind,
        cause=key.cause,
        route=key.route,
        line=key.line,
        callee=key.callee,
        count=group.count,
        total_ms=group.total_ms,
        p99_ms=group.p99_ms,
        max_ms=group.max_ms,
        last=group.last,
    )


def _worst_first(line: WorstLine) -> tuple[int, float, float]:
    """Sort blocks first, everybody waits for them; the host last, no code mends that."""
    return _ORDER.index(line.kind), -line.total_ms, -line.count
