"""Languages that change while a handler lives: `override_settings` in a project's tests."""

from __future__ import annotations

import gettext
import struct
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.test import override_settings
from django.utils import translation
from django.utils.translation import trans_real

from tests.relief.safety.exchange import Asked, relieved
from tests.relief.safety.observed import Observed, observe
from tests.relief.safety.project.settings import DEFAULT_MIDDLEWARE

PROJECT: dict[str, Any] = {
    "MIDDLEWARE": [*DEFAULT_MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"],
    "ROOT_URLCONF": "tests.relief.safety.project.urls_by_header",
}
ASKED = [
    Asked(path, headers=headers)
    for path in ("/language/", "/de/translated/", "/translated/")
    for headers in (
        (),
        (("Accept-Language", "de, fr"),),
        (("Accept-Language", "fr"),),
        (("Cookie", "django_language=de"),),
    )
]
FEWER = [("en", "English"), ("fr", "French")]


@pytest.fixture(autouse=True)
def from_scratch() -> None:
    """What is kept for the life of a process is that of other tests, which had other settings."""
    # With USE_I18N or without: decided name by name, when one is first used.
    vars(translation._trans).clear()  # type: ignore[attr-defined]
    for kept in vars(trans_real).values():
        if hasattr(kept, "cache_clear"):
            kept.cache_clear()


def compiled(folder: Path, language: str, texts: dict[str, str]) -> Path:
    """Write a catalogue as `msgfmt` does, and return the locale folder."""
    header = {"": "Content-Type: text/plain; charset=UTF-8\n"}
    pairs = sorted((header | texts).items())
    start = 28 + 16 * len(pairs)
    tables, strings = [b"", b""], b""
    for side in (0, 1):
        for pair in pairs:
            text = pair[side].encode()
            tables[side] += struct.pack("<II", len(text), start + len(strings))
            strings += text + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    target = folder / language / "LC_MESSAGES" / "django.mo"
    target.parent.mkdir(parents=True)
    target.write_bytes(head + b"".join(tables) + strings)
    return folder


def seen_through(changes: list[dict[str, Any]], *, on: bool) -> list[Observed]:
    """Ask one handler everything, twice, before, under and after each change."""
    seen: list[Observed] = []
    with override_settings(**PROJECT), relieved(on=on):
        handler = ASGIHandler()
        for change in [{}, *changes, {}]:
            with override_settings(**change):
                seen += [observe(handler, each)[0] for each in [*ASKED, *ASKED]]
    return seen


def assert_same(changes: list[dict[str, Any]]) -> list[Observed]:
    """Compare; return what relief showed."""
    stock, relief = seen_through(changes, on=False), seen_through(changes, on=True)
    for number, (one, other) in enumerate(zip(stock, relief, strict=True)):
        assert other == one, f"question {number}"
    assert [each.on_loop for each in relief if each.on_loop] == []
    return relief


def bodies(seen: list[Observed]) -> str:
    return " ".join(each.answer[2] for each in seen)


def test_languages_that_are_taken_away_and_given_back() -> None:
    """German is chosen, is no language any more, and is chosen again."""
    seen = assert_same([{"LANGUAGES": FEWER}, {"LANGUAGE_CODE": "fr"}])

    count = len(ASKED) * 2
    parts = [bodies(seen[start : start + count]) for start in range(0, len(seen), count)]
    assert ["de Ja" in part for part in parts] == [True, False, True, True]


def test_catalogues_in_another_folder(tmp_path: Path) -> None:
    """A project's own text is found under the change, and not after it."""
    folder = compiled(tmp_path, "de", {"Yes": "Jawohl"})

    seen = assert_same([{"LOCALE_PATHS": [folder]}])

    count = len(ASKED) * 2
    parts = [bodies(seen[start : start + count]) for start in range(0, len(seen), count)]
    assert ["Jawohl" in part for part in parts] == [False, True, False]


@pytest.mark.parametrize(
    ("change", "becomes"), [({"LANGUAGES": FEWER}, "fr Oui"), ({"LANGUAGE_CODE": "fr"}, "de Ja")]
)
@pytest.mark.parametrize("headers", ["de, fr", None])
def test_what_followed_before_a_change_is_not_relied_on(
    change: dict[str, Any], becomes: str, headers: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """German is loaded by the project's own code, French has to be read: not on the loop."""
    asked = Asked("/language/", headers=(("Accept-Language", headers),) if headers else ())
    with override_settings(**PROJECT), relieved():
        handler = ASGIHandler()
        observe(handler, asked)
        trans_real._translations.pop("fr", None)  # type: ignore[attr-defined]
        # What Python itself keeps of files that it has read.
        monkeypatch.setattr(gettext, "_translations", {})
        with override_settings(**change):
            for language in ("de", "en", "en-us"):
                with translation.override(language):
                    translation.gettext("Yes")
            seen, _ = observe(handler, asked)

    if headers:
        assert seen.answer[2] == becomes
    assert seen.on_loop == []
