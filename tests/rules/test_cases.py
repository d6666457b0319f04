"""Rules find what bad cases announce, nothing in good ones, and nothing in sync code."""

from __future__ import annotations

from pathlib import Path

import pytest

from freeloop.rules.registry import all_rules, page_of
from tests.rules.cases import check, expected, folders, found_lines, put, synchronous

PARTS = ("What it finds.", "Why it matters.", "Bad.", "Good.", "When to ignore it.", "Is the fix")


def by_name(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("folder", folders(), ids=by_name)
def test_a_rule_finds_what_its_bad_cases_announce(folder: Path, tmp_path: Path) -> None:
    """On those lines, and on no other line of the file or of the files beside it."""
    put(folder / "bad.py", tmp_path)

    found = check(tmp_path)

    for file in tmp_path.glob("*.py"):
        rule = folder.name.partition("_")[0]
        wanted = {each for each in expected(file.read_text()) if each[0] == rule}
        got = {each for each in found_lines(found, file.name) if each[0] == rule}
        assert got == wanted, file.name
    assert any(each.rule == folder.name.partition("_")[0] for each in found)


@pytest.mark.parametrize("folder", folders(), ids=by_name)
def test_a_rule_is_silent_about_its_good_cases(folder: Path, tmp_path: Path) -> None:
    """They are near misses: what a rule that is less careful would report."""
    put(folder / "good.py", tmp_path)

    found = check(tmp_path)

    rule = folder.name.partition("_")[0]
    assert [(each.line, each.message) for each in found if each.rule == rule] == []


@pytest.mark.parametrize("folder", folders(), ids=by_name)
def test_the_sync_twin_of_every_case_is_silent(folder: Path, tmp_path: Path) -> None:
    """Without an event loop nothing can block it."""
    put(folder / "bad.py", tmp_path, synchronous((folder / "bad.py").read_text()))

    found = check(tmp_path)

    assert [(each.rule, each.line, each.message) for each in found] == []


def test_every_rule_has_cases_and_a_page() -> None:
    """A rule that nothing proves, or that nothing explains, is not shipped."""
    rules = all_rules()
    named = {folder.name.partition("_")[0] for folder in folders()}

    assert len(rules) >= 15
    assert [rule.id for rule in rules if rule.id not in named | WITHOUT_CASES] == []
    for rule in rules:
        page = page_of(rule)
        assert page.startswith(f"{rule.id} {rule.name}: ")
        assert [part for part in PARTS if f"**{part}" not in page] == []


def test_ids_and_names_are_unique() -> None:
    """An id is never used again: comments and baselines name it."""
    rules = all_rules()

    assert len({rule.id for rule in rules}) == len(rules)
    assert len({rule.name for rule in rules}) == len(rules)


# Tested in test_settings_rules.py: they speak about settings, not about lines of code.
WITHOUT_CASES = {"FL303", "FL305", "FL307"}
