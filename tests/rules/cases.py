"""Case files: code with what is expected of it as comments on the line."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

from freeloop.api.checking import check_code
from freeloop.fix.same_work import WithoutAsync
from freeloop.model.finding import Findings

CASES = Path(__file__).parents[1] / "cases"
EXPECTED = re.compile(r"#\s*(FL\d{3})\b")


def folders() -> list[Path]:
    """Return the folder of each rule's cases."""
    return sorted(path for path in CASES.iterdir() if (path / "bad.py").is_file())


def expected(text: str) -> set[tuple[str, int]]:
    """Return rule and line of each finding that comments announce."""
    return {
        (match[1], number)
        for number, line in enumerate(text.splitlines(), 1)
        for match in EXPECTED.finditer(line)
    }


def put(case: Path, at: Path, text: str | None = None) -> Path:
    """Write a case as a small project: the case is its URLconf, other files lie beside it.

    Args:
        case: bad.py, good.py, fixable.py or fixed.py.
        at: An empty directory.
        text: What stands in the file instead of the case's own text.
    """
    for beside in case.parent.glob("*.py"):
        if beside.name not in ("bad.py", "good.py", "fixable.py", "fixed.py"):
            shutil.copy(beside, at / beside.name)
    (at / "pyproject.toml").touch()
    file = at / "urls.py"
    file.write_text(case.read_text() if text is None else text)
    return file


def check(at: Path) -> Findings:
    """Check a project that `put` wrote; without a cache, so that nothing is left behind."""
    settings = "settings" if (at / "settings.py").is_file() else None
    return check_code((), start=at, settings=settings, use_cache=False)


def found_lines(found: Findings, name: str) -> set[tuple[str, int]]:
    """Return rule and line of what was found in one file."""
    return {(each.rule, each.line) for each in found.findings if Path(each.path).name == name}


class _Synchronous(WithoutAsync):
    """Turns async code into its sync twin."""

    def visit_Await(self, node: ast.Await) -> ast.AST:  # noqa: N802 - as `ast` asks
        self.generic_visit(node)
        return node.value


def synchronous(text: str) -> str:
    """Return the sync twin of code."""
    return ast.unparse(ast.fix_missing_locations(_Synchronous().visit(ast.parse(text))))
