"""Findings as workflow commands, which GitHub shows as annotations beside the changed lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from freeloop.model.finding import Finding
from freeloop.render.finding_text import LEVELS, details, message

# GitHub's word for the least of its three levels is not SARIF's.
COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def github_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield one workflow command for each finding.

    Args:
        findings: With paths from the root of the repository.

    Source:
        GitHub's documentation of workflow commands; escaping as its toolkit does it
        (`@actions/core`, command.ts).
    """
    for finding in findings:
        command = COMMANDS[LEVELS[finding.class_]]
        places = {
            "file": finding.path,
            "line": str(finding.line),
            "endLine": str(max(finding.line, finding.end_line)),
            "title": f"{finding.rule} {finding.name}",
        }
        properties = ",".join(f"{key}={_property(value)}" for key, value in places.items())
        said = [message(finding), *(f"{label}: {text}" for label, text in details(finding))]
        yield f"::{command} {properties}::{_data(chr(10).join(said))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
