"""Finding the project: every place that may name it, and every way in which none does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from freeloop.source.project import find_project
from tests.source.conftest import SHOP, error_of

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", {value})\n'


def project_in(directory: Path, value: str = '"shop.settings"') -> Path:
    """Write a manage.py and the package that it names."""
    (directory / "shop").mkdir(parents=True)
    (directory / "manage.py").write_text(MANAGE.format(value=value))
    return directory


def test_manage_py_is_found_from_a_directory_inside_the_project() -> None:
    """People run tools from wherever they are working."""
    project = find_project(SHOP / "reports", settings=None, python=None)

    assert (project.root, project.settings) == (SHOP, "shop.settings")
    assert project.python == Path(sys.executable)


def test_the_only_project_one_level_below_is_found(tmp_path: Path) -> None:
    """A repository often keeps its project in a folder of its own."""
    project_in(tmp_path / "backend")

    project = find_project(tmp_path, settings=None, python=None)

    assert (project.root, project.settings) == (tmp_path / "backend", "shop.settings")


def test_the_project_may_lie_deeper(tmp_path: Path) -> None:
    """`src/backend/manage.py` is as common; what an environment holds is none of ours."""
    project_in(tmp_path / "src" / "backend")
    project_in(tmp_path / "venv" / "other")

    project = find_project(tmp_path, settings=None, python=None)

    assert project.root == tmp_path / "src" / "backend"


def test_two_projects_below_are_not_chosen_between(tmp_path: Path) -> None:
    """Measuring the wrong project would look like an answer."""
    project_in(tmp_path / "one")
    project_in(tmp_path / "two")

    error = error_of(lambda: find_project(tmp_path, settings=None, python=None))

    assert error.slug == "several-projects"
    assert error.where == "one/manage.py, two/manage.py"


def test_named_settings_choose_between_two_projects_below(tmp_path: Path) -> None:
    """The root is the one that has them."""
    project_in(tmp_path / "one")
    project_in(tmp_path / "two")
    (tmp_path / "two" / "bakery").mkdir()

    project = find_project(tmp_path, settings="bakery.settings", python=None)

    assert project.root == tmp_path / "two"


def test_each_place_that_names_settings_wins_over_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said for this run beats what is written for every run."""
    project_in(tmp_path)
    found = [find_project(tmp_path, settings=None, python=None).settings]

    (tmp_path / "pyproject.toml").write_text('[tool.freeloop]\nsettings = "shop.file"\n')
    found.append(find_project(tmp_path, settings=None, python=None).settings)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.variable")
    found.append(find_project(tmp_path, settings=None, python=None).settings)
    found.append(find_project(tmp_path, settings="shop.option", python=None).settings)

    assert found == ["shop.settings", "shop.file", "shop.variable", "shop.option"]


def test_the_root_is_where_the_settings_can_be_imported(tmp_path: Path) -> None:
    """With a src layout and no manage.py, the root is the src directory."""
    (tmp_path / "src" / "shop").mkdir(parents=True)

    project = find_project(tmp_path, settings="shop.settings", python=None)

    assert project.root == tmp_path / "src"


def test_no_project_says_where_it_was_looked_for(tmp_path: Path) -> None:
    """The three places are named, so that the user can fill one."""
    (tmp_path / ".git").mkdir()

    error = error_of(lambda: find_project(tmp_path, settings=None, python=None))

    assert error.slug == "no-settings"
    assert all(place in error.where for place in ("DJANGO_SETTINGS_MODULE", "pyproject", "manage"))
    assert "--settings" in error.mend


def test_the_search_ends_at_the_root_of_the_repository(tmp_path: Path) -> None:
    """A project around the repository is somebody else's."""
    project_in(tmp_path)
    (tmp_path / "repository" / ".git").mkdir(parents=True)

    error = error_of(lambda: find_project(tmp_path / "repository", settings=None, python=None))

    assert error.slug == "no-settings"


def test_the_default_of_a_lookup_in_manage_py_is_read(tmp_path: Path) -> None:
    """Many projects choose their settings by a variable with a default."""
    project_in(tmp_path, 'os.environ.get("DJANGO", "shop.dev")')

    assert find_project(tmp_path, settings=None, python=None).settings == "shop.dev"


@pytest.mark.parametrize(
    "value", ['"shop.dev" if os.environ.get("X") else "shop.prod"', "choose()", "((("]
)
def test_what_only_running_manage_py_would_tell_is_asked_for(tmp_path: Path, value: str) -> None:
    """A guess could measure development settings as production."""
    project_in(tmp_path, value)

    error = error_of(lambda: find_project(tmp_path, settings=None, python=None))

    assert error.slug == "manage-unclear"
    assert "--settings" in error.mend


def test_several_settings_in_manage_py_are_listed(tmp_path: Path) -> None:
    """Test settings beside real ones: the user chooses."""
    project_in(tmp_path)
    with (tmp_path / "manage.py").open("a") as file:
        file.write('os.environ["DJANGO_SETTINGS_MODULE"] = "shop.tests"\n')

    error = error_of(lambda: find_project(tmp_path, settings=None, python=None))

    assert error.slug == "manage-unclear"
    assert "shop.settings, shop.tests" in error.where


@pytest.mark.parametrize(
    ("text", "slug", "says"),
    [
        ('[tool.freeloop]\nsetting = "x"', "unknown-key", "did you mean settings?"),
        ("[tool.freeloop]\nsettings = 3", "wrong-type", "not 3"),
        ("[tool]\nfreeloop = 1", "wrong-type", "not 1"),
        ("[tool.freeloop]\nsettings = = 1", "pyproject-syntax", "line 2"),
    ],
)
def test_mistakes_in_pyproject_are_refused(tmp_path: Path, text: str, slug: str, says: str) -> None:
    """A misspelt key that is silently ignored would measure other settings."""
    (tmp_path / "pyproject.toml").write_text(text)

    error = error_of(lambda: find_project(tmp_path, settings=None, python=None))

    assert error.slug == slug
    assert says in error.what + error.mend
    assert "pyproject.toml" in error.where
