"""Findings as a comment on a pull request: a table, and what is known of each below it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from freeloop.model.finding import Finding, Findings
from freeloop.render.finding_text import details, message, summary

# GitHub refuses comments of more than 65,536 characters, GitLab of a million.
MOST_CHARACTERS = 60_000
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def markdown(found: Findings, findings: Sequence[Finding]) -> str:
    """Return the findings as Markdown of GitHub's kind, no longer than a comment may be.

    Args:
        found: What the last line counts.
        findings: Those to show, the most costly first.
    """
    head = "### freeloop check\n\n"
    if not findings:
        return f"{head}{_plain(summary(found))}\n"
    rows = [_row(finding) for finding in findings]
    sections = [_section(finding) for finding in findings]
    left = MOST_CHARACTERS
    kept = 0
    for row, section in zip(rows, sections, strict=True):
        left -= len(row) + len(section)
        if left < 0:
            break
        kept += 1
    parts = [head, "| | place | rule | what happens |\n|---|---|---|---|\n", *rows[:kept], "\n"]
    if kept < len(findings):
        parts.append(f"Not shown here: {len(findings) - kept} more.\n\n")
    parts += [*sections[:kept], f"{_plain(summary(found))}\n"]
    return "".join(parts)


def _row(finding: Finding) -> str:
    what = _plain(message(finding))
    place = _code(f"{finding.path}:{finding.line}")
    return f"| {finding.class_.value} | {place} | {finding.rule} {finding.name} | {what} |\n"


def _section(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}"
    title = f"{_html(place)} {finding.rule} {finding.name}"
    lines = [f"<details><summary>{title}</summary>\n\n"]
    for label, text in details(finding):
        if label != "path":
            lines.append(f"- {label}: {_plain(text)}\n")
    for number, step in enumerate(finding.chain, 1):
        what = f"{_code(step.text)} in " if step.text else ""
        lines.append(f"- step {number}: {what}{_code(f'{step.path}:{step.line}')}\n")
    return "".join([*lines, "\n</details>\n\n"])


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is, in one line, and that mentions nobody."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("@", "@<!-- -->")


def _code(text: str) -> str:
    """Return text in the type of code; a table is split at bars even there, unless escaped."""
    flat = " ".join(text.split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", flat)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
