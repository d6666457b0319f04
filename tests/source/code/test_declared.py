"""Which Django a project's own files ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from freeloop.source.code.declared import declared_django, first_not_allowed


@pytest.mark.parametrize(
    ("text", "below"),
    [
        ("==3.2.11", (3, 3)),
        ("==3.2.*", (3, 3)),
        ("=== 4.2", (4, 3)),
        ("4.2.1", (4, 3)),
        ("~=3.2.11", (3, 3)),
        ("~=4.2", (5, 0)),
        ("^3.2.11", (4, 0)),
        ("~4.2", (4, 3)),
        ("<5", (5, 0)),
        ("<5.0", (5, 0)),
        (">=4.2,<5.0.0", (5, 0)),
        ("<4.2.8", (4, 3)),
        ("<=5.1", (5, 2)),
        (">=3.2, <6, !=4.0", (6, 0)),
        (">=4.2", None),
        ("*", None),
        ("^3.2 || ^5.2", None),
        ("nonsense", None),
    ],
)
def test_the_first_series_that_is_not_allowed(text: str, below: tuple[int, int] | None) -> None:
    assert first_not_allowed(text) == below


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("requirements.txt", "# Django==1\ndjango-x==4\nDjango[argon2]==3.2.1  # so\n", "==3.2.1"),
        ("requirements-prod.txt", "django ~= 3.2.1 ; python_version > '3'\n", "~= 3.2.1"),
        ("requirements/base.txt", "django>=3,<4\n", ">=3,<4"),
        ("pyproject.toml", '[project]\ndependencies = ["django>=3,<4", "x"]\n', ">=3,<4"),
        ("pyproject.toml", '[tool.poetry.dependencies]\nDjango = "^3.2"\n', "^3.2"),
        ("pyproject.toml", '[tool.poetry.dependencies]\ndjango = {version = "^3.2"}\n', "^3.2"),
        ("Pipfile", '[packages]\ndjango = "==3.2"\n', "==3.2"),
    ],
)  # fmt: skip
def test_where_it_is_read(tmp_path: Path, name: str, content: str, text: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(content)

    found = declared_django(tmp_path / "app" / "views.py", tmp_path)

    assert found is not None
    assert (found.text, found.path) == (text, file)
    assert found.below in {(3, 3), (4, 0)}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("requirements.txt", "django\ndjango>=4.2\n-e .\n"),
        ("pyproject.toml", "[project\n"),
        ("pyproject.toml", 'project = 1\n[tool]\npoetry = ["django"]\n'),
        ("Pipfile", "[packages]\ndjango = {git = 'x'}\n"),
    ],
)
def test_what_sets_no_limit_or_is_broken_says_nothing(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)

    assert declared_django(tmp_path / "views.py", tmp_path) is None


def test_the_nearest_folder_counts_and_nothing_above_the_repository(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("django==1.8\n")
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    service = repository / "service"
    service.mkdir()
    view = service / "app" / "views.py"
    assert declared_django(view, service) is None

    (repository / "requirements.txt").write_text("django==3.2\n")
    other = repository / "other"
    other.mkdir()
    (other / "requirements.txt").write_text("django==2.2\n")
    assert _text(repository / "app" / "views.py", repository) == "==3.2"
    assert _text(other / "views.py", other) == "==2.2"


def _text(path: Path, root: Path) -> str:
    found = declared_django(path, root)
    return found.text if found is not None else ""
