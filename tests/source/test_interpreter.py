"""The project's own interpreter: found by file, directory or command, and refused with a reason."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from freeloop.source.facts import inspect_project
from freeloop.source.interpreter import django_series
from freeloop.source.project import find_project
from tests.source.conftest import error_of


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A project whose settings are one module beside manage.py."""
    (tmp_path / "manage.py").write_text(
        'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")\n'
    )
    (tmp_path / "site_settings.py").write_text("SECRET_KEY = 'x'\n")
    return tmp_path


def make_environment(directory: Path, *, packages: str = "") -> Path:
    """Make a virtual environment that sees the packages of another directory."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
    inside = next(directory.glob("lib/python*/site-packages"))
    (inside / "more.pth").write_text(f"{packages}\n")
    return directory


def test_an_environment_named_in_pyproject_answers_for_the_project(site: Path) -> None:
    """Relative to the file, its link unresolved, and with packages of its own."""
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    environment = make_environment(site / ".venv", packages=packages)
    (site / "pyproject.toml").write_text('[tool.freeloop]\npython = ".venv"\n')
    (site / "site_settings.py").write_text(
        f"import sys\nassert sys.prefix == {str(environment)!r}\nSECRET_KEY = 'x'\n"
    )

    project = find_project(site, settings=None, python=None)

    assert project.python == environment / "bin" / "python"
    assert "django" in inspect_project(project).packages


def test_an_environment_without_django_is_refused(site: Path) -> None:
    """The message gives the command that installs Django there."""
    bare = make_environment(site / "bare")

    error = error_of(lambda: find_project(site, settings=None, python=str(bare)))

    assert error.slug == "no-django"
    assert f"uv pip install --python {bare}/bin/python django" in error.mend


@pytest.mark.parametrize(
    ("script", "slug"),
    [
        ("#!/bin/sh\necho '[[3, 11, 7], \"5.2\"]'\n", "interpreter-too-old"),
        ("#!/bin/sh\necho '[[3, 13, 0], \"4.2.9\"]'\n", "django-too-old"),
        ("#!/bin/sh\necho no Python here >&2; exit 3\n", "interpreter-broken"),
        ("not a program", "interpreter-broken"),
    ],
)
def test_an_interpreter_that_cannot_run_the_project_is_refused(
    site: Path, script: str, slug: str
) -> None:
    """Old versions answer through a stand-in: no machine has them all installed."""
    stand_in = site / "python"
    stand_in.write_text(script)
    stand_in.chmod(0o755)

    error = error_of(lambda: find_project(site, settings=None, python=str(stand_in)))

    assert error.slug == slug
    assert str(stand_in) in error.where + error.what
    assert error.mend


@pytest.mark.parametrize("python", ["absent/python", "no-such-command", "empty"])
def test_an_interpreter_that_is_not_there_is_named(
    site: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    """A path, a command, and a directory without an interpreter."""
    (site / "empty").mkdir()
    monkeypatch.chdir(site)

    error = error_of(lambda: find_project(site, settings=None, python=python))

    assert error.slug == "no-interpreter"
    assert python in error.what


def test_a_command_on_the_search_path_is_an_interpreter(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--python python3.13` is what people type."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))

    project = find_project(site, settings=None, python=Path(sys.executable).name)

    assert project.python == Path(sys.executable)


def test_pre_releases_of_django_count_as_their_series() -> None:
    """Django's main branch is measured too."""
    versions = ["6.1.3", "6.2a1", "6.2.dev20261101", "7"]

    assert [django_series(version) for version in versions] == [(6, 1), (6, 2), (6, 2), (7, 0)]
