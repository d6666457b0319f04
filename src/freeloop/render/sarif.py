"""Findings as SARIF 2.1.0 for scanners and editors: the way to a cause is a code flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from freeloop import __version__
from freeloop.model.finding import Edit, Finding, Findings, Fix, Step, Unread
from freeloop.model.structure import Json
from freeloop.render.finding_text import LEVELS, details, message
from freeloop.rules.registry import Rule, all_rules, page_of

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# What relative paths start from: the root of the repository.
BASE = "%SRCROOT%"
FINGERPRINT = "freeloop/v1"


def sarif(found: Findings, findings: Sequence[Finding]) -> dict[str, Json]:
    """Return a SARIF log of one run.

    Args:
        found: Files that were not read, and notes.
        findings: Those to report, with paths from the root of the repository.

    Source:
        OASIS Static Analysis Results Interchange Format 2.1.0, sections 3.27 (result), 3.36
        (codeFlow), 3.55 (fix).
    """
    known = {rule.id: rule for rule in all_rules()}
    used = sorted({finding.rule: finding for finding in findings}.items())
    order = {rule: index for index, (rule, _) in enumerate(used)}
    told: list[Json] = [_notification(each) for each in found.unread]
    told += [{"level": "note", "message": {"text": note}} for note in found.notes]
    run: dict[str, Json] = {
        "tool": {
            "driver": {
                "name": "freeloop",
                "version": __version__,
                "rules": [_descriptor(each, known.get(rule)) for rule, each in used],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {BASE: {"description": {"text": "The root of the repository."}}},
        "invocations": [
            {
                # Files that cannot be read are told; the run itself went through.
                "executionSuccessful": True,
                "toolExecutionNotifications": told,
            }
        ],
        "results": [_result(finding, order[finding.rule]) for finding in findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _descriptor(example: Finding, rule: Rule | None) -> dict[str, Json]:
    """Return what is said of a rule once; what was only observed has no rule and no page."""
    descriptor: dict[str, Json] = {"id": example.rule, "name": example.name}
    if rule is not None:
        first, _, rest = page_of(rule).strip().partition("\n")
        descriptor |= {
            "shortDescription": {"text": first.partition(": ")[2]},
            "help": {"text": rest.strip(), "markdown": rest.strip()},
            "defaultConfiguration": {"level": LEVELS[rule.class_]},
        }
    return descriptor


def _result(finding: Finding, rule_index: int) -> dict[str, Json]:
    said = [message(finding), *(f"{label}: {text}" for label, text in details(finding))]
    result: dict[str, Json] = {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": LEVELS[finding.class_],
        "message": {"text": "\n".join(said)},
        "locations": [{"physicalLocation": _place(finding.path, _lines(finding))}],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
        "properties": {
            "class": finding.class_.value,
            "certainty": finding.certainty.value,
            "guard": finding.guard.value,
        },
    }
    if finding.chain:
        steps: list[Json] = [_step(step, depth) for depth, step in enumerate(finding.chain)]
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    if finding.also:
        result["relatedLocations"] = [
            {
                "id": number,
                "physicalLocation": _place(place.path, {"startLine": max(1, place.line)}),
                "message": {"text": place.what or "the same cause"},
            }
            for number, place in enumerate(finding.also, 1)
        ]
    if finding.fix is not None and finding.fix.edits:
        result["fixes"] = [_fix(finding.fix)]
    return result


def _lines(finding: Finding) -> dict[str, Json]:
    return {
        "startLine": finding.line,
        "startColumn": finding.column + 1,
        "endLine": max(finding.line, finding.end_line),
    }


def _place(path: str, region: Mapping[str, Json] | None) -> dict[str, Json]:
    place: dict[str, Json] = {"artifactLocation": _artifact(path)}
    return place if region is None else {**place, "region": dict(region)}


def _artifact(path: str) -> dict[str, Json]:
    if Path(path).is_absolute():
        return {"uri": Path(path).as_uri()}
    return {"uri": quote(path), "uriBaseId": BASE}


def _step(step: Step, depth: int) -> dict[str, Json]:
    location: dict[str, Json] = {
        "physicalLocation": _place(step.path, {"startLine": max(1, step.line)}),
        "message": {"text": step.text or step.function or "here"},
    }
    if step.function:
        location["logicalLocations"] = [{"fullyQualifiedName": step.function, "kind": "function"}]
    return {"location": location, "nestingLevel": depth}


def _fix(fix: Fix) -> dict[str, Json]:
    return {
        "description": {"text": fix.sentence},
        "artifactChanges": [
            {
                "artifactLocation": _artifact(path),
                "replacements": [_replacement(edit) for edit in fix.edits if edit.path == path],
            }
            for path in dict.fromkeys(edit.path for edit in fix.edits)
        ],
    }


def _replacement(edit: Edit) -> dict[str, Json]:
    return {
        "deletedRegion": {
            "startLine": edit.line,
            "startColumn": edit.column + 1,
            "endLine": edit.end_line,
            "endColumn": edit.end_column + 1,
        },
        "insertedContent": {"text": edit.text},
    }


def _notification(unread: Unread) -> dict[str, Json]:
    region: dict[str, Json] | None = None if unread.line is None else {"startLine": unread.line}
    return {
        "level": "warning",
        "message": {"text": f"not read: {unread.problem}"},
        "locations": [{"physicalLocation": _place(unread.path, region)}],
    }
