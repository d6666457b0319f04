"""Real small projects for the source floor, each questioned in a real process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from freeloop.errors import FreeloopError
from freeloop.source.project import Project, find_project

SHOP = Path(__file__).parents[1] / "projects" / "shop"
PEOPLE = """
from django.contrib.auth import get_user_model
User = get_user_model()
User.objects.create_user("ada")
User.objects.create_user("gone", is_active=False)
"""

MakeProject = Callable[..., Project]


@pytest.fixture(autouse=True)
def no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own environment must not decide a test."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)


@pytest.fixture
def shop() -> Project:
    """The sample shop, its database file absent unless `database` is used too."""
    return find_project(SHOP, settings=None, python=None)


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database of the shop with an active and an inactive user."""
    database = tmp_path_factory.mktemp("people") / "shop.sqlite3"
    environment = {**os.environ, "SHOP_DATABASE": str(database)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    for command in (["migrate", "-v0"], ["shell", "-c", PEOPLE]):
        manage = [sys.executable, "manage.py", *command]
        subprocess.run(manage, cwd=SHOP, env=environment, check=True, capture_output=True)
    return database


@pytest.fixture
def database(people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database of this test alone, which the shop uses."""
    own = tmp_path / "shop.sqlite3"
    shutil.copy(people, own)
    monkeypatch.setenv("SHOP_DATABASE", str(own))
    return own


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """Write a project of one settings module (and other modules), each in its own folder."""
    numbers = count()

    def make(settings: str, **modules: str) -> Project:
        # Never twice in one: Python takes a file of the same second and length for the same file.
        folder = tmp_path / f"project{next(numbers)}"
        folder.mkdir()
        for name, text in {"small": settings, **modules}.items():
            (folder / f"{name}.py").write_text(text)
        return Project(folder, "small", Path(sys.executable))

    return make


def error_of(call: Callable[[], object]) -> FreeloopError:
    """Return the error that a call ends in."""
    with pytest.raises(FreeloopError) as caught:
        call()
    return caught.value
