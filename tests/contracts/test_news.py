"""News files become a changelog, and none is lost on the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A repository with one released version and two changes."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "news").mkdir()
    script = ROOT / "scripts" / "assemble_news.py"
    (tmp_path / "scripts" / script.name).write_text(script.read_text())
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n<!-- releases -->\n\n## 0.9.0 (2026-01-01)\n\n### Added\n\n- The start.\n"
    )
    (tmp_path / "news" / "README.md").write_text("How to write news.\n")
    (tmp_path / "news" / "port.fixed.md").write_text("A taken port is named.\nChoose another.\n")
    (tmp_path / "news" / "report.added.md").write_text("`--html` writes a report.\n")
    return tmp_path


def assemble(house: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script as `make news` does."""
    return subprocess.run(
        [sys.executable, str(house / "scripts" / "assemble_news.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_release_goes_on_top_sorted_by_kind(house: Path) -> None:
    """A reader looks for the newest release first, and for what is new in it."""
    answer = assemble(house, "1.0.0")

    text = (house / "CHANGELOG.md").read_text()
    assert answer.returncode == 0, answer.stderr
    wanted = ["## 1.0.0 (", "### Added", "- `--html`", "### Fixed", "- A taken port", "## 0.9.0"]
    places = [text.index(part) for part in wanted]
    assert places == sorted(places)
    assert "- A taken port is named.\n  Choose another.\n" in text


def test_folded_files_are_removed_and_the_page_about_them_stays(house: Path) -> None:
    """A file that stays would be told again in the next release."""
    assemble(house, "1.0.0")

    assert [path.name for path in (house / "news").iterdir()] == ["README.md"]


@pytest.mark.parametrize("release", ["", "soon", "1.0", "0.9.0"])
def test_a_release_without_a_new_version_number_changes_nothing(house: Path, release: str) -> None:
    """The changelog is written once per version."""
    before = (house / "CHANGELOG.md").read_text()

    answer = assemble(house, release)

    assert answer.returncode == 1
    assert answer.stderr.startswith("assemble_news: ")
    assert (house / "CHANGELOG.md").read_text() == before
    assert len(list((house / "news").iterdir())) == 3


@pytest.mark.parametrize("name", ["port.mended.md", "Port.fixed.md", "port.md"])
def test_a_misnamed_file_is_refused_before_anything_changes(house: Path, name: str) -> None:
    """Skipping it would lose the change without a word."""
    (house / "news" / name).write_text("Something.\n")

    answer = assemble(house, "1.0.0")

    assert answer.returncode == 1
    assert name in answer.stderr
    assert (house / "news" / "port.fixed.md").exists()


def test_the_news_of_this_repository_can_be_assembled(house: Path) -> None:
    """A wrong name shows in the branch that brings it, not on the day of the release."""
    for path in (house / "news").iterdir():
        path.unlink()
    for path in (ROOT / "news").iterdir():
        (house / "news" / path.name).write_text(path.read_text())
    (house / "news" / "always.added.md").write_text("Right after a release there is no news.\n")
    (house / "CHANGELOG.md").write_text((ROOT / "CHANGELOG.md").read_text())

    answer = assemble(house, "99.0.0")

    assert answer.returncode == 0, answer.stderr
