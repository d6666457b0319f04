"""Stand between freeloop and a server, so that nothing of the server outlives freeloop.

Runs as a program of its own (standard library only). Its standard input is a pipe from freeloop:
when a byte arrives, or freeloop dies and the pipe ends, the server and everything it started is
ended and the run directory removed. PR_SET_PDEATHSIG would be shorter, but it follows the thread
that started the server, not the process, and reaches the first process only.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """Start the server that the first argument describes and see it to its end.

    The argument is JSON: `command`, `cwd`, `cores` (empty: all), `log` (path), `directory` (removed
    at the end), `grace_s` (between SIGTERM and SIGKILL). Writes "pid N" and "exit N" to standard
    output.
    """
    config = json.loads(sys.argv[1])
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        # Only freeloop says when: the server must not lose its warden to a stray signal.
        signal.signal(ignored, lambda *_: None)
    _adopt_orphans()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    try:
        if config["cores"]:
            os.sched_setaffinity(0, config["cores"])
        with Path(config["log"]).open("ab") as log:
            server = subprocess.Popen(
                config["command"],
                cwd=config["cwd"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        _tell(f"pid {server.pid}")
        _wait(server, wake_read)
        _end(server, config["grace_s"])
        _tell(f"exit {server.returncode}")
    except OSError as error:
        # Standard error is the log, whose end freeloop shows.
        print(f"cannot run the server: {error}", file=sys.stderr, flush=True)  # noqa: T201
        _tell("exit 127")
    finally:
        os.close(1)
        # freeloop reads the log before it lets go of the pipe.
        with contextlib.suppress(OSError):
            _wait_for_freeloop()
        shutil.rmtree(config["directory"], ignore_errors=True)


def _adopt_orphans() -> None:
    """Make a worker whose own parent died a child of this process, so that it can be ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait(server: subprocess.Popen[bytes], wake: int) -> None:
    """Return when freeloop asks for the end, or dies, or the server ends by itself."""
    while server.poll() is None:
        readable, _, _ = select.select([0, wake], [], [])
        if 0 in readable:
            return
        if wake in readable:
            os.read(wake, 512)


def _wait_for_freeloop() -> None:
    while os.read(0, 512):
        pass


def _end(server: subprocess.Popen[bytes], grace_s: float) -> None:
    # To the first process alone, as process managers do: it knows how to end its workers.
    if server.poll() is None:
        server.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(grace_s)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    if server.poll() is None:
        server.wait()
    # What left the process group (a worker with its own session) is now a child of this process.
    for _ in range(100):
        children = _children()
        if not children:
            return
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.01)


def _children() -> list[int]:
    own = os.getpid()
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = entry.read_text().rpartition(")")[2].split()
            if int(fields[1]) == own:
                found.append(int(entry.parent.name))
    return found


def _tell(line: str) -> None:
    with contextlib.suppress(OSError):
        os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main()
