"""System checks of the FREELOOP setting, and of what relief finds in the installed Django."""

from __future__ import annotations

import difflib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import checks

from freeloop.relief import installed_parts
from freeloop.relief.shapes import unknown_shapes
from freeloop.relief.switch import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.checks import CheckMessage

TABLES = ("RELIEF", "WATCH")


def check_settings(**_options: object) -> list[CheckMessage]:
    """Name unknown keys, wrong values and missing packages (freeloop.E001, E002, E003)."""
    return list(_mistakes(getattr(settings, "FREELOOP", {})))


def check_relief(**_options: object) -> list[CheckMessage]:
    """Say which parts of an installed relief stay stock (freeloop.W001)."""
    if not installed_parts():
        return []
    return [
        checks.Warning(
            f"relief leaves {part} as Django has it: {difference}",
            hint="this Django or asgiref is newer than freeloop knows; look for a newer freeloop",
            id="freeloop.W001",
        )
        for part, difference in unknown_shapes().items()
    ]


def _mistakes(given: Any) -> Iterator[CheckMessage]:
    if not isinstance(given, dict):
        yield _wrong_type("FREELOOP", given, "a dict of tables")
        return
    yield from _unknown("FREELOOP", given, TABLES)
    yield from _mistakes_of_watch(given.get("WATCH", {}))
    relief = given.get("RELIEF", {})
    if not isinstance(relief, dict):
        yield _wrong_type('FREELOOP["RELIEF"]', relief, "a dict")
        return
    yield from _unknown('FREELOOP["RELIEF"]', relief, KEYS)
    for key in ("ENABLED", "VERIFY"):
        if not isinstance(relief.get(key, False), bool):
            yield _wrong_type(f'FREELOOP["RELIEF"]["{key}"]', relief[key], "True or False")
    share = relief.get("SAMPLE", 1.0)
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        yield _wrong_type('FREELOOP["RELIEF"]["SAMPLE"]', share, "a number from 0 to 1")


def _mistakes_of_watch(watch: Any) -> Iterator[CheckMessage]:
    from freeloop.watch import switch
    from freeloop.watch.sinks import choice

    if not isinstance(watch, dict):
        yield _wrong_type('FREELOOP["WATCH"]', watch, "a dict")
        return
    yield from _unknown('FREELOOP["WATCH"]', watch, (*switch.KEYS, *choice.KEYS))
    for key in ("ENABLED", "NEVER_AWAITED"):
        if not isinstance(watch.get(key, False), bool):
            yield _wrong_type(f'FREELOOP["WATCH"]["{key}"]', watch[key], "True or False")
    threshold = watch.get("THRESHOLD_MS", switch.THRESHOLD_MS)
    if not switch.is_threshold(threshold):
        wanted = f"a number of milliseconds, at least {switch.LEAST_THRESHOLD_MS:g}"
        yield _wrong_type('FREELOOP["WATCH"]["THRESHOLD_MS"]', threshold, wanted)
    for key in choice.KEYS:
        if key in watch and not choice.takes(key, watch[key]):
            yield _wrong_type(f'FREELOOP["WATCH"]["{key}"]', watch[key], choice.WORDS[key])
    for key, module in choice.WANTS.items():
        if watch.get(key) is True and find_spec(module.partition(".")[0]) is None:
            yield checks.Error(
                f'FREELOOP["WATCH"]["{key}"] wants {module}, which is not installed',
                hint=f"pip install 'freeloop[{key.lower()}]'",
                id="freeloop.E003",
            )


def _unknown(where: str, given: dict[Any, Any], known: tuple[str, ...]) -> Iterator[CheckMessage]:
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            yield checks.Error(f"{where} has an unknown key {key!r}", hint=hint, id="freeloop.E001")


def _wrong_type(where: str, given: object, wanted: str) -> CheckMessage:
    return checks.Error(f"{where} must be {wanted}, not {given!r}", id="freeloop.E002")
