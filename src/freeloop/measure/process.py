"""ServerProcess: one server that freeloop started, and that leaves nothing behind."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil

from freeloop.errors import FreeloopError
from freeloop.measure.entry import RAISED_FILE
from freeloop.measure.launch import ENTRY_MODULE, Launch, environment, fill, run_directory

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

__all__ = ["Launch", "ServerProcess"]

_HERE = Path(__file__).parent
_GRACE_S = 3.0
_TAIL_LINES = 15
_TRIES = 3
# What servers log when another program has the port; gunicorn says the second.
_PORT_LOST = ("address already in use", "connection in use")


class ServerProcess:
    """A started server; a context manager.

    Starts in `start` (or on entering), answers after `wait_ready`, is gone after `stop`.

    Attributes:
        launch: What was asked for.
        port: Where it listens on 127.0.0.1.
        pid: First process of the server; `observe.usage(pid)` covers its tree.
        sockets: Folder of the agents' sockets; they exist when the launch is observed.
    """

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.port = 0
        self.pid = 0
        self.command: list[str] = []
        self.sockets = Path()
        self._directory: Path | None = None
        self._warden: subprocess.Popen[bytes] | None = None
        self._seen: dict[int, psutil.Process] = {}
        self._last_log = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server; it is not ready yet.

        Raises:
            FreeloopError: "port-taken" for a given port, "setting-not-plain" for an override that
                JSON cannot carry, "server-did-not-start" when its interpreter cannot be run.
        """
        if self._warden is not None:
            return
        launch = self.launch
        if launch.port is not None and not _is_free(launch.port):
            raise FreeloopError(
                "port-taken",
                what=f"port {launch.port} on 127.0.0.1 is taken by another program",
                where=f"starting {launch.server.name}",
                mend="give another port, or none: a free one is found",
            )
        self.port = launch.port or _free_port()
        try:
            directory = self._directory = self.sockets = run_directory()
            fill(directory, launch)
            self._spawn(directory)
        except BaseException:
            self.stop()
            raise

    def wait_ready(self, path: str = "/", timeout_s: float = 30.0) -> int:
        """Wait until the server has answered one request and return the status of the answer.

        A port that another program took in the meantime is left for another one.

        Raises:
            FreeloopError: "server-did-not-start", with the end of its log.
        """
        deadline = time.monotonic() + timeout_s
        for left in reversed(range(_TRIES)):
            try:
                return self._first_answer(path, deadline)
            except FreeloopError:
                lost_port = any(words in self.log().lower() for words in _PORT_LOST)
                if self.launch.port is not None or not lost_port or not left:
                    raise
            self.stop()
            self.start()
        raise AssertionError("unreachable: the last try returns or raises")

    def alive(self) -> bool:
        """Return whether the server's first process still runs."""
        if not self.pid:
            return False
        try:
            return bool(psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    def log(self) -> str:
        """Return what the server wrote to standard output and standard error."""
        if self._directory is None:
            return self._last_log
        with contextlib.suppress(FileNotFoundError):
            return (self._directory / "log").read_text(errors="replace")
        return ""

    def log_tail(self) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log().strip().splitlines()[-_TAIL_LINES:])

    def raised(self) -> str:
        """Return the end of the traceback of the first request that raised; "" if none did."""
        if self._directory is not None:
            with contextlib.suppress(FileNotFoundError):
                text = (self._directory / RAISED_FILE).read_text(errors="replace")
                return "\n".join(text.strip().splitlines()[-_TAIL_LINES:])
        return ""

    def stop(self) -> None:
        """End the server and everything that it started; may be called again at any time.

        Raises:
            FreeloopError: "server-did-not-stop" when a process cannot be ended.
        """
        warden, directory = self._warden, self._directory
        self._last_log = self.log()
        self._remember_processes()
        try:
            if warden is not None:
                _ask_for_end(warden)
        finally:
            # Also when an interrupt breaks the wait: then everything known is ended at once.
            left = _kill(self._seen.values())
            if warden is not None:
                _let_go(warden)
            if directory is not None:
                shutil.rmtree(directory, ignore_errors=True)
            self._warden = self._directory = None
            self._seen = {}
            self.pid = 0
        if left:
            raise FreeloopError(
                "server-did-not-stop",
                what=f"{self.launch.server.name} left processes that cannot be ended",
                where=f"processes {', '.join(map(str, left))}",
                mend="end them by hand",
            )

    def _spawn(self, directory: Path) -> None:
        launch = self.launch
        self.command = launch.server.command(
            launch.python, ENTRY_MODULE, self.port, launch.workers, launch.threads
        )
        task = {
            "command": self.command,
            "cwd": str(launch.root.resolve()),
            "cores": list(launch.cores),
            "log": str(directory / "log"),
            "directory": str(directory),
            "grace_s": _GRACE_S,
        }
        # The warden's own errors go to the log too, such as an interpreter that does not exist.
        with (directory / "log").open("ab") as log:
            self._warden = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_HERE / "warden.py"), json.dumps(task)],
                env=environment(launch, directory),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        word, _, number = _line(self._warden, timeout_s=20.0).partition(" ")
        if word != "pid":
            raise self._did_not_start("it could not be run")
        self.pid = int(number)

    def _first_answer(self, path: str, deadline: float) -> int:
        while time.monotonic() < deadline:
            if not self.alive():
                raise self._did_not_start("it ended by itself")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=0.5).close()
            except OSError:
                time.sleep(0.02)
                continue
            if not self._listens():
                # Another program took the port: it must not be measured as the project.
                time.sleep(0.1)
                continue
            try:
                status = self._get(path, max(0.1, deadline - time.monotonic()))
            except (OSError, http.client.HTTPException):
                # The port was open before the application was loaded, or nobody answered.
                time.sleep(0.02)
                continue
            self._remember_processes()
            self._forget_raised()
            return status
        raise self._did_not_start("it did not answer in time")

    def _listens(self) -> bool:
        """Return whether it is this server that listens on the port; True where it is hidden."""
        try:
            return any(
                socket_.status == psutil.CONN_LISTEN and socket_.laddr.port == self.port
                for process in _tree(self.pid)
                for socket_ in process.net_connections("tcp")
            )
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True

    def _forget_raised(self) -> None:
        """Let go of what "/" raised: the view that is measured may be another one."""
        if self._directory is not None:
            (self._directory / RAISED_FILE).unlink(missing_ok=True)

    def _get(self, path: str, timeout_s: float) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            headers = {"Host": self.launch.host, "Connection": "close"}
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def _did_not_start(self, how: str) -> FreeloopError:
        return FreeloopError(
            "server-did-not-start",
            what=f"{self.launch.server.name} did not start: {how}",
            where=f"{' '.join(self.command)}\n{self.log_tail() or '(its log is empty)'}",
            mend="mend what the log says; freeloop doctor checks the project",
        )

    def _remember_processes(self) -> None:
        """Note the tree as it is now, so that its end can be verified after the root is gone."""
        for process in _tree(self.pid):
            self._seen.setdefault(process.pid, process)


