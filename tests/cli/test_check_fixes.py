"""`freeloop check --diff`, `--fix` and `--unsafe-fixes` as a user runs them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Check

CAFE = Path(__file__).parents[2] / "examples" / "cafe"

CODE = """import threading
import time

lock = threading.Lock()


async def view(request):
    time.sleep(1)


async def guarded(request):
    with lock, open("a"):
        return time.sleep(2)
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a project with one edit that is safe and one that is not."""
    at = tmp_path / "shop"
    at.mkdir()
    (at / "pyproject.toml").touch()
    (at / "views.py").write_text(CODE)
    return at


def test_fix_writes_what_is_safe_and_says_what_is_not(check: Check, shop: Path) -> None:
    """A second run writes nothing; the exit code tells that something is left."""
    answer = check("--fix", at=shop)
    text = (shop / "views.py").read_text()
    again = check("--fix", at=shop)

    assert answer.returncode == again.returncode == 1
    assert "written     views.py:8  FL101 blocking-call: await asyncio.sleep" in answer.stderr
    assert "1 edit written in 1 file" in answer.stderr
    assert text == CODE.replace("time.sleep(1)", "await asyncio.sleep(1)").replace(
        "import threading", "import asyncio\nimport threading", 1
    )
    assert "0 edits written" in again.stderr
    assert (shop / "views.py").read_text() == text


def test_fix_mends_the_sample_project_where_it_can(check: Check, tmp_path: Path) -> None:
    """The faults with a safe edit are gone; the view whose twin takes more is left, with why."""
    shutil.copytree(CAFE, tmp_path / "cafe", ignore=shutil.ignore_patterns("__pycache__"))
    cafe = tmp_path / "cafe"

    answer = check("--fix", at=cafe)
    left = json.loads(check("--select", "blocking-call", "--format", "json", at=cafe).stdout)

    view = (cafe / "kitchen/views/bake.py").read_text()
    assert "2 edits written in 1 file" in answer.stderr
    assert "    await asyncio.sleep(asked_ms(request, DEFAULT_MS) / 1000)\n" in view
    assert "return HttpResponse(await baked_async(asked_ms(request, DEFAULT_MS)))" in view
    assert (
        "def bread_sync(request: HttpRequest) -> HttpResponse:\n    return HttpResponse(baked("
        in view
    )
    assert {each["path"] for each in left["results"]} == {"kitchen/market.py"}


def test_diff_is_a_patch_and_writes_nothing(check: Check, shop: Path) -> None:
    """Standard output holds nothing but the patch, which git takes."""
    answer = check("--diff", at=shop)

    assert (shop / "views.py").read_text() == CODE
    assert answer.stdout.startswith("--- a/views.py\n+++ b/views.py\n@@ ")
    subprocess.run(["git", "apply"], input=answer.stdout, text=True, cwd=shop, check=True)
    assert "    await asyncio.sleep(1)\n" in (shop / "views.py").read_text()


def test_unsafe_fixes_need_someone_to_ask(check: Check, shop: Path) -> None:
    """Without a terminal nothing is written; a diff needs no answer."""
    asked = check("--unsafe-fixes", at=shop)

    assert asked.returncode == 2
    assert "[no-terminal]" in asked.stderr
    assert (shop / "views.py").read_text() == CODE


def test_an_edit_that_brings_a_finding_is_refused(check: Check, shop: Path) -> None:
    """A lock of threads held over an await stops the loop for good: worse than the sleep."""
    answer = check("--diff", "--unsafe-fixes", at=shop)

    # Its line as the file is by then, with the import of the first edit.
    assert "refused     views.py:14  FL101 blocking-call: it would bring FL104" in answer.stderr
    assert "asyncio.sleep(2)" not in answer.stdout


def test_json_carries_the_edits(check: Check, shop: Path) -> None:
    """An editor can make them without asking freeloop again."""
    answer = check("--format", "json", at=shop)

    fixes = {each["line"]: each["fix"] for each in json.loads(answer.stdout)["results"]}
    assert fixes[8]["safety"] == "safe"
    assert [each["text"] for each in fixes[8]["edits"]] == [
        "import asyncio\n",
        "await asyncio.sleep",
    ]
    assert fixes[13]["safety"] == "unsafe"
    assert "would stay open over the await" in fixes[13]["reason"]


def test_the_mend_line_says_that_there_is_an_edit(check: Check, shop: Path) -> None:
    answer = check(at=shop)

    assert "safe edit: freeloop check --fix" in answer.stdout
