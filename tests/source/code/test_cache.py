"""Summaries are kept between runs, and never trusted when they may be wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from freeloop.source.code import cache as kept
from freeloop.source.code.files import find_files
from freeloop.source.code.summary import UNREADABLE, Kept, summarise


def read(root: Path, cache: Path) -> dict[str, Kept]:
    """Read a project by its cache."""
    return kept.read_all(find_files([root], root), cache)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two files, last changed long ago."""
    root = tmp_path / "project"
    root.mkdir()
    for name in ("one", "two"):
        (root / f"{name}.py").write_text(f"async def {name}(): pass\n")
        os.utime(root / f"{name}.py", (1_000_000_000, 1_000_000_000))
    return root


def test_a_file_that_did_not_change_is_not_parsed_again(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the edited one is."""
    before = read(project, tmp_path / "cache")
    (project / "one.py").write_text("def one(): pass\n")
    parsed: list[bytes] = []

    def noting(content: bytes, package: str, digest: bytes) -> Kept:
        parsed.append(content)
        return summarise(content, package, digest)

    monkeypatch.setattr(kept, "summarise", noting)

    after = read(project, tmp_path / "cache")

    one, two = str(project / "one.py"), str(project / "two.py")
    assert parsed == [b"def one(): pass\n"]
    assert after[two] == before[two]
    assert after[one] != before[one]


def test_a_change_of_the_same_size_and_time_as_the_cache_is_seen(
    project: Path, tmp_path: Path
) -> None:
    """Size and time alone would miss an edit within the clock's step."""
    file = project / "one.py"
    file.write_text("async def one(): pass\n")
    read(project, tmp_path / "cache")
    stat = file.stat()
    file.write_text("async def two(): pass\n")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    after = read(project, tmp_path / "cache")

    assert after[str(file)].unpack().functions[0][0] == "two"


@pytest.mark.parametrize("damage", [b"", b"x", b"y" * 500])
def test_a_damaged_cache_is_no_cache(project: Path, tmp_path: Path, damage: bytes) -> None:
    """It is written anew; nobody is told, because nothing is lost."""
    cache = tmp_path / "cache"
    first = read(project, cache)
    whole = {shard: shard.read_bytes() for shard in cache.iterdir()}
    for shard, content in whole.items():
        shard.write_bytes(content[: len(content) // 2] + damage)

    assert read(project, cache) == first
    assert {shard: shard.read_bytes() for shard in cache.iterdir()} == whole


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(
    project: Path, tmp_path: Path
) -> None:
    """A read-only home must not end a check."""
    (tmp_path / "file").touch()

    assert len(read(project, tmp_path / "file" / "cache")) == 2


def test_files_that_do_not_parse_give_line_and_reason(tmp_path: Path) -> None:
    """They are named and counted, whatever is wrong with them."""
    (tmp_path / "old.py").write_text("x = 1\nprint 'old'\n")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "nul.py").write_bytes(b"x = 1\x00")
    (tmp_path / "deep.py").write_text("x = " + "(" * 300 + ")" * 300)
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere")

    found = read(tmp_path, tmp_path / "cache")

    unread = {
        Path(path).name: each.unread(path)
        for path, each in found.items()
        if each.flags & UNREADABLE
    }
    assert unread["old.py"].line == 2
    assert "print" in unread["old.py"].problem
    assert set(unread) >= {"old.py", "binary.py", "nul.py", "deep.py"}
