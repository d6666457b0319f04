"""Examine everything that a benchmark needs, and say how to mend what is missing."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from freeloop.errors import FreeloopError, install_command
from freeloop.model.check import Check, CheckState
from freeloop.source.arms import SERVERS
from freeloop.source.conversation import NotPossible, ask
from freeloop.source.doubts import absent_parts
from freeloop.source.facts import Database, Facts, inspect_project
from freeloop.source.interpreter import (
    Interpreter,
    find_interpreter,
    probe_interpreter,
    require_usable,
)
from freeloop.source.project import Project, find_project

CLIENT_PACKAGES = ("numpy", "scipy", "uvloop", "psutil")
INTERPRETER_SLUGS = frozenset(
    {"no-interpreter", "interpreter-broken", "interpreter-too-old", "no-django", "django-too-old"}
)
DATABASE_TIMEOUT_S = 15.0
ENOUGH_CORES = 2


def examine(
    start: Path,
    *,
    settings: str | None = None,
    python: str | None = None,
    database_timeout_s: float = DATABASE_TIMEOUT_S,
) -> tuple[Check, ...]:
    """Return one check for each thing that a benchmark needs; never raises for what it finds.

    Args:
        start: Directory in or around which the project is looked for.
        settings: Settings module, as for `--settings`.
        python: Interpreter of the project, as for `--python`.
        database_timeout_s: Time for each database to answer.
    """
    checks = [*machine(), *load_client()]
    try:
        project = find_project(start, settings=settings, python=python)
    except FreeloopError as error:
        if error.slug in INTERPRETER_SLUGS:
            return (*checks, broken("interpreter", error))
        return (*checks, interpreter_alone(python), broken("settings", error))
    checks.append(interpreter_check(probe_interpreter(project.python)))
    try:
        facts = inspect_project(project)
    except FreeloopError as error:
        return (*checks, broken("settings", error))
    return (
        *checks,
        ok("settings", f"{project.settings} in {project.root}, named by {project.named_by}"),
        *servers(project, facts),
        *applications(facts),
        *hosts(facts),
        *(database_check(project, database, database_timeout_s) for database in facts.databases),
    )


def machine() -> Iterator[Check]:
    """Yield what the operating system lets freeloop observe."""
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    if sys.platform == "linux" and Path("/proc/self/schedstat").is_file():
        yield ok("platform", f"{system}; CPU, threads, memory and run-queue delay can be observed")
    else:
        yield Check(
            "platform",
            CheckState.WARNING,
            f"{system}; the kernel does not tell the run-queue delay",
            "run on Linux to see contention; CPU and memory are measured here too",
        )
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    if cores >= ENOUGH_CORES:
        yield ok("cores", f"{cores}, so server and load client need not share one")
    else:
        yield Check(
            "cores",
            CheckState.WARNING,
            "1, which server and load client share",
            "use a machine with at least 2 cores; ratios will be less certain here",
        )


def load_client() -> Iterator[Check]:
    """Yield whether the packages of the load client are where freeloop runs."""
    for name in CLIENT_PACKAGES:
        try:
            yield ok(f"load client: {name}", metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Check(
                f"load client: {name}",
                CheckState.MISSING,
                f"not installed beside freeloop, in {sys.executable}",
                install_command(sys.executable, "'freeloop[bench]'"),
            )


def interpreter_alone(python: str | None) -> Check:
    """Check the interpreter although no project was found."""
    try:
        interpreter = probe_interpreter(find_interpreter(python, base=Path.cwd()))
        require_usable(interpreter)
    except FreeloopError as error:
        return broken("interpreter", error)
    return interpreter_check(interpreter)


def interpreter_check(interpreter: Interpreter) -> Check:
    """Return the check of an interpreter that is known to work."""
    version = ".".join(str(part) for part in interpreter.version)
    return ok("interpreter", f"Python {version}, Django {interpreter.django}, {interpreter.path}")


def servers(project: Project, facts: Facts) -> Iterator[Check]:
    """Yield one check for each server, and for what uvicorn is slower without."""
    for distribution in dict.fromkeys(SERVERS.values()):
        arms = ", ".join(name for name, needs in SERVERS.items() if needs == distribution)
        mend = install_command(project.python, distribution)
        if distribution in facts.packages:
            yield ok(f"server: {distribution}", f"{facts.packages[distribution]} ({arms})")
        else:
            detail = f"not installed in the project's interpreter ({arms})"
            yield Check(f"server: {distribution}", CheckState.MISSING, detail, mend)
    absent = absent_parts(facts)
    if "uvicorn" in facts.packages and absent:
        yield Check(
            "server: uvicorn's parts",
            CheckState.WARNING,
            f"{' and '.join(absent)} not installed: uvicorn is slower than it could be",
            install_command(project.python, *absent),
        )


def applications(facts: Facts) -> Iterator[Check]:
    """Yield whether the project has its ASGI and WSGI modules."""
    found: Mapping[str, tuple[str | None, str]] = {
        "asgi": (facts.asgi, facts.asgi_failure),
        "wsgi": (facts.wsgi, facts.wsgi_failure),
    }
    for kind, (application, failure) in found.items():
        if application:
            yield ok(kind, application)
        elif failure:
            mend = f"see that it imports; otherwise freeloop serves Django's own {kind} application"
            yield Check(kind, CheckState.WARNING, f"does not import: {failure}", mend)
        else:
            yield ok(kind, f"none in the project; freeloop serves get_{kind}_application()")


def hosts(facts: Facts) -> Iterator[Check]:
    """Yield whether a request from this machine will be accepted."""
    if facts.host is None:
        yield Check(
            "hosts",
            CheckState.BROKEN,
            f"ALLOWED_HOSTS = {list(facts.allowed_hosts)} accepts no host: every answer is 400",
            "add 'localhost' to ALLOWED_HOSTS in the settings that you measure",
        )
    else:
        yield ok("hosts", f"requests are sent with Host: {facts.host}")
    if facts.redirects_to_https:
        yield Check(
            "https",
            CheckState.WARNING,
            "SECURE_SSL_REDIRECT answers every plain request with a redirect",
            "measure with SECURE_SSL_REDIRECT = False, or set SECURE_PROXY_SSL_HEADER",
        )
    if facts.debug:
        yield Check(
            "debug",
            CheckState.WARNING,
            "DEBUG = True keeps every query in memory: production does not",
            "measure with DEBUG = False",
        )


def database_check(project: Project, database: Database, timeout_s: float) -> Check:
    """Connect to one database from the project's interpreter."""
    name = f"database: {database.alias}"
    try:
        said = ask(project, "databases", timeout_s=timeout_s, alias=database.alias)
    except NotPossible as answer:
        return no_database(name, database, answer)
    except FreeloopError as error:
        if error.slug != "project-times-out":
            return broken(name, error)
        detail = f"no answer within {timeout_s:g} s ({database.sentence})"
        return Check(name, CheckState.BROKEN, detail, "check host, port and firewall")
    return ok(name, f"{said['vendor']} {said['version']} answers ({database.sentence})")


def no_database(name: str, database: Database, answer: NotPossible) -> Check:
    """Return the check of a database that does not answer."""
    match answer.reason:
        case "no-database":
            return ok(name, "the project uses none")
        case "no-file":
            detail = f"the file {answer.details['name']} does not exist"
            return Check(name, CheckState.MISSING, detail, "make it: manage.py migrate")
        case _:
            said = " ".join(str(answer.details.get("message", "")).split())
            detail = f"not reachable: {said} ({database.sentence})"
            return Check(name, CheckState.BROKEN, detail, "start it, or correct DATABASES")


def ok(name: str, detail: str) -> Check:
    """Return a check that needs nothing."""
    return Check(name, CheckState.OK, detail)


def broken(name: str, error: FreeloopError) -> Check:
    """Return an error as a check."""
    where = f" ({error.where})" if error.where else ""
    return Check(name, CheckState.BROKEN, f"{error.what}{where}", error.mend)
