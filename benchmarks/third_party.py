"""Claim: two third-party applications get verdicts, their files unchanged.

From nothing: downloads the source distributions of Wagtail and django-silk by name and version,
gives each a virtual environment of its own, prepares its own demo project by its own commands
(Wagtail: `wagtail start`; django-silk: `project/` of the distribution, as its tests run it on
SQLite), and asks freeloop, which stays in this environment, for a *serve* verdict of three views
each. For those that need no login it also has relief explained, and counted with one GET. Ends
with 1 when a bench fails, a verdict is refused, or a file of theirs has changed. An interval that
decides nothing is an answer: it is printed and kept, not hidden.

    .venv/bin/python benchmarks/third_party.py [--output FILE] [--lock FILE]

Needs uv and pip in this environment (`make` installs both) and a package index. Takes about ten
minutes on two cores. Everything is in a temporary directory that is removed, also on SIGINT and
SIGTERM.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from turns import turn

RESULTS = Path(__file__).with_name("results") / "third_party.json"
CONCURRENCY = 10
SERVERS = ("gunicorn", "uvicorn", "uvloop", "httptools", "granian")
USER = "ada"
STEP_LIMIT_S = 600.0
BENCH_LIMIT_S = 900.0
STOP_LIMIT_S = 30.0
SUPERUSER = (
    *("createsuperuser", "--noinput"),
    *("--username", USER, "--email", f"{USER}@example.org"),
)

# A page tree as an editor would make it, through Wagtail's own models.
STORIES = """
from home.models import HomePage
home = HomePage.objects.get()
for number in range(1, 31):
    page = HomePage(title=f"Story {number}", slug=f"story-{number}")
    home.add_child(instance=page)
    page.save_revision().publish()
"""
# Requests that silk itself records; its own pages list and show them.
RECORDED = """
from django.test import Client
from silk.models import Request
client = Client(SERVER_NAME="127.0.0.1")
for number in range(60):
    assert client.get("/example_app/create").status_code == 200
print("first", Request.objects.order_by("start_time").first().pk)
"""


@dataclass(frozen=True, slots=True)
class View:
    """One view to bench.

    Attributes:
        what: What it is, for people.
        path: As given to bench; `{first}` is filled in by the preparation.
        user: Whose session is sent, or None.
    """

    what: str
    path: str
    user: str | None = None


@dataclass(frozen=True, slots=True)
class Application:
    """One third-party application with its demo.

    Attributes:
        name: Distribution.
        version: Its version.
        needs: Further distributions that its demo needs.
        environment: Variables that its demo reads.
        prepare: Makes the demo and its database; returns the demo's directory and what paths need.
        views: What is benched.
    """

    name: str
    version: str
    prepare: Callable[[Workshop], tuple[Path, dict[str, str]]]
    views: tuple[View, ...]
    needs: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where one application is unpacked, installed and run.

    Attributes:
        folder: Holds all of it.
        source: The unpacked source distribution.
        venv: Its virtual environment.
        environment: Of its commands.
    """

    folder: Path
    source: Path
    venv: Path
    environment: Mapping[str, str]

    def run(self, program: str, *arguments: str, cwd: Path) -> str:
        """Run a program of the application's environment and return what it printed."""
        return run([str(self.venv / "bin" / program), *arguments], cwd, self.environment)


def prepare_wagtail(shop: Workshop) -> tuple[Path, dict[str, str]]:
    """Start a project from Wagtail's own template, with thirty pages and an editor."""
    demo = shop.folder / "demo"
    demo.mkdir()
    shop.run("wagtail", "start", "demo", ".", cwd=demo)
    shop.run("python", "manage.py", "migrate", "-v0", cwd=demo)
    shop.run("python", "manage.py", *SUPERUSER, cwd=demo)
    shop.run("python", "manage.py", "shell", "-v0", "-c", STORIES, cwd=demo)
    return demo, {}


def prepare_silk(shop: Workshop) -> tuple[Path, dict[str, str]]:
    """Use the project that django-silk is developed with, with sixty recorded requests."""
    demo = shop.source / "project"
    shop.run("python", "manage.py", "migrate", "-v0", cwd=demo)
    said = shop.run("python", "manage.py", "shell", "-v0", "-c", RECORDED, cwd=demo)
    first = next(line.split()[1] for line in said.splitlines() if line.startswith("first "))
    return demo, {"first": first}


APPLICATIONS = (
    Application(
        "wagtail",
        "8.0.1",
        prepare_wagtail,
        (
            View("a page", "/story-1/"),
            View("search in 31 pages", "/search/?query=story"),
            View("admin: list of pages, logged in", "/admin/pages/3/", user=USER),
        ),
        environment={"DJANGO_SUPERUSER_PASSWORD": "only-on-loopback"},
    ),
    Application(
        "django-silk",
        "5.6.0",
        prepare_silk,
        (
            View("list of recorded requests", "/silk/requests/"),
            View("one recorded request", "/silk/request/{first}/"),
            View("a view that sleeps 1.345 s, recorded", "/example_app/"),
        ),
        needs=("pillow",),
        environment={"DB_ENGINE": "sqlite3", "DB_NAME": "silk.sqlite3"},
    ),
)


