"""Stretches as the watch reports them, for tests of what becomes of them."""

from __future__ import annotations

from freeloop.watch.stretch import Cause, Stretch, kind_of

LINE = ("/srv/shop/views.py", 41, "fetch_rate")
CALLEE = ("/usr/lib/python3.13/socket.py", 719, "readinto")


def stretch(
    *,
    cause: Cause = Cause.WAIT,
    ms: float = 212.0,
    line: tuple[str, int, str] = LINE,
    route: str | None = "checkout/<int:pk>/",
    path: str | None = "/checkout/7/",
    started: float = 1_800_000_000.0,
) -> Stretch:
    """Return a stretch of 212 ms in a socket, called by a view."""
    return Stretch(
        kind=kind_of(cause),
        cause=cause,
        ms=ms,
        frames=() if cause is Cause.STARVED else (CALLEE, line),
        route=route,
        path=path,
        task="Task-7",
        started=started,
        confidence=0.9,
    )
