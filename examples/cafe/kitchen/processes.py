"""The process pool: two helpers with an interpreter lock of their own, started when needed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from functools import cache

HELPERS = 2


@cache
def helpers() -> ProcessPoolExecutor:
    """Return this server process's pool."""
    # A server has threads, and forking a process with threads may copy a lock that is held.
    context = multiprocessing.get_context("forkserver")
    return ProcessPoolExecutor(HELPERS, mp_context=context, initializer=_leave_with_the_server)


def dismiss_helpers() -> None:
    """End the pool, if it was ever started."""
    if helpers.cache_info().currsize:
        helpers().shutdown(cancel_futures=True)
        helpers.cache_clear()


def _leave_with_the_server() -> None:
    # Ctrl-C reaches the whole group; the server decides when its helpers go.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for_the_server, daemon=True).start()


def _wait_for_the_server() -> None:
    # A server that is killed cannot say goodbye, and its helpers would wait for ever.
    server = multiprocessing.parent_process()
    assert server is not None
    server.join()
    os._exit(0)
