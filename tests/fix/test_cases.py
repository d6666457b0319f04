"""Each rule's fixable cases become its fixed ones: silent, and themselves when fixed again."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from freeloop.api.checking import check_with_fixes
from freeloop.api.fixing import plan_fixes
from freeloop.fix.recipe import all_recipes
from freeloop.fix.verify import Outcome
from tests.rules.cases import CASES, check, expected, found_lines, put

FOLDERS = sorted(path.parent for path in CASES.glob("*/fixable.py"))
# An async twin of theirs works in another way, by a thread, so that no edit is ever certain.
NEVER_CERTAIN = {"FL102", "FL103"}


def fixed(at: Path) -> Outcome:
    settings = "settings" if (at / "settings.py").is_file() else None
    return plan_fixes(partial(check_with_fixes, (), start=at, settings=settings, use_cache=False))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_safe_edits_turn_the_fixable_case_into_the_fixed_one(folder: Path, tmp_path: Path) -> None:
    """Letter by letter; what is found before is what the case announces."""
    file = put(folder / "fixable.py", tmp_path)
    rule = folder.name.partition("_")[0]

    outcome = fixed(tmp_path)

    assert found_lines(outcome.before, "urls.py") == expected(file.read_text())
    assert {rule} <= {each.finding.rule for each in outcome.written}
    assert outcome.files[str(file)][1].decode() == (folder / "fixed.py").read_text()
    assert outcome.refused == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_fixed_file_is_silent_and_stays_itself(folder: Path, tmp_path: Path) -> None:
    """No rule finds anything in it, and a second run writes nothing."""
    put(folder / "fixed.py", tmp_path)

    found = check(tmp_path)
    outcome = fixed(tmp_path)

    assert [(each.rule, each.path, each.line, each.message) for each in found] == []
    assert outcome.files == {}


def test_every_rule_with_a_recipe_has_a_fixable_case() -> None:
    """A recipe that no case shows is not shipped."""
    rules = {rule for recipe in all_recipes() for rule in recipe.rules}

    assert rules - NEVER_CERTAIN == {folder.name.partition("_")[0] for folder in FOLDERS}
    assert len(all_recipes()) >= 10


@pytest.mark.parametrize("rule", ["FL111", "FL503"])
def test_an_edit_that_the_projects_own_django_may_not_know_is_not_safe(
    rule: str, tmp_path: Path
) -> None:
    """What needs nothing of Django stays safe."""
    folder = next(folder for folder in FOLDERS if folder.name.startswith(rule))
    put(folder / "fixable.py", tmp_path)
    (tmp_path / "requirements.txt").write_text("django>=3.2,<4\n")

    outcome = fixed(tmp_path)

    doubts = [fix.reason for each in outcome.before if (fix := each.fix) is not None and fix.edits]
    if rule == "FL503":
        assert {each.finding.rule for each in outcome.written} == {rule}
    else:
        assert outcome.written == []
        assert all(each.endswith("and requirements.txt asks for >=3.2,<4") for each in doubts)
        assert doubts
