"""The ten shapes that corrupt code, run before and after the safe edits of every recipe."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from freeloop.fix.verify import Outcome
from tests.fix.turning import project, settled

SHAPES = sorted((Path(__file__).parents[1] / "cases" / "edits").glob("*.py"))
RUNNER = Path(__file__).with_name("run_views.py")
SETTINGS = """
ROOT_URLCONF = "urls"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache"}}
"""
HELPERS = """
from shop.models import Dish

def how_many(name, *, more=0):
    return Dish.objects.filter(name=name).count() + more

async def how_many_async(name, *, more=0):
    return await Dish.objects.filter(name=name).acount() + more

async def work():
    return "done"
"""


# Shapes in which every place is mended, so that Django refuses nothing any more.
MENDED = ("parentheses", "precedence", "trailing_commas", "starred_arguments")
# Rules that speak of statements alone, and no shape is one: see the cases of those rules.
NEEDS_STATEMENT: set[str] = {"missing await", "dangling task"}


@dataclass(frozen=True)
class Fault:
    """What a recipe mends.

    Attributes:
        name: Of the recipe, and which of its forms.
        imports: One line.
        text: The expression.
        aliased: Import and expression under another name.
        same: Whether the edit keeps what the expression gives; not when nothing worked before.
        alone: Whether one place that cannot be mended leaves them all: a helper that one caller
            still calls is still found. Then it is run against the shapes that have none.
    """

    name: str
    imports: str
    text: str
    aliased: tuple[str, str]
    same: bool = True
    alone: bool = False

    @property
    def shapes(self) -> list[Path]:
        """Those that it is run against."""
        return [each for each in SHAPES if not self.alone or each.stem in MENDED]


DISH = "from shop.models import Dish"
FOOD = "from shop.models import Dish as Food"
FAULTS = [
    Fault("sleep", "import time", "time.sleep(0)", ("from time import sleep as nap", "nap(0)")),
    Fault("call", DISH, 'Dish.objects.get(name="soup")', (FOOD, 'Food.objects.get(name="soup")')),
    Fault("count", DISH, "Dish.objects.filter(pk__gt=1).count()", (FOOD, "Food.objects.count()")),
    Fault(
        "chain",
        DISH,
        'Dish.objects.get(name="soup").guest_id',
        (FOOD, 'Food.objects.get(name="soup").pk'),
    ),
    Fault("list", DISH, 'list(Dish.objects.order_by("pk"))', (FOOD, "list(Food.objects.all())")),
    Fault(
        "comprehension",
        DISH,
        '[dish.name for dish in Dish.objects.order_by("pk")]',
        (FOOD, '{each.pk for each in Food.objects.order_by("pk")}'),
    ),
    Fault(
        "sorted",
        DISH,
        'sorted(Dish.objects.values_list("name", flat=True), reverse=True)',
        (FOOD, 'tuple(Food.objects.order_by("-pk"))'),
    ),
    Fault(
        "library",
        f"{DISH}\nfrom django.shortcuts import get_object_or_404",
        'get_object_or_404(Dish, name="soup")',
        (f"{FOOD}\nfrom django import shortcuts", "shortcuts.get_object_or_404(Food, pk=1)"),
    ),
    Fault(
        "own twin",
        "from helpers import how_many",
        'how_many("soup", more=1)',
        ("import helpers as others", 'others.how_many("bread")'),
        alone=True,
    ),
    Fault(
        "cache",
        "from django.core.cache import cache",
        'cache.get("a", "b")',
        ("from django.core.cache import cache as kept", 'kept.get_or_set("b", 2)'),
    ),
    Fault("session", "", 'request.session.get("a", 1)', ("", 'request.session.pop("a", 1)')),
    Fault("user", "", "request.user.is_anonymous", ("", "request.user.is_authenticated")),
    Fault(
        "missing await",
        "from helpers import work",
        "work()",
        ("import helpers", "helpers.work()"),
        same=False,
    ),
    Fault(
        "enter",
        "from helpers import work\nfrom asgiref.sync import async_to_sync",
        "async_to_sync(work)()",
        ("import helpers\nfrom asgiref.sync import AsyncToSync", "AsyncToSync(helpers.work)()"),
        same=False,
    ),
    Fault(
        "dangling task",
        "from helpers import work\nimport asyncio as loops",
        "loops.create_task(work())",
        ("import asyncio, helpers", "asyncio.ensure_future(helpers.work())"),
        same=False,
    ),
]


def written(fault: Fault, at: Path) -> Outcome:
    """Write all shapes with a fault as a project, and return what its safe edits make of it."""
    imports, aliased = fault.aliased
    lines = "\n".join(dict.fromkeys(f"{fault.imports}\n{imports}".splitlines()))
    routes = []
    for shape in fault.shapes:
        text = shape.read_text().replace("ALIASED", aliased).replace("FAULT", fault.text)
        head, quotes, rest = text.partition('"""\n')
        (at / shape.name).write_text(f"{head}{quotes}{lines}\n{rest}")
        names = re.findall(r"^async def (view_\w+)", text, re.MULTILINE)
        routes += [f"    path('{name}', {shape.stem}.{name})," for name in names]
    modules = ", ".join(shape.stem for shape in fault.shapes)
    urls = f"from django.urls import path\nimport {modules}\nurlpatterns = [\n"
    project(at, "", settings=SETTINGS, helpers=HELPERS, urls=urls + "\n".join(routes) + "\n]\n")
    return settled(at)


def answers(at: Path, *modules: str, allowed: bool) -> dict[str, dict[str, object]]:
    """Run the views of a project.

    Args:
        at: Its directory.
        modules: Whose views.
        allowed: Whether Django is told to run queries on the loop.
    """
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    for name in ("DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE"):
        environment.pop(name, None)
    if allowed:
        environment["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    (at / "rows.db").unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(RUNNER), str(at), *modules],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_shapes_give_the_same_after_their_edits(fault: Fault, tmp_path: Path) -> None:
    """The same results, the same SQL in the same order, the same rows; what is not sure stays.

    Before, Django is told to run queries on the loop. Afterwards too, because some stay: in a
    lambda, in a generator expression. Where all are mended it is not told, and refuses none.
    """
    modules = [shape.stem for shape in fault.shapes]
    outcome = written(fault, tmp_path)
    before = answers(tmp_path, *modules, allowed=True) if fault.same else {}

    for path, (_, after) in outcome.files.items():
        Path(path).write_bytes(after)
    now = answers(tmp_path, *modules, allowed=True)
    alone = answers(tmp_path, *MENDED, allowed=False) if fault.same else {}

    assert {name: now[name] for name in before} == before
    assert {name: before[name] for name in alone} == alone
    assert outcome.refused == []
    assert {Path(path).stem for path in outcome.files} >= ({*MENDED} if fault.same else set())


def test_every_recipe_is_run_against_all_shapes(tmp_path: Path) -> None:
    """Each of them mends something there: one that always refuses would pass all else."""
    mended = set()
    for number, fault in enumerate(FAULTS):
        at = tmp_path / str(number)
        at.mkdir()
        if written(fault, at).written:
            mended.add(fault.name)

    assert len(SHAPES) == 10
    assert mended == {fault.name for fault in FAULTS} - NEEDS_STATEMENT
