"""Patterns of paths, read as .gitignore reads them: git itself is asked."""

from __future__ import annotations

import subprocess
from pathlib import Path

from freeloop.source.patterns import any_matches

PATTERNS = (
    "views.py", "old/", "old", "/old", "old/*.py", "old/**", "**/old", "shop/**/views.py",
    "*_pb2.py", "v?ews.py", "[uv]iews.py", "[!v]iews.py", "shop/old/", "*", "**",
    "/views.py", "a.b", "+(x).py",
)  # fmt: skip
PATHS = (
    "views.py", "old/views.py", "old/deep/views.py", "shop/old/views.py", "shop/a/b/views.py",
    "shop/views.py", "api_pb2.py", "shop/api_pb2.py", "older/x.py", "uiews.py", "acb/x.py",
    "a.b/x.py", "x.py", "+(x).py", "old.py",
)  # fmt: skip


def test_a_pattern_means_what_it_means_to_git(tmp_path: Path) -> None:
    """People know one kind of pattern by heart."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for path in PATHS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    said = {}
    for pattern in PATTERNS:
        (tmp_path / ".gitignore").write_text(f"{pattern}\n")
        answer = subprocess.run(
            ["git", "check-ignore", "--no-index", *PATHS],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        said[pattern] = set(answer.stdout.split())

    ours = {
        pattern: {path for path in PATHS if any_matches([pattern], path)} for pattern in PATTERNS
    }

    assert ours == said
    assert len({frozenset(paths) for paths in said.values()}) > 10
