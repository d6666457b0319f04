from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from freeloop.measure.observe import Usage, usage
from freeloop.measure.watch import Watch
from tests.measure.tiny import soon

pytestmark = [pytest.mark.real, pytest.mark.alone]

_BURN = """
import sys, time
while time.process_time() < float(sys.argv[1]):
    sum(range(1000))
print(time.process_time_ns(), flush=True)
sys.stdin.readline()
"""
_PARENT_OF_BURN = f"""
import subprocess, sys
child = subprocess.Popen(
    [sys.executable, "-c", {_BURN!r}, sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
)
print(int(child.stdout.readline()), flush=True)
sys.stdin.readline()
child.communicate(b"\\n")
print("child ended", flush=True)
sys.stdin.readline()
"""


def _run(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _say(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline()


def _heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_cpu_burnt_in_a_child_is_seen_while_it_lives_and_after_it_ended() -> None:
    """Workers do the work, and some servers replace them: no CPU time may get lost."""
    with _run(_PARENT_OF_BURN, "0.5") as parent:
        burnt_ns = int(_heard(parent))
        alive = usage(parent.pid)
        assert _say(parent) == "child ended\n"
        ended = usage(parent.pid)
        parent.kill()

    assert alive.processes == 2
    assert ended.processes == 1
    # What the parent takes to start and to start the child, seen apart.
    with _run(_PARENT_OF_BURN, "0") as idle:
        childs_ns = int(_heard(idle))
        own_ns = usage(idle.pid).cpu_ns - childs_ns
        _say(idle)
        idle.kill()
    assert (alive.cpu_ns - own_ns) / burnt_ns == pytest.approx(1, abs=0.1)
    assert ended.cpu_ns_since(alive) <= 0.1 * burnt_ns
    assert (ended.cpu_ns - own_ns) / burnt_ns == pytest.approx(1, abs=0.1)


def test_cpu_of_a_process_is_its_own_clock() -> None:
    """Ticks of 10 ms would be 13 % off at 20 requests per second."""
    with _run(_BURN, "0.2") as process:
        own_ns = int(_heard(process))
        seen_ns = usage(process.pid).cpu_ns
        process.kill()

    assert seen_ns / own_ns == pytest.approx(1, abs=0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the run-queue delay")
def test_threads_that_compete_for_one_core_wait_in_its_queue() -> None:
    """The contention warning rests on this: two spinners on one core wait half of their time."""
    core = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, [{core}])\n{_BURN}"
    with _run(code, "0.3") as one, _run(code, "0.3") as other:
        _heard(one)
        _heard(other)
        delays = [usage(process.pid).queue_ns for process in (one, other)]
        one.kill()
        other.kill()

    assert max(delay for delay in delays if delay is not None) > 0.1e9


def test_the_queue_of_threads_that_ended_never_makes_a_negative_delay() -> None:
    """Thread per request: most threads of a round are gone at its end."""
    before = Usage(0, {(1, 1): 50, (1, 2): 900}, 0, 2, 1)
    after = Usage(0, {(1, 1): 80, (1, 3): 7}, 0, 2, 1)

    assert after.queue_ns_since(before) == 37
    assert Usage(0, None, 0, 1, 1).queue_ns_since(before) is None


def test_a_watch_sees_the_peak_of_threads_and_processes() -> None:
    """Peaks come and go between the two looks at the ends of a round."""
    before = usage(os.getpid())
    enough = threading.Event()
    watch = Watch(os.getpid())
    with watch, _run("print(1, flush=True); input()") as child:
        threads = [threading.Thread(target=enough.wait) for _ in range(20)]
        for thread in threads:
            thread.start()
        assert soon(lambda: watch.peaks.threads >= before.threads + 20)
        assert soon(lambda: watch.peaks.processes >= before.processes + 1)
        enough.set()
        for thread in threads:
            thread.join()
        child.kill()
    peaks = watch.stop()

    assert usage(os.getpid()).threads < peaks.threads
    assert peaks.rss_bytes >= 10_000_000
    assert peaks.samples >= 2


def test_watching_costs_little() -> None:
    """The watch shares the machine with what it watches."""
    with Watch(os.getpid()) as watch:
        start_ns, started = time.process_time_ns(), time.perf_counter_ns()
        assert soon(lambda: watch.peaks.samples >= 12)
        share = (time.process_time_ns() - start_ns) / (time.perf_counter_ns() - started)

    assert share < 0.1


def test_a_process_that_is_gone_used_nothing() -> None:
    """A server may die in the middle of a round; that is told elsewhere."""
    with _run("pass") as gone:
        gone.wait()

    assert usage(gone.pid) == Usage(0, None, 0, 0, 0)
