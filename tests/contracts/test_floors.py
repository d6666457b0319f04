"""The floors hold: imports go down, never round in a circle, and `import freeloop` is cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "freeloop"
# Loaded by path with the project's own interpreter, which may not have freeloop installed.
STAND_ALONE = (
    "measure/agent*.py",
    "measure/entry.py",
    "record/probes/asgiref_hops.py",
    "source/inspection.py",
    "source/inside/*.py",
)
# These ask such files from freeloop's own side, or only make their folder a package.
NOT_STAND_ALONE = ("agent_client.py", "__init__.py")
# Drivers that such a file looks into when the project uses them, imported inside a function.
IF_INSTALLED = {"psycopg", "psycopg_pool"}
HEAVY = ("django", "numpy", "rich", "click", "psutil", "scipy", "uvloop", "asyncio")
LONGEST_MODULE = 400


def modules() -> list[Path]:
    """All modules of the package."""
    return sorted(SOURCE.rglob("*.py"))


def stand_alone() -> list[Path]:
    """The files that run in the project's own interpreter."""
    found = (path for pattern in STAND_ALONE for path in SOURCE.glob(pattern))
    return sorted(path for path in found if path.name not in NOT_STAND_ALONE)


def named(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def python(code: str) -> str:
    """Run code in a fresh interpreter and return what it printed."""
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"PYTHONPATH": str(SOURCE.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout


def test_a_floor_imports_only_floors_below_it() -> None:
    """The contract in pyproject.toml, as `make lint` checks it."""
    answer = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as go; go()"],
        cwd=ROOT,
        env={"PYTHONPATH": str(SOURCE.parent), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "1 kept, 0 broken" in answer.stdout


def test_no_module_imports_itself_by_a_detour() -> None:
    """A cycle makes every module of it one module in all but name."""
    graph = grimp.build_graph("freeloop", cache_dir=None)
    # The package itself names its public things, and imports them when they are first used.
    imports = {
        module: graph.find_modules_directly_imported_by(module)
        for module in graph.modules - {"freeloop"}
    }
    assert any(imports.values())

    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_importing_freeloop_loads_nothing_heavy() -> None:
    """A project that imports freeloop must not pay for benchmarks that it does not run."""
    loaded = python("import sys, freeloop; print(*sorted(sys.modules))").split()

    assert "freeloop" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_public_names_are_those_of_the_reference_and_can_be_imported() -> None:
    """A public name is a promise: adding or dropping one shows in the reference page."""
    page = (ROOT / "docs" / "reference" / "python.md").read_text()
    promised = sorted(line.split("`")[1] for line in page.splitlines() if line.startswith("## `"))

    there = python("import freeloop; print(*sorted(freeloop.__all__))").split()
    kinds = python("import freeloop\nfor name in freeloop.__all__: getattr(freeloop, name)")

    assert there == promised
    assert kinds == ""


@pytest.mark.parametrize("path", modules(), ids=named)
def test_a_module_says_its_job_first_and_stays_readable(path: Path) -> None:
    """A stranger decides by the first line whether to read on."""
    text = path.read_text()

    docstring = ast.get_docstring(ast.parse(text))

    assert docstring
    assert docstring.splitlines()[0].endswith((".", "?", ":"))
    assert len(text.splitlines()) <= LONGEST_MODULE


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree, without what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case _:
                yield node
                yield from running(node)


def imported_by(node: ast.AST) -> set[str]:
    """Return the top packages that one import statement names; empty for anything else."""
    match node:
        case ast.Import():
            return {alias.name.partition(".")[0] for alias in node.names}
        case ast.ImportFrom():
            return {(node.module or "").partition(".")[0] if not node.level else "."}
        case _:
            return set()


@pytest.mark.parametrize("path", stand_alone(), ids=named)
def test_a_stand_alone_file_imports_only_the_standard_library_and_django(path: Path) -> None:
    """It runs inside the project's interpreter, where nothing else can be relied on."""
    tree = ast.parse(path.read_text())

    anywhere = {name for node in running(tree) for name in imported_by(node)}
    at_import = {name for node in tree.body for name in imported_by(node)}

    sure = sys.stdlib_module_names | {"django", "asgiref"}
    assert "__future__" in anywhere
    assert at_import <= sure
    assert anywhere <= sure | IF_INSTALLED


def test_the_stand_alone_files_are_found() -> None:
    """The test above must not pass because a file was moved."""
    names = {named(path) for path in stand_alone()}

    assert names >= {"measure/agent.py", "measure/entry.py", "source/inspection.py"}
