"""Layers of the middleware that relief runs on the loop, because they cannot wait, and that do.

Relief knows Django's own hooks; what somebody patched into a helper that such a hook calls, or a
setting that makes it compute for long, it does not see. The stack of a block does: the hook lies
directly above a frame of relief.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from freeloop.watch.stretch import Cause, Frame, Stretch, kind_of

_RELIEF = re.compile(r"[/\\]freeloop[/\\]relief[/\\]\w+\.py$")
_HOOKS = frozenset({"process_request", "process_view", "process_response"})
# Whose stack is not what the loop ran, or only what it ran by chance.
_OF_OTHERS = frozenset({Cause.GIL_OTHER_THREAD, Cause.GC, Cause.SATURATION})


def relieved_layer(block: Stretch) -> Stretch | None:
    """Return a report that names the layer in which the loop was held; None if it was in none."""
    if block.cause in _OF_OTHERS or (hook := _hook_on_loop(block.frames)) is None:
        return None
    cause = Cause.RELIEVED_LAYER
    return replace(block, kind=kind_of(cause), cause=cause, frames=(hook,), other=())


def _hook_on_loop(frames: tuple[Frame, ...]) -> Frame | None:
    for inner, outer in pairwise(frames):
        called_by_relief = _RELIEF.search(outer[0]) and not _RELIEF.search(inner[0])
        if called_by_relief and inner[2] in _HOOKS:
            return inner
    return None
