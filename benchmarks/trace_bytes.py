"""Claim: two third-party applications answer the same bytes with recording as without.

Installs and prepares Wagtail and django-silk as `third_party.py` does, unchanged, and asks for the
same views, by ASGI and by WSGI: without recording, recorded with line steps, and without again
(`answer_both_ways.py`, inside their interpreter). Status, headers and body must be equal; only
words of lines that change between the two answers without recording may change. Ends with 1 when
anything else differs, a view answers with an error, a probe does not fit, or a file of theirs has
changed.

    .venv/bin/python benchmarks/trace_bytes.py [--output FILE] [--only NAME]

Needs uv and pip in this environment (`make` installs both) and a package index. The sample
project's views are compared by `tests/record/test_cafe.py`. Takes about two minutes.
"""

from __future__ import annotations

import argparse
import json
import platform
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from third_party import (
    APPLICATIONS,
    Application,
    Ready,
    StepFailed,
    digest,
    installed,
    interrupt,
    run,
    unchanged,
)

from freeloop.source.project import find_project

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "trace_bytes.json"
INSIDE = HERE / "answer_both_ways.py"
PACKAGE = HERE.parent / "src"
CLIENT_ERROR = 400
VERSIONS = (
    "import json; from importlib.metadata import version as v;"
    "print(json.dumps({name: v(name) for name in ('django', 'asgiref')}))"
)


def compare(application: Application, folder: Path) -> Iterator[dict[str, Any]]:
    """Install one application, and yield what each view answered."""
    ready = installed(application, folder)
    before = digest(ready.demo)
    versions = json.loads(ready.shop.run("python", "-c", VERSIONS, cwd=ready.demo))
    for interface in ("asgi", "wsgi"):
        for view, line in zip(application.views, asked(application, ready, interface), strict=True):
            yield {
                "application": application.name,
                "version": application.version,
                "versions": versions,
                "view": view.what,
                "user": view.user,
                **line,
            }
    unchanged(application, ready.archive, ready.shop.source, before, digest(ready.demo))


def asked(application: Application, ready: Ready, interface: str) -> list[dict[str, Any]]:
    """Ask for every view inside the application's own interpreter."""
    settings = find_project(ready.demo, settings=None, python=str(ready.shop.venv)).settings
    paths = [view.path.format(**ready.known) for view in application.views]
    named = [
        f"{view.user}@{path}" if view.user else path
        for view, path in zip(application.views, paths, strict=True)
    ]
    python = str(ready.shop.venv / "bin" / "python")
    environment = {**ready.shop.environment, "PYTHONPATH": str(PACKAGE)}
    command = [python, str(INSIDE), settings, interface, *named]
    said = run(command, ready.demo, environment)
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def wrong(line: Mapping[str, Any]) -> list[str]:
    """Return why one line refutes the claim."""
    reasons = []
    if line["changed"] is None:
        reasons.append(f"answers have {line['lines']} lines")
    elif line["changed"]:
        reasons.append(f"{len(line['changed'])} lines changed: {line['changed'][0]}")
    if not line["status"] or line["status"] >= CLIENT_ERROR or line["error"]:
        reasons.append(f"answered {line['status']} {line['error']}".rstrip())
    off = {name: why for name, why in line["probes_off"].items() if name != "lines"}
    reasons += [f"not observed: {name}, {why}" for name, why in off.items()]
    return reasons


def show(lines: Sequence[Mapping[str, Any]]) -> None:
    """Print a table."""
    print(
        f"\n{'application':12} {'view':40} {'by':4} {'status':>6} {'bytes':>7} {'marks':>6}  same?"
    )
    for line in lines:
        volatile = len(line["volatile"] or ())
        same = "yes" if line["same"] else f"but for {volatile} lines that change by themselves"
        name = f"{line['application']:12} {line['view']:40}"
        print(
            f"{name} {line['interface']:4} {line['status']!s:>6}"
            f" {line['bytes']:7} {sum(line['marks'].values()):6}  {same}"
        )
        for text in line["volatile"] or ():
            print(f"{'':12}   {text}")


def main() -> int:
    """Compare both applications, keep the results, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--only", choices=[each.name for each in APPLICATIONS])
    chosen = parser.parse_args()
    lines: list[dict[str, Any]] = []
    try:
        for application in APPLICATIONS:
            if chosen.only in (None, application.name):
                with tempfile.TemporaryDirectory(prefix="trace-bytes-") as folder:
                    lines += compare(application, Path(folder))
    except StepFailed as failed:
        print(f"trace_bytes: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("trace_bytes: interrupted; everything it made is removed", file=sys.stderr)
        return 130
    show(lines)
    failed = [(line, reason) for line in lines for reason in wrong(line)]
    for line, reason in failed:
        print(f"WRONG {line['application']} {line['view']} {line['interface']}: {reason}")
    kept = {"python": platform.python_version(), "answers": lines}
    chosen.output.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(f"\n{len(lines)} answers compared, {len(failed)} wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupt)
    sys.exit(main())
