"""How busy a server was, told apart from how long its threads queued."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from freeloop.measure.watch import Watch

IDLE = "import time; time.sleep(60)"
WAITING = """
import threading, time
for _ in range(30):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
time.sleep(60)
"""
BURNING = "while True: pass"


@pytest.mark.real
@pytest.mark.needs("linux")
@pytest.mark.parametrize(
    ("program", "low", "high"),
    [(IDLE, 0.0, 0.2), (WAITING, 0.0, 0.2), (BURNING, 0.95, 1.0)],
    ids=["idle", "thirty waiting threads", "burning"],
)
def test_a_server_is_busy_when_a_thread_runs_or_wants_to(
    program: str, low: float, high: float
) -> None:
    """Threads that wait leave their core alone, however many they are."""
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        try:
            time.sleep(0.5)
            with Watch(process.pid) as watch:
                time.sleep(1.0)
        finally:
            process.kill()

    assert watch.peaks.running is not None
    assert low <= watch.peaks.running <= high
    assert watch.peaks.samples > 10
