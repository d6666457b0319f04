"""Carry out `freeloop.api.watch`: follow files of reports and give an overview now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from freeloop.errors import FreeloopError
from freeloop.judge.watched import Tally
from freeloop.model.watched import Overview, Report
from freeloop.source.reports import Followed

# Reports are rare; a reader sees nothing of a shorter one.
EVERY_S = 0.5


def overview_of(files: Sequence[Path]) -> Overview:
    """Return what the files say now."""
    followed, tally = _started(files)
    try:
        _take(followed, tally, lambda report: None)
        if followed.absent:
            raise FreeloopError(
                "no-such-file",
                what=f"there is no file {followed.absent[0]}",
                where="files to watch",
                mend="start the workers with FREELOOP_WATCH_LOG=FILE, or leave out --once to wait",
            )
        return tally.overview(unreadable=followed.unreadable)
    finally:
        followed.close()


def overviews_of(
    files: Sequence[Path], on_report: Callable[[Report], None], every_s: float = EVERY_S
) -> Iterator[Overview]:
    """Yield an overview at once and then every so often, until the caller stops asking."""
    followed, tally = _started(files)
    try:
        while True:
            _take(followed, tally, on_report)
            yield tally.overview(
                at=time.time(), unreadable=followed.unreadable, absent=followed.absent
            )
            time.sleep(every_s)
    finally:
        followed.close()


def _started(files: Sequence[Path]) -> tuple[Followed, Tally]:
    for file in files:
        if not file.parent.is_dir():
            raise FreeloopError(
                "no-such-file",
                what=f"there is no directory {file.parent}",
                where="files to watch",
                mend="name the files that FREELOOP_WATCH_LOG of your workers names",
            )
    return Followed(files), Tally()


def _take(followed: Followed, tally: Tally, on_report: Callable[[Report], None]) -> None:
    for report in followed.read():
        tally.add(report)
        on_report(report)
