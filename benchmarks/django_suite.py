"""Claim: no test of Django's own that stock Django passes fails with relief.

Downloads the source distribution of each Django in `constraints/` from the package index, makes a
virtual environment for it with what its tests ask for, and runs the tests of what relief touches in
four arms: {stock, relief} x {plain, async}. In the async routing the sync test client's requests
are ASGI requests that go through the async chain (`django_suite_start.py`); plain, only Django's
async tests do. A test that passed with stock and not with relief is run again, alone three times
and once with its whole module, in both arms; it counts when relief fails any of these and stock
none. The rest is named as unsteady. Ends with 1 when a test counts, when a run does not come to its
end, or when relief was not in effect: in the async routing it must leave out thread hops.

    .venv/bin/python benchmarks/django_suite.py [--django 6.1] [--core | --labels handlers ...]
        [--routing plain|async|both] [--parallel 2] [--cache FOLDER] [--output FILE]
    .venv/bin/python benchmarks/django_suite.py --installed --core --renew
    .venv/bin/python benchmarks/django_suite.py --installed --core --stored

With --installed it runs on the Django of this environment, and with what is installed beside it.
--renew writes which tests stock fails to `tests/relief/stock_failures/`, --stored runs relief alone
and compares with that. Needs uv and pip in this environment. All of it takes most of an hour on one
core; --core a minute.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
START = Path(__file__).with_name("django_suite_start.py")
RESULTS = Path(__file__).with_name("results") / "django_suite.json"
STORED = ROOT / "tests" / "relief" / "stock_failures"
SERIES = ("5.2", "6.0", "6.1")
ARMS = ("stock", "relief")
ROUTINGS = ("async", "plain")
STEP_LIMIT_S = 600.0
RUN_LIMIT_S = 3600.0
STOP_LIMIT_S = 10.0
ALONE_TIMES = 3

CORE = (
    *("asgi", "handlers", "middleware", "sessions_tests", "csrf_tests"),
    *("messages_tests", "signals"),
)
# All of admin_* but admin_scripts: that runs manage.py in processes of its own, without relief.
LABELS = (
    *CORE,
    *("async", "middleware_exceptions", "auth_tests", "i18n", "cache", "decorators"),
    *("view_tests", "requests_tests", "file_uploads", "generic_views", "test_client"),
    *("test_client_regress", "urlpatterns", "urlpatterns_reverse", "servers", "wsgi"),
    *("httpwrappers", "responses", "conditional_processing", "admin_autodiscover"),
    *("admin_changelist", "admin_checks", "admin_custom_urls", "admin_default_site"),
    *("admin_docs", "admin_filters", "admin_inlines", "admin_ordering"),
    *("admin_registration", "admin_utils", "admin_views", "admin_widgets"),
)
GOOD = frozenset({"passed", "expected failure"})
BAD = frozenset({"failed", "error", "unexpected success"})


class StepFailed(Exception):  # noqa: N818 - the state of a step, shown to people
    """A command ended with an error; the message names it and shows the end of its output."""


@dataclass(frozen=True, slots=True)
class Suite:
    """Django's tests, unpacked, and an interpreter that has the Django they belong to.

    Attributes:
        version: Of Django, exactly.
        python: Interpreter of the environment.
        tests: Folder with `runtests.py`.
        left_out: Requirements of the tests that could not be installed.
    """

    version: str
    python: Path
    tests: Path
    left_out: tuple[str, ...] = ()

    @property
    def series(self) -> str:
        """As "6.1"."""
        return ".".join(self.version.split(".")[:2])


@dataclass(frozen=True, slots=True)
class Run:
    """What became of each test in one arm.

    Attributes:
        outcomes: Test id -> worst outcome.
        reasons: Test id -> traceback or reason, of those that did not pass.
        count: Tests with an outcome, skipped ones included; None when the run did not end.
        hops: Thread hops of the whole run; None as for count.
        parts: Parts of relief that were in place.
        last: The test that began last.
    """

    outcomes: Mapping[str, str]
    reasons: Mapping[str, str]
    count: int | None
    hops: int | None
    parts: tuple[str, ...]
    last: str

    def named(self, kinds: frozenset[str]) -> list[str]:
        """Return the tests with one of these outcomes, sorted."""
        return sorted(test for test, outcome in self.outcomes.items() if outcome in kinds)

    def passed(self, test: str) -> bool:
        """Whether this very test ran and passed."""
        return self.outcomes.get(test) in GOOD


def prepared(version: str, cache: Path) -> Suite:
    """Make, or find in the cache, the environment in which one Django's tests run."""
    source = unpacked(version, cache)
    venv = cache / f"venv-{version}-{platform.python_version()}"
    uv = [sys.executable, "-m", "uv"]
    if not (venv / "complete").exists():
        print(f"Django {version}: making its environment", flush=True)
        run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)])
        install = [*uv, "pip", "install", "--quiet", "--python", str(venv)]
        install += ["--constraint", str(ROOT / "constraints" / "common.txt")]
        run([*install, str(source)])
        left_out = []
        for requirement in requirements(source):
            try:
                run([*install, requirement])
            except StepFailed:
                left_out.append(requirement)
        (venv / "complete").write_text("\n".join(left_out), encoding="utf-8")
    left_out = (venv / "complete").read_text(encoding="utf-8").splitlines()
    return Suite(version, venv / "bin" / "python", source / "tests", tuple(left_out))


