"""Finding: one place where async code crashes, stalls or wastes, found by reading or by running."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from freeloop.model.verdict import Basis


class FindingClass(StrEnum):
    """What goes wrong. CRASH raises; STALL holds the event loop; WASTE pays without gaining."""

    CRASH = "crash"
    STALL = "stall"
    WASTE = "waste"


class Certainty(StrEnum):
    """How sure. LIKELY by reading, CERTAIN when every step was resolved, OBSERVED when it ran."""

    LIKELY = "likely"
    CERTAIN = "certain"
    OBSERVED = "observed"


class Guard(StrEnum):
    """What stands between entry point and cause, the strongest of the chain.

    NONE: it always happens. BRANCH: an ordinary condition. CACHE: only when something is not kept
    yet. SETTING: a setting decides. RARE: an exception handler, or the start of the process.
    AFTER: code before it raises each time. LOADED: what it would load may be there, by code that
    is not read.
    """

    NONE = "none"
    BRANCH = "branch"
    CACHE = "cache"
    SETTING = "setting"
    RARE = "rare"
    AFTER = "after"
    LOADED = "loaded"

    @property
    def folded(self) -> bool:
        """Whether the default view only counts such findings."""
        return self not in (Guard.NONE, Guard.BRANCH)


class Safety(StrEnum):
    """Whether an edit keeps what the program does. SUGGEST is shown and never written."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    SUGGEST = "suggest"


@dataclass(frozen=True, slots=True)
class Step:
    """One place of a chain.

    Attributes:
        path: File, relative to where freeloop was called when below it.
        line: From 1.
        function: Qualified name of the function that the line lies in, "shop.views.checkout".
        text: What happens there, "price_of" or "requests.get".
    """

    path: str
    line: int
    function: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file.

    Attributes:
        path: As in the finding.
        line: From 1.
        what: What it is, such as "async view checkout, /checkout/"; "" when it needs no words.
    """

    path: str
    line: int
    what: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """One piece of text to put in place of another.

    Attributes:
        path: File.
        line: First line that changes, from 1.
        column: Where in it, in characters from 0.
        end_line: Last line that changes.
        end_column: Where in it the kept text goes on.
        text: What stands there instead.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """How to mend it.

    Attributes:
        sentence: What to write instead, "await asyncio.sleep(...)".
        safety: Whether freeloop may write it.
        edits: Empty for a suggestion.
        reason: Why no edit is offered; "" when there is one.
    """

    sentence: str
    safety: Safety = Safety.SUGGEST
    edits: tuple[Edit, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend, grouped by cause: other entry points that reach it are in `also`.

    Attributes:
        rule: Id, "FL101".
        name: Name of the rule, "blocking-call".
        class_: What goes wrong; `class` in JSON.
        path: File of the cause, relative to where freeloop was called when below it.
        line: Where the cause starts, from 1.
        end_line: Where it ends.
        column: In characters from 0.
        message: What happens, one sentence without a full stop.
        entry: Entry point that the chain starts at, "async view checkout, /checkout/"; "" if none.
        also: The other entry points that reach the same cause.
        chain: From the entry point to the cause.
        certainty: How sure.
        guard: What stands between entry point and cause.
        rooted: Whether a request (or a task that one starts) reaches it.
        subject: Qualified name of what is called there, "requests.get"; "" if not a call.
        kind: What it waits for: net, db, file, proc, sleep, lock, cpu, dns; "" if not a wait.
        cost_ms: Per request; None when not known.
        basis: Of the cost; None without one.
        fix: How to mend it; None when there is no short way.
        fingerprint: Stays when lines move and when the way to the cause changes.
    """

    rule: str
    name: str
    class_: FindingClass
    path: str
    line: int
    message: str
    end_line: int = 0
    column: int = 0
    entry: str = ""
    also: tuple[Place, ...] = ()
    chain: tuple[Step, ...] = ()
    certainty: Certainty = Certainty.LIKELY
    guard: Guard = Guard.NONE
    rooted: bool = True
    subject: str = ""
    kind: str = ""
    cost_ms: float | None = None
    basis: Basis | None = None
    fix: Fix | None = None
    fingerprint: str = ""

    @property
    def folded(self) -> bool:
        """Whether the default view only counts it: rare, or reached by no request known."""
        if self.certainty is Certainty.OBSERVED:
            return False
        return self.guard.folded or not self.rooted


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not be read.

    Attributes:
        path: File.
        line: Where reading stopped; None when not known.
        problem: Why.
    """

    path: str
    line: int | None
    problem: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What one run of `freeloop check` found.

    Attributes:
        findings: The most costly and most certain first.
        files: How many files were read.
        entries: How many entry points run on the event loop.
        unread: Files that could not be read, each with the reason.
        suppressed: How many findings a comment in the code silenced.
        ignored: How many the settings of check leave out in their files.
        known: How many a baseline has.
        gone: What a baseline has and is no longer found, one line each.
        notes: What makes the answer weaker, one sentence each.
        environment: What the answer rests on: settings module, versions.
    """

    findings: tuple[Finding, ...] = ()
    files: int = 0
    entries: int = 0
    unread: tuple[Unread, ...] = ()
    suppressed: int = 0
    ignored: int = 0
    known: int = 0
    gone: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)


def fingerprint(rule: str, *, cause: str, line_text: str) -> str:
    """Return what makes a finding the same one in another run.

    No line number, no chain and no entry point: lines move, the stacks of a running program hold
    frames of decorators that a chain found by reading lacks, and which of several entry points is
    named first changes with code elsewhere.

    Args:
        rule: Id of the rule.
        cause: Qualified name of the function that the cause lies in.
        line_text: Text of the line of the cause; only its words count.
    """
    parts = (rule, cause, " ".join(line_text.split()))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
