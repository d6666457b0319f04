"""The load client's own process: takes jobs from stdin, runs them, answers on stdout."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import signal
import sys
import traceback
from dataclasses import replace
from time import perf_counter, process_time_ns
from typing import TYPE_CHECKING, Any

from freeloop.errors import FreeloopError
from freeloop.measure.client import frames
from freeloop.measure.client.arrivals import drive

if TYPE_CHECKING:
    from collections.abc import Callable

    from freeloop.measure.load import Load, LoadResult

_NS_PER_MS = 1e6
_BUSY_SHARE = 0.8
# Time for the closes to leave the process: between two jobs the loop does not run.
_GOODBYE_S = 0.005


def main(cores: tuple[int, ...] = ()) -> None:
    """Serve jobs until stdin ends, which it does when the parent process ends."""
    # Ctrl-C in a terminal reaches every process; what it ends is decided by the parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if cores:
        os.sched_setaffinity(0, cores)
    _raise_file_limit()
    jobs, answers = _private_pipes()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        while True:
            try:
                job = frames.read(jobs)
            except EOFError:
                return
            assert isinstance(job, frames.Job)
            frames.write(answers, _report(runner, jobs, job))


def _report(runner: asyncio.Runner, jobs: int, job: frames.Job) -> frames.Report:
    try:
        return frames.Report(results=runner.run(_run(jobs, job.loads)))
    except FreeloopError as error:
        return frames.Report(error=error)
    except Exception:
        # The edge of the process: the parent decides what becomes of it.
        return frames.Report(trace=traceback.format_exc())


async def _run(jobs: int, loads: tuple[Load, ...]) -> tuple[LoadResult, ...]:
    loop = asyncio.get_running_loop()
    # Nothing is sent while a job runs: if the pipe can be read, its other end is closed.
    loop.add_reader(jobs, os._exit, 0)
    problems: list[str] = []
    loop.set_exception_handler(lambda _, context: _note_problem(context, problems))
    drives = [drive(load) for load in loads]
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        await asyncio.gather(*(one.prepare() for one in drives))
        cpu_ns = process_time_ns()
        started_s = perf_counter()
        await asyncio.gather(*(one.run() for one in drives))
        # The results are made after this: that is work of the report, not of the load.
        cpu_ms = (process_time_ns() - cpu_ns) / _NS_PER_MS
        seconds = perf_counter() - started_s
        results = [one.result() for one in drives]
        await asyncio.sleep(_GOODBYE_S)
        if problems:
            raise RuntimeError("\n".join(problems))
    finally:
        gc.enable()
        gc.unfreeze()
        loop.remove_reader(jobs)
    notes = _client_notes(cpu_ms, seconds, len(loads))
    return tuple(
        replace(result, client_cpu_ms=cpu_ms, notes=(*result.notes, *notes)) for result in results
    )


def _client_notes(cpu_ms: float, seconds: float, loads: int) -> tuple[str, ...]:
    notes = []
    if loads > 1:
        notes.append(f"client CPU is that of all {loads} loads that ran side by side")
    share = cpu_ms / 1e3 / seconds
    if share > _BUSY_SHARE:
        notes.append(
            f"the load client itself used {share:.0%} of a core: "
            "latencies hold its own queue, and the server could do more"
        )
    return tuple(notes)


def _note_problem(context: dict[str, Any], problems: list[str]) -> None:
    """Keep an error of ours that asyncio caught in a callback; sockets may fail as they like."""
    error = context.get("exception")
    if isinstance(error, Exception) and not isinstance(error, OSError):
        problems += traceback.format_exception(error)


def _private_pipes() -> tuple[int, int]:
    """Return stdin and stdout under other numbers, so that a stray print harms nothing."""
    jobs, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return jobs, answers


def _raise_file_limit() -> None:
    """Allow as many connections as the system lets us have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS says "without limit" and then refuses it.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


if __name__ == "__main__":
    main(tuple(int(core) for core in sys.argv[1:]))
