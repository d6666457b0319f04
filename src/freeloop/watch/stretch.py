"""A stretch: a time in which the event loop was held, or in which something hidden went wrong.

One JSON object per line, `"schema": "freeloop.stretch/1"` on each line: log files are cut, joined
and read from the middle, so no line may depend on an earlier one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SCHEMA = "freeloop.stretch/1"

# File, line, function.
Frame = tuple[str, int, str]

# Where code lies that the project did not write: libraries, the standard library, frozen modules
# and the parts of freeloop itself that run inside a request.
_FOREIGN = re.compile(
    r"^<|[/\\](?:site|dist)-packages[/\\]|[/\\]lib[/\\](?:python\d|asyncio[/\\])"
    r"|[/\\]freeloop[/\\](?:watch|relief)[/\\]|[/\\]bin[/\\]\w+$",
    re.IGNORECASE,
)


class Kind(StrEnum):
    """What a stretch is: held by code, hidden from view, or the machine's own delay."""

    BLOCK = "block"
    HIDDEN = "hidden"
    HOST = "host"


class Cause(StrEnum):
    """Why; the causes of a block first, then the hidden ones, then the host's."""

    WAIT = "wait"
    CPU = "cpu"
    GIL_HELD = "gil-held"
    GIL_OTHER_THREAD = "gil-other-thread"
    GC = "gc"
    THREAD_START = "thread-start"
    SATURATION = "saturation"
    SERIALISED = "serialised"
    EXECUTOR_QUEUE = "executor-queue"
    POOL_WAIT = "pool-wait"
    DEADLOCK = "deadlock"
    NEVER_AWAITED = "never-awaited"
    LOST_EXCEPTION = "lost-exception"
    OUTLIVES_REQUEST = "outlives-request"
    SEQUENTIAL_AWAITS = "sequential-awaits"
    RELIEVED_LAYER = "relieved-layer"
    STARVED = "starved"


_BLOCK_CAUSES = frozenset(list(Cause)[:7])
_HIDDEN_CAUSES = frozenset(list(Cause)[7:16])


@dataclass(frozen=True, slots=True)
class Stretch:
    """One report of the watch.

    Attributes:
        kind: Block, hidden, or host.
        cause: Why.
        ms: How long, net of the time in which the host did not run the thread; for `starved`
            that very delay; 0 where the thing has no length (`never-awaited`).
        frames: The stack, innermost first; of the thread to blame, which for `gil-other-thread`
            is not the loop's. Empty where no sample was taken.
        route: Pattern that the resolver matched, None where it is not known.
        path: Without query; None outside a request.
        task: Name of the asyncio task; None outside a task.
        started: Unix time in seconds.
        confidence: From 0 to 1: share of the stretch's samples that agree with `frames`, lower
            with few samples.
        other: A second stack, innermost first: who waits (`deadlock`, `serialised`), or what the
            loop was doing meanwhile (`gil-other-thread`). In JSON only where there is one.
    """

    kind: Kind
    cause: Cause
    ms: float
    frames: tuple[Frame, ...]
    route: str | None
    path: str | None
    task: str | None
    started: float
    confidence: float
    other: tuple[Frame, ...] = ()

    @property
    def line(self) -> Frame | None:
        """The deepest frame that the project wrote: where to look; None if there is none."""
        return next((frame for frame in self.frames if is_project(frame[0])), None)

    @property
    def callee(self) -> str | None:
        """The innermost function: what the line called, or the line's own function."""
        return self.frames[0][2] if self.frames else None

    def to_json(self) -> str:
        """Return one line, without its end."""
        fields: dict[str, Any] = {
            "schema": SCHEMA,
            "kind": self.kind.value,
            "cause": self.cause.value,
            "ms": round(self.ms, 3),
            "frames": self.frames,
            "route": self.route,
            "path": self.path,
            "task": self.task,
            "started": round(self.started, 3),
            "confidence": round(self.confidence, 2),
        }
        if self.other:
            fields["other"] = self.other
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def is_project(file: str) -> bool:
    """Return whether a file is the project's own, by where it lies."""
    return _FOREIGN.search(file) is None


def from_json(line: str) -> Stretch:
    """Return the stretch that one line says; fields that are not known are passed over.

    Raises:
        ValueError: If the line is no JSON, another schema, or lacks a field; says which.
    """
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise ValueError(f"a stretch is a JSON object, not {type(fields).__name__}")  # noqa: TRY004
    if fields.get("schema") != SCHEMA:
        raise ValueError(f"schema is {fields.get('schema')!r}, not {SCHEMA!r}")
    kind, cause = Kind(_text(fields, "kind")), Cause(_text(fields, "cause"))
    if kind is not kind_of(cause):
        raise ValueError(f"cause {cause.value!r} does not belong to kind {kind.value!r}")
    return Stretch(
        kind=kind,
        cause=cause,
        ms=_number(fields, "ms"),
        frames=_frames(fields, "frames"),
        route=_text_or_none(fields, "route"),
        path=_text_or_none(fields, "path"),
        task=_text_or_none(fields, "task"),
        started=_number(fields, "started"),
        confidence=_number(fields, "confidence"),
        other=_frames(fields, "other") if "other" in fields else (),
    )


def kind_of(cause: Cause) -> Kind:
    """Return the kind that a cause belongs to."""
    if cause in _BLOCK_CAUSES:
        return Kind.BLOCK
    return Kind.HIDDEN if cause in _HIDDEN_CAUSES else Kind.HOST


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name!r} must be text, not {value!r}")  # noqa: TRY004
    return value


def _text_or_none(fields: dict[str, Any], name: str) -> str | None:
    return None if fields.get(name) is None else _text(fields, name)


def _number(fields: dict[str, Any], name: str) -> float:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{name!r} must be a number, not {value!r}")  # noqa: TRY004
    return float(value)


def _frames(fields: dict[str, Any], name: str) -> tuple[Frame, ...]:
    value = fields.get(name)
    if not isinstance(value, list):
        raise ValueError(f"{name!r} must be a list of frames, not {value!r}")  # noqa: TRY004
    return tuple(_frame(each) for each in value)


def _frame(value: object) -> Frame:
    match value:
        case [str(file), int(line), str(function)]:
            return (file, line, function)
        case _:
            raise ValueError(f"a frame is [file, line, function], not {value!r}")
