"""`freeloop check` as a user runs it: in a project, on paths, with comments, in JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from freeloop.model.finding import Certainty, FindingClass
from freeloop.model.finding_codec import decode_findings
from freeloop.model.verdict import Basis
from tests.cli.conftest import Check
from tests.examples.cafe import serving

CAFE = Path(__file__).parents[2] / "examples" / "cafe"
# Rule, file and function of everything that is planted in the sample project.
PLANTED = {
    ("FL101", "kitchen/market.py", "vegetable_price"),
    ("FL101", "kitchen/oven.py", "baked"),
    ("FL101", "kitchen/views/bake.py", "cake_async"),
    ("FL103", "kitchen/views/pages.py", "password_async"),
    ("FL302", "kitchen/views/orm.py", "three_gathered_async"),
    ("FL401", "kitchen/views/cpu.py", "inline_async"),
    ("FL401", "kitchen/views/pages.py", "template_async"),
    ("FL401", "kitchen/views/pages.py", "export_async"),
    ("FL401", "kitchen/views/upload.py", "upload_async"),
    ("FL402", "kitchen/clients.py", "new_httpx_async_client"),
    ("FL504", "kitchen/views/fanout.py", "sequence_async"),
    ("FL505", "kitchen/tally.py", "add_and_lose"),
}
# What stands in the line of the file that a finding names.
LINES = {
    "FL101": ("requests_session().get(", "time.sleep("),
    "FL103": ("await acheck_password(",),
    "FL302": ("await asyncio.gather(",),
    "FL401": ("async def ",),
    "FL402": ("return httpx.AsyncClient(",),
    "FL504": ("await _order_async(session, address) for",),
    "FL505": ("self.served = seen + 1",),
}


def test_everything_planted_in_the_sample_project_is_found_and_nothing_else(check: Check) -> None:
    """The sample project says itself what is wrong in it, in its docstrings."""
    answer = check("--format", "json", at=CAFE)

    found = decode_findings(json.loads(answer.stdout))
    shown = {
        (each.rule, each.path, each.chain[-1].function.rpartition(".")[2])
        for each in found
        if not each.folded
    }
    assert answer.returncode == 1
    assert shown == PLANTED
    for each in found:
        if not each.folded:
            line = (CAFE / each.path).read_text().splitlines()[each.line - 1]
            assert any(text in line for text in LINES[each.rule]), (each.path, each.line)
    assert found.unread == ()


def test_a_call_two_modules_deep_is_shown_with_its_way_and_its_mend(check: Check) -> None:
    """The view looks harmless; the finding names it, the helpers between, and the twin to await."""
    answer = check("--select", "blocking-call", at=CAFE)

    text = " ".join(answer.stdout.split())
    assert "kitchen/market.py:13 FL101 blocking-call stall requests.Session.get waits" in text
    assert "entry async view blocking_async, /hidden/async" in text
    assert "blocking_async > price_of_the_day > vegetable_price > requests_session().get" in text
    assert "await price_of_the_day_async(...)" in text


def test_a_second_run_says_the_same(check: Check, project: Path) -> None:
    """What is read from the cache is what was parsed."""
    first = check(at=project)
    second = check(at=project)

    assert first.returncode == 1
    assert second.stdout == first.stdout
    assert "views.py:3  FL101 blocking-call stall" in first.stdout


@pytest.mark.parametrize(
    ("comment", "code"),
    [
        ("# noqa: FL101", 0),
        ("# noqa: E501, FL101", 0),
        ("# noqa", 0),
        ("# freeloop: ignore[blocking-call] nobody else is here", 0),
        ("# freeloop: ignore[FL101]", 0),
        ("# noqa: E501", 1),
        ("# freeloop: ignore[file-io]", 1),
        ("# nothing to see", 1),
    ],
)
def test_a_comment_on_the_line_silences_a_finding(
    check: Check, project: Path, comment: str, code: int
) -> None:
    """Only for the rules that it names, and the silenced are counted."""
    file = project / "views.py"
    file.write_text(file.read_text().replace("sleep(1)", f"sleep(1)  {comment}"))

    answer = check(at=project)

    assert answer.returncode == code
    assert ("1 silenced" in answer.stdout) is (code == 0)


def test_rare_findings_are_counted_and_shown_when_asked_for(check: Check, project: Path) -> None:
    """They do not decide the exit code unless they are shown."""
    (project / "views.py").write_text(
        "import time\n"
        "async def slow(request):\n    try: pass\n    except OSError: time.sleep(1)\n"
        "async def nobody(): time.sleep(2)\n"
    )

    counted, shown = check(at=project), check("--all", at=project)

    assert counted.returncode == 0
    assert "1 on a rare branch, 1 reached by no entry point known" in counted.stdout
    assert "FL101" not in counted.stdout
    assert shown.returncode == 1
    assert shown.stdout.count("FL101 blocking-call") == 2


def test_paths_narrow_down_what_findings_are_about(check: Check, project: Path) -> None:
    """A finding is about a file when its way goes through it."""
    (project / "helpers.py").write_text("import time\ndef wait(): time.sleep(1)\n")
    (project / "views.py").write_text(
        "import helpers, time\nasync def slow(request):\n    helpers.wait()\n"
        "async def other(request):\n    pass\n"
    )

    assert "helpers.py:2" in check("views.py", "--quiet", at=project).stdout
    assert "helpers.py:2" in check("helpers.py", "--quiet", at=project).stdout
    assert check("conf.py", at=project).returncode == 0


def test_files_that_do_not_parse_are_named_and_counted(check: Check, project: Path) -> None:
    """What was not read may hold anything."""
    (project / "old.py").write_text("print 'old'\n")

    answer = check(at=project)

    assert "old.py:1  not read: Missing parentheses" in answer.stdout
    assert "1 not read" in answer.stdout


@pytest.mark.parametrize(
    ("words", "slug"),
    [
        (["nowhere.py"], "no-such-path"),
        (["--select", "FL999"], "unknown-rule"),
        (["--settings", "other.settings"], "no-settings-module"),
    ],
)
def test_wrong_use_ends_with_code_2_and_its_mend(
    check: Check, project: Path, words: list[str], slug: str
) -> None:
    """Never a traceback."""
    answer = check(*words, at=project)

    assert answer.returncode == 2
    assert f"[{slug}]" in answer.stderr
    assert "mend" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_project_without_settings_is_checked_with_a_note(check: Check, tmp_path: Path) -> None:
    """Reading needs no Django; what it takes for granted instead is said."""
    (tmp_path / "lone.py").write_text("import time\nasync def f(): time.sleep(1)\n")

    answer = check("lone.py", at=tmp_path)

    assert answer.returncode == 1
    assert "no settings module was found" in " ".join(answer.stdout.split())
    assert "every async function counts as one" in " ".join(answer.stdout.split())


def test_the_python_door_gives_the_same_findings(project: Path) -> None:
    """`freeloop.check` is what the command calls."""
    import freeloop

    found = freeloop.check(start=project, use_cache=False)

    [finding] = found
    assert (finding.rule, finding.line, finding.class_) == ("FL101", 3, FindingClass.STALL)
    assert finding.certainty is Certainty.CERTAIN
    assert finding.entry == "async view slow, /slow/"


def test_a_trace_tells_what_a_finding_did_cost(check: Check, project: Path) -> None:
    """One list: where it could block, joined with what it did cost in one recorded request."""
    (project / "conf.py").write_text(
        'SECRET_KEY = "x" * 50\nROOT_URLCONF = "urls"\nALLOWED_HOSTS = ["*"]\nMIDDLEWARE = []\n'
    )
    (project / "views.py").write_text(
        "import time\nfrom django.http import HttpResponse\n"
        "async def slow(request):\n    wait()\n    return HttpResponse()\n"
        "def wait():\n    time.sleep(0.2)\n"
    )
    trace = [sys.executable, "-m", "freeloop", "trace", "/slow/", "--output", "slow.json"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "conf"}
    subprocess.run(trace, cwd=project, env=environment, check=True, capture_output=True)

    answer = check("--with", "slow.json", "--format", "json", at=project)

    [finding] = decode_findings(json.loads(answer.stdout))
    assert (finding.rule, finding.line) == ("FL101", 7)
    assert finding.certainty is Certainty.OBSERVED
    assert finding.cost_ms is not None
    assert 150 < finding.cost_ms < 2000


def test_reports_of_watch_tell_what_findings_did_cost(check: Check, project: Path) -> None:
    """From production: the mean of what was reported for a line, and lines that reading missed."""
    stretch = {
        "schema": "freeloop.stretch/1", "kind": "block", "cause": "wait", "route": "slow/",
        "path": "/slow/", "task": None, "started": 1.0, "confidence": 1.0,
    }  # fmt: skip
    frames = [[str(project / "views.py"), 3, "slow"]]
    lines = [{**stretch, "ms": ms, "frames": frames} for ms in (100.0, 300.0)]
    (project / "watch.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    answer = check("--with", "watch.jsonl", at=project)

    assert "observed: time.sleep" in " ".join(answer.stdout.split())
    assert "200 ms per request (measured)" in answer.stdout


WATCHED = """
import freeloop.watch
from cafe import asgi
application = freeloop.watch.asgi(asgi.application)
"""


@pytest.mark.real
@pytest.mark.needs("uvicorn")
def test_what_the_sample_project_was_seen_to_do_in_production_is_one_list_with_what_is_read(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watched server is asked for the page that blocks; its file is given to check."""
    (tmp_path / "watched.py").write_text(WATCHED)
    log = tmp_path / "watch.jsonl"
    monkeypatch.setenv("FREELOOP_WATCH_LOG", str(log))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), str(CAFE))))
    watched = ("-m", "uvicorn", "watched:application", "--log-level=error", "--port={port}")
    with serving(watched) as site:
        for _ in range(4):
            site.get("/hidden/async/?ms=150")
        site.get("/health/")

    answer = check("--with", str(log), "--format", "json", at=CAFE)

    found = decode_findings(json.loads(answer.stdout))
    assert {(each.rule, each.path) for each in found if not each.folded} >= {
        (rule, path) for rule, path, _ in PLANTED
    }
    seen = [each for each in found if each.certainty is Certainty.OBSERVED]
    [market] = [each for each in seen if each.path == "kitchen/market.py"]
    assert (market.rule, market.basis) == ("FL101", Basis.MEASURED)
    assert market.cost_ms is not None
    assert 100 < market.cost_ms < 1500
    # What was seen comes first: it is known to cost.
    shown = [each for each in found if not each.folded]
    assert shown.index(market) < len(seen)


def test_a_file_that_is_no_report_is_refused(check: Check, project: Path) -> None:
    """An empty join would look as if nothing was observed."""
    answer = check("--with", "absent.jsonl", at=project)

    assert answer.returncode == 2
    assert "[no-reports]" in answer.stderr


def test_the_stack_is_shown_layer_by_layer(check: Check) -> None:
    """The middleware simulator through the same door; no request runs."""
    answer = check("--stack", at=CAFE)

    assert answer.returncode == 0, answer.stderr
    assert "SessionMiddleware" in answer.stdout
