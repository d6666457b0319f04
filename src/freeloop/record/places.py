"""Whose code a frame runs, and the deepest line of the project in a stack or an await chain."""

from __future__ import annotations

import gc
import os
import sys
import sysconfig
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from freeloop.model.trace import Origin, Place

DEEPEST = 400
INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
ADAPTER = f"{os.sep}asgiref{os.sep}"
OURS = str(Path(__file__).resolve().parent) + os.sep
PACKAGES = str(Path(__file__).resolve().parents[2]) + os.sep
STDLIB = tuple(
    os.path.join(path, "")  # noqa: PTH118 - text that code objects are compared with
    for path in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
)

# Where a mark was made: what runs, and its line.
type Spot = tuple[CodeType, int]


class Places:
    """Tells the project's code from Django's, a library's, the standard library's and ours."""

    def __init__(self, root: str) -> None:
        self.root = os.path.join(root, "")  # noqa: PTH118
        # By identity: hashing a code object hashes all of its instructions.
        self._origins: dict[int, Origin | None] = {}
        self._codes: list[CodeType] = []  # keeps their identities theirs

    def origin(self, code: CodeType) -> Origin | None:
        """Return whose code it is; None for the recorder's own."""
        try:
            return self._origins[id(code)]
        except KeyError:
            found = self._origins[id(code)] = self._origin(code.co_filename)
            self._codes.append(code)
            return found

    def is_project(self, code: CodeType) -> bool:
        """Whether the project's own files hold it."""
        return self.origin(code) is Origin.PROJECT

    def deepest(self, frame: FrameType | None) -> tuple[Spot | None, bool]:
        """Return the deepest project line of a stack and True; else its deepest library line."""
        other: Spot | None = None
        for _ in range(DEEPEST):
            if frame is None:
                break
            origin = self.origin(frame.f_code)
            if origin is Origin.PROJECT:
                return (frame.f_code, frame.f_lineno), True
            if (other is None or self._adapts(other[0])) and self._is_library(origin):
                other = (frame.f_code, frame.f_lineno)
            frame = frame.f_back
        return other, False

    def stack(self, frame: FrameType | None, most: int = 40) -> tuple[Spot, ...]:
        """Return the lines of a stack, innermost first, without the recorder's own."""
        found: list[Spot] = []
        while frame is not None and len(found) < most:
            if self.origin(frame.f_code) is not None:
                found.append((frame.f_code, frame.f_lineno or frame.f_code.co_firstlineno))
            elif found:
                break  # below lies what drives the request: the loop, the server's thread
            frame = frame.f_back
        return tuple(found)

    def await_point(self, awaited: Any) -> tuple[Spot | None, str]:
        """Return where a suspended coroutine waits, and the name of what that line awaits."""
        spot: Spot | None = None
        in_project = False
        names: list[str] = []
        for _ in range(DEEPEST):
            frame, inner = _suspended(awaited)
            if frame is None:
                names.append(_awaitable_name(awaited))
                break
            here = (frame.f_code, frame.f_lineno or frame.f_code.co_firstlineno)
            origin = self.origin(frame.f_code)
            if origin is Origin.PROJECT:
                spot, in_project = here, True
                names.clear()
            elif origin is not None:
                names.append(frame.f_code.co_qualname)
                if not in_project and (spot is None or self._says_more(frame.f_code, origin)):
                    spot = here
            if inner is None:
                break
            awaited = inner
        if in_project:
            return spot, names[0] if names else ""
        return spot, names[-2] if len(names) > 1 else ""

    def resolve(self, spot: Spot) -> Place:
        """Return a spot as the model knows it."""
        code, line = spot
        origin = self.origin(code) or Origin.LIBRARY
        return Place(self.shown(code.co_filename), max(line or 1, 1), code.co_qualname, origin)

    def shown(self, filename: str) -> str:
        """Return a file as seen from the project's root, site-packages or the standard library."""
        _, installed, tail = filename.rpartition(f"{os.sep}site-packages{os.sep}")
        if installed:
            return tail
        for base in (self.root, *STDLIB, PACKAGES):
            if filename.startswith(base):
                return filename[len(base) :]
        return os.path.basename(filename)  # noqa: PTH119 - where it lies tells nobody anything

    def _is_library(self, origin: Origin | None) -> bool:
        return origin is Origin.DJANGO or origin is Origin.LIBRARY

    def _says_more(self, code: CodeType, origin: Origin) -> bool:
        return self._is_library(origin) and not self._adapts(code)

    def _adapts(self, code: CodeType) -> bool:
        # Every hop passes here: the line that asked for it says more.
        return ADAPTER in code.co_filename

    def _origin(self, filename: str) -> Origin | None:
        if filename.startswith(OURS):
            return None
        if any(folder in filename for folder in INSTALLED):
            return Origin.DJANGO if f"{os.sep}django{os.sep}" in filename else Origin.LIBRARY
        if filename.startswith(self.root):
            return Origin.PROJECT
        if filename.startswith((*STDLIB, "<frozen")) or filename == "<string>":
            return Origin.STDLIB
        return Origin.LIBRARY


def caller(depth: int = 2) -> FrameType:
    """Return the frame of the caller's caller."""
    return sys._getframe(depth)


def _suspended(awaited: Any) -> tuple[FrameType | None, Any]:
    """Return frame and awaited object of a coroutine, a generator or an asynchronous one."""
    for frame_name, inner_name in (
        ("cr_frame", "cr_await"),
        ("gi_frame", "gi_yieldfrom"),
        ("ag_frame", "ag_await"),
    ):
        frame = getattr(awaited, frame_name, None)
        if isinstance(frame, FrameType):
            return frame, getattr(awaited, inner_name, None)
    if type(awaited).__name__ in {"async_generator_asend", "async_generator_athrow"}:
        # Nothing but the collector's view leads from the awaitable to its generator.
        for held in gc.get_referents(awaited):
            if type(held).__name__ == "async_generator":
                return _suspended(held)
    if type(awaited).__name__ == "coroutine_wrapper":
        for held in gc.get_referents(awaited):
            if type(held).__name__ == "coroutine":
                return _suspended(held)
    return None, None


def _awaitable_name(awaited: Any) -> str:
    kind = type(awaited)
    return "Future" if kind.__name__ == "FutureIter" else kind.__qualname__
