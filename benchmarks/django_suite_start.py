"""Runs Django's `runtests.py` in one arm and writes what became of each test, a line of JSON each.

    python django_suite_start.py TESTS RECORD stock|relief plain|async [runtests options]

Runs in the environment of the tested Django and needs nothing else there: freeloop is put on the
path from this repository. No file of Django is changed: relief is installed before `runtests.py`
begins, and the sync test client is sent through the async chain by a method put on its handler.
"""

from __future__ import annotations

import faulthandler
import json
import multiprocessing
import runpy
import signal
import sys
import traceback
import unittest
from pathlib import Path
from typing import Any, TextIO

SOURCE = Path(__file__).resolve().parents[1] / "src"
# A failing test's traceback, shortened from the front: the end says what happened.
KEPT_CHARACTERS = 4000


class Recorder(unittest.TextTestResult):
    """A result that also writes each outcome down at once: a crash or a hang keeps the others.

    With `--parallel` the children's events are replayed here, in the parent.
    """

    file: TextIO
    hops: Hops
    parts: tuple[str, ...] = ()

    def note(self, test: Any, outcome: str, reason: str = "") -> None:
        """Write one line; a test with failing subtests gets several, the worst one counts."""
        line = {"id": test.id(), "outcome": outcome, "reason": reason[-KEPT_CHARACTERS:]}
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()

    def startTest(self, test: Any) -> None:  # noqa: N802
        """Note the begin: the test at which a run hangs is the last one that began."""
        super().startTest(test)
        self.note(test, "begun")

    def addSuccess(self, test: Any) -> None:  # noqa: N802
        """Note a pass."""
        super().addSuccess(test)
        self.note(test, "passed")

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        """Note an error; `test` may be the set-up of a class."""
        super().addError(test, err)
        self.note(test, "error", self.errors[-1][1])

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        """Note a failure."""
        super().addFailure(test, err)
        self.note(test, "failed", self.failures[-1][1])

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802
        """Note a failing subtest under its test: its own id may hold object addresses."""
        super().addSubTest(test, subtest, err)
        if err is not None:
            trace = "".join(traceback.format_exception(*err))
            self.note(test, "failed", f"{subtest.id()}\n{trace}")

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
        """Note a skip with its reason."""
        super().addSkip(test, reason)
        self.note(test, "skipped", reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        """Note a failure that Django's tests expect."""
        super().addExpectedFailure(test, err)
        self.note(test, "expected failure")

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802
        """Note a pass where Django's tests expect a failure."""
        super().addUnexpectedSuccess(test)
        self.note(test, "unexpected success")

    def stopTestRun(self) -> None:  # noqa: N802
        """Note the end: a record without it is of a run that did not finish."""
        super().stopTestRun()
        end = {"ended": True, "hops": self.hops.counted, "parts": self.parts}
        self.file.write(json.dumps(end) + "\n")
        self.file.flush()


def send_through_the_async_chain() -> None:
    """Let the sync test client load the async chain and await it with an ASGI request.

    The request must be exactly an ASGIRequest: of any other kind relief leaves everything stock,
    and the run would prove nothing. It gets the environ that the test gave as its META, because
    tests give keys that a scope has no place for, and is what `response.wsgi_request` then names.
    """
    from asgiref.sync import async_to_sync
    from django.core.handlers.base import BaseHandler
    from django.test.client import ClientHandler

    handler: Any = ClientHandler
    stock_call = handler.__call__

    def call(self: Any, environ: dict[str, Any]) -> Any:
        response = stock_call(self, environ)
        response.wsgi_request = self.sent
        return response

    # The base class is asked at each call: relief may be put in, or taken out, at any time.
    def load_middleware(self: Any) -> None:
        BaseHandler.load_middleware(self, is_async=True)

    def get_response(self: Any, request: Any) -> Any:
        self.sent = asgi_request(request)
        return async_to_sync(self.get_response_async)(self.sent)

    handler.__call__ = call
    handler.load_middleware = load_middleware
    handler.get_response = get_response


def asgi_request(request: Any) -> Any:
    """Return what an ASGI server would have made of the WSGI request of a test."""
    from django.core.handlers.asgi import ASGIRequest

    given = request.META
    query = given.get("QUERY_STRING", "").encode("latin-1")
    headers = [
        (name.encode("latin-1", "replace"), str(value).encode("latin-1", "replace"))
        for name, value in request.headers.items()
    ]
    scope = {
        "type": "http",
        "method": request.method,
        "scheme": request.scheme,
        "root_path": given["SCRIPT_NAME"],
        "path": request.path,
        "query_string": query,
        "headers": [(name.lower(), value) for name, value in headers],
        "server": (given["SERVER_NAME"], given["SERVER_PORT"]),
        "client": (given["REMOTE_ADDR"], 0),
    }
    asked: Any = ASGIRequest(scope, request._stream)
    asked.environ = request.environ
    asked.path_info = request.path_info
    asked.META = {**asked.META, **given, "QUERY_STRING": asked.META["QUERY_STRING"]}
    if "REMOTE_USER" in given:
        # Under ASGI whoever has logged the user in says so in a header.
        asked.META["HTTP_REMOTE_USER"] = given["REMOTE_USER"]
    asked._dont_enforce_csrf_checks = request._dont_enforce_csrf_checks
    return asked


class Hops:
    """Counts the thread hops of the run, its forked children included: relief must save some."""

    def __init__(self) -> None:
        self._counted = multiprocessing.Value("q", 0)

    def count(self) -> None:
        """Count from now on."""
        from asgiref.sync import SyncToAsync

        hops: Any = SyncToAsync
        stock_call = hops.__call__

        def call(hop: Any, *args: Any, **kwargs: Any) -> Any:
            with self._counted.get_lock():
                self._counted.value += 1
            return stock_call(hop, *args, **kwargs)

        hops.__call__ = call

    @property
    def counted(self) -> int:
        """Hops so far."""
        return int(self._counted.value)


def main(tests: Path, record: Path, arm: str, routing: str, options: list[str]) -> None:
    """Prepare the arm and become `runtests.py`; ends as that does."""
    # Where even a hang of the C level or of a lock can be looked into: kill -USR1.
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    # Django's parallel runner replays what the children tell; they must be forked from here.
    multiprocessing.set_start_method("fork")
    # Before what is installed: it is this checkout that is tested.
    sys.path[:1] = [str(tests), str(SOURCE)]
    if arm == "relief":
        from freeloop import relief

        Recorder.parts = relief.install()
    Recorder.hops = Hops()
    Recorder.hops.count()
    if routing == "async":
        send_through_the_async_chain()
    runner = tests / "runtests.py"
    sys.argv = [str(runner), *options]
    with record.open("w", encoding="utf-8") as Recorder.file:
        runs: Any = unittest.TextTestRunner
        runs.resultclass = Recorder
        runpy.run_path(str(runner), run_name="__main__")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:])