class StepFailed(Exception):  # noqa: N818 - the state of a step, shown to people
    """A command ended with an error; the message names it and shows the end of its output."""


@dataclass(frozen=True, slots=True)
class Ready:
    """An application that is installed, with its demo prepared.

    Attributes:
        archive: Its source distribution.
        shop: Where it is.
        demo: Directory of the demo.
        known: What paths need.
    """

    archive: Path
    shop: Workshop
    demo: Path
    known: dict[str, str]


def installed(application: Application, folder: Path, *more: str) -> Ready:
    """Install one application beside `more` distributions and prepare its demo."""
    print(f"{application.name} {application.version}: installing", flush=True)
    archive = download(application, folder)
    source = unpack(archive, folder / "source")
    venv = folder / "venv"
    environment = {**os.environ, **application.environment}
    for name in ("DJANGO_SETTINGS_MODULE", "PYTHONPATH", "VIRTUAL_ENV"):
        environment.pop(name, None)
    uv = [sys.executable, "-m", "uv"]
    run([*uv, "venv", "--quiet", "--python", sys.executable, str(venv)], folder, environment)
    wanted = [str(archive), *application.needs, *more]
    install = [*uv, "pip", "install", "--quiet", "--python", str(venv), *wanted]
    run(install, folder, environment)
    shop = Workshop(folder, source, venv, environment)
    demo, known = application.prepare(shop)
    return Ready(archive, shop, demo, known)


def measure(
    application: Application, folder: Path, *, lock: Path | None
) -> Iterator[dict[str, Any]]:
    """Install one application, prepare its demo, and yield a result for each view."""
    ready = installed(application, folder, *SERVERS)
    archive, demo, shop = ready.archive, ready.demo, ready.shop
    before = digest(demo)
    for view in application.views:
        path = view.path.format(**ready.known)
        print(f"{application.name} {view.what}: {path}", flush=True)
        with turn(lock):
            yield {
                "application": application.name,
                "version": application.version,
                "sdist_sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
                "view": view.what,
                "path": path,
                "user": view.user,
                "relief": None if view.user else relief(demo, shop.venv, path, shop.environment),
                **bench(demo, shop.venv, path, view.user, folder / "run.json", shop.environment),
            }
    unchanged(application, archive, shop.source, before, digest(demo))


def download(application: Application, folder: Path) -> Path:
    """Return the source distribution."""
    wanted = f"{application.name}=={application.version}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--no-deps", "--no-binary", ":all:", "--dest", str(folder), wanted], folder, None)
    return next(folder.glob("*.tar.gz"))


def unpack(archive: Path, target: Path) -> Path:
    """Unpack a source distribution and return its one directory."""
    with tarfile.open(archive) as members:
        members.extractall(target, filter="data")
    return next(target.iterdir())


def digest(folder: Path) -> dict[str, str]:
    """Return the digest of every Python file and template below a folder."""
    kinds = {".py", ".html", ".toml", ".cfg"}
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.suffix in kinds and file.is_file()
    }


def unchanged(
    application: Application,
    archive: Path,
    source: Path,
    before: Mapping[str, str],
    after: Mapping[str, str],
) -> None:
    """Raise when a file of the distribution or of the demo is not as it was."""
    changed = sorted(name for name, value in before.items() if after.get(name) != value)
    with tarfile.open(archive) as members:
        for member in members.getmembers():
            content = members.extractfile(member) if member.isfile() else None
            here = source.parent / member.name
            if content is not None and here.read_bytes() != content.read():
                changed.append(member.name)
    if changed:
        raise StepFailed(f"files of {application.name} have changed: {', '.join(changed)}")


def bench(
    demo: Path,
    venv: Path,
    path: str,
    user: str | None,
    file: Path,
    environment: Mapping[str, str],
) -> dict[str, Any]:
    """Run `freeloop bench` as a user would and return the verdict with its numbers."""
    command = [sys.executable, "-m", "freeloop", "bench", path, "--python", str(venv)]
    command += ["-c", str(CONCURRENCY), "--json", str(file), "--quiet"]
    command += ["--user", user] if user else []
    said = " ".join(run(command, demo, environment, limit_s=BENCH_LIMIT_S).split())
    told = json.loads(file.read_text(encoding="utf-8"))
    (result,) = told["results"]
    keys = ("answer", "ratio", "low", "high", "level", "basis", "rounds", "cause", "missing")
    return {
        **{key: result[key] for key in keys},
        "evidence": result["evidence"],
        # How to repeat it follows: that names a directory which will be gone.
        "sentence": said.partition(" repeat freeloop ")[0],
        "observed": result["observed"],
        "notes": told["notes"],
        "sides": {side: side_of(result[side]) for side in ("a", "b")},
        "environment": {
            key: told["environment"][key]
            for key in ("freeloop", "started", "python", "packages", "platform", "cores")
        },
    }


