"""Really recorded requests, drawn: on the terminal and as a page in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

from freeloop.model.reading import Reading
from freeloop.render.stops import stops_of
from freeloop.render.trace_terminal import render_trace
from freeloop.render.trace_words import totals, transcript
from tests.render.html.test_report import AXE_RULES, FLAGS
from tests.render.html.test_trace import LEAST_CONTRAST, LINE_SEEN, ROW_SEEN, opened
from tests.render.recorded import REQUESTS
from tests.render.test_terminal import console, written

# Recording all of them, on a busy machine, is part of the first test.
pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium: the system's where there is one, else Playwright's own."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield made
        made.close()


@pytest.mark.parametrize("width", [60, 80, 120, 160])
@pytest.mark.parametrize("name", REQUESTS)
def test_a_recorded_request_fits_the_terminal(
    recorded: dict[str, Reading], name: str, width: int
) -> None:
    """Names of Django's own functions are long; a wrapped lane is a broken lane."""
    made = console(width)
    render_trace(recorded[name], made, variables=True)
    lines = written(made).splitlines()

    assert lines
    assert [line for line in lines if len(line) > width] == []


def test_the_paragraph_names_the_line_that_blocked_the_loop(recorded: dict[str, Reading]) -> None:
    """Ten seconds: who reads one sentence knows where to look."""
    said = transcript(recorded["blocked"])

    assert "It blocked the loop for" in said
    assert "at kitchen/market.py:" in said


def test_the_paragraph_names_the_wait_of_the_project(recorded: dict[str, Reading]) -> None:
    """Not Django's own wait for the client, which lasts as long as the request."""
    said = transcript(recorded["gathered"])

    assert "The longest wait was for" in said
    assert "at kitchen/views/fanout.py:" in said
    assert "listen_for_disconnect" not in said


def test_a_request_under_wsgi_is_told_without_an_event_loop(recorded: dict[str, Reading]) -> None:
    """There is none: what it holds is its thread."""
    reading = recorded["queries"]
    said = [transcript(reading), *(stop.sentence for stop in stops_of(reading))]

    assert [sentence for sentence in said if "event loop" in sentence] == []
    assert "event loop" not in [label for label, _, _ in totals(reading)]


def test_what_django_does_around_the_view_is_folded(recorded: dict[str, Reading]) -> None:
    """The rows of the view are not lost among those of seven middleware layers."""
    made = console(80)
    render_trace(recorded["blocked"], made)
    lines = written(made).splitlines()
    start, end = lines.index("what happened"), lines.index("findings")

    assert len(recorded["blocked"].rows) > 30
    assert end - start < 30
    assert any("Django's own: 8 hops to a thread" in line for line in lines[start:end])


@pytest.mark.parametrize("name", REQUESTS)
def test_a_recorded_request_is_walked_to_its_end(
    browser: Browser, tmp_path: Path, recorded: dict[str, Reading], name: str
) -> None:
    """At every step its line and its row are in view, its sentence is said, nothing is logged."""
    stops = stops_of(recorded[name])
    page = opened(browser, tmp_path, recorded[name])
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))

    walked = []
    for stop in stops:
        walked.append(
            (
                page.locator(".say").text_content() == stop.sentence,
                page.evaluate(LINE_SEEN) != "hidden",
                page.evaluate(ROW_SEEN),
            )
        )
        page.keyboard.press("ArrowRight")

    assert len(walked) > 20
    assert [number for number, seen in enumerate(walked, start=1) if not all(seen)] == []
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", REQUESTS)
def test_the_page_of_a_recorded_request_is_accessible(
    browser: Browser, tmp_path: Path, recorded: dict[str, Reading], name: str, scheme: str
) -> None:
    """Axe for the page, our own measure for the words inside the picture."""
    page = opened(browser, tmp_path, recorded[name], scheme)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")

    found = Axe().run(page, options=AXE_RULES)
    texts, least = page.evaluate(LEAST_CONTRAST)

    assert found.violations_count == 0, found.generate_report()
    assert texts > 5
    assert least >= 4.5


@pytest.mark.parametrize("name", REQUESTS)
def test_the_page_of_a_recorded_request_fits_a_phone(
    browser: Browser, tmp_path: Path, recorded: dict[str, Reading], name: str
) -> None:
    """At 380 px nothing but the frames of wide things scrolls sideways, and no label overlaps."""
    page = opened(browser, tmp_path, recorded[name], width=380)

    widths = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    spans = page.evaluate(
        "[...document.querySelectorAll('.time')].filter(time => time.style.visibility !== 'hidden')"
        ".map(time => time.getBoundingClientRect()).map(box => [box.left, box.right])"
    )
    spans.sort()

    assert widths[0] <= widths[1]
    assert len(spans) >= 2
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
