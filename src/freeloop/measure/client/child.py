"""Child: the process of the load client, seen from the parent; it never outlives its use."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

from freeloop.measure.client import frames

_GOODBYE_S = 1.0
_TAIL_BYTES = 4000

# The place of freeloop goes to the end of the path and -P keeps the current folder off it, so
# that no module of the user's project stands in for one of the standard library.
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from freeloop.measure.client.worker import main; "
    "main(tuple(int(core) for core in sys.argv[2:]))"
)


class ClientCrashed(RuntimeError):  # noqa: N818 - named for what happened
    """The load client ended or failed where it must not; the text holds what it said."""


class Child:
    """One process that takes one job after the other."""

    def __init__(self, cores: tuple[int, ...]) -> None:
        self._cores = cores
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._spawning = False
        self._spawned = threading.Event()
        self._error: OSError | None = None

    def start(self) -> None:
        """Start the process.

        A signal handler that raises does so in the main thread, wherever that is. In the middle
        of Popen it would leave a process that nobody knows; so another thread calls Popen.

        Raises:
            ClientCrashed: If the system does not start it.
        """
        self._spawning = True
        threading.Thread(target=self._spawn, name="freeloop-spawn", daemon=True).start()
        self._spawned.wait()
        if self._error is not None:
            raise ClientCrashed("the load client does not start") from self._error

    def ask(self, job: frames.Job, within_s: float) -> frames.Report:
        """Hand over a job and wait for its report.

        Raises:
            ClientCrashed: If the process ends, or gives no report in time.
        """
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            frames.write(process.stdin.fileno(), job)
            report = frames.read(process.stdout.fileno(), within_s=within_s)
        except TimeoutError:
            raise ClientCrashed(f"the load client gave no result in {within_s:.0f} s") from None
        except (EOFError, BrokenPipeError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GOODBYE_S)
            raise ClientCrashed(
                f"the load client ended with code {process.returncode}\n{self._tail()}"
            ) from None
        assert isinstance(report, frames.Report)
        return report

    def leave(self) -> None:
        """Let the process end by itself, which it does when its stdin ends."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GOODBYE_S)

    def kill(self) -> None:
        """End the process, whatever it does, and close what belongs to it."""
        if self._spawning:
            self._spawned.wait(_GOODBYE_S)
        process = self._process
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        if self._said is not None:
            self._said.close()

    def _spawn(self) -> None:
        try:
            # A file, not a pipe: nobody reads it during a load, and a full pipe would block.
            self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by kill()
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT, _root(), *map(str, self._cores)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                bufsize=0,
                process_group=0,
            )
        except OSError as error:
            self._error = error
        finally:
            self._spawned.set()

    def _tail(self) -> str:
        assert self._said is not None
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(size - _TAIL_BYTES, 0))
        return self._said.read().decode(errors="replace")


def _root() -> str:
    """Return the folder from which this freeloop was imported."""
    import freeloop

    return str(Path(freeloop.__file__).parents[1])
