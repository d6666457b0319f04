"""What is planted in a real project, on real servers: found where it is, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from freeloop.watch.stretch import Kind, Stretch, from_json
from tests.watch.served import COMMANDS, Site, listed, serving
from tests.watch.site.planted import Situation

pytestmark = [pytest.mark.real, pytest.mark.alone, pytest.mark.needs("channels")]

# The whole list is that of `benchmarks/watch_recall.py`; here, some of every sort.
BLOCKS = (
    *("time_sleep", "three_calls_deep", "class_based_view", "socket_recv", "subprocess_run"),
    *("in_a_stream", "background_task", "signal_receiver", "middleware_before"),
    *("template_variable", "consumer_receives", "python_loop", "regular_expression"),
    *("slow_thread_start", "eight_tasks_in_one_turn"),
)
HIDDEN = (
    *("gathered_in_one_thread", "default_executor_full", "behind_one_thread"),
    *("lost_exception", "outlives_request"),
)
TRAPS = (
    *("awaits_a_sleep", "sync_view_sleeps", "short_blocks_apart", "slow_stream"),
    *("many_waits_gathered", "short_background_task", "deadlock_that_is_none", "plain_hello"),
)


@pytest.fixture(scope="module")
def situations() -> dict[str, Situation]:
    """What is planted, by name."""
    return listed()


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The planted project, on each server."""
    with serving(tmp_path_factory.mktemp("watched"), COMMANDS[request.param]) as found:
        yield found


@dataclass(slots=True)
class Tally:
    """What was right about a list of situations."""

    silent: list[str] = field(default_factory=list)
    wrong: list[tuple[str, Any]] = field(default_factory=list)


def tally(site: Site, planted: list[Situation]) -> Tally:
    """Bring each about, and compare what was said with what is planted."""
    found = Tally()
    for situation in planted:
        said = [
            stretch
            for line in site.bring_about(situation)
            if (stretch := from_json(line)).kind is not Kind.HOST
        ]
        if not said:
            found.silent.append(situation.name)
        elif mistakes := [each for each in said if _mistaken(each, situation)]:
            found.wrong.append((situation.name, mistakes))
    return found


def _mistaken(said: Stretch, planted: Situation) -> bool:
    line = None if said.line is None else (Path(said.line[0]).name, said.line[1])
    return not (
        said.cause in planted.causes
        and (not planted.lines or line in planted.lines)
        and (not planted.route or said.route == planted.pattern)
        and (not planted.path or said.path == planted.url)
    )


def test_blocks_are_found_with_line_cause_route_and_path(
    site: Site, situations: dict[str, Situation]
) -> None:
    """One of fifteen may be lost or wrong: a noisy machine starves the watchdog now and then."""
    found = tally(site, [situations[name] for name in BLOCKS])

    assert len(found.silent) + len(found.wrong) <= 2, found


def test_hidden_bottlenecks_are_named(site: Site, situations: dict[str, Situation]) -> None:
    found = tally(site, [situations[name] for name in HIDDEN])

    assert len(found.silent) + len(found.wrong) <= 1, found


def test_traps_are_passed_over(site: Site, situations: dict[str, Situation]) -> None:
    found = tally(site, [situations[name] for name in TRAPS])

    assert found.wrong == []
    assert found.silent == list(TRAPS)
