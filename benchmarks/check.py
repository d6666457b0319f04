"""Claim: `freeloop check` costs little more than parsing, and almost nothing after one edit.

Installed packages of at least 200 000 lines, copied together and read as one project, every run in
a process of its own, rounds in turns:

    cold, no cache                          at most 3 x the CPU of `ast.parse` over the same files
    warm, one file edited since             at most 0.3 x
    memory of a cold run                    at most 60 MiB per 100 000 lines above that of an
                                            empty project

A run is all that the command does but for printing: finding files, reading, linking, all rules.
`ast.parse` reads and parses each file and drops the tree. Beside them, for comparison and without
a claim: `ruff check --select ASYNC` (Rust, looks at one file at a time) and flake8-async, of the
dependency group `peers` (over one of the packages and scaled by bytes: the whole takes it more
than five minutes); without it that line is missing. Files that do not parse are counted.

Not controlled: what else the machine does; ratios are of the medians, CPU time and not the clock.
"""

from __future__ import annotations

import argparse
import ast
import gc
import importlib.util
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "check.json"
PACKAGES = (
    "django", "rest_framework", "channels", "ninja", "aiohttp", "httpx", "httpcore", "anyio",
    "psycopg", "psycopg_pool", "requests", "urllib3", "uvicorn", "websockets", "asgiref",
    "sentry_sdk", "debug_toolbar", "opentelemetry", "hypothesis", "rich", "pydantic", "whitenoise",
)  # fmt: skip
MOST_COLD, MOST_WARM, MOST_MIB = 3.0, 0.3, 60.0
LEAST_LINES = 200_000
SLOW_PART = "rest_framework"
EDITED = "django/core/handlers/base.py"


def copy_packages(to: Path) -> None:
    """Copy what is installed here into one directory, with no more than Python files."""
    (to / "pyproject.toml").touch()
    for name in PACKAGES:
        found = importlib.util.find_spec(name)
        for place in (found.submodule_search_locations if found else None) or ():
            shutil.copytree(
                place, to / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
            )


def files_below(root: Path) -> list[Path]:
    """Return the Python files, as check finds them."""
    return sorted(root.rglob("*.py"))


def parse(root: Path) -> dict[str, float]:
    """Parse every file, and keep nothing."""
    start = time.process_time()
    broken = 0
    for path in files_below(root):
        try:
            ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            broken += 1
    return {"cpu_s": time.process_time() - start, "broken": broken}


