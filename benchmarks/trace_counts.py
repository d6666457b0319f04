"""Claim: a trace counts the hops, calls back, queries and threads that the request really made.

Every view of the sample project, by ASGI and by WSGI, and every stack of the hop table below, by
ASGI, are recorded once; the same run counts beside the recorder, in other places than it looks at
(`count_recorded.py`). Ends with 1 when the two differ anywhere, when a recording is not whole, or
when a view answers with an unexpected status. What the table says stands beside what was counted:
a difference from it is reported, and is no failure, since Django may change.

    .venv/bin/python benchmarks/trace_counts.py [--output FILE]

It runs with the Django of its environment; `make install DJANGO=5.2` makes others. Not covered:
consumers of channels, which are no HTTP requests. Needs PostgreSQL. Takes a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CAFE = HERE.parent / "examples" / "cafe"
SITE = HERE / "stack_site"
INSIDE = HERE / "count_recorded.py"
PATIENCE_S = 600
SERVER_ERROR = 500

DEFAULT = (
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)
SYNC, ASYNC = "stack_middleware.sync_only", "stack_middleware.async_only"


@dataclass(frozen=True, slots=True)
class Case:
    """One request of the hop table.

    Attributes:
        stack: Its middleware, for people.
        middleware: The setting.
        path: Of the site.
        to_thread: What the table says for hops to a thread.
        to_loop: What it says for calls back to the loop.
        status: Expected.
        user: Whether it is logged in.
    """

    stack: str
    middleware: tuple[str, ...]
    path: str
    to_thread: int
    to_loop: int = 0
    status: int = 200
    user: bool = False


def both(stack: str, middleware: tuple[str, ...], asynchronous: int, back: int = 0) -> list[Case]:
    """Return an async and a sync view below one stack; the sync one takes one hop more."""
    return [
        Case(stack, middleware, "/async/", asynchronous, back),
        Case(stack, middleware, "/sync/", asynchronous + 1, back),
    ]


# Measured on Django 5.2.19, 6.0.10 and 6.1.3 with asgiref 3.13.0, by hand, before there was a
# recorder: what a trace is held against besides the count of the same run.
CASES = (
    *both("none", (), 2),
    *both("async-only", (ASYNC,), 2),
    *both("default 7", DEFAULT, 15),
    Case("default 7, logged in, auser()", DEFAULT, "/user/", 17, user=True),
    Case("default 7, no such page", DEFAULT, "/missing/", 18, status=404),
    Case("default 7, uncaught error", DEFAULT, "/error/", 18, status=500),
    *both("sync-only", (SYNC,), 3, 1),
    *both("sync-only, default 7", (SYNC, *DEFAULT), 16, 1),
    *both("default 7, sync-only", (*DEFAULT, SYNC), 4, 1),
    *both("sync, async, sync", (SYNC, ASYNC, SYNC), 4, 2),
    Case("none, one query", (), "/query/", 3),
    Case("none, one call of the cache", (), "/cache/", 3),
    Case("default 7, one call of the session", DEFAULT, "/session/", 16),
)


def stacks() -> Iterator[dict[str, Any]]:
    """Yield both counts of each case of the table."""
    with tempfile.TemporaryDirectory(prefix="trace-counts-") as folder:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "stack_settings",
            "STACK_DB": str(Path(folder) / "stack.sqlite3"),
        }
        logged_in = run([str(SITE / "prepare.py")], SITE, surrounding(environment, DEFAULT)).strip()
        for stack, cases in grouped(CASES):
            around = surrounding(environment, cases[0].middleware)
            if cases[0].user:
                around["COUNT_COOKIE"] = f"sessionid={logged_in}"
            application = "stack_asgi:application"
            paths = [case.path for case in cases]
            found = inside(SITE, around, "asgi", application, paths)
            for case, line in zip(cases, found, strict=True):
                yield {
                    "of": "stack",
                    "stack": stack,
                    "interface": "asgi",
                    **line,
                    "expected_status": case.status,
                    "table": {"hop": case.to_thread, "back": case.to_loop},
                }


def surrounding(environment: Mapping[str, str], middleware: Sequence[str]) -> dict[str, str]:
    """Return the environment of a site with this middleware."""
    return {**environment, "STACK_MIDDLEWARE": json.dumps(middleware)}


def grouped(cases: Sequence[Case]) -> Iterator[tuple[str, list[Case]]]:
    """Yield the cases of each stack: they share a process."""
    for stack in dict.fromkeys(case.stack for case in cases):
        yield stack, [case for case in cases if case.stack == stack]


def cafe() -> Iterator[dict[str, Any]]:
    """Yield both counts of each view of the sample project."""
    sys.path.insert(0, str(CAFE))
    from backing import surroundings

    # On PostgreSQL every view can answer; without it those of its asynchronous driver cannot.
    with surroundings(database="postgres") as known:
        environment = {**os.environ, **known}
        for interface in ("asgi", "wsgi"):
            found = inside(CAFE, environment, interface, f"cafe.{interface}:application", [])
            for line in found:
                # With no call of its own, a view costs what its middleware does.
                plain = {True: 15, False: 16}.get(line["async_view"])
                table = {"hop": plain, "back": 0} if interface == "asgi" and plain else None
                yield {
                    "of": "sample",
                    "stack": "default 7",
                    "interface": interface,
                    **line,
                    "expected_status": None,
                    "table": table,
                }


def inside(
    folder: Path, environment: Mapping[str, str], interface: str, application: str, paths: list[str]
) -> list[dict[str, Any]]:
    """Record and count inside a project of its own process."""
    said = run([str(INSIDE), interface, application, *paths], folder, environment)
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def run(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    """Run a script of this folder and return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"trace_counts: {Path(arguments[0]).name} failed\n{done.stderr[-4000:]}")
    return done.stdout


