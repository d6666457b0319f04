"""Write docs/reference/rules.md from the docstrings of the rules, which are their pages.

Usage: python scripts/rules_page.py
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from freeloop.rules.registry import Rule, all_rules, page_of

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "rules.md"
HEAD = """# Rules of check

Written by `make reference` from the rules themselves. What blocks is known by running it: each
function that `freeloop check` takes for blocking reached a blocking primitive when it was run
under freeloop's recorder.

| rule | name | class | finds |
|---|---|---|---|
"""


def row(rule: Rule) -> str:
    """Return a rule's line in the table."""
    first = page_of(rule).partition("\n")[0].partition(": ")[2].rstrip(".")
    anchor = f"{rule.id} {rule.name}".lower().replace(" ", "-")
    return f"| [{rule.id}](#{anchor}) | {rule.name} | {rule.class_.value} | {first} |"


def section(rule: Rule) -> str:
    """Return a rule's page, its code as blocks of text that nothing runs."""
    shown = [f"## {rule.id} {rule.name}"]
    for part in page_of(rule).strip().split("\n\n")[1:]:
        is_code = part.startswith("    ")
        shown.append(f"```text\n{textwrap.dedent(part)}\n```" if is_code else part)
    return "\n\n".join(shown)


def page() -> str:
    """Return the whole page."""
    rules = all_rules()
    table = "\n".join(row(rule) for rule in rules)
    return f"{HEAD}{table}\n\n" + "\n\n".join(section(rule) for rule in rules) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
