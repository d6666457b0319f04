"""Claim: an interrupted bench leaves no process, port, file or session behind.

Starts `freeloop bench` on the sample project twenty times, sends SIGINT or SIGTERM at a random
moment, and looks for what is left: processes that carry a mark in their environment, files in a
private temporary directory, sessions in the database. Ends with 1 when anything is left.

    .venv/bin/python benchmarks/interrupts.py [--times 20] [--seed 1]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
CAFE = ROOT / "examples" / "cafe"
MARK = "FREELOOP_INTERRUPT_MARK"
GONE_WITHIN_S = 15.0
EXPECTED = (130, 0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one interrupt left.

    Attributes:
        signal: "SIGINT" or "SIGTERM".
        after_s: Moment, seconds after the start.
        doing: Last line of progress before it.
        code: Exit code; 130 when interrupted, 0 when bench was faster.
        ended_after_s: Seconds from the signal to the end.
        left: What was left behind, one sentence each; empty is the claim.
    """

    signal: str
    after_s: float
    doing: str
    code: int
    ended_after_s: float
    left: tuple[str, ...]


def interrupt_once(number: signal.Signals, after_s: float, *, user: str | None = None) -> Outcome:
    """Interrupt one bench on the sample project and say what it left.

    Args:
        number: SIGINT or SIGTERM.
        after_s: When to send it, seconds after the start.
        user: Name of a user who is made first and whose session is used, or None.
    """
    mark = uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="interrupts-") as home:
        temporary, database = Path(home, "tmp"), Path(home, "cafe.sqlite3")
        temporary.mkdir()
        environment = {
            **os.environ,
            MARK: mark,
            "TMPDIR": str(temporary),
            "CAFE_SQLITE": str(database),
        }
        if user is not None:
            _make_user(environment, user)
        command = [sys.executable, "-m", "freeloop", "bench", "/hello/async/", "-c", "10"]
        command += ["--user", user] if user else []
        with Path(home, "said").open("w+") as said:
            started = time.monotonic()
            bench = subprocess.Popen(
                command, cwd=CAFE, env=environment, stdout=said, stderr=subprocess.STDOUT
            )
            try:
                bench.wait(after_s)
            except subprocess.TimeoutExpired:
                bench.send_signal(number)
            sent = time.monotonic()
            try:
                code = bench.wait(60)
            except subprocess.TimeoutExpired:
                bench.kill()
                code = bench.wait()
            ended = time.monotonic()
            said.seek(0)
            lines = said.read().strip().splitlines()
        left = [*_processes(mark), *(f"file {path}" for path in sorted(temporary.rglob("*")))]
        if user is not None:
            left += _sessions(database)
        if code not in EXPECTED:
            left.append(f"exit code {code}: {' / '.join(lines[-3:])}")
        return Outcome(
            signal=number.name,
            after_s=round(min(after_s, ended - started), 2),
            doing=lines[-1] if lines else "",
            code=code,
            ended_after_s=round(ended - sent, 2),
            left=tuple(left),
        )


def _processes(mark: str) -> list[str]:
    """Return the marked processes that are still there after a while."""
    deadline = time.monotonic() + GONE_WITHIN_S
    while True:
        found = [each for each in psutil.process_iter() if _is_marked(each, mark)]
        if not found or time.monotonic() > deadline:
            return [f"process {each.pid}: {' '.join(_command(each))}" for each in found]
        time.sleep(0.1)


def _is_marked(process: psutil.Process, mark: str) -> bool:
    try:
        return bool(process.environ().get(MARK) == mark) and process.pid != os.getpid()
    except psutil.Error:
        return False


def _command(process: psutil.Process) -> list[str]:
    try:
        words: list[str] = process.cmdline()
    except psutil.Error:
        return ["(gone)"]
    return words


def _make_user(environment: dict[str, str], user: str) -> None:
    """Make the tables and one user in the private database."""
    make = (
        "import django; django.setup(); "
        "from django.core.management import call_command; call_command('migrate', verbosity=0); "
        f"from django.contrib.auth.models import User; User.objects.create_user({user!r})"
    )
    subprocess.run(
        [sys.executable, "-c", make],
        cwd=CAFE,
        env={**environment, "DJANGO_SETTINGS_MODULE": "cafe.settings"},
        check=True,
        capture_output=True,
    )


def _sessions(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        (count,) = connection.execute("select count(*) from django_session").fetchone()
    return [f"{count} sessions in the database"] if count else []


def main() -> int:
    """Interrupt, print a line each, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    outcomes = []
    for turn in range(asked.times):
        number = chance.choice([signal.SIGINT, signal.SIGTERM])
        user = "ada" if turn % 4 == 3 else None
        outcome = interrupt_once(number, chance.uniform(0.1, 25.0), user=user)
        outcomes.append(outcome)
        state = "clean" if not outcome.left else f"LEFT {'; '.join(outcome.left)}"
        print(
            f"{turn + 1:3}  {outcome.signal:8}  after {outcome.after_s:5.2f} s  "
            f"exit {outcome.code:3}  ended in {outcome.ended_after_s:4.2f} s  {state}",
            flush=True,
        )
    dirty = [outcome for outcome in outcomes if outcome.left]
    if asked.output:
        asked.output.write_text(json.dumps([asdict(each) for each in outcomes], indent=2) + "\n")
    print(f"{len(outcomes)} interrupts, {len(dirty)} left something behind")
    return 1 if dirty else 0


if __name__ == "__main__":
    sys.exit(main())
