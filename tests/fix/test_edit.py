"""Edits are placed by position, or refused; files keep all that the edit does not name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeloop.fix.edit import Overlap, Piece, as_edits, placed, write
from freeloop.fix.source import Source, Unfit
from tests.fix.turning import settled

SLEEPS = "import time\n\n\nasync def view(request):\n    time.sleep(1)\n"


@given(st.text(min_size=1, max_size=30), st.data())
def test_pieces_change_only_what_they_cover(text: str, data: st.DataObject) -> None:
    """What stands between the pieces is the same text as before, in the same order."""
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), min_size=2, max_size=6)))
    spans = [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False) if a < b]
    pieces = [Piece(a, b, data.draw(st.text(max_size=4))) for a, b in spans]

    new = placed(text, pieces)

    kept, done = [], 0
    for piece in pieces:
        kept.append(text[done : piece.start])
        done = piece.end
    expected = "".join(a + b.text for a, b in zip(kept, pieces, strict=True)) + text[done:]
    assert new == expected


@pytest.mark.parametrize(
    "pieces",
    [
        [Piece(0, 3, "a"), Piece(2, 4, "b")],
        [Piece(1, 1, "a"), Piece(1, 1, "b")],
        [Piece(1, 1, "a"), Piece(1, 2, "b")],
    ],
)
def test_pieces_that_want_one_place_are_refused(pieces: list[Piece]) -> None:
    """Their order would be chance."""
    with pytest.raises(Overlap):
        placed("abcdef", pieces)


def test_equal_pieces_are_one() -> None:
    """Two edits of a file may need the same import."""
    assert placed("ab", [Piece(0, 0, "x"), Piece(0, 0, "x")]) == "xab"


def test_edits_count_characters_where_the_tree_counts_bytes() -> None:
    """Also behind letters that take several bytes, or two units in other encodings."""
    source = Source("/a.py", "a.py", "a = 'äöü😀'; f(1)\n".encode())
    call = source.at(1, len("a = 'äöü😀'; ".encode()))[0]

    edit = as_edits(source, [Piece(source.start(call), source.end(call), "g()")])[0]

    assert (edit.line, edit.column, edit.end_column) == (1, 12, 16)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (SLEEPS.replace("\n", "\r\n").encode(), b"\r\n    await asyncio.sleep(1)\r\n"),
        (b"\xef\xbb\xbf" + SLEEPS.encode(), b"\xef\xbb\xbfimport asyncio\nimport time\n"),
        (
            b"# coding: latin-1\n# caf\xe9\n" + SLEEPS.encode() + b"    'caf\xe9'; time.sleep(2)",
            b"    'caf\xe9'; await asyncio.sleep(2)",
        ),
        (SLEEPS.replace("time.sleep(1)\n", "time.sleep(1)").encode(), b" await asyncio.sleep(1)"),
    ],
    ids=["crlf", "byte order mark", "latin-1", "no newline at the end"],
)
def test_a_file_keeps_its_bytes(tmp_path: Path, content: bytes, expected: bytes) -> None:
    """Ends of lines, a byte order mark and the encoding are the author's choice."""
    (tmp_path / "pyproject.toml").touch()
    file = tmp_path / "views.py"
    file.write_bytes(content)

    before, after = settled(tmp_path).files[str(file)]

    assert before == content
    assert expected in after
    assert after.replace(b"\r\n", b"").count(b"\r") == 0
    assert after.count(b"\r\n") == (after.count(b"\n") if b"\r\n" in content else 0)


def test_a_file_that_positions_cannot_be_told_in_is_left_alone() -> None:
    """Python ends a line at a lone carriage return, editors and diffs do not."""
    with pytest.raises(Unfit):
        Source("/a.py", "a.py", b"a = 1\rb = 2\n")
    with pytest.raises(Unfit):
        Source("/a.py", "a.py", b"a = (\n")


def test_writing_keeps_the_mode_and_refuses_a_file_that_changed(tmp_path: Path) -> None:
    """Nobody's work of the last second is overwritten, and no half file is left."""
    file = tmp_path / "a.py"
    file.write_text("a")
    file.chmod(0o754)
    link = tmp_path / "link.py"
    link.symlink_to(file)

    write(link, b"a", b"b")
    with pytest.raises(OSError, match="has changed"):
        write(file, b"a", b"c")

    assert file.read_text() == "b"
    assert file.stat().st_mode & 0o777 == 0o754
    assert link.is_symlink()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.py", "link.py"]
