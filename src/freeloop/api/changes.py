"""What-ifs as they are typed: "awaited", "awaited=requests+gathered", "pool=20", "threads=100"."""

from __future__ import annotations

import difflib

from freeloop.errors import FreeloopError
from freeloop.judge.what_if import VERBS, Change

NUMBERED = ("pool", "connections", "threads")
MOST = 10_000


def parse_changes(text: str) -> tuple[Change, ...]:
    """Return the steps of a what-if, in order.

    Raises:
        FreeloopError: "bad-what-if" with the nearest known word.
    """
    return tuple(_step(part.strip(), text) for part in text.split("+"))


def _step(part: str, text: str) -> Change:
    verb, _equals, value = part.partition("=")
    known = next((each for each in VERBS if each == verb), None)
    if known is None:
        near = difflib.get_close_matches(verb, VERBS, n=1)
        raise _refused(text, f"there is no change {verb!r}", near[0] if near else "")
    if known in NUMBERED:
        if not value.isdecimal() or not 0 < int(value) <= MOST:
            raise _refused(text, f"{known} wants a number from 1 to {MOST}", f"{known}=20")
        return Change(known, value=int(value))
    if known == "relief" and value:
        raise _refused(text, "relief takes no value", "relief")
    return Change(known, only=value)


def _refused(text: str, why: str, near: str) -> FreeloopError:
    forms = ", ".join(f"{verb}=N" if verb in NUMBERED else verb for verb in VERBS)
    return FreeloopError(
        "bad-what-if",
        what=f"cannot read the what-if {text!r}: {why}",
        where="--what-if",
        mend=f"did you mean {near}? known: {forms}" if near else f"known: {forms}; joined by +",
    )
