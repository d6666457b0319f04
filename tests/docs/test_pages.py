"""The pages agree with the code and with each other."""

from __future__ import annotations

import ast
import math
import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.blocks import FENCE, PAGES, ROOT

SOURCE = ROOT / "src" / "freeloop"
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
# Made by a run that the tests do not repeat.
PICTURES = re.compile(r"!\[(?P<text>[^\]\n]*)\]\((?P<target>[^)\s]+)\)")


def slugs_raised() -> dict[str, str]:
    """Return each slug of a FreeloopError in the source, with a place that raises it."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="FreeloopError"), args=[ast.Constant(value=slug)]):
                    found[str(slug)] = f"{path.relative_to(ROOT)}:{node.lineno}"
                case _:
                    pass
    return found


def slugs_raised_by_variable() -> list[str]:
    """Return the calls whose slug cannot be read, outside the module that rebuilds errors."""
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name != "errors.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "FreeloopError"
        and not (node.args and isinstance(node.args[0], ast.Constant))
    ]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page, made from its headings as forges make them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


def test_every_error_has_its_section_and_no_section_is_left_over() -> None:
    """The slug in an error message is what a user looks up."""
    page = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")

    documented = re.findall(r"^### (\S+)$", page, re.MULTILINE)

    raised = slugs_raised()
    assert raised, "no FreeloopError was found: the search is broken"
    missing = {slug: place for slug, place in raised.items() if slug not in documented}
    assert missing == {}
    assert [slug for slug in documented if slug not in raised] == []
    assert documented == sorted(set(documented))


def test_every_slug_is_written_where_it_is_raised() -> None:
    """A slug that comes from a variable cannot be searched for, and escapes the test above."""
    assert slugs_raised_by_variable() == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Pages move; links between them must follow, down to the heading."""
    broken = []
    for match in LINK.finditer(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target, _, anchor = match["target"].partition("#")
        if target.startswith(("https://", "http://")):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(match["target"])

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pictures_exist_and_say_what_they_show(page: Path) -> None:
    """A picture that is missing is worse than none; one without words is lost on many."""
    for match in PICTURES.finditer(page.read_text(encoding="utf-8")):
        assert (page.parent / match["target"]).is_file()
        assert len(match["text"]) > 20


def test_every_page_can_be_reached_from_the_index() -> None:
    """A page that nobody links to is not read."""
    index = ROOT / "docs" / "index.md"

    linked = {
        (index.parent / match["target"].partition("#")[0]).resolve()
        for match in LINK.finditer(index.read_text(encoding="utf-8"))
    }

    assert {page for page in (ROOT / "docs").rglob("*.md") if page != index} <= linked


def test_the_command_line_page_is_generated_from_the_commands() -> None:
    """Renew it with `make reference`."""
    from freeloop.cli.main import main
    from scripts.command_line_page import PAGE, page

    text = PAGE.read_text(encoding="utf-8")

    assert page(text, main) == text


def test_the_rules_page_is_generated_from_the_rules() -> None:
    """Renew it with `make reference`."""
    from scripts.rules_page import PAGE, page

    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_servers_in_the_plan_reference_are_those_that_exist() -> None:
    """A server that is not in the table is not found by a reader."""
    from freeloop.measure.servers import servers

    text = (ROOT / "docs" / "reference" / "plan-file.md").read_text(encoding="utf-8")
    table = text.partition("### Servers")[2].partition("\n## ")[0]

    assert set(re.findall(r"^\| `([\w:]+)`", table, re.MULTILINE)) == {
        server.name for server in servers()
    }


def test_the_page_about_measuring_names_the_rules_that_the_judge_follows() -> None:
    """A threshold on the page that is not the judge's would be worse than none."""
    from freeloop.judge.stats import LOOKS
    from freeloop.judge.verdict import DIFFERENT, SAME

    page = (ROOT / "docs" / "explanation" / "how-bench-measures.md").read_text(encoding="utf-8")
    page = " ".join(page.split())
    *looks, last = LOOKS.at

    assert f"{', '.join(map(str, looks))} and {last} rounds per side" in page
    assert f"an interval of {100 * LOOKS.level:.3g} %" in page
    assert f"above {math.exp(DIFFERENT):.2f}" in page
    assert f"inside 1 / {math.exp(SAME):.2f} to {math.exp(SAME):.2f}" in page


def test_every_cause_has_its_row() -> None:
    """A cause in a verdict is a word that users look up."""
    from freeloop.model.verdict import Cause

    page = (ROOT / "docs" / "explanation" / "how-bench-measures.md").read_text(encoding="utf-8")
    table = page.partition("## Causes")[2].partition("\n## ")[0]

    rows = set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE))

    assert rows == {cause.value for cause in Cause} - {"unknown"}


def test_the_tutorial_speaks_of_pairs_that_the_demo_has() -> None:
    """A reader looks for the pair by its name in the report."""
    demo = tomllib.loads((ROOT / "examples" / "cafe" / "demo.toml").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "tutorials" / "first-verdict.md").read_text(encoding="utf-8")

    named = set(re.findall(r"the pair \*([^*]+)\*", page))

    assert named
    assert named <= {pair["id"] for pair in demo["pair"]}
    assert f"starts {demo['race'][0]['burst']} requests at once" in page