def requirements(source: Path) -> Iterator[str]:
    """Yield what Django's tests ask for, a requirement each."""
    asked = (source / "tests" / "requirements" / "py3.txt").read_text(encoding="utf-8")
    for line in asked.splitlines():
        if requirement := line.partition("#")[0].strip():
            yield requirement


def unpacked(version: str, cache: Path) -> Path:
    """Return the source distribution, downloaded and unpacked once."""
    folder = cache / f"django-{version}"
    if not folder.exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        pip += ["--no-deps", "--no-binary", ":all:", "--dest", str(cache), f"django=={version}"]
        run(pip)
        # Unpacked beside and renamed, so that an interrupt leaves no half of it in the cache.
        with (
            tempfile.TemporaryDirectory(dir=cache) as beside,
            tarfile.open(next(cache.glob(f"[dD]jango-{version}.tar.gz"))) as archive,
        ):
            archive.extractall(beside, filter="data")
            next(Path(beside).iterdir()).rename(folder)
    return folder


def run_tests(
    suite: Suite, arm: str, routing: str, labels: Sequence[str], *, parallel: int = 1
) -> Run:
    """Run some of Django's tests in one arm."""
    with tempfile.TemporaryDirectory(prefix="django-suite-") as folder:
        record = Path(folder, "record")
        record.touch()
        command = [str(suite.python), str(START), str(suite.tests), str(record), arm, routing]
        command += ["--noinput", "--parallel", str(parallel), *labels]
        said = ""
        try:
            run(command, cwd=suite.tests, limit_s=RUN_LIMIT_S, fine=(0, 1))
        except StepFailed as failed:
            said = str(failed)
        result = read(record)
        if not result.outcomes:
            raise StepFailed(said or f"{shown(command)}: no test ran")
        return result


def read(record: Path) -> Run:
    """Return what a run wrote down; the worst outcome of a test is the one that counts."""
    outcomes: dict[str, str] = {}
    reasons: dict[str, str] = {}
    end: dict[str, Any] = {}
    last = ""
    for line in record.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        if "ended" in told:
            end = told
            continue
        test, outcome = told["id"], told["outcome"]
        if outcome == "begun":
            last = test
        elif outcomes.get(test) not in BAD:
            outcomes[test] = outcome
            if outcome not in GOOD:
                reasons[test] = told["reason"]
    parts = tuple(end.get("parts", ()))
    # Not as unittest counts: CPython 3.12.1 leaves out the skipped ones.
    count = len(outcomes) if end else None
    return Run(outcomes, reasons, count, end.get("hops"), parts, last)


def newly_failing(stock: Run, relief: Run) -> list[str]:
    """Return what did not pass with relief: tests that stock passes, and set-ups it did not fail.

    A test that was skipped, or did not run at all, has not passed either.
    """
    lost = {test for test in stock.named(GOOD) if not relief.passed(test)}
    failed = {test for test in relief.named(BAD) if stock.outcomes.get(test) not in BAD}
    return sorted(lost | failed)


