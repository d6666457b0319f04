"""Stacks of the event loop's thread while one task has held it for a while."""

from __future__ import annotations

import sys
import threading
import time

from freeloop.record.clock import wall_ns
from freeloop.record.recorder import LaneState, Recorder

# The interpreter itself switches threads every 5 ms; shorter stretches are no news.
HELD_NS = 5_000_000
EVERY_S = 0.001
# Often enough to see such a stretch begin, and half the cost while there is none.
IDLE_S = 0.0025

# Before a probe stands in for it.
sleep = time.sleep


class LoopStack:
    """A thread that looks at the loop's thread once a millisecond."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._loop_thread = threading.get_ident()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="freeloop samples", daemon=True)

    def start(self) -> None:
        """Begin; the loop's thread is the calling one."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for it."""
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        recorder, thread = self._recorder, self._loop_thread
        held: tuple[LaneState, int | None] | None = None
        since = 0
        while not self._end.is_set():
            sleep(IDLE_S if held is None else EVERY_S)
            lane = recorder.here.get(thread) if recorder.active else None
            if lane is None:
                held = None
                continue
            if held is None or held[0] is not lane or held[1] != lane.run:
                held, since = (lane, lane.run), wall_ns()
                continue
            if wall_ns() - since >= HELD_NS:
                self._sample(lane, thread)

    def _sample(self, lane: LaneState, thread: int) -> None:
        recorder = self._recorder
        frame = sys._current_frames().get(thread)
        spots = recorder.places.stack(frame)
        del frame
        if spots:
            recorder.samples.add((wall_ns(), lane.id, spots))