def relief(
    demo: Path, venv: Path, path: str, environment: Mapping[str, str]
) -> dict[str, dict[str, int]]:
    """Run `freeloop relief --explain --count` and return hops and threads, stock and relieved."""
    command = [sys.executable, "-m", "freeloop", "relief", "--explain", "--count", path]
    said = run([*command, "--python", str(venv), "--format", "json"], demo, environment)
    counted = json.loads(said)["counted"]
    return {
        arm: {
            "status": counted[arm]["status"],
            "hops": sum(len(counted[arm]["charge"][way]) for way in ("to_thread", "to_loop")),
            "threads": counted[arm]["charge"]["threads"],
        }
        for arm in ("stock", "relieved")
    }


def side_of(side: Mapping[str, Any]) -> dict[str, Any]:
    """Return what one side was and did: its rounds stay raw."""
    return {
        "server": side["arm"]["server"],
        "threads": side["arm"]["threads"],
        "unloaded_ms": side["unloaded_ms"],
        "rounds": [
            {key: one[key] for key in ("seconds", "completed", "failed", "cpu_ms", "queue_ms")}
            for one in side["closed"]["rounds"]
        ],
        "failures": side["failures"],
    }


def run(
    command: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str] | None,
    *,
    limit_s: float = STEP_LIMIT_S,
) -> str:
    """Run a command to its end and return its standard output.

    An interrupt is passed on and waited for: freeloop then stops what it has started.

    Raises:
        StepFailed: If it ends with an error or takes too long.
    """
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=limit_s)
        except BaseException as error:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_LIMIT_S)
            process.kill()
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise StepFailed(f"{shown(command)}\n  longer than {limit_s:g} s") from None
            raise
        if process.returncode:
            errors.seek(0)
            tail = (said + errors.read()).strip().splitlines()[-20:]
            raise StepFailed("\n  ".join([f"{shown(command)} ended {process.returncode}", *tail]))
    return said


def shown(command: Sequence[str]) -> str:
    """Return a command in one line, without directories and long text."""
    words = [Path(word).name if word.startswith("/") else word.strip() for word in command]
    return " ".join(word.partition("\n")[0] for word in words)


def refused(result: Mapping[str, Any]) -> bool:
    """Whether bench had no ratio to judge: errors, or a side that answered nothing."""
    return result["answer"] == "unknown" and result["ratio"] is None


def show(results: Sequence[Mapping[str, Any]]) -> None:
    """Print a table, then the sentences."""
    print(f"\n{'application':12} {'view':38} {'answer':14} {'B / A':>6}  {'interval':14} rounds")
    for each in results:
        interval = f"{each['low']:.2f} to {each['high']:.2f}" if each["ratio"] else "-"
        ratio = f"{each['ratio']:.2f}" if each["ratio"] else "?"
        print(
            f"{each['application']:12} {each['view']:38} {each['answer']:14} {ratio:>6}  "
            f"{interval:14} {each['rounds']}"
        )
    for each in results:
        print(f"\n{each['application']} {each['version']}: {each['sentence']}")
        if each["relief"] is not None:
            stock, relieved = each["relief"]["stock"], each["relief"]["relieved"]
            print(
                f"  relief: {stock['hops']} -> {relieved['hops']} hops, {stock['threads']} -> "
                f"{relieved['threads']} threads (counted, status {relieved['status']})"
            )
    for application, note in dict.fromkeys(
        (each["application"], note) for each in results for note in each["notes"]
    ):
        print(f"\nnote, {application}: {note}")


def main() -> int:
    """Measure both applications, print and keep the results, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--lock", type=Path, metavar="FILE", help="hold it during each bench")
    parser.add_argument("--only", choices=[each.name for each in APPLICATIONS])
    asked = parser.parse_args()
    results: list[dict[str, Any]] = []
    try:
        for application in APPLICATIONS:
            if asked.only in (None, application.name):
                with tempfile.TemporaryDirectory(prefix="third-party-") as folder:
                    results += measure(application, Path(folder), lock=asked.lock)
    except StepFailed as failed:
        print(f"third_party: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("third_party: interrupted; everything it made is removed", file=sys.stderr)
        return 130
    show(results)
    asked.output.write_text(json.dumps({"results": results}, indent=1) + "\n", encoding="utf-8")
    failing = [each for each in results if refused(each)]
    print(f"\n{len(results)} verdicts, {len(failing)} refused")
    return 1 if failing else 0


def interrupt(number: int, frame: object) -> None:
    """End on SIGTERM as on SIGINT."""
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupt)
    sys.exit(main())
