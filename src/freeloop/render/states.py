"""What a state of a lane, a happening and an effect are called and look like, everywhere.

Nothing rests on colour alone: each state has a word, a sign for the terminal, and for the page a
height and a filling.
"""

from __future__ import annotations

from dataclasses import dataclass

from freeloop.model.reading import Effect, Happening, MomentKind
from freeloop.model.timeline import State


@dataclass(frozen=True, slots=True)
class Look:
    """How one state is told and drawn.

    Attributes:
        word: Its name.
        means: What a newcomer should know of it, in a few words.
        sign: Fills its part of a lane on the terminal.
        plain: The same where only ASCII can be written.
        style: Colour on the terminal.
        filling: On the page: "solid", "hatched", "hollow", "crossed" or "line".
        height: On the page: share of the lane's height.
        light: Colour on light paper; 4.5 : 1 at least.
        dark: Colour on dark paper; 4.5 : 1 at least.
    """

    word: str
    means: str
    sign: str
    plain: str
    style: str
    filling: str
    height: float
    light: str
    dark: str


LOOKS = {
    State.RUNNING: Look(
        "running", "works on the CPU", "\u2588", "#", "blue", "solid", 1.0, "#0a5aa8", "#7cbcff"
    ),
    State.BLOCKED: Look(
        "blocked",
        "sits in a waiting call and keeps its thread",
        "X",
        "X",
        "bold red",
        "crossed",
        1.0,
        "#b0241c",
        "#ff9389",
    ),
    State.STARVED: Look(
        "starved",
        "could run, no core or interpreter lock is free",
        "!",
        "!",
        "yellow",
        "crossed",
        0.7,
        "#7a4300",
        "#ffb35c",
    ),
    State.SUSPENDED: Look(
        "suspended",
        "waits at an await, the loop is free",
        "\u00b7",
        ".",
        "green",
        "hatched",
        0.7,
        "#0d6630",
        "#72dd92",
    ),
    State.READY: Look(
        "ready",
        "could go on, the loop is busy elsewhere",
        "~",
        "~",
        "magenta",
        "hollow",
        0.45,
        "#6a35d6",
        "#bfa3ff",
    ),
    State.QUEUED: Look(
        "queued", "waits for a thread", "?", "?", "yellow", "hollow", 0.7, "#7d5200", "#ecbd55"
    ),
    State.OFFLOADED: Look(
        "offloaded",
        "waits for work done on a thread, the loop is free",
        ">",
        ">",
        "cyan",
        "hatched",
        0.7,
        "#00636b",
        "#5fd4d6",
    ),
    State.HELD: Look(
        "held", "kept, not used", "\u2500", "-", "dim", "line", 0.25, "#4c566a", "#b4bdcb"
    ),
    State.USED: Look("used", "in use", "=", "=", "blue", "solid", 1.0, "#0a5aa8", "#7cbcff"),
}

HAPPENING_WORDS = {
    Happening.REQUEST: "request begins",
    Happening.ENTERED: "enters",
    Happening.TASK: "starts a task",
    Happening.RAN: "runs",
    Happening.BLOCKED: "blocks",
    Happening.SUSPENDED: "waits for",
    Happening.HOP: "hop to a thread",
    Happening.BACK: "back to the loop",
    Happening.QUERY: "query",
    Happening.OUTBOUND: "outbound call",
    Happening.CACHE: "cache",
    Happening.SLEEP: "sleep",
    Happening.LOCK: "lock",
    Happening.FILE: "file",
    Happening.TEMPLATE: "template",
    Happening.MIDDLEWARE: "middleware",
    Happening.RECEIVER: "signal receiver",
    Happening.THREAD: "starts a thread",
    Happening.FIRST_BYTE: "first byte sent",
    Happening.RAISED: "raises",
    Happening.RETURNED: "returns",
}
EFFECT_WORDS = {
    Effect.NONE: "none",
    Effect.STALLS: "everyone else waits",
    Effect.FREES: "others run",
    Effect.HOLDS: "others run, thread held",
    Effect.CONNECTION: "others run, connection held",
}
EFFECT_STYLES = {
    Effect.NONE: "dim",
    Effect.STALLS: "bold red",
    Effect.FREES: "green",
    Effect.HOLDS: "cyan",
    Effect.CONNECTION: "cyan",
}
MOMENT_WORDS = {
    MomentKind.FIRST_WAIT: "first wait",
    MomentKind.LONGEST_WAIT: "longest wait",
    MomentKind.LONGEST_BLOCK: "longest block of the loop",
    MomentKind.FIRST_HOP: "first hop to a thread",
    MomentKind.LONGEST_QUEUE: "longest queue for a thread",
    MomentKind.MOST_AT_ONCE: "most at once",
    MomentKind.FIRST_QUERY: "first query",
    MomentKind.SLOWEST_QUERY: "slowest query",
    MomentKind.FIRST_BYTE: "first byte",
    MomentKind.RAISED: "exception",
}
