"""Watches every event loop that a test runs, with the detector of `freeloop.watch`.

Loops are met where they all pass: `run_forever`, which is replaced while tests run and put back
after them. A loop is watched from before its first turn until it stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import freeloop
from freeloop.pytest_plugin.limits import Limits, blocked, limits_of, line_of
from freeloop.watch import reports
from freeloop.watch.stretch import Cause, Stretch
from freeloop.watch.watchdog import watchdog

LIMITS = pytest.StashKey[Limits]()
# What one line of code is to blame for; the others have no line, or not one that can mend it.
BLAMED = frozenset({Cause.WAIT, Cause.CPU, Cause.GIL_HELD})
_CLIENT = str(Path(freeloop.__file__).parent / "api" / "in_process.py")


class Guard:
    """Fails the tests that hold a loop for longer than their limit.

    Attributes:
        spared: Stretches over a limit that no line of the project was to blame for, by cause.
    """

    def __init__(self, config: pytest.Config, watch_ms: float | None) -> None:
        self._root = config.rootpath
        self._watch_ms = watch_ms
        self._seen: list[Stretch] = []
        self.spared: dict[str, int] = {}
        # In a debugger a person holds the loop.
        self._off = any(config.getoption(name, default=False) for name in ("usepdb", "trace"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        """Watch the loops of fixtures."""
        item.stash[LIMITS] = limits_of(item, self._watch_ms)
        with self._watching(item):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Watch the loops of the test."""
        with self._watching(item):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        """Watch the loops of fixtures that end."""
        with self._watching(item):
            return (yield)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was over a limit and failed nobody."""
        if self.spared:
            causes = ", ".join(f"{count} {cause}" for cause, count in sorted(self.spared.items()))
            terminalreporter.write_line(
                f"freeloop: over the limit, and no line of a test to blame: {causes}"
            )

    @contextmanager
    def _watching(self, item: pytest.Item) -> Iterator[None]:
        """Fail after the block if its code held a loop; what it raises itself goes first."""
        limit_ms = item.stash[LIMITS].max_block_ms
        if limit_ms is None or self._off:
            yield
            return
        self._seen.clear()
        with watched_loops(limit_ms, self._seen.append):
            yield
        guilty = [each for each in self._seen if each.ms >= limit_ms and self._is_guilty(each)]
        if guilty:
            pytest.fail(blocked(guilty, limit_ms, self._root), pytrace=False)

    def _is_guilty(self, stretch: Stretch) -> bool:
        files = [file for file, _, _ in stretch.frames]
        if _waits_for_client(files):
            return False
        importing = any("importlib._bootstrap" in file for file in files)
        if importing or stretch.cause not in BLAMED or line_of(stretch) is None:
            cause = "import" if importing else stretch.cause.value
            self.spared[cause] = self.spared.get(cause, 0) + 1
            return False
        return True


def _waits_for_client(files: list[str]) -> bool:
    """Return whether it is the loop of an async test, which waits for that of the client."""
    return _CLIENT in files


@contextmanager
def watched_loops(limit_ms: float, on_report: Callable[[Stretch], object]) -> Iterator[None]:
    """Watch each loop that runs in the block; all is reported when it ends."""
    kinds: list[Any] = [asyncio.BaseEventLoop]
    with suppress(ImportError):
        import uvloop

        kinds.append(uvloop.Loop)
    stocks = [kind.run_forever for kind in kinds]
    before_ns = watchdog.threshold_ns
    reports.listen(on_report)
    for kind, stock in zip(kinds, stocks, strict=True):
        kind.run_forever = _watched(stock, limit_ms)
    try:
        yield
    finally:
        for kind, stock in zip(kinds, stocks, strict=True):
            kind.run_forever = stock
        reports.unlisten(on_report)
        watchdog.threshold_ns = before_ns


def _watched(stock: Callable[[Any], None], limit_ms: float) -> Callable[[Any], None]:
    def run_forever(loop: asyncio.AbstractEventLoop) -> None:
        watchdog.threshold_ns = int(limit_ms * 1e6)
        if loop not in watchdog.loops:
            watchdog.attach(loop)
        try:
            stock(loop)
        finally:
            # What it does not run, it does not hold.
            watchdog.detach(loop)

    return run_forever
