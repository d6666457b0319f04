"""Files of reports, followed while others write, rotate and damage them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from freeloop.model.watched import Pool
from freeloop.source.reports import Followed
from tests.watch.sinks.stretches import stretch


def line(ms: float, **process: object) -> str:
    fields = json.loads(stretch(ms=ms).to_json())
    return json.dumps({**fields, "process": process} if process else fields) + "\n"


def append(file: Path, text: str) -> None:
    with file.open("a") as opened:
        opened.write(text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "watch.jsonl"


@pytest.fixture
def followed(file: Path) -> Iterator[Followed]:
    files = Followed([file])
    yield files
    files.close()


def read(followed: Followed) -> list[float]:
    return [report.stretch.ms for report in followed.read()]


def test_each_reading_gives_what_was_added(followed: Followed, file: Path) -> None:
    append(file, line(1) + line(2))
    assert read(followed) == [1, 2]
    assert read(followed) == []

    append(file, line(3))

    assert read(followed) == [3]


def test_a_line_that_is_half_written_is_read_once_it_is_whole(
    followed: Followed, file: Path
) -> None:
    """A reader may come between two parts of a write."""
    text = line(1)
    append(file, text[:40])
    assert read(followed) == []

    append(file, text[40:])

    assert read(followed) == [1]
    assert followed.unreadable == ()


def test_a_rotated_file_is_read_to_its_end_and_the_new_one_from_its_start(
    followed: Followed, file: Path
) -> None:
    """Nothing that was written between two readings is lost."""
    append(file, line(1))
    assert read(followed) == [1]

    append(file, line(2))
    file.rename(file.with_suffix(".1"))
    append(file, line(3))

    assert read(followed) == [2, 3]


def test_while_the_new_file_is_not_there_yet_the_old_one_is_read(
    followed: Followed, file: Path
) -> None:
    append(file, line(1))
    assert read(followed) == [1]
    moved = file.rename(file.with_suffix(".1"))
    append(moved, line(2))
    assert read(followed) == [2]

    append(file, line(3))

    assert read(followed) == [3]


def test_a_file_that_was_emptied_is_read_from_its_start(followed: Followed, file: Path) -> None:
    """Logrotate's copytruncate does that."""
    append(file, line(1) + line(2))
    assert read(followed) == [1, 2]

    file.write_text(line(3))

    assert read(followed) == [3]


def test_a_file_may_appear_later(followed: Followed, file: Path) -> None:
    """A worker that never holds its loop writes none."""
    assert read(followed) == []
    assert followed.absent == (str(file),)

    append(file, line(1))

    assert read(followed) == [1]
    assert not followed.absent


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"garbage\n", "line 2: no JSON"),
        (b"\xff\xfe\n", "line 2: 'utf-8' codec"),
        (b"[]\n", "line 2: a stretch is a JSON object, not list"),
        (b'{"schema": "freeloop.run/1"}\n', "line 2: schema is 'freeloop.run/1'"),
        (b"[" * 100_000 + b"\n", "line 2: "),
    ],
)
def test_a_line_that_cannot_be_read_is_counted_and_named(
    followed: Followed, file: Path, bad: bytes, reason: str
) -> None:
    """One torn line must not end the watching."""
    file.write_bytes(line(1).encode() + bad + bad + line(2).encode())

    assert read(followed) == [1, 2]

    (found,) = followed.unreadable
    assert (found.file, found.count) == (str(file), 2)
    assert found.first.startswith(reason)


def test_a_report_tells_of_its_process(followed: Followed, file: Path) -> None:
    pools = {"default": {"used": 3, "max": 4, "waiting": 2}}
    append(file, line(1, pid=7, threads=9, pools=pools) + line(2, pid="x", pools=3))

    first, second = followed.read()

    assert (first.pid, first.threads, first.pools) == (7, 9, {"default": Pool(3, 4, 2)})
    assert (second.pid, second.threads, second.pools) == (None, None, {})
