"""What a test may take, and the words with which it fails."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

import freeloop
from freeloop.pytest_plugin.names import LEAST_MS, MARK
from freeloop.watch.sinks.labels import shown_route
from freeloop.watch.sinks.sentence import words
from freeloop.watch.stretch import Frame, Stretch, is_project

# Of a deep stack the innermost frames say enough; foreign ones at its end are left out.
MOST_FRAMES = 15
_OWN = str(Path(freeloop.__file__).parent)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one test may take.

    Attributes:
        max_block_ms: For how long its code may hold an event loop at a stretch; None for no limit.
        max_hops: Calls to a thread that one request of `freeloop_client` may make.
        max_connections_held: Database connections that one such request may hold at once.
    """

    max_block_ms: float | None = None
    max_hops: int | None = None
    max_connections_held: int | None = None


NAMES = tuple(field.name for field in fields(Limits))


def limits_of(item: pytest.Item, watch_ms: float | None) -> Limits:
    """Return the limits of a test: the nearest mark that names one decides, then the option."""
    found: dict[str, float | None] = {"max_block_ms": watch_ms}
    for mark in reversed(list(item.iter_markers(MARK))):
        found |= mark.kwargs
    return Limits(**found)  # type: ignore[arg-type]  # refuse_wrong_marks has looked at them


def refuse_wrong_marks(items: Iterable[pytest.Item]) -> None:
    """Raise for a mark with an unknown name or value: a misspelt limit would guard nothing.

    Raises:
        pytest.UsageError: It names the test.
    """
    for item in items:
        for mark in item.iter_markers(MARK):
            if mark.args:
                _refuse(item, f"takes names only: {', '.join(NAMES)}")
            for name, value in mark.kwargs.items():
                if name not in NAMES:
                    near = difflib.get_close_matches(name, NAMES, n=1)
                    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(NAMES)}"
                    _refuse(item, f"has no {name}; {hint}")
                _refuse_value(item, name, value)


def _refuse_value(item: pytest.Item, name: str, value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        _refuse(item, f"{name} must be a number or None, not {value!r}")
    elif name == "max_block_ms" and value < LEAST_MS:
        _refuse(item, f"max_block_ms must be at least {LEAST_MS:g}: the watch cannot tell less")


def _refuse(item: pytest.Item, problem: str) -> None:
    raise pytest.UsageError(f"{item.nodeid}: @pytest.mark.{MARK} {problem}")


def blocked(stretches: Sequence[Stretch], limit_ms: float, root: Path) -> str:
    """Return why a test fails whose code held the loop; the longest stretch first."""
    longest, *others = sorted(stretches, key=lambda each: -each.ms)
    line = line_of(longest)
    assert line is not None  # without one nobody is to blame
    called = f", in {longest.callee}" if longest.callee not in (None, line[2]) else ""
    rows = [
        f"the event loop was held for {longest.ms:.0f} ms (measured); allowed: {limit_ms:g} ms",
        f"  line   {_shown(line, root)}{called}",
        f"  cause  {longest.cause.value}: {words(longest.cause.value)}",
    ]
    if longest.route is not None:
        rows.append(f"  route  {shown_route(longest.route)}")
    rows += [
        f"  {label}  {_shown(frame, root)}"
        for label, frame in zip(["stack", *["     "] * MOST_FRAMES], _frames(longest), strict=False)
    ]
    for each in others[:5]:
        also = line_of(each)
        assert also is not None  # as above
        rows.append(f"  also   {each.ms:.0f} ms at {_shown(also, root)}")
    rows.append(
        "  mend   await it, give it to a thread (asyncio.to_thread, sync_to_async), or allow it:"
        f" @pytest.mark.{MARK}(max_block_ms={_next(longest.ms)})"
    )
    return "\n".join(rows)


def line_of(stretch: Stretch) -> Frame | None:
    """Return the deepest frame of the project; None if there is none."""
    return next((frame for frame in stretch.frames if _is_theirs(frame)), None)


def _frames(stretch: Stretch) -> list[Frame]:
    """Return the frames down to the outermost one of the project, without freeloop's own."""
    theirs = [number for number, frame in enumerate(stretch.frames) if _is_theirs(frame)]
    shown = [frame for frame in stretch.frames[: theirs[-1] + 1] if not frame[0].startswith(_OWN)]
    return shown[:MOST_FRAMES]


def _is_theirs(frame: Frame) -> bool:
    """Return whether a frame is the project's: what records a request is freeloop's."""
    return is_project(frame[0]) and not frame[0].startswith(_OWN)


def _shown(frame: Frame, root: Path) -> str:
    file, line, function = frame
    return f"{file.removeprefix(f'{root}/')}:{line} {function}"


def _next(ms: float) -> int:
    """Return a round limit above what was measured, with room for a slower machine."""
    return int(ms * 1.5 / 50 + 1) * 50
