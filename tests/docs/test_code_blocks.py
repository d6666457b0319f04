"""Every code block of the documentation is read, run or checked against the real command."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.docs.blocks import ROOT, Block, blocks, written_in

# Programs that a page may call besides freeloop and make; what they do is their business.
OTHERS = {"pip", "bash", "cd", "cat", "pytest"}
# Text that is shown, not run: output of commands, pictures of the floors.
SHOWN = {"", "text", "html", "json"}


@pytest.fixture
def signals_kept() -> Iterator[None]:
    """The command sets handlers of its own; the tests after it need theirs."""
    kept = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for each, handler in kept.items():
        signal.signal(each, handler)


def commands() -> list[tuple[str, list[str]]]:
    """Return each command of a console block, split as a shell does, up to a pipe or redirect."""
    found = []
    for block in written_in("console"):
        for line in block.text.splitlines():
            if line.startswith("$ "):
                words = shlex.split(line[2:], comments=True)
                ends = [words.index(sign) for sign in ("|", ">", "2>", "&&") if sign in words]
                found.append((f"{block.place} {line}", words[: min(ends, default=len(words))]))
    return found


def commands_of(program: str) -> list[object]:
    return [pytest.param(words[1:], id=place) for place, words in commands() if words[0] == program]


def by_place(block: Block) -> str:
    return block.place


def test_the_documentation_has_blocks_of_every_kind_and_no_other() -> None:
    """A block in a language that no test knows would never be checked."""
    languages = {block.language for block in blocks()}

    assert languages >= {"console", "python", "toml"}
    assert languages <= {"console", "python", "toml"} | SHOWN


@pytest.mark.parametrize("block", written_in("toml"), ids=by_place)
def test_a_plan_in_the_documentation_is_a_plan(block: Block, tmp_path: Path) -> None:
    """Readers copy plans; a plan that is refused costs them the first impression."""
    from freeloop.knowledge.load import read_table
    from freeloop.source.check_settings import read_check_settings
    from freeloop.source.plan import read_plan
    from freeloop.source.project import read_options
    from freeloop.source.requests import read_requests

    tables = tomllib.loads(block.text)

    if "pair" in tables or "race" in tables:
        file = tmp_path / "plan.toml"
        file.write_text(block.text)
        plan = read_plan(file)
        assert len(plan.pairs) == len(tables.get("pair", []))
        assert len(plan.races) == len(tables.get("race", []))
    elif "call" in tables:
        file = tmp_path / "rows.toml"
        file.write_text(block.text)
        assert len(read_table(file, needs_proof=False).calls) == len(tables["call"])
    elif "request" in tables:
        file = tmp_path / "requests.toml"
        file.write_text(block.text)
        names = [request.name for request in read_requests(file)]
        assert names == [request["name"] for request in tables["request"]]
    else:
        (tmp_path / "pyproject.toml").write_text(block.text)
        options, _ = read_options(tmp_path)
        said = tables["tool"]["freeloop"]
        assert dict(options) == {key: value for key, value in said.items() if key != "check"}
        settings = read_check_settings(tmp_path)
        assert settings.ignore == tuple(said.get("check", {}).get("ignore", ()))


@pytest.mark.parametrize("block", written_in("python"), ids=by_place)
def test_python_in_the_documentation_runs(block: Block, tmp_path: Path) -> None:
    """In an interpreter of its own, in a project, as a reader's would be."""
    (tmp_path / "shop_settings.py").write_text('SECRET_KEY = "known to all"\n')
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", block.text],
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": str(ROOT / "src"), "DJANGO_SETTINGS_MODULE": "shop_settings"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr


@pytest.mark.usefixtures("signals_kept")
@pytest.mark.parametrize("words", commands_of("freeloop"))
def test_a_freeloop_command_in_the_documentation_is_understood(words: list[str]) -> None:
    """Every command and option exists; click reads all options before it obeys --help."""
    from freeloop.cli.main import main

    answer = CliRunner().invoke(main, [*words, "--help"])

    assert answer.exit_code == 0, answer.output


@pytest.mark.usefixtures("signals_kept")
def test_an_option_that_does_not_exist_would_be_found() -> None:
    """The test above is only as good as click's order of reading."""
    from freeloop.cli.main import main

    answer = CliRunner().invoke(main, ["bench", "/", "--no-such-option", "--help"])

    assert answer.exit_code == 2


@pytest.mark.parametrize("words", commands_of("make"))
def test_a_make_target_in_the_documentation_exists(words: list[str]) -> None:
    """Read from the Makefile, not run: some targets take minutes."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert {word for word in words if "=" not in word} <= targets


def test_only_known_programs_are_called() -> None:
    """A typing mistake in a program's name would hide the command from the tests above."""
    called = {words[0] for _, words in commands()}

    assert called <= OTHERS | {"freeloop", "make"}
