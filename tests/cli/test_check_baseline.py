"""Known findings: written once, counted from then on, said when they are gone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from freeloop.model.baseline import Known
from freeloop.model.baseline_codec import baseline_text
from tests.cli.conftest import Check

HELPER = """import time


def wait():
    time.sleep(1)


async def slow(request):
    wait()


async def late(request):
    wait()
"""
TWICE = "import time\nasync def slow(request):\n    time.sleep(1)\n    time.sleep(1)\n"


def test_known_findings_are_counted_and_decide_nothing(check: Check, project: Path) -> None:
    """The first thing that a team with a thousand old findings needs."""
    written = check("--write-baseline", "known.json", at=project)
    answer = check("--baseline", "known.json", at=project)

    assert written.returncode == 0
    assert "known.json: 1 known findings (1 new, 0 gone)" in written.stdout
    assert answer.returncode == 0
    assert "FL101" not in answer.stdout
    assert "nothing new. 4 files" in answer.stdout
    assert "1 known in the baseline" in " ".join(answer.stdout.split())


def test_only_what_is_new_is_shown_also_when_lines_move(check: Check, project: Path) -> None:
    """A baseline that breaks when a comment is added above is no use."""
    check("--write-baseline", "known.json", at=project)
    (project / "views.py").write_text(
        "# moved\n\n\nimport time, os\nasync def slow(request):\n"
        "    os.system('ls')\n    time.sleep(1)\n"
    )

    answer = check("--baseline", "known.json", "--format", "json", at=project)

    document = json.loads(answer.stdout)
    assert answer.returncode == 1
    assert [(each["line"], each["subject"]) for each in document["results"]] == [(6, "os.system")]
    assert document["known"] == 1


def test_a_known_cause_stays_known_when_another_view_reaches_it_first(
    check: Check, project: Path
) -> None:
    """The helper is the cause; which of its views is named is an accident of their order."""
    (project / "views.py").write_text(HELPER)
    before = check("--format", "json", at=project)
    check("--write-baseline", "known.json", at=project)
    (project / "urls.py").write_text(
        "from django.urls import path\nimport views\n"
        "urlpatterns = [path('late/', views.late), path('slow/', views.slow)]\n"
    )

    after = check("--format", "json", at=project)
    known = check("--baseline", "known.json", at=project)

    [first], [second] = (json.loads(answer.stdout)["results"] for answer in (before, after))
    assert (first["entry"], second["entry"]) == (
        "async view slow, /slow/",
        "async view late, /late/",
    )
    assert first["fingerprint"] == second["fingerprint"]
    assert known.returncode == 0


def test_the_same_line_once_more_is_new(check: Check, project: Path) -> None:
    """Two equal lines of a function have one fingerprint; the baseline counts them."""
    check("--write-baseline", "known.json", at=project)
    once = check("--baseline", "known.json", at=project)
    (project / "views.py").write_text(TWICE)

    twice = check("--baseline", "known.json", at=project)
    check("--write-baseline", "known.json", at=project)
    known = check("--baseline", "known.json", at=project)

    assert [once.returncode, twice.returncode, known.returncode] == [0, 1, 0]
    assert twice.stdout.count("FL101 blocking-call") == 1
    [entry] = json.loads((project / "known.json").read_text())["known"]
    assert entry["count"] == 2


def test_entries_that_are_gone_are_said(check: Check, project: Path) -> None:
    """Or the file would hide the same mistake when it comes back."""
    check("--write-baseline", "known.json", at=project)
    (project / "views.py").write_text("async def slow(request):\n    return await request.x\n")

    answer = check("--baseline", "known.json", at=project)
    renewed = check("--write-baseline", "known.json", at=project)

    text = " ".join(answer.stdout.split())
    assert answer.returncode == 0
    assert "gone views.py FL101 blocking-call in views.slow: time.sleep" in text
    assert "1 of the baseline gone" in text
    assert "0 known findings (0 new, 1 gone)" in renewed.stdout
    assert json.loads((project / "known.json").read_text())["known"] == []


@pytest.mark.parametrize("words", [["conf.py"], ["--select", "file-io"]])
def test_what_was_not_looked_for_is_not_called_gone(
    check: Check, project: Path, words: list[str]
) -> None:
    """A run about a part of the project, or of the rules, says nothing about the rest."""
    check("--write-baseline", "known.json", at=project)

    answer = check("--baseline", "known.json", *words, at=project)

    assert answer.returncode == 0
    assert "gone" not in answer.stdout


def test_rare_findings_are_no_part_of_the_baseline_until_they_are_shown(
    check: Check, project: Path
) -> None:
    """A finding that becomes likely has the same fingerprint; nobody has agreed to it."""
    rare = "import time\nasync def slow(request):\n    try: f()\n    except OSError:\n"
    (project / "views.py").write_text(f"{rare}        time.sleep(1)\n")
    check("--write-baseline", "known.json", at=project)
    check("--all", "--write-baseline", "all.json", at=project)
    (project / "views.py").write_text("import time\nasync def slow(request):\n    time.sleep(1)\n")

    answers = {name: check("--baseline", name, at=project) for name in ("known.json", "all.json")}

    assert answers["known.json"].returncode == 1
    assert answers["all.json"].returncode == 0


def test_the_file_is_the_same_from_every_directory_and_has_one_line_for_each(
    check: Check, project: Path
) -> None:
    """It lies in the repository: two branches that renew it must merge."""
    (project / "views.py").write_text(TWICE.replace("sleep(1)\n", "sleep(2)\n", 1))
    check("--write-baseline", "known.json", at=project)
    here = (project / "known.json").read_text()
    (project / "inner").mkdir()
    check("--write-baseline", "../known.json", at=project / "inner")

    assert (project / "known.json").read_text() == here
    lines = here.splitlines()
    assert lines[:3] == ["{", '  "schema": "freeloop.baseline/1",', '  "known": [']
    assert [line.count('"fingerprint"') for line in lines[3:]] == [1, 1, 0, 0]
    assert '"path": "views.py"' in lines[3]


def test_entries_are_sorted_by_their_place() -> None:
    """What is found first may change from run to run; the file must not."""
    entries = [Known(path, "FL101", "blocking-call", "f", "g", "0") for path in ("b.py", "a.py")]

    text = baseline_text(tuple(sorted(entries)))

    assert text.index("a.py") < text.index("b.py")


@pytest.mark.parametrize(
    ("content", "slug"),
    [
        (None, "no-baseline"),
        ("<<<<<<< ours", "broken-baseline"),
        ('{"schema": "freeloop.baseline/1", "known": [{"path": 3}]}', "broken-baseline"),
        ('{"schema": "freeloop.baseline/2", "known": []}', "unknown-schema"),
        ("[]", "broken-baseline"),
    ],
)
def test_a_baseline_that_cannot_be_read_is_refused(
    check: Check, project: Path, content: str | None, slug: str
) -> None:
    """Not taken for an empty one, nor for one that knows everything."""
    if content is not None:
        (project / "known.json").write_text(content)

    answer = check("--baseline", "known.json", at=project)

    assert answer.returncode == 2
    assert f"[{slug}]" in answer.stderr
    assert "--write-baseline known.json" in " ".join(answer.stderr.split())


def test_a_baseline_is_about_the_whole_project(check: Check, project: Path) -> None:
    """One of a part would drop what the rest had."""
    answer = check("views.py", "--write-baseline", "known.json", at=project)

    assert answer.returncode == 2
    assert "name no PATHS" in answer.stderr
    assert not (project / "known.json").exists()