def wrong(line: Mapping[str, Any]) -> list[str]:
    """Return why one line refutes the claim."""
    recorded, counted = line["recorded"], line["counted"]
    reasons = [
        f"{kind}: the trace says {recorded[kind]}, counted {counted[kind]}"
        for kind in counted
        if recorded[kind] != counted[kind]
    ]
    reasons += [f"not observed: {name}, {why}" for name, why in line["probes_off"].items()]
    if line["dropped"]:
        reasons.append(f"{line['dropped']} marks dropped")
    status, expected = line["status"], line["expected_status"]
    if expected is not None and status != expected:
        reasons.append(f"answered {status}, expected {expected}")
    # Under WSGI a view may not serve: what it does until then is counted all the same.
    if (
        expected is None
        and line["interface"] == "asgi"
        and (status or SERVER_ERROR) >= SERVER_ERROR
    ):
        reasons.append(f"answered {status} {line['error']}".rstrip())
    return reasons


def table_difference(line: Mapping[str, Any]) -> str:
    """Return how a counted line differs from the hop table, "" where it does not."""
    table = line["table"]
    if table is None:
        return ""
    more = line["counted"]["hop"] - table["hop"], line["counted"]["back"] - table["back"]
    return "" if more == (0, 0) else f"{more[0]:+} / {more[1]:+}"


def show(lines: Sequence[Mapping[str, Any]]) -> None:
    """Print every stack, every view, and what differs."""
    print("hops to a thread / calls back to the loop; own: beyond what the table says\n")
    head = f"{'stack or view':58} {'status':>6}  {'trace':>7}  {'counted':>7}  {'table':>7}  own"
    print(head)
    for line in lines:
        name = f"{line['stack']}: {line['path']}" if line["of"] == "stack" else line["path"]
        name = f"{line['interface']} {line['method']:4} {name}"
        recorded, counted, table = line["recorded"], line["counted"], line["table"]
        said = f"{table['hop']} / {table['back']}" if table else "-"
        print(
            f"{name:58} {line['status']!s:>6}  {recorded['hop']:3} / {recorded['back']}"
            f"  {counted['hop']:3} / {counted['back']}  {said:>7}  {table_difference(line)}"
        )


def main() -> int:
    """Count everything, keep it, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--only", choices=["stacks", "sample"])
    asked = parser.parse_args()
    lines: list[dict[str, Any]] = []
    if asked.only != "sample":
        lines += stacks()
    if asked.only != "stacks":
        lines += cafe()
    show(lines)
    failed = [(line, reason) for line in lines for reason in wrong(line)]
    for line, reason in failed:
        print(f"WRONG {line['interface']} {line['stack']} {line['path']}: {reason}")
    differing = [line for line in lines if line["of"] == "stack" and table_difference(line)]
    for line in differing:
        print(f"differs from the table: {line['stack']} {line['path']} {table_difference(line)}")
    versions = {name: metadata.version(name) for name in ("django", "asgiref")}
    print(
        f"\nPython {platform.python_version()}, Django {versions['django']}, asgiref"
        f" {versions['asgiref']}: {len(lines)} requests, {len(failed)} wrong,"
        f" {len(differing)} of {len(CASES)} differ from the table"
    )
    keep(lines, versions, asked.output)
    return 1 if failed else 0


def keep(lines: Sequence[Mapping[str, Any]], versions: dict[str, str], file: Path | None) -> None:
    """Write the results, one file for each Django."""
    django = ".".join(versions["django"].split(".")[:2])
    file = file or HERE / "results" / f"trace_counts_{django}.json"
    known = {"python": platform.python_version(), **versions}
    file.write_text(json.dumps({"versions": known, "requests": lines}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
