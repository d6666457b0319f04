from __future__ import annotations

from enum import StrEnum

import pytest

from freeloop.model.reading import Effect, Happening, MomentKind, Weakness
from freeloop.model.timeline import State
from freeloop.render.finding_words import MENDS, MORE_PLACES
from freeloop.render.states import (
    EFFECT_STYLES,
    EFFECT_WORDS,
    HAPPENING_WORDS,
    LOOKS,
    MOMENT_WORDS,
)

# Paper of the page, light and dark: base.css.
PAPER = {"light": "#ffffff", "dark": "#171c26"}


def luminance(colour: str) -> float:
    """Return the relative luminance of "#rrggbb", as WCAG defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("table", "kinds"),
    [
        (LOOKS, State),
        (HAPPENING_WORDS, Happening),
        (EFFECT_WORDS, Effect),
        (EFFECT_STYLES, Effect),
        (MOMENT_WORDS, MomentKind),
        (MENDS, Weakness),
        (MORE_PLACES, Weakness),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_kind_has_its_words(table: dict[StrEnum, object], kinds: type[StrEnum]) -> None:
    """A new kind without words would end a rendering with a KeyError."""
    assert set(table) == set(kinds)


def test_states_are_told_apart_without_colour() -> None:
    """On the terminal by their sign, in ASCII too; on the page by height and filling, or lane."""
    signs = [look.sign for look in LOOKS.values()]
    plain = [look.plain for look in LOOKS.values()]
    shapes = [
        (look.filling, look.height) for state, look in LOOKS.items() if state is not State.USED
    ]

    assert len(set(signs)) == len(signs)
    assert len(set(plain)) == len(plain)
    assert all(sign.isascii() for sign in plain)
    # Hatched twice: a wait on the loop's side, and a wait for a thread that has a lane of its own.
    assert len(set(shapes)) == len(shapes) - 1


@pytest.mark.parametrize("state", list(State))
def test_a_state_stands_out_from_its_paper(state: State) -> None:
    """AA asks for 4.5 : 1 of text, and bars hold text in the colour of the paper."""
    look = LOOKS[state]
    for colour, paper in ((look.light, PAPER["light"]), (look.dark, PAPER["dark"])):
        one, two = luminance(colour) + 0.05, luminance(paper) + 0.05
        assert max(one, two) / min(one, two) >= 4.5
