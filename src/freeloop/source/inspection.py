"""Stand-alone: answer questions about a Django project inside its own interpreter.

Run by path, never imported by freeloop, so it may use the standard library and Django only:
`python -P inspection.py FD`. Questions come as JSON lines on standard input, answers go as JSON
lines to the file descriptor FD: projects print on the standard streams when they are imported.
At the end of input everything that was made for the questions is removed, so that nothing is
left behind even when freeloop itself is killed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

LONGEST_MESSAGE = 600
EXIT_GRACE_S = 2.0

Answer = dict[str, Any]


class Asked(Exception):  # noqa: N818 - a plain answer that something asked for is not there
    """What was asked cannot be done, for a reason that is not a fault of the project's code."""

    def __init__(self, reason: str, **details: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details


def main(answer_fd: int) -> None:
    """Answer every line of standard input, then clean up."""
    os.set_inheritable(answer_fd, False)  # noqa: FBT003 - the standard library's signature
    answers = os.fdopen(answer_fd, "wb")
    questions = os.fdopen(os.dup(0), "r", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # project code that reads standard input gets its end, not a question
    cleanups: list[Callable[[], None]] = []
    try:
        for line in questions:
            question = json.loads(line)
            answer = {"number": question["number"], **respond(question, cleanups)}
            answers.write(json.dumps(answer, default=str).encode() + b"\n")
            answers.flush()
    finally:
        for clean in reversed(cleanups):
            with suppress(Exception):  # nobody listens any more; the others must still run
                clean()
        # Threads that the project started at import would keep this process for ever.
        threading.Thread(target=leave_anyway, daemon=True).start()


def respond(question: Answer, cleanups: list[Callable[[], None]]) -> Answer:
    """Return `{"answer": ...}`, `{"asked": ...}` or `{"failure": ...}`."""
    phase = "settings"
    root = question["root"]
    try:
        for phase in ("settings", "apps"):
            {"settings": load_settings, "apps": load_apps}[phase](question)
        phase = question["ask"]
        module = neighbour(question["ask"])
        return {"answer": module.answer(question, cleanups, Asked)}
    except Asked as asked:
        return {"asked": {"reason": asked.reason, **asked.details}}
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001, RUF100 - projects call sys.exit at import
        return {"failure": describe(error, phase, root)}


def load_settings(question: Answer) -> None:
    """Import the settings module with the project's root first on the path."""
    if question["root"] not in sys.path:
        sys.path.insert(0, question["root"])
    os.environ["DJANGO_SETTINGS_MODULE"] = question["settings"]
    from django.conf import settings

    _ = settings.INSTALLED_APPS  # the first access imports the module


def load_apps(_question: Answer) -> None:
    """Populate the app registry, once."""
    import django
    from django.apps import apps

    if not apps.ready:
        django.setup()


def neighbour(name: str) -> ModuleType:
    """Import `inside/NAME.py` by its place: freeloop need not be installed here."""
    full_name = f"freeloop_inside_{name}"
    if full_name in sys.modules:
        return sys.modules[full_name]
    place = Path(__file__).with_name("inside") / f"{name}.py"
    spec = importlib.util.spec_from_file_location(full_name, place)
    assert spec is not None  # noqa: S101, RUF100 - the name comes from freeloop itself
    assert spec.loader is not None  # noqa: S101, RUF100
    module = importlib.util.module_from_spec(spec)
    sys.modules[full_name] = module
    spec.loader.exec_module(module)
    return module


def describe(error: BaseException, phase: str, root: str) -> Answer:
    """Return what went wrong and the deepest line of the project that was involved."""
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    frames = traceback.extract_tb(error.__traceback__)
    message = str(error)
    if isinstance(error, SyntaxError):
        message = error.msg
    return {
        "phase": phase,
        "type": name,
        "message": message[:LONGEST_MESSAGE],
        "place": place_of(error, frames, root),
        "missing_module": getattr(error, "name", None) if isinstance(error, ImportError) else None,
        "missing_variable": missing_variable(error, frames),
    }


def place_of(error: BaseException, frames: traceback.StackSummary, root: str) -> str:
    """Return "file:line" of the deepest project frame, "" when none is the project's."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{relative(error.filename, root)}:{error.lineno}"
    inside = [f"{relative(f.filename, root)}:{f.lineno}" for f in frames if owns(root, f.filename)]
    return inside[-1] if inside else ""


def owns(root: str, filename: str) -> bool:
    """Whether a file is the project's own code: below its root, outside any environment."""
    parts = Path(filename).parts
    return filename.startswith(root + os.sep) and "site-packages" not in parts


def relative(filename: str, root: str) -> str:
    """Return the path from the project's root where that is shorter."""
    return filename[len(root) + 1 :] if filename.startswith(root + os.sep) else filename


def missing_variable(error: BaseException, frames: traceback.StackSummary) -> str | None:
    """Return the environment variable that `os.environ[...]` did not find."""
    if (
        isinstance(error, KeyError)
        and frames
        and frames[-1].filename in {os.__file__, "<frozen os>"}
    ):
        return str(error.args[0])
    return None


def leave_anyway() -> None:
    """End the process when leaving in the normal way takes too long."""
    time.sleep(EXIT_GRACE_S)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
