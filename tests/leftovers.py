"""Session check: no process, listening port or thread outlives the tests.

Every process started by a test inherits one environment variable, so that even a server that
detached itself into its own session is found. On systems that hide the environment of other
processes, only children are seen.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from concurrent.futures import thread as executor_threads

import psutil
import pytest

SESSION = "FREELOOP_TEST_SESSION"
FOUND = pytest.StashKey[list[str]]()
PATIENCE_S = 3.0


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


def ports() -> list[str]:
    """Describe the ports on which this process still listens."""
    return [
        f"port {connection.laddr.port} is still listened on"
        for connection in psutil.Process().net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
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


def leftovers(session: str, *, patience_s: float) -> list[str]:
    """Describe all that is left; what is just ending gets a moment to end."""
    deadline = time.monotonic() + patience_s
    while True:
        left = processes(session) + ports() + threads()
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)


def pytest_configure(config: pytest.Config) -> None:
    """Mark the environment; a pytest inside a pytest gets a mark of its own."""
    config.stash[FOUND] = []
    os.environ[SESSION] = uuid.uuid4().hex


@pytest.hookimpl(trylast=True)  # after pytest's own hook, which ends session fixtures
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a session that leaves something behind, even when every test passed."""
    found = leftovers(os.environ[SESSION], patience_s=PATIENCE_S)
    session.config.stash[FOUND] = found
    if found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name what was left behind."""
    if not config.stash[FOUND]:
        return
    terminalreporter.section("left behind by the tests", sep="=", red=True)
    for line in config.stash[FOUND]:
        terminalreporter.write_line(line)
