"""Two helpers that carry the tests of fixes: what a file is turned into, and what is left alone."""

from __future__ import annotations

import textwrap
from functools import partial
from pathlib import Path

from freeloop.api.checking import check_with_fixes
from freeloop.api.fixing import plan_fixes
from freeloop.fix.propose import Proposal
from freeloop.fix.verify import Outcome
from freeloop.model.finding import Safety

MODELS = """
from django.db import models

class Guest(models.Model):
    name = models.CharField(max_length=9)

class DishQuerySet(models.QuerySet):
    def cheap(self):
        return self.filter(price__lt=5)

class Dish(models.Model):
    name = models.CharField(max_length=9)
    price = models.IntegerField()
    guest = models.ForeignKey(Guest, null=True, on_delete=models.CASCADE)
    objects = DishQuerySet.as_manager()
"""


def project(at: Path, text: str, **files: str) -> Path:
    """Write a project of one file to be fixed, with `shop.models`, and return that file."""
    (at / "pyproject.toml").touch()
    (at / "shop").mkdir()
    (at / "shop" / "__init__.py").touch()
    (at / "shop" / "models.py").write_text(MODELS)
    for name, content in files.items():
        (at / f"{name}.py").write_text(textwrap.dedent(content))
    file = at / "views.py"
    file.write_text(textwrap.dedent(text).lstrip("\n"))
    return file


def settled(at: Path, *, unsafe: bool = False) -> Outcome:
    """Return what all safe edits make of a project; all edits when `unsafe`."""

    def every(proposal: Proposal) -> bool:
        return True

    has_settings = (at / "settings.py").is_file()
    settings = "settings" if has_settings else None
    check = partial(check_with_fixes, (), start=at, settings=settings, use_cache=False)
    return plan_fixes(check, accepts=every if unsafe else None)


def turned(at: Path, text: str, **files: str) -> str:
    """Return what the safe edits make of a file."""
    file = project(at, text, **files)
    outcome = settled(at)
    assert outcome.refused == []
    before = file.read_bytes()
    return outcome.files.get(str(file), (before, before))[1].decode()


def offered(at: Path, text: str, **files: str) -> list[tuple[Safety, str]]:
    """Return safety and reason of what is offered for a file, which no safe edit changes."""
    file = project(at, text, **files)
    outcome = settled(at)
    assert str(file) not in outcome.files
    found = [each.fix for each in outcome.checked.findings if each.path == "views.py"]
    return [(fix.safety, fix.reason) for fix in found if fix is not None]