def judged_again(
    suite: Suite, routing: str, suspects: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Run suspects again in both arms; return those that count, and those that are unsteady."""
    counting: list[str] = []
    unsteady: list[str] = []
    for test in suspects:
        label = test.partition("(")[2].rstrip(")") if test.endswith(")") else test
        attempts = [label] * ALONE_TIMES + [label.partition(".")[0]]
        ways = [
            {arm: run_tests(suite, arm, routing, [attempt]) for arm in ARMS} for attempt in attempts
        ]
        stock_fails = any(test in way["stock"].named(BAD) for way in ways)
        relief_fails = any(newly_fails(test, way["stock"], way["relief"]) for way in ways)
        (counting if relief_fails and not stock_fails else unsteady).append(test)
    return counting, unsteady


def newly_fails(test: str, stock: Run, relief: Run) -> bool:
    """Whether this one test fails with relief in a run in which stock did better."""
    return relief.count is None or test in newly_failing(stock, relief)


def compare(suite: Suite, routing: str, labels: Sequence[str], *, parallel: int) -> dict[str, Any]:
    """Run stock and relief in one routing and judge the difference."""
    runs = {}
    for arm in ARMS:
        print(f"Django {suite.version}, {routing}, {arm}: running", flush=True)
        runs[arm] = run_tests(suite, arm, routing, labels, parallel=parallel)
    stock, relief = runs["stock"], runs["relief"]
    suspects = newly_failing(stock, relief)
    for test in suspects:
        print(f"\nnot passed with relief: {test}\n{relief.reasons.get(test, 'did not run')}")
    counting, unsteady = judged_again(suite, routing, suspects)
    return {
        "django": suite.version,
        "routing": routing,
        "labels": list(labels),
        "left_out": list(suite.left_out),
        "stock": told(stock),
        "relief": told(relief),
        "newly_failing": counting,
        "unsteady": unsteady,
        "broken": broken(routing, stock.hops, stock, relief),
    }


def compare_with_stored(
    suite: Suite, routing: str, labels: Sequence[str], *, parallel: int
) -> dict[str, Any]:
    """Run relief alone and judge it by the stored list of what stock fails."""
    version, known = stored(suite.series)
    expected = known[routing]
    relief = run_tests(suite, "relief", routing, labels, parallel=parallel)
    suspects = [test for test in relief.named(BAD) if test not in expected["failed"]]
    for test in suspects:
        print(f"\nnot passed with relief: {test}\n{relief.reasons[test]}")
    counting, unsteady = judged_again(suite, routing, suspects)
    problems = broken(routing, expected["hops"], relief)
    if suite.version == version and relief.count != expected["run"]:
        problems.append(f"{relief.count} tests ran, with stock {expected['run']}")
    return {
        "django": suite.version,
        "routing": routing,
        "labels": list(labels),
        "left_out": [],
        "stock": {"run": expected["run"], "hops": expected["hops"], "failing": expected["failed"]},
        "relief": told(relief),
        "newly_failing": counting,
        "unsteady": unsteady,
        "broken": problems,
    }


def broken(routing: str, stock_hops: int | None, *runs: Run) -> list[str]:
    """Return why the runs prove nothing, a sentence each: relief is the last of them."""
    problems = [f"a run ended early, in {each.last}" for each in runs if each.count is None]
    relief = runs[-1]
    if relief.count is not None and "middleware" not in relief.parts:
        problems.append("relief was not in place")
    hops = relief.hops
    if routing == "async" and hops is not None and stock_hops is not None and hops >= stock_hops:
        problems.append(f"relief left out no thread hop: {hops}, with stock {stock_hops}")
    return problems


def told(one: Run) -> dict[str, Any]:
    """Return what the results keep of a run."""
    return {
        "run": one.count,
        "hops": one.hops,
        "outcomes": dict(sorted(Counter(one.outcomes.values()).items())),
        "failing": one.named(BAD),
    }


def stored(series: str) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return the version and, for each routing, what stock did when the list was written.

    The first line of each routing is `# 6.1.3 plain: 1123 tests, 345 hops`; a test id a line
    follows.
    """
    version = ""
    known: dict[str, dict[str, Any]] = {}
    for line in (STORED / f"{series}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            version, routing, count, _tests, hops, _hops = line[2:].replace(":", "").split()
            known[routing] = {"run": int(count), "hops": int(hops), "failed": []}
        elif line:
            known[routing]["failed"].append(line)
    return version, known


def renew(suite: Suite, labels: Sequence[str], *, parallel: int) -> None:
    """Write the stored list anew from stock runs."""
    lines = []
    for routing in ROUTINGS:
        stock = run_tests(suite, "stock", routing, labels, parallel=parallel)
        if stock.count is None:
            raise StepFailed(f"stock, {routing}: the run ended early, in {stock.last}")
        lines += [f"# {suite.version} {routing}: {stock.count} tests, {stock.hops} hops"]
        lines += stock.named(BAD)
    STORED.mkdir(exist_ok=True)
    (STORED / f"{suite.series}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    limit_s: float = STEP_LIMIT_S,
    fine: Sequence[int] = (0,),
) -> None:
    """Run a command, with all that it starts, to its end.

    Raises:
        StepFailed: If it ends with an error or takes too long.
    """
    environment = dict(os.environ)
    for name in ("DJANGO_SETTINGS_MODULE", "FREELOOP_RELIEF", "PYTHONPATH", "VIRTUAL_ENV"):
        environment.pop(name, None)
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise StepFailed(f"{shown(command)}: longer than {limit_s:g} s") from None
        finally:
            # Also what a test has left running.
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_LIMIT_S)
        if code not in fine:
            said.seek(0)
            tail = said.read().strip().splitlines()[-20:]
            raise StepFailed("\n  ".join([f"{shown(command)} ended {code}", *tail]))


def shown(command: Sequence[str]) -> str:
    """Return a command in one line, without directories."""
    return " ".join(Path(word).name if word.startswith("/") else word for word in command)


def show(results: Sequence[Mapping[str, Any]]) -> None:
    """Print the table, then the names."""
    print(
        f"\n{'Django':8}{'routing':8}{'arm':8}{'run':>6}{'passed':>8}{'skipped':>8}{'failed':>8}"
        f"{'newly failing':>15}{'hops':>9}"
    )
    for each in results:
        for arm in ARMS:
            one = each[arm]
            outcomes = one.get("outcomes", {})
            passed = sum(outcomes.get(kind, 0) for kind in GOOD)
            newly = len(each["newly_failing"]) if arm == "relief" else "-"
            print(
                f"{each['django']:8}{each['routing']:8}{arm:8}{one['run'] or '?':>6}"
                f"{passed if outcomes else '-':>8}{outcomes.get('skipped', 0):>8}"
                f"{len(one['failing']):>8}{newly:>15}{one['hops'] or 0:>9}"
            )
    for each in results:
        where = f"Django {each['django']}, {each['routing']}"
        for kind in ("newly_failing", "unsteady", "broken"):
            for name in each[kind]:
                print(f"{where}, {kind.replace('_', ' ')}: {name}")
    for version, left_out in {each["django"]: each["left_out"] for each in results}.items():
        if left_out:
            print(f"Django {version}: could not be installed: {', '.join(left_out)}")


def pinned(series: str) -> str:
    """Return the version that `constraints/` names for a series."""
    pins = (ROOT / "constraints" / f"django-{series}.txt").read_text(encoding="utf-8").split()
    return next(pin for pin in pins if pin.startswith("django==")).removeprefix("django==")


def suites(asked: argparse.Namespace, cache: Path) -> Iterator[Suite]:
    """Yield the asked Djangos, each with its tests, as they are ready."""
    if asked.installed:
        version = metadata.version("django")
        tests = unpacked(version, cache) / "tests"
        yield Suite(version, Path(sys.executable), tests)
        return
    for series in asked.django or SERIES:
        yield prepared(pinned(series), cache)


def main() -> int:
    """Run what was asked for, print and keep the results, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--django", action="append", choices=SERIES)
    parser.add_argument("--installed", action="store_true", help="the Django installed here")
    parser.add_argument("--labels", nargs="+", metavar="LABEL")
    parser.add_argument("--core", action="store_true", help=f"only {', '.join(CORE)}")
    parser.add_argument("--routing", choices=[*ROUTINGS, "both"], default="both")
    parser.add_argument("--parallel", type=int, default=1, metavar="N")
    parser.add_argument("--cache", type=Path, help="keep downloads and environments here")
    parser.add_argument("--output", type=Path, help=f"default for the whole matrix: {RESULTS.name}")
    parser.add_argument("--renew", action="store_true", help="write what stock fails")
    parser.add_argument("--stored", action="store_true", help="compare with what --renew wrote")
    asked = parser.parse_args()
    if (asked.renew or asked.stored) and not asked.core:
        parser.error("the stored lists are of the core labels: add --core")
    labels = asked.labels or (CORE if asked.core else LABELS)
    routings = ROUTINGS if asked.routing == "both" else (asked.routing,)
    judge = compare_with_stored if asked.stored else compare
    narrowed = asked.django or asked.installed or asked.core or asked.labels
    output = asked.output or (None if narrowed or asked.routing != "both" else RESULTS)
    results: list[dict[str, Any]] = []
    try:
        with folder_for(asked.cache) as cache:
            ready = list(suites(asked, cache))
            if asked.renew:
                for suite in ready:
                    renew(suite, labels, parallel=asked.parallel)
                return 0
            for routing, suite in itertools.product(routings, ready):
                results.append(judge(suite, routing, labels, parallel=asked.parallel))
                keep(results, output)
    except StepFailed as failed:
        print(f"django_suite: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("django_suite: interrupted", file=sys.stderr)
        return 130
    show(results)
    failing = sum(len(each["newly_failing"]) + len(each["broken"]) for each in results)
    print(f"\n{len(results)} comparisons, {failing} reasons to doubt the claim")
    return 1 if failing else 0


@contextlib.contextmanager
def folder_for(cache: Path | None) -> Iterator[Path]:
    """Give the cache folder, or a temporary one that is removed."""
    if cache is None:
        with tempfile.TemporaryDirectory(prefix="django-suite-") as folder:
            yield Path(folder)
    else:
        cache.mkdir(parents=True, exist_ok=True)
        yield cache.resolve()


def keep(results: Sequence[Mapping[str, Any]], output: Path | None) -> None:
    """Write the results so far; they hold no path of this machine."""
    if output is not None:
        output.write_text(json.dumps({"results": results}, indent=1) + "\n", encoding="utf-8")


def interrupt(number: int, frame: object) -> None:
    """End on SIGTERM as on SIGINT."""
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupt)
    sys.exit(main())
