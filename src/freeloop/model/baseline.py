"""Baseline: the findings that a project knows and lives with, so that new ones stand out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from freeloop.model.finding import Finding, Findings


@dataclass(frozen=True, slots=True, order=True)
class Known:
    """Findings with one fingerprint.

    Attributes:
        path: File of the cause, relative to that of the baseline; for readers, as are the next
            four: only the fingerprint tells what is known. Nothing here moves with lines.
        rule: Id.
        name: Of the rule.
        function: Qualified name of the function that the cause lies in.
        subject: What is called there; "" if not a call.
        fingerprint: Of the finding.
        count: How many there are: a function may hold the same line twice.
    """

    path: str
    rule: str
    name: str
    function: str
    subject: str
    fingerprint: str
    count: int = 1

    def __str__(self) -> str:
        where = f" in {self.function}" if self.function else ""
        what = f": {self.subject}" if self.subject else ""
        return f"{self.path}  {self.rule} {self.name}{where}{what}"


type Baseline = tuple[Known, ...]


def baseline_of(findings: Iterable[Finding], shown: Callable[[str], str]) -> Baseline:
    """Return findings as known ones, sorted.

    Args:
        findings: What is to be known.
        shown: Gives the path that the baseline shows for that of a finding.
    """
    entries: dict[str, Known] = {}
    for finding in findings:
        fresh = Known(
            shown(finding.path),
            finding.rule,
            finding.name,
            finding.chain[-1].function if finding.chain else "",
            finding.subject,
            finding.fingerprint,
            0,
        )
        entry = entries.get(finding.fingerprint, fresh)
        entries[finding.fingerprint] = replace(entry, count=entry.count + 1)
    return tuple(sorted(entries.values()))


def without_known(found: Findings, baseline: Baseline, looked_for: Collection[str]) -> Findings:
    """Return the findings that a baseline does not have, with those that it has counted.

    Args:
        found: All of them.
        baseline: The known ones.
        looked_for: Ids of the rules that were asked of the whole project; what the baseline has of
            others may still be there.
    """
    left = Counter({entry.fingerprint: entry.count for entry in baseline})
    kept = []
    for finding in found.findings:
        if left[finding.fingerprint] > 0:
            left[finding.fingerprint] -= 1
        else:
            kept.append(finding)
    gone = [entry for entry in baseline if left[entry.fingerprint] and entry.rule in looked_for]
    return replace(
        found,
        findings=tuple(kept),
        known=len(found.findings) - len(kept),
        gone=tuple(str(entry) for entry in gone),
    )
