"""`freeloop watch` as a user runs it, beside workers that write."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from freeloop.watch.sinks.json_lines import JsonLines
from freeloop.watch.stretch import Cause
from tests.cli.test_bench import freeloop
from tests.watch.sinks.stretches import stretch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Reports of one worker: two blocks, a host that was busy, and a line that is none."""
    path = tmp_path / "watch.jsonl"
    outlet = JsonLines(str(path))
    for each in (stretch(ms=100), stretch(ms=300), stretch(cause=Cause.STARVED, ms=50)):
        outlet(each)
    outlet.close()
    with path.open("a") as opened:
        opened.write("garbage\n")
    return path


def following(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "freeloop", "watch", *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        text=True,
    )


@pytest.mark.parametrize("columns", ["80", "140"])
def test_once_shows_the_worst_lines_whatever_the_width(file: Path, columns: str) -> None:
    """Place and route can be read at both."""
    ended = freeloop("watch", "--once", str(file), cwd=file.parent, COLUMNS=columns)

    assert ended.returncode == 0, ended.stderr
    assert "3 reports of 1 worker, loop held 0.4 s in all (measured)" in ended.stdout
    assert "views.py:41 fetch_rate > readinto" in ended.stdout
    assert "/checkout/<int:pk>/" in ended.stdout
    assert "nobody's code" in ended.stdout
    assert "1 line without a report, the first: line 4: no JSON" in " ".join(ended.stdout.split())
    assert max(map(len, ended.stdout.splitlines()[:-1])) <= int(columns)
    assert "\x1b" not in ended.stdout


@pytest.mark.parametrize("columns", ["80", "140"])
def test_a_terminal_that_knows_only_ascii_is_no_fault(tmp_path: Path, columns: str) -> None:
    """Servers often run without a locale; long names are cut there too."""
    file = tmp_path / "watch.jsonl"
    outlet = JsonLines(str(file))
    outlet(stretch(route="caf\u00e9/" + "<int:pk>/" * 20, line=("/a.py", 1, "pr\u00e9pare" * 30)))
    outlet.close()

    ended = freeloop(
        "watch", "--once", str(file), cwd=tmp_path, COLUMNS=columns, PYTHONIOENCODING="ascii"
    )

    assert ended.returncode == 0, ended.stderr
    assert "pr\\xe9pare" in ended.stdout


def test_once_as_json_holds_the_same(file: Path) -> None:
    ended = freeloop("watch", "--once", "--format", "json", str(file), cwd=file.parent)

    document = json.loads(ended.stdout)
    assert document["schema"] == "freeloop.watch/1"
    first, second = document["results"]
    assert (first["cause"], first["count"], first["max_ms"]) == ("wait", 2, 300)
    assert second["cause"] == "starved"
    assert document["unreadable"] == [{"file": str(file), "count": 1, "first": "line 4: no JSON"}]
    assert document["workers"][0]["pid"] == os.getpid()


@pytest.mark.real
def test_in_a_pipe_each_report_is_a_line_and_an_interrupt_ends_it(file: Path) -> None:
    """Files may come later, and be rotated; nothing but the exit code tells of the end."""
    later = file.with_name("later.jsonl")
    process = following(str(file), str(later), cwd=file.parent)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        lines = [process.stdout.readline() for _ in range(3)]
        notes = [process.stderr.readline() for _ in range(2)]
        outlet = JsonLines(str(later))
        outlet(stretch(ms=777))
        outlet.close()
        lines.append(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert [line.split("  ")[2] for line in lines] == [
        "100.0 ms",
        "300.0 ms",
        "50.0 ms",
        "777.0 ms",
    ]
    assert "route /checkout/<int:pk>/" in lines[0]
    assert [note.split(": ", 1)[1] for note in notes] == [
        "1 line without a report, the first: line 4: no JSON\n",
        "not there yet\n",
    ]
    assert (process.returncode, out, err) == (130, "", "")


@pytest.mark.real
def test_json_is_one_document_a_line_while_it_follows(file: Path) -> None:
    process = following("--format", "json", str(file), cwd=file.parent)
    assert process.stdout is not None
    try:
        before = json.loads(process.stdout.readline())
        outlet = JsonLines(str(file))
        outlet(stretch(ms=777))
        outlet.close()
        after = json.loads(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)

    assert (before["reports"], after["reports"]) == (3, 4)
    assert process.returncode == 130


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        (["--once", "absent.jsonl"], "no-such-file"),
        (["absent/watch.jsonl"], "no-such-file"),
        (["."], "cannot-read"),
    ],
)
def test_bad_input_is_one_clear_error(tmp_path: Path, arguments: list[str], slug: str) -> None:
    """What, where, and how to mend it; never a traceback."""
    ended = freeloop("watch", *arguments, cwd=tmp_path)

    assert ended.returncode == 2, ended.stderr
    assert f"[{slug}]" in ended.stderr
    assert "mend" in ended.stderr
    assert "Traceback" not in ended.stderr
