"""Projects that fail, exit, crash, hang or read at import: each told, none left running."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

import freeloop.source as package
from freeloop.source.conversation import Conversation, ask
from freeloop.source.facts import inspect_project
from freeloop.source.project import Project
from tests.source.conftest import MakeProject, error_of

MINIMAL = "SECRET_KEY = 'x'\n"
RAISES = "def load():\n    raise ValueError('no')\nload()"
CRASHES = "import os\nos.write(2, b'last words')\nos._exit(7)"
HANGS = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)"


@pytest.mark.parametrize(
    ("settings", "slug", "where", "mend"),
    [
        ("import os\nos.environ['ABSENT_KEY']", "settings-do-not-import", "small.py:2", "KEY=..."),
        ("x = (", "settings-do-not-import", "small.py:1", "django check"),
        (RAISES, "settings-do-not-import", "small.py:2", "django check"),
        ("import absent_package", "settings-do-not-import", "small.py:1", "absent_package"),
        ("import sys\nsys.exit('later')", "project-exits", "small.py:2", "__name__"),
        (MINIMAL + "INSTALLED_APPS = ['shopp']", "apps-do-not-load", "small", "shopp"),
        (CRASHES, "project-ends-process", "last words", "_exit"),
    ],
)
def test_a_project_that_does_not_load_is_told_with_its_own_line(
    make_project: MakeProject, settings: str, slug: str, where: str, mend: str
) -> None:
    """The deepest line of the project is where the user must look, not Django's frames."""
    error = error_of(lambda: inspect_project(make_project(settings)))

    assert error.slug == slug
    assert where in error.where
    assert mend in error.mend


def test_settings_that_do_not_exist_point_to_the_option(make_project: MakeProject) -> None:
    """A misspelt module name is the user's, not a missing package."""
    made = make_project(MINIMAL)

    error = error_of(lambda: inspect_project(Project(made.root, "smal", made.python)))

    assert error.slug == "settings-do-not-import"
    assert "--settings" in error.mend


def test_an_environment_beside_the_project_is_proposed(make_project: MakeProject) -> None:
    """The most common mistake of an isolated install: the wrong interpreter."""
    project = make_project("import absent_package")
    (project.root / ".venv").mkdir()

    error = error_of(lambda: inspect_project(project))

    assert f"--python {project.root / '.venv'}" in error.mend


def test_what_raises_later_is_told_too(make_project: MakeProject) -> None:
    """An unknown alias stands for any answer of the project that ends in an exception."""
    error = error_of(lambda: ask(make_project(MINIMAL), "databases", alias="absent"))

    assert error.slug == "project-raises"
    assert "absent" in error.what


def test_a_project_that_hangs_at_import_is_ended(make_project: MakeProject) -> None:
    """Its process must not stay behind."""
    project = make_project(HANGS)

    error = error_of(lambda: inspect_project(project, timeout_s=1.5))

    assert error.slug == "project-times-out"
    with pytest.raises(ProcessLookupError):
        os.kill(int((project.root / "pid").read_text()), 0)


def test_an_answer_that_came_too_late_is_not_taken_for_the_next(make_project: MakeProject) -> None:
    """An interrupt may come between a question and its answer."""
    project = make_project(
        MINIMAL + "ROOT_URLCONF = 'routes'\nimport time\ntime.sleep(1)\n", routes="urlpatterns = []"
    )

    with Conversation(project, timeout_s=0.1) as inside:
        late = error_of(lambda: inside.ask("facts"))
        inside.timeout_s = 30
        answer = inside.ask("targets", requests=[])

    assert late.slug == "project-times-out"
    assert answer == []


def test_input_and_threads_of_the_project_change_nothing(make_project: MakeProject) -> None:
    """Standard input is empty for the project, and a thread that never ends is left behind."""
    project = make_project(
        MINIMAL + "import sys, threading\nassert sys.stdin.read() == ''\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
    )

    assert inspect_project(project).python.startswith("3.")


def test_an_interpreter_that_is_gone_is_told(make_project: MakeProject) -> None:
    """A virtual environment may be removed between two steps."""
    made = make_project(MINIMAL)

    error = error_of(
        lambda: inspect_project(Project(made.root, "small", made.root / "bin" / "python"))
    )

    assert error.slug == "interpreter-broken"


def test_the_answering_process_needs_nothing_of_freeloop() -> None:
    """An isolated install questions projects whose interpreter has no freeloop."""
    here = Path(package.__file__).parent
    files = [here / "inspection.py", *(here / "inside").glob("*.py")]

    imported = {name.partition(".")[0] for file in files for name in imports_of(file)}

    assert {"django", "json"} <= imported <= {*sys.stdlib_module_names, "django"}


def imports_of(file: Path) -> set[str]:
    """Return the modules that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add(node.module or ".")
    return names
