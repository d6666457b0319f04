"""What pyproject.toml says about `freeloop check`: rules, files, baseline."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Check


@pytest.fixture
def mixed(project: Path) -> Path:
    """A project with findings of two rules in two files."""
    (project / "old").mkdir()
    (project / "old" / "views.py").write_text(
        "import time\nasync def older(request):\n    time.sleep(1)\n    open('x').read()\n"
    )
    (project / "urls.py").write_text(
        "from django.urls import path\nimport views\nimport old.views\n"
        "urlpatterns = [path('slow/', views.slow), path('old/', old.views.older)]\n"
    )
    return project


def write(project: Path, text: str) -> None:
    (project / "pyproject.toml").write_text(f"[tool.freeloop.check]\n{text}\n")


def found(stdout: str) -> list[str]:
    """Return place and rule of each finding, of `--quiet`."""
    return sorted(" ".join(line.split()[:2]) for line in stdout.splitlines())


ALL = ["old/views.py:3 FL101", "old/views.py:4 FL102", "views.py:3 FL101"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ALL),
        ('select = ["file-io"]', ALL[1:2]),
        ('ignore = ["FL101"]', ALL[1:2]),
        ('select = ["FL101", "FL102"]\nignore = ["file-io"]', [ALL[0], ALL[2]]),
        ('exclude = ["old/"]', ALL[2:]),
        ('exclude = ["/views.py"]', ALL[:2]),
        ('exclude = ["views.py"]', []),
        ('per-file-ignores = { "old/**" = ["FL101"] }', ALL[1:]),
        ('[tool.freeloop.check.per-file-ignores]\n"*.py" = ["file-io", "FL101"]', []),
    ],
)
def test_the_settings_choose_rules_and_files(
    check: Check, mixed: Path, text: str, expected: list[str]
) -> None:
    """Written once for everybody who works on the project."""
    write(mixed, text)

    answer = check("--quiet", at=mixed)

    assert found(answer.stdout) == expected, answer.stderr
    assert answer.returncode == (1 if expected else 0)


def test_an_option_replaces_its_setting(check: Check, mixed: Path) -> None:
    """What is said for this run beats what is written for every run."""
    write(mixed, 'select = ["file-io"]\nignore = ["FL101"]')

    one = check("--quiet", "--select", "FL101", "--ignore", "file-io", at=mixed)
    other = check("--quiet", "--ignore", "file-io", at=mixed)

    assert found(one.stdout) == [ALL[0], ALL[2]]
    assert found(other.stdout) == []


def test_what_settings_leave_out_in_a_file_is_counted(check: Check, mixed: Path) -> None:
    """Nothing is left out in silence."""
    write(mixed, 'per-file-ignores = { "old/" = ["FL101", "FL102"] }')

    answer = check(at=mixed)

    assert "2 ignored by settings" in " ".join(answer.stdout.split())


def test_an_excluded_file_stays_excluded_when_it_is_named(check: Check, mixed: Path) -> None:
    """Hooks name every changed file; without any that is read, nothing is asked."""
    write(mixed, 'exclude = ["old/"]')

    answer = check("old/views.py", at=mixed)

    assert answer.returncode == 0
    assert "nothing found" in answer.stdout


def test_the_baseline_of_the_settings_lies_beside_them(check: Check, mixed: Path) -> None:
    """Whatever directory freeloop runs in; `--no-baseline` shows all once."""
    write(mixed, 'baseline = "known.json"')
    check("--no-baseline", "--write-baseline", "known.json", at=mixed)

    known, every = check(at=mixed / "old"), check("--no-baseline", at=mixed)

    assert known.returncode == 0, known.stdout
    assert "3 known in the baseline" in " ".join(known.stdout.split())
    assert every.returncode == 1


@pytest.mark.parametrize(
    ("text", "slug", "says"),
    [
        ('ignroe = ["FL101"]', "unknown-key", "did you mean ignore?"),
        ('ignore = "FL101"', "wrong-type", "ignore must be a list of texts, not 'FL101'"),
        ("baseline = 3", "wrong-type", "not 3"),
        ('per-file-ignores = ["FL101"]', "wrong-type", "a table, not ['FL101']"),
        ('per-file-ignores = { "a" = 1 }', "wrong-type", "a must be a list of texts, not 1"),
        ('ignore = ["FL999"]', "unknown-rule", "tool.freeloop.check.ignore"),
        ('select = ["blocking-cal"]', "unknown-rule", "did you mean blocking-call?"),
        ('per-file-ignores = { "a" = ["x"] }', "unknown-rule", "per-file-ignores.a"),
        ("exclude = = 1", "pyproject-syntax", "line 2"),
    ],
)
def test_mistakes_are_refused_with_their_place(
    check: Check, mixed: Path, text: str, slug: str, says: str
) -> None:
    """A misspelt key that is silently ignored would leave findings out, or in."""
    write(mixed, text)

    answer = check(at=mixed)

    assert answer.returncode == 2
    assert f"[{slug}]" in answer.stderr
    assert says.replace(" ", "") in "".join(answer.stderr.split())
    assert "pyproject.toml" in "".join(answer.stderr.split())


def test_python_asks_without_the_settings_of_the_command_line(mixed: Path) -> None:
    """They are read by the command line alone."""
    import freeloop

    write(mixed, 'select = ["file-io"]')

    everything = freeloop.check(start=mixed, use_cache=False)
    fewer = freeloop.check(start=mixed, ignore=["FL101"], use_cache=False)

    assert len(everything) == 3
    assert {each.rule for each in fewer} == {"FL102"}
