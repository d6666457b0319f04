from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from freeloop.errors import FreeloopError
from freeloop.model.check import Check, CheckState
from freeloop.render.terminal import show_checks, show_error, show_run
from freeloop.render.verdict_list import show_verdicts
from tests.render.gold import check_gold
from tests.render.sample_runs import BY_NAME, MANY

ERROR = FreeloopError(
    "no-settings",
    what="cannot find the Django settings",
    where="DJANGO_SETTINGS_MODULE (not set); manage.py (none from here up to the project root)",
    mend="run inside the project, or: freeloop bench --settings shop.settings",
)
CHECKS = (
    Check("python", CheckState.OK, "CPython 3.13.0"),
    Check("database", CheckState.WARNING, "SQLite: one writer at a time", "use PostgreSQL by DSN"),
    Check("granian", CheckState.MISSING, "not installed", "pip install 'freeloop[bench]'"),
    Check("settings", CheckState.BROKEN, "shop.settings does not import: [x]", "mend line 3"),
)


def console(width: int, *, colour: bool = False, encoding: str = "utf-8") -> Console:
    """Return a console that writes to memory, as a pipe or as a colour terminal."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    return Console(
        file=stream,
        width=width,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
    )


def written(made: Console) -> str:
    """Return what was written to the console."""
    made.file.flush()
    stream = made.file
    assert isinstance(stream, io.TextIOWrapper)
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode(stream.encoding)


def shown(name: str, width: int) -> str:
    made = console(width)
    show_run(BY_NAME[name], made)
    return written(made)


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_run_reads_as_its_gold_file(name: str) -> None:
    """A person has looked at these; a change of wording or layout must be looked at again."""
    check_gold(f"terminal/{name}.txt", shown(name, 80))


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    """A wrapped table is a broken table."""
    lines = shown(name, width).splitlines()

    assert lines
    assert [line for line in lines if len(line) > width] == []
    assert [line for line in lines if line != line.rstrip()] == []


def test_a_piped_run_has_no_escape_codes_and_a_coloured_one_says_the_same() -> None:
    """Colour is never alone: without it every word and sign is still there."""
    coloured = console(80, colour=True)
    show_run(MANY, coloured)
    text = written(coloured)
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", text)

    assert "\x1b[" in text
    assert "\x1b" not in shown("many", 80)
    assert [line.rstrip() for line in stripped.splitlines()] == shown("many", 80).splitlines()


def test_columns_stay_aligned() -> None:
    """Figures of one column end at one place, so that the eye can run down it."""
    lines = shown("hurts", 80).splitlines()
    table = lines[next(i for i, line in enumerate(lines) if line.startswith("in flight")) :]
    numbers = [line for line in table[2:22] if re.search(r"  [\w%.?-]+$", line[24:])]

    assert len(numbers) > 10
    assert len({len(line) for line in numbers}) == 1


def test_verdicts_come_last() -> None:
    """The end of the output is what stays on the screen."""
    text = shown("helps", 80)

    assert text.index("Async helps") > text.index("closed p99")
    assert "database default: SQLite" in text.splitlines()[1]


def test_verdict_headings_share_their_columns() -> None:
    """The eye runs down signs, pairs, concurrencies and ratios, and reads what it stops at."""
    made = console(80)
    show_verdicts(MANY, made)
    lines = [line for line in written(made).splitlines() if " in flight" in line[2:]]
    headings = [line for line in lines if line[0] in "+=-?"]

    assert len(headings) == len(MANY.pairs)
    assert len({line.index(" in flight") for line in headings}) == 1
    assert len({line.index("x  measured") for line in headings if "x  " in line}) == 1


def test_verdicts_alone_begin_with_a_verdict_and_end_with_their_count() -> None:
    """What --quiet prints: no database, no table, no command, no empty first line."""
    made = console(80)
    show_verdicts(MANY, made)
    lines = written(made).splitlines()

    assert lines[0].startswith("= wait")
    assert lines[-1].startswith("11 verdicts: + 3 helps, = 2 no difference, - 4 hurts, ? 2 unknown")
    assert not any("database" in line or "repeat" in line for line in lines)


def test_many_verdicts_end_with_an_overview() -> None:
    """Pair by concurrency on one screen; a cell that was not measured stays empty."""
    text = shown("many", 80)
    overview = text[text.rindex("in flight") :].splitlines()

    assert overview[0].split() == ["in", "flight", "1", "10", "50"]
    assert overview[1].split() == ["wait", "=", "0.98x", "+", "3.1x", "+", "3.1x"]
    assert overview[3].split() == ["cpu", "=", "1.02x"]
    assert "in flight" not in shown("unknown", 80).split("missing: not decidable")[1]


def test_many_concurrencies_are_split_over_several_tables() -> None:
    """At 60 columns two cells fit beside the labels; nothing is dropped."""
    wide, narrow = shown("many", 80), shown("many", 60)

    assert wide.count("in flight  ") < narrow.count("in flight  ")
    for cell in ("1 A", "10 B", "50 B"):
        assert cell in narrow


def test_a_race_has_plain_bars_where_the_terminal_has_no_blocks() -> None:
    """An ASCII pipe must not break on a bar."""
    made = console(80, encoding="ascii")
    show_run(BY_NAME["races"], made)

    assert "########" in written(made)


@pytest.mark.parametrize("width", [80, 120])
def test_an_error_says_what_where_and_how_to_mend_it(width: int) -> None:
    """Layout of the style guide; brackets in the text are text, not markup."""
    made = console(width)
    show_error(ERROR, made)
    text = written(made)

    check_gold(f"terminal/error-{width}.txt", text)
    assert max(map(len, text.splitlines())) <= width
    assert text.splitlines()[0].endswith("[no-settings]")


def test_a_long_error_keeps_its_slug_and_its_log_lines() -> None:
    """A server's last log lines are shown as they were, one under the other."""
    made = console(40)
    show_error(FreeloopError("late", what="w" * 50, where="one [red]\ntwo"), made)
    lines = [line.strip() for line in written(made).splitlines()]

    assert "[late]" in lines
    assert lines[-2:] == ["where    one [red]", "two"]


def test_checks_name_their_state_in_words_and_mend_below() -> None:
    """The doctor's rows must be readable without colour."""
    made = console(80)
    show_checks(CHECKS, made)

    check_gold("terminal/checks.txt", written(made))
