"""The hooks for pre-commit, run by pre-commit itself on a small repository."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HOOKS = ROOT / ".pre-commit-hooks.yaml"
BLOCKED = "import time\nasync def slow(request):\n    time.sleep(1)\n"

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a program in a directory, with git and pre-commit kept to the test's directory."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
        "FREELOOP_CACHE": str(tmp_path / "cache"),
        "COLUMNS": "200",
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)

    def run(*words: str, at: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=at, env=environment, capture_output=True, text=True, check=False
        )

    (tmp_path / ".gitconfig").write_text(
        "[user]\nname = a\nemail = a@example.org\n[init]\ndefaultBranch = main\n"
    )
    return run


@pytest.fixture
def hooked(run: Run, project: Path, tmp_path: Path) -> Path:
    """A project whose commits go through the hook for an installed freeloop."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / HOOKS.name).write_text(HOOKS.read_text())
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "hooks"]):
        assert run("git", *words, at=hooks).returncode == 0
    revision = run("git", "rev-parse", "HEAD", at=hooks).stdout.strip()
    hook = {"repo": str(hooks), "rev": revision, "hooks": [{"id": "freeloop-installed"}]}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [hook]}))
    (project / "views.py").write_text("async def slow(request):\n    return await request.x\n")
    assert run("git", "init", "-q", at=project).returncode == 0
    assert run("git", "add", ".", at=project).returncode == 0
    assert run("git", "commit", "-qm", "first", at=project).returncode == 0
    assert run("pre-commit", "install", at=project).returncode == 0
    return project


def test_a_commit_that_blocks_the_loop_is_refused(run: Run, hooked: Path) -> None:
    """With the finding, its way and its mend; once it is mended, the commit goes through."""
    (hooked / "views.py").write_text(BLOCKED)
    refused = run("git", "commit", "-qam", "blocks", at=hooked)
    (hooked / "views.py").write_text(
        "import asyncio\nasync def slow(request):\n    await asyncio.sleep(1)\n"
    )
    accepted = run("git", "commit", "-qam", "waits", at=hooked)

    said = refused.stdout + refused.stderr
    assert refused.returncode == 1, said
    assert "views.py:3  FL101 blocking-call" in said
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    assert "Passed" in accepted.stdout + accepted.stderr


def test_only_what_the_commit_touches_is_asked_about(run: Run, hooked: Path) -> None:
    """An old finding elsewhere is nobody's business now; one that is reached from here is."""
    (hooked / "views.py").write_text(BLOCKED)
    run("git", "commit", "-qam", "old", "--no-verify", at=hooked)
    (hooked / "other.py").write_text("LIMIT = 3\n")
    run("git", "add", ".", at=hooked)

    elsewhere = run("git", "commit", "-qm", "other", at=hooked)
    (hooked / "urls.py").write_text((hooked / "urls.py").read_text() + "# touched\n")
    every = run("pre-commit", "run", "--all-files", at=hooked)

    assert elsewhere.returncode == 0, elsewhere.stdout + elsewhere.stderr
    assert every.returncode == 1
    assert "FL101" in every.stdout


def test_pre_commit_accepts_the_file_of_hooks(run: Run) -> None:
    """Its own check of the file; both hooks call what is installed as `freeloop`."""
    answer = run("pre-commit", "validate-manifest", str(HOOKS), at=ROOT)

    hooks = yaml.safe_load(HOOKS.read_text())
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert {each["id"]: each["language"] for each in hooks} == {
        "freeloop": "python",
        "freeloop-installed": "system",
    }
    assert {each["entry"] for each in hooks} == {"freeloop check"}
