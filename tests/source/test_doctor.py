"""The doctor: a row for everything, also where nothing is found."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from freeloop.model.check import Check, CheckState
from freeloop.source.doctor import examine
from freeloop.source.project import Project
from tests.source.conftest import MakeProject

POSTGRES = """
SECRET_KEY = "x"
DATABASES = {{"default": {{
    "ENGINE": "django.db.backends.postgresql", "NAME": "shop", "HOST": "127.0.0.1",
    "PORT": {port}, "USER": "u", "PASSWORD": "pa55",
}}}}
"""


def by_name(checks: tuple[Check, ...]) -> dict[str, Check]:
    """Return checks by their names, each of which must be used once."""
    named = {check.name: check for check in checks}
    assert len(named) == len(checks)
    return named


@pytest.mark.usefixtures("database")
def test_a_project_that_is_ready_needs_nothing(shop: Project) -> None:
    """Everything that the tests run with is there."""
    checks = by_name(examine(shop.root))

    wanted = {"interpreter", "settings", "server: gunicorn", "asgi", "wsgi", "hosts"}
    assert wanted <= set(checks)
    assert all(checks[name].state is CheckState.OK for name in wanted)
    assert checks["database: default"].state is CheckState.OK
    assert "SQLite 3" in checks["database: default"].detail


def test_a_missing_database_file_is_not_made(shop: Project) -> None:
    """Connecting to SQLite makes an empty file; looking must not."""
    check = by_name(examine(shop.root))["database: default"]

    assert (check.state, check.mend) == (CheckState.MISSING, "make it: manage.py migrate")
    assert not (shop.root / "absent.sqlite3").exists()


def test_nothing_found_is_still_helpful(tmp_path: Path) -> None:
    """Platform, load client and interpreter are told, and what to do next."""
    (tmp_path / ".git").mkdir()

    checks = by_name(examine(tmp_path))

    assert {"platform", "cores", "load client: numpy", "interpreter"} <= set(checks)
    assert checks["settings"].state is CheckState.BROKEN
    assert "--settings" in checks["settings"].mend


def test_a_wrong_interpreter_is_one_row(shop: Project) -> None:
    """It would otherwise be told again as a fault of the settings."""
    checks = by_name(examine(shop.root, python="no-such-command"))

    assert checks["interpreter"].state is CheckState.BROKEN
    assert "settings" not in checks


def test_settings_that_do_not_import_are_one_row(make_project: MakeProject) -> None:
    """With the line of the project."""
    project = make_project("raise RuntimeError('not now')")

    checks = by_name(examine(project.root, settings="small"))

    assert checks["interpreter"].state is CheckState.OK
    assert checks["settings"].state is CheckState.BROKEN
    assert "small.py:1" in checks["settings"].detail


def test_what_would_spoil_a_measurement_is_told(make_project: MakeProject) -> None:
    """Hosts that refuse everything, redirects, DEBUG, an application that does not import."""
    project = make_project(
        "SECRET_KEY = 'x'\nDEBUG = True\nALLOWED_HOSTS = ['.']\nSECURE_SSL_REDIRECT = True\n",
        asgi="import absent_package",
    )

    checks = by_name(examine(project.root, settings="small"))

    assert checks["hosts"].state is CheckState.BROKEN
    assert {checks[name].state for name in ("https", "debug", "asgi")} == {CheckState.WARNING}
    assert "absent_package" in checks["asgi"].detail
    assert checks["wsgi"].state is CheckState.OK


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never says anything."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.real
def test_a_database_that_refuses_and_one_that_is_silent(
    make_project: MakeProject, silent_port: int
) -> None:
    """Both within their time, neither with the password."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        refusing_port = unused.getsockname()[1]

        refused = by_name(
            examine(make_project(POSTGRES.format(port=refusing_port)).root, settings="small")
        )["database: default"]
    silent = by_name(
        examine(
            make_project(POSTGRES.format(port=silent_port)).root,
            settings="small",
            database_timeout_s=3,
        )
    )["database: default"]

    assert (refused.state, silent.state) == (CheckState.BROKEN, CheckState.BROKEN)
    assert "refused" in refused.detail
    assert "no answer within 3 s" in silent.detail
    assert "pa55" not in refused.detail + silent.detail


def test_a_server_that_is_missing_comes_with_its_command(
    make_project: MakeProject, tmp_path: Path
) -> None:
    """The command installs into the project's interpreter, not into freeloop's."""
    project = make_project("SECRET_KEY = 'x'\nALLOWED_HOSTS = ['*']\n")
    environment = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    inside = next(environment.glob("lib/python*/site-packages"))
    packages = Path(next(path for path in sys.path if path.endswith("site-packages")))
    for name in ("django", "asgiref", "sqlparse", "uvicorn"):
        for found in [packages / name, *packages.glob(f"{name}-*.dist-info")]:
            (inside / found.name).symlink_to(found)

    checks = by_name(examine(project.root, settings="small", python=str(environment)))

    assert checks["server: uvicorn"].state is CheckState.OK
    assert checks["server: uvicorn's parts"].state is CheckState.WARNING
    assert checks["server: granian"].state is CheckState.MISSING
    assert checks["server: granian"].mend == (
        f"uv pip install --python {environment}/bin/python granian"
    )
