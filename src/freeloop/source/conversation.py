"""Talk with the user's project through a process of its own interpreter."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from freeloop.errors import FreeloopError
from freeloop.source.project import Project

INSPECTION = Path(__file__).with_name("inspection.py")
ANSWER_TIMEOUT_S = 60.0
LEAVE_TIMEOUT_S = 6.0
TAIL_LINES = 6

Answer = Any


class NotPossible(Exception):  # noqa: N818 - an answer, which the asker turns into an error
    """The project works, but what was asked for is not there.

    Attributes:
        reason: Word that `inside/*.py` chose.
        details: Values that belong to it.
    """

    def __init__(self, reason: str, details: Mapping[str, Any]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details


class Conversation:
    """A running process that has the project loaded; questions go in, answers come out.

    When freeloop dies, the process sees the end of its input, removes what it made, and ends.
    """

    def __init__(self, project: Project, *, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        self.project = project
        self.timeout_s = timeout_s
        self._unread = b""
        self._number = 0
        self._hangs = False

    def __enter__(self) -> Self:
        self._answers, theirs = os.pipe()
        self._output = tempfile.TemporaryFile()  # closed in __exit__
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                [self.project.python, "-P", INSPECTION, str(theirs)],
                cwd=self.project.root,
                stdin=subprocess.PIPE,
                stdout=self._output,
                stderr=self._output,
                pass_fds=(theirs,),
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._answers)
            self._output.close()
            raise FreeloopError(
                "interpreter-broken",
                what=f"{self.project.python} does not start",
                where=str(error),
                mend="give the interpreter of the project: --python .venv",
            ) from error
        finally:
            os.close(theirs)
        return self

    def ask(self, what: str, **details: object) -> Answer:
        """Return the answer to one question.

        Raises:
            NotPossible: If the project works but what was asked for is not there.
            FreeloopError: If the project does not import, ends the process, or takes too long.
        """
        self._number += 1
        question = {
            "number": self._number,
            "ask": what,
            "root": str(self.project.root),
            "settings": self.project.settings,
            **details,
        }
        try:
            _input_of(self._process).write(json.dumps(question).encode() + b"\n")
            _input_of(self._process).flush()
        except BrokenPipeError:
            raise self._died() from None
        reply = json.loads(self._line())
        while reply["number"] != self._number:  # of a question whose asker was interrupted
            reply = json.loads(self._line())
        if "failure" in reply:
            raise failed(reply["failure"], self.project)
        if "asked" in reply:
            raise NotPossible(reply["asked"].pop("reason"), reply["asked"])
        return reply["answer"]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            _input_of(self._process).close()
            if not self._hangs:  # it may have something to remove
                self._process.wait(LEAVE_TIMEOUT_S)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            pass
        finally:
            self._kill()
            os.close(self._answers)
            self._output.close()

    def _line(self) -> bytes:
        deadline = time.monotonic() + self.timeout_s
        while b"\n" not in self._unread:
            left_s = deadline - time.monotonic()
            ready = left_s > 0 and select.select([self._answers], [], [], left_s)[0]
            if not ready:
                self._hangs = True
                raise FreeloopError(
                    "project-times-out",
                    what=f"the project gave no answer within {self.timeout_s:g} s",
                    where=f"while loading {self.project.settings} in {self.project.root}",
                    mend="look for work at import time: network, database, input()",
                )
            chunk = os.read(self._answers, 65536)
            if not chunk:
                raise self._died()
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _died(self) -> FreeloopError:
        try:
            code: int | None = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            code = None
        return FreeloopError(
            "project-ends-process",
            what=f"the project ended its own process, exit code {code}",
            where=self._tail() or f"while loading {self.project.settings}; it printed nothing",
            mend="look for os._exit() or a crashing extension at import time",
        )

    def _tail(self) -> str:
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - 4096))
        lines = self._output.read().decode(errors="replace").strip().splitlines()
        return "\n".join(lines[-TAIL_LINES:])

    def _kill(self) -> None:
        with suppress(ProcessLookupError):  # the usual end: it left by itself
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def ask(
    project: Project, what: str, *, timeout_s: float = ANSWER_TIMEOUT_S, **details: object
) -> Answer:
    """Ask one question in a process of its own."""
    with Conversation(project, timeout_s=timeout_s) as conversation:
        return conversation.ask(what, **details)


def failed(failure: Mapping[str, Any], project: Project) -> FreeloopError:
    """Return the error that says which of the project's lines did not load, and how to mend it."""
    said = f"{failure['type']}: {failure['message']}"
    where = failure["place"] or f"{project.settings}, with {project.python}"
    mend = mend_for(failure, project)
    if failure["type"] == "SystemExit":
        return FreeloopError(
            "project-exits",
            what=f"the project calls sys.exit({failure['message']}) while it is imported",
            where=where,
            mend="give the project what it asks for, or guard the call by __name__",
        )
    match failure["phase"]:
        case "settings":
            return FreeloopError(
                "settings-do-not-import",
                what=f"the settings {project.settings} do not import: {said}",
                where=where,
                mend=mend,
            )
        case "apps":
            return FreeloopError(
                "apps-do-not-load",
                what=f"the installed apps do not load: {said}",
                where=where,
                mend=mend,
            )
        case "targets":
            return FreeloopError(
                "urls-do-not-load",
                what=f"the URL configuration does not load: {said}",
                where=where,
                mend=mend,
            )
        case phase:
            return FreeloopError(
                "project-raises",
                what=f"the project raises when asked for its {phase}: {said}",
                where=where,
                mend=mend,
            )


def mend_for(failure: Mapping[str, Any], project: Project) -> str:
    """Return what most likely helps against an error of the project."""
    variable, module = failure["missing_variable"], failure["missing_module"]
    if variable:
        return f"set it in the environment: {variable}=... freeloop ..."
    if module and (project.settings == module or project.settings.startswith(f"{module}.")):
        return "check the name given by --settings, and run inside the project"
    if failure["type"] == "ModuleNotFoundError" and module:
        beside = project.root / ".venv"
        own = str(beside) if beside.is_dir() else "PATH"
        return f"install {module} in {project.python}, or give the project's own: --python {own}"
    if failure["phase"] == "session":
        return "start what SESSION_ENGINE stores sessions in, such as its cache; or bench as nobody"
    return f"see that this works: {project.python} -m django check --settings {project.settings}"


def _input_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdin is not None  # opened as a pipe
    return process.stdin
