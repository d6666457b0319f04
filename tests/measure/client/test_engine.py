from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from freeloop.errors import FreeloopError, Interrupted
from freeloop.measure.client import ClientCrashed, RawEngine
from freeloop.measure.load import Load
from freeloop.model.request import RequestSpec
from freeloop.model.run import Arrivals
from tests.measure.client.scripted import OK, Peer, always, load_once, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.real

PAGE = RequestSpec(name="page", url="/")


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


@contextlib.contextmanager
def interrupted(after_s: float) -> Iterator[list[float]]:
    """Raise in the main thread after this time, as the command line does on SIGINT."""
    times_s: list[float] = []

    def interrupt(number: int, frame: object) -> None:
        times_s.append(time.monotonic())
        raise Interrupted

    old = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, after_s)
    try:
        yield times_s
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


async def silent(peer: Peer) -> None:
    """Read for ever and never answer."""
    while True:
        await peer.request()


def test_leaving_the_engine_leaves_no_process() -> None:
    """Nor a pipe: the warning would fail this test."""
    before = children()

    with serving(always(OK)) as seen, RawEngine() as engine:
        first = load_once(engine, seen.port)
        inside = children() - before
        second = load_once(engine, seen.port)

    assert (first.completed, second.completed) == (1, 1)
    assert len(inside) == 1
    assert children() == before


@pytest.mark.parametrize("after_s", [0.001, 0.05, 0.2, 0.5])
def test_an_interrupt_at_any_moment_ends_the_client_at_once(after_s: float) -> None:
    """While it starts, connects or loads: the signal handler raises wherever the parent is."""
    before = children()

    with (
        serving(silent) as seen,
        pytest.raises(Interrupted),
        interrupted(after_s) as times_s,
        RawEngine() as engine,
    ):
        engine.run(Load(port=seen.port, requests=(PAGE,), connections=20, seconds=30))

    ended_s = time.monotonic()
    assert len(times_s) == 1
    assert ended_s - times_s[0] < 1.0
    assert children() == before


def test_the_engine_runs_again_after_an_interrupt() -> None:
    """The next run gets a new client, never the answer to the load that was given up."""
    with serving(silent) as mute, serving(always(OK)) as seen, RawEngine() as engine:
        with pytest.raises(Interrupted), interrupted(0.3):
            engine.run(Load(port=mute.port, requests=(PAGE,), seconds=30))
        result = load_once(engine, seen.port, count=3)

    assert (result.completed, result.failed) == (3, 0)


def test_ctrl_c_is_for_the_parent_to_decide() -> None:
    """A terminal sends SIGINT to every process of the group; the client goes on."""
    before = children()

    with serving(always(OK)) as seen, RawEngine() as engine:
        load_once(engine, seen.port)
        (pid,) = children() - before
        os.kill(pid, signal.SIGINT)
        result = load_once(engine, seen.port)

    assert result.completed == 1


def test_a_client_that_dies_is_a_clear_error_and_no_wait() -> None:
    """The memory may run out, or somebody ends the process by hand."""
    before = children()

    with serving(always(OK)) as seen, RawEngine() as engine:
        load_once(engine, seen.port)
        (pid,) = children() - before
        os.kill(pid, signal.SIGKILL)

        with pytest.raises(ClientCrashed, match="code -9"):
            load_once(engine, seen.port)

    assert children() == before


def test_an_error_in_the_client_comes_back_with_its_traceback() -> None:
    """A mistake of ours needs the place where it happened, which is in another process."""
    before = children()
    load = Load(port=1, requests=(PAGE,), arrivals=Arrivals.OPEN, rate_rps=math.inf)

    with serving(always(OK)) as seen, RawEngine() as engine:
        with pytest.raises(ClientCrashed, match=r"arrivals\.py(.|\n)*OverflowError"):
            engine.run(load)
        result = load_once(engine, seen.port)

    assert result.completed == 1
    assert children() == before


def test_the_client_ends_when_its_parent_is_killed_in_the_middle_of_a_load() -> None:
    """SIGKILL gives the parent no chance to clean up."""
    code = (
        "import sys\n"
        "from freeloop.measure.client import RawEngine\n"
        "from freeloop.measure.load import Load\n"
        "from freeloop.model.request import RequestSpec\n"
        "with RawEngine() as engine:\n"
        "    print('ready', flush=True)\n"
        "    engine.run(Load(port=int(sys.argv[1]),"
        " requests=(RequestSpec(name='p', url='/'),), seconds=60))\n"
    )
    source = Path(__file__).parents[3] / "src"

    with (
        serving(silent) as seen,
        subprocess.Popen(
            [sys.executable, "-c", code, str(seen.port)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(source)},
        ) as parent,
    ):
        assert parent.stdout is not None
        parent.stdout.readline()
        (client,) = psutil.Process(parent.pid).children()
        while not seen.requests:
            time.sleep(0.01)
        parent.kill()
        parent.wait()
        client.wait(timeout=3)

    assert not client.is_running()


def test_the_client_is_held_to_the_given_core() -> None:
    """So that it does not take the core of the server that it measures."""
    before = children()
    core = min(os.sched_getaffinity(0))

    with serving(always(OK)) as seen, RawEngine(cores=(core,)) as engine:
        load_once(engine, seen.port)
        (pid,) = children() - before

        assert os.sched_getaffinity(pid) == {core}


def test_a_core_that_is_not_there_is_a_clear_error() -> None:
    """A list of cores copied from another machine."""
    with pytest.raises(FreeloopError) as caught:
        RawEngine(cores=(4096,))

    assert caught.value.slug == "no-such-core"


def test_a_module_of_the_project_does_not_stand_in_for_the_standard_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bench runs in the user's folder, and there may be a select.py."""
    (tmp_path / "select.py").write_text("raise SystemExit('the wrong select')")
    monkeypatch.chdir(tmp_path)

    with serving(always(OK)) as seen, RawEngine() as engine:
        result = load_once(engine, seen.port)

    assert result.completed == 1


@pytest.mark.parametrize(
    "load",
    [
        Load(port=1, requests=()),
        Load(port=1, requests=(RequestSpec(name="p", view="menu"),)),
        Load(port=1, requests=(PAGE,), connections=0),
        Load(port=1, requests=(PAGE,), seconds=0),
        Load(port=1, requests=(PAGE,), arrivals=Arrivals.OPEN),
        Load(port=1, requests=(PAGE,), timeout_s=0),
    ],
)
def test_a_load_that_cannot_run_is_refused_before_anything_is_sent(
    engine: RawEngine, load: Load
) -> None:
    """These are mistakes of the caller's code, so they are ValueErrors."""
    with pytest.raises(ValueError, match=r"load|rate|url"):
        engine.run(load)