def check(root: Path, *, use_cache: bool) -> dict[str, float]:
    """Check the project."""
    from freeloop.api.checking import check_code
    from freeloop.rules.registry import all_rules

    all_rules()  # imported before the clock starts, as the parser is
    gc.disable()  # as the command does
    start = time.process_time()
    found = check_code((), start=root, settings=None, use_cache=use_cache)
    return {
        "cpu_s": time.process_time() - start,
        "findings": len(found),
        "files": found.files,
        "broken": len(found.unread),
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def in_process(what: str, root: Path, cache: Path) -> dict[str, float]:
    """Run one measurement in a fresh interpreter."""
    answer = subprocess.run(
        [sys.executable, __file__, "--one", what, str(root)],
        env={**os.environ, "FREELOOP_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    measured: dict[str, float] = json.loads(answer.stdout)
    return measured


def command(words: Sequence[str], paths: Sequence[Path]) -> float:
    """Return the CPU seconds of another program over the same files; 1 says that it found some."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run([*words, *map(str, paths)], capture_output=True, text=True, check=False)
    if ended.returncode not in (0, 1) or "Traceback" in ended.stderr:
        sys.exit(f"{words[0]} did not run: {ended.stderr[-500:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rounds(root: Path, cache: Path, number: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Measure in turns."""
    edited = root / EDITED
    text = edited.read_text()
    for turn in range(number):
        yield "parse", in_process("parse", root, cache)
        yield "cold", in_process("cold", root, cache)
        edited.write_text(f"{text}\n# before {turn}\n")
        in_process("warm", root, cache)
        edited.write_text(f"{text}\n# after {turn}\n")
        yield "warm", in_process("warm", root, cache)
    edited.write_text(text)


def main() -> None:
    """Measure, print, and end with 1 when the claim fails."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--one", nargs=2, metavar=("WHAT", "ROOT"), help=argparse.SUPPRESS)
    options.add_argument("--rounds", type=int, default=7)
    asked = options.parse_args()
    if asked.one:
        warnings.simplefilter("ignore")
        what, root = asked.one[0], Path(asked.one[1])
        one = parse(root) if what == "parse" else check(root, use_cache=what == "warm")
        sys.stdout.write(json.dumps(one))
        return
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(measure(Path(scratch), asked.rounds))


def measure(scratch: Path, number: int) -> int:
    """Measure everything and return the exit code."""
    root, cache, empty = scratch / "packages", scratch / "cache", scratch / "empty"
    for directory in (root, cache, empty):
        directory.mkdir()
    copy_packages(root)
    (empty / "pyproject.toml").touch()
    (empty / "one.py").touch()
    lines = sum(path.read_bytes().count(b"\n") for path in files_below(root))
    seen: dict[str, list[dict[str, float]]] = {"parse": [], "cold": [], "warm": []}
    for what, one in rounds(root, cache, number):
        seen[what].append(one)
    cpu = {what: statistics.median(each["cpu_s"] for each in all_) for what, all_ in seen.items()}
    nothing = in_process("cold", empty, cache)
    rss_mib = statistics.median(each["rss_mib"] for each in seen["cold"]) - nothing["rss_mib"]
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "ASYNC"]
    others = {"ruff": command([*ruff, "--no-cache", "--preview"], [root])}
    flake8_async = Path(sys.executable).with_name("flake8-async")
    if flake8_async.exists():
        part = files_below(root / SLOW_PART)
        share = sum(path.stat().st_size for path in part)
        whole = sum(path.stat().st_size for path in files_below(root))
        others["flake8-async"] = command([str(flake8_async)], part) * whole / share
    result = {
        "lines": lines,
        "files": seen["cold"][0]["files"],
        "broken": seen["cold"][0]["broken"],
        "findings": seen["cold"][0]["findings"],
        "python": platform.python_version(),
        "rounds": number,
        "cpu_s": {**cpu, **others, "empty": nothing["cpu_s"]},
        "cold_ratio": cpu["cold"] / cpu["parse"],
        "warm_ratio": cpu["warm"] / cpu["parse"],
        "mib_per_100k_lines": rss_mib / lines * 100_000,
        "raw": seen,
    }
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    return told(result, cpu, others)


def told(result: dict[str, object], cpu: dict[str, float], others: dict[str, float]) -> int:
    """Print what was measured and return 1 when the claim fails."""
    print(f"{result['files']} files, {result['lines']} lines, {result['broken']} do not parse")
    for name, seconds in {**cpu, **others}.items():
        print(f"{name:14}{seconds:8.2f} s CPU  {seconds / cpu['parse']:6.2f} x ast.parse")
    print(f"memory        {result['mib_per_100k_lines']:8.1f} MiB per 100 000 lines")
    held = {
        f"at least {LEAST_LINES} lines": int(str(result["lines"])) >= LEAST_LINES,
        f"cold at most {MOST_COLD} x": float(str(result["cold_ratio"])) <= MOST_COLD,
        f"warm at most {MOST_WARM} x": float(str(result["warm_ratio"])) <= MOST_WARM,
        f"at most {MOST_MIB} MiB per 100 000 lines": float(str(result["mib_per_100k_lines"]))
        <= MOST_MIB,
    }
    for claim, holds in held.items():
        print(f"{'holds' if holds else 'FAILS'}  {claim}")
    return 0 if all(held.values()) else 1


if __name__ == "__main__":
    main()
