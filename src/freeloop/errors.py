"""The one error a user sees: what is wrong, where, how to mend it, and what to type for that."""

from __future__ import annotations

import shlex
from pathlib import Path


class FreeloopError(Exception):
    """A mistake in the input or the surroundings, said so that it can be mended.

    The command line prints it without a traceback and ends with exit code 2.

    Attributes:
        slug: Stable name of the error; tests compare it, the docs anchor it.
        what: What is wrong, one sentence without a full stop.
        where: Where freeloop looked or what it was doing.
        mend: What to type or change.
    """

    def __init__(self, slug: str, *, what: str, where: str = "", mend: str = "") -> None:
        super().__init__(what)
        self.slug = slug
        self.what = what
        self.where = where
        self.mend = mend

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the keyword arguments, so that worker processes can pass it on."""
        return (_rebuild, (self.slug, self.what, self.where, self.mend))


class Interrupted(Exception):  # noqa: N818 - named for what happened, as KeyboardInterrupt is
    """SIGINT or SIGTERM arrived: stop what was started, then end with exit code 130."""


def install_command(python: str | Path, *distributions: str) -> str:
    """Return the command that installs packages into an interpreter.

    A virtual environment that uv has made holds no pip.
    """
    names, place = " ".join(distributions), shlex.quote(str(python))
    home = Path(python).parent.parent
    if (home / "pyvenv.cfg").is_file() and not any(home.glob("lib/python*/site-packages/pip")):
        return f"uv pip install --python {place} {names}"
    return f"{place} -m pip install {names}"


def _rebuild(slug: str, what: str, where: str, mend: str) -> FreeloopError:
    return FreeloopError(slug, what=what, where=where, mend=mend)