def _tree(pid: int) -> list[psutil.Process]:
    if not pid:
        return []
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Servers set it too: a port whose last connections still linger is free for them.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _line(warden: subprocess.Popen[bytes], timeout_s: float) -> str:
    """Return the next line that the warden says; "" when it said nothing in time or has ended."""
    assert warden.stdout is not None
    descriptor, said = warden.stdout.fileno(), b""
    deadline = time.monotonic() + timeout_s
    while not said.endswith(b"\n"):
        readable, _, _ = select.select([descriptor], [], [], max(0, deadline - time.monotonic()))
        byte = os.read(descriptor, 1) if readable else b""
        if not byte:
            return ""
        said += byte
    return said.decode().strip()


def _ask_for_end(warden: subprocess.Popen[bytes]) -> None:
    assert warden.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        warden.stdin.write(b"q")
        warden.stdin.flush()
    _line(warden, timeout_s=_GRACE_S + 5)


def _let_go(warden: subprocess.Popen[bytes]) -> None:
    for pipe in (warden.stdin, warden.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        warden.wait(5)
        return
    warden.kill()
    warden.wait()


def _kill(processes: Iterable[psutil.Process]) -> list[int]:
    """End these processes at once and return the pids of those that are still there."""
    known = [process for process in processes if process.is_running()]
    for process in known:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                process.kill()
    _, left = psutil.wait_procs(known, timeout=3)
    return [process.pid for process in left]
