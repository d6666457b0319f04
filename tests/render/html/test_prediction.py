"""The prediction on a trace's page, in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from freeloop.model.prediction import Prediction
from freeloop.render.figures import number_text
from freeloop.render.html.trace import trace_page, write_trace_page
from tests.render.html.test_report import AXE_RULES, FLAGS, HOSTILE
from tests.render.sample_predictions import sample
from tests.render.sample_readings import CHECKOUT


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium: the system's where there is one, else Playwright's own."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield made
        made.close()


def opened(browser: Browser, folder: Path, *, scheme: str = "light", width: int = 1280) -> Page:
    path = folder / "trace.html"
    write_trace_page(CHECKOUT, path, sample())
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(path.as_uri())
    return page


def test_a_trace_without_a_prediction_says_nothing_of_one() -> None:
    assert 'id="prediction"' not in trace_page(CHECKOUT)


def test_what_a_project_names_cannot_leave_its_element() -> None:
    hostile: Prediction = replace(sample(), notes=(HOSTILE,))

    assert HOSTILE not in trace_page(CHECKOUT, hostile)


def test_every_number_of_a_chart_is_in_its_table() -> None:
    page = trace_page(CHECKOUT, sample())

    for deployment in sample().deployments:
        for forecast in deployment.forecasts:
            said = "no number" if forecast.rate_rps is None else rate_text(forecast.rate_rps)
            assert f"<td>{said}</td>" in page


def rate_text(rate_rps: float) -> str:
    return f"{number_text(rate_rps)}/s"


@pytest.mark.real
@pytest.mark.needs("chromium")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 380)])
def test_axe_finds_nothing_and_nothing_is_cut(
    browser: Browser, tmp_path: Path, scheme: str, width: int
) -> None:
    page = opened(browser, tmp_path, scheme=scheme, width=width)
    for closed in page.locator(".prediction details").all():
        closed.locator("summary").click()

    found = Axe().run(page, options=AXE_RULES)

    assert found.response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".prediction svg").count() == 4
    page.close()


@pytest.mark.real
@pytest.mark.needs("chromium")
def test_each_burst_is_a_ring_inside_its_chart(browser: Browser, tmp_path: Path) -> None:
    """A mark outside of the plot would be read at a wrong place."""
    page = opened(browser, tmp_path)

    inside = page.evaluate("""() => [...document.querySelectorAll('.prediction svg.chart')].map(
        chart => [...chart.querySelectorAll('.ring')].filter(ring => {
            const mark = ring.getBoundingClientRect(), box = chart.getBoundingClientRect();
            return mark.left >= box.left && mark.right <= box.right && mark.top >= box.top - 2
                && mark.bottom <= box.bottom;
        }).length)""")

    assert inside == [3, 3, 3, 3]
    page.close()
