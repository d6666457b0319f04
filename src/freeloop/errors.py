"""The one error a user sees: what is wrong, where, and how to mend it."""

from __future__ import annotations


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


def _rebuild(slug: str, what: str, where: str, mend: str) -> FreeloopError:
    return FreeloopError(slug, what=what, where=where, mend=mend)
