"""A stretch in one line for a log: what, how long, where, whose request."""

from __future__ import annotations

import os
import re

from freeloop.watch.sinks.groups import REST, Group, Key
from freeloop.watch.sinks.labels import shown_route
from freeloop.watch.stretch import Cause, Frame, Stretch, is_project

LONGEST_PATH = 100
_LIBRARIES = re.compile(r"^.*[/\\](?:(?:site|dist)-packages|lib[/\\]python\d[^/\\]*)[/\\]")

_WORDS = {
    Cause.WAIT: "held by a waiting call",
    Cause.CPU: "held by computing",
    Cause.GIL_HELD: "held by a call that keeps the interpreter lock",
    Cause.GIL_OTHER_THREAD: "kept waiting by another thread's interpreter lock",
    Cause.GC: "held by garbage collection",
    Cause.THREAD_START: "held by starting a thread",
    Cause.SATURATION: "held by many short callbacks",
    Cause.SERIALISED: "calls wait for one thread",
    Cause.EXECUTOR_QUEUE: "calls wait for a thread of the executor",
    Cause.POOL_WAIT: "requests wait for a database connection",
    Cause.DEADLOCK: "two wait for each other behind one thread",
    Cause.NEVER_AWAITED: "a coroutine was never awaited",
    Cause.LOST_EXCEPTION: "a task's exception was lost",
    Cause.OUTLIVES_REQUEST: "work outlives its request",
    Cause.SEQUENTIAL_AWAITS: "awaits one after another",
    Cause.RELIEVED_LAYER: "a layer that relief runs on the event loop holds it",
    Cause.STARVED: "not run by the host: nobody's code",
}


def words(cause: str) -> str:
    """Return what a cause means, in words."""
    return _WORDS.get(Cause(cause), cause)


def sentence(stretch: Stretch, group: Group) -> str:
    """Return one line about the first stretch of a group."""
    parts = [f"{_subject(stretch.kind.value)}{words(stretch.cause.value)}"]
    if stretch.ms:
        parts[0] += f" for {stretch.ms:.0f} ms (measured)"
    parts += _whose(group.key, stretch.path)
    return "; ".join(parts)


def summary(group: Group, count: int, total_ms: float, seconds: float) -> str:
    """Return one line about stretches of a group that were counted and not logged.

    Args:
        group: With the counters since the process began.
        count: Stretches since the group's last line.
        total_ms: Their sum.
        seconds: Since the group's last line.
    """
    if group.key == REST:
        return f"{count} more stretches of other lines in {seconds:.0f} s, {total_ms:.0f} ms in all"
    often = f"{count} more times in {seconds:.0f} s, {total_ms:.0f} ms in all (measured)"
    parts = [f"{often}: {_subject(group.key.kind)}{words(group.key.cause)}"]
    parts += _whose(group.key, None)
    parts.append(
        f"since start {group.count} times, max {group.max_ms:.0f} ms, p99 {group.p99_ms:.0f} ms"
    )
    return "; ".join(parts)


def place(frame: Frame) -> str:
    """Return file, line and function; the file as seen from the working directory."""
    file, line, function = frame
    here = os.getcwd()  # noqa: PTH109 - pathlib may not be loaded
    return f"{printable(short(file, here))}:{line} {printable(function)}"


def short(file: str, root: str) -> str:
    """Return a file below the root, or below the directory that libraries lie in."""
    return file.removeprefix(f"{root}{os.sep}") if is_project(file) else _LIBRARIES.sub("", file)


def printable(text: str, longest: int = 300) -> str:
    """Return text on one line: a path that holds a line break must not forge a line of a log."""
    shown = "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in text)
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."


def _subject(kind: str) -> str:
    return "" if kind == "hidden" else "event loop "


def _whose(key: Key, path: str | None) -> list[str]:
    parts = []
    if key.line is not None:
        called = f", in {printable(key.callee)}" if key.callee not in (None, key.line[2]) else ""
        parts.append(f"at {place(key.line)}{called}")
    if key.route is not None:
        parts.append(f"route {printable(shown_route(key.route))}")
    elif path is not None:
        parts.append(f"path {printable(path, LONGEST_PATH)}")
    return parts
