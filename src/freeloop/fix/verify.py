"""The rungs that need the whole project: the findings are gone, none is new, nothing is left to do.

Edits are made in copies of the files, in memory, and the project is checked again with those. What
was accepted is the next start, until nothing more is proposed: so a second run changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from freeloop.fix.change import Refused
from freeloop.fix.edit import Overlap
from freeloop.fix.propose import Proposal, same
from freeloop.fix.trial import tried
from freeloop.model.finding import Finding, Findings

# A fix may make room for another one; more rounds than this are a circle.
MOST_ROUNDS = 200


@dataclass(frozen=True, slots=True)
class Checked:
    """A project as it was checked.

    Attributes:
        findings: All of them.
        proposals: Those with an edit, in the same order.
    """

    findings: Findings
    proposals: tuple[Proposal, ...]


@dataclass(slots=True)
class Outcome:
    """What came of all proposals.

    Attributes:
        files: Absolute path -> (content before, content after).
        written: Accepted proposals, in the order they were accepted.
        refused: Proposals that failed, each with the rung.
        before: The project as it was.
        checked: The project with all accepted edits.
    """

    before: Findings
    checked: Checked
    files: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    written: list[Proposal] = field(default_factory=list)
    refused: list[tuple[Proposal, str]] = field(default_factory=list)


def settle(
    check: Callable[[Mapping[str, bytes]], Checked], accepts: Callable[[Proposal], bool]
) -> Outcome:
    """Return what a project becomes when every accepted proposal that passes is made.

    Args:
        check: Checks the project with some files as given, by their absolute path.
        accepts: Tells whether a proposal is wanted; asked once for each.
    """
    first = check({})
    outcome = Outcome(first.findings, first)
    answers: dict[str, bool] = {}
    failed: set[str] = set()
    alone = False
    for _ in range(MOST_ROUNDS):
        wanted = []
        for proposal in outcome.checked.proposals:
            if proposal.key not in answers:
                answers[proposal.key] = accepts(proposal)
            if answers[proposal.key] and proposal.key not in failed:
                wanted.append(proposal)
        if not wanted:
            break
        batch, overlay = _together(wanted[:1] if alone else wanted, outcome)
        after = check(overlay)
        problem = _problem(outcome.checked.findings, batch, after.findings)
        if not problem:
            _accept(outcome, batch, overlay, after)
        elif len(batch) == 1:
            failed.add(batch[0].key)
            outcome.refused.append((batch[0], problem))
        else:
            alone = True
    return outcome


def _together(
    wanted: Sequence[Proposal], outcome: Outcome
) -> tuple[list[Proposal], dict[str, bytes]]:
    """Return as many proposals as fit beside each other, and the files with them.

    The others have their turn in the next round, when the places are known again.
    """
    batch: list[Proposal] = []
    overlay = {path: after for path, (_, after) in outcome.files.items()}
    for proposal in wanted:
        changes = [change for each in [*batch, proposal] for change in each.changes]
        try:
            made = {
                change.source.path: tried(change.source, changes) for change in proposal.changes
            }
        except (Overlap, Refused):
            # Alone it passed: `propose` has tried it.
            continue
        batch.append(proposal)
        overlay.update(made)
    return batch, overlay


def _accept(
    outcome: Outcome, batch: Sequence[Proposal], overlay: Mapping[str, bytes], after: Checked
) -> None:
    for proposal in batch:
        for change in proposal.changes:
            source = change.source
            before, _ = outcome.files.get(source.path, (source.content, b""))
            outcome.files[source.path] = (before, overlay[source.path])
    outcome.written += batch
    outcome.checked = after


def _problem(before: Findings, batch: Sequence[Proposal], after: Findings) -> str:
    """Return which rung edits fail on: a finding that stays, or one that is new."""
    old = Counter(same(each) for each in before)
    now = Counter(same(each) for each in after)
    for key, count in Counter(same(each.finding) for each in batch).items():
        if now[key] > old[key] - count:
            return "checked again, the finding is still there"
    fresh = next((each for each in after if now[same(each)] > old[same(each)]), None)
    return f"it would bring {_words(fresh)}" if fresh is not None else ""


def _words(finding: Finding) -> str:
    return f"{finding.rule} {finding.name} in line {finding.line}: {finding.message}"
