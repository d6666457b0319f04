from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, sync_playwright

from freeloop.errors import FreeloopError
from freeloop.model.run import Run
from freeloop.render.html.report import report_html, write_report
from freeloop.render.words import verdict_sentence
from tests.render.sample_runs import (
    BY_NAME,
    ENVIRONMENT,
    HELPS,
    MANY,
    RACE,
    cpu_no_difference,
    neighbour,
    refused,
    thread_cap,
)

HOSTILE = '<script>document.title = "taken"</script>"\'&'
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
AXE_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# Every kind of section, every answer, few of each: axe takes its time.
BROAD = Run(
    ENVIRONMENT,
    (thread_cap(10), thread_cap(50), cpu_no_difference(), neighbour(), refused()),
    (RACE,),
    ("Memory of granian: not readable",),
    complete=False,
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium: the system's where there is one, else Playwright's own."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield made
        made.close()


def opened(browser: Browser, folder: Path, run: Run, scheme: str = "light", width: int = 1200,
           *, script: bool = True) -> Page:  # fmt: skip
    path = folder / "report.html"
    write_report(run, path)
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
    )
    page = context.new_page()
    page.goto(path.as_uri())
    return page


@pytest.mark.real
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 1200), ("dark", 360)])
def test_axe_finds_no_violation(browser: Browser, tmp_path: Path, scheme: str, width: int) -> None:
    """Contrast, names, headings, regions: checked in both schemes, tables opened too."""
    page = opened(browser, tmp_path, BROAD, scheme, width)
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")

    found = Axe().run(page, options=AXE_RULES)

    assert found.violations_count == 0, found.generate_report()
    assert len(found.response["passes"]) > 20


# Axe looks at HTML text alone. Ratio of WCAG: lighter plus 0.05 over darker plus 0.05.
LEAST_CONTRAST = """selectors => {
  const parts = css => css.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = css => parts(css).map(part => part / 255)
    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const ratio = (one, two) => (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  const found = [...document.querySelectorAll(selectors)].map(mark => {
    const look = getComputedStyle(mark);
    const paper = getComputedStyle(mark.closest('.card, .pair')).backgroundColor;
    const ink = look.fill === 'none' || mark.tagName === 'line' ? look.stroke : look.fill;
    return ratio(light(ink), light(paper));
  });
  return [found.length, Math.min(...found)];
}"""


@pytest.mark.real
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_marks_in_charts_stand_out(browser: Browser, tmp_path: Path, scheme: str) -> None:
    """AA asks for 4.5 of text and 3 of what must be told apart to understand a picture."""
    page = opened(browser, tmp_path, BROAD, scheme)

    texts, least_text = page.evaluate(LEAST_CONTRAST, "svg text")
    marks, least_mark = page.evaluate(
        LEAST_CONTRAST, "svg .mark, svg .dot, svg .curve, svg .lane, svg .one, svg .first"
    )

    assert texts > 50
    assert marks > 50
    assert least_text >= 4.5
    assert least_mark >= 3.0


@pytest.mark.real
@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_no_run_makes_a_narrow_page_scroll_sideways(
    browser: Browser, tmp_path: Path, name: str
) -> None:
    """A phone at 360 px shows the whole page; wide tables scroll inside their own frame."""
    page = opened(browser, tmp_path, BY_NAME[name], width=360)

    widths = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )

    assert widths[0] <= widths[1]


@pytest.mark.real
def test_the_page_asks_for_nothing_and_logs_nothing(browser: Browser, tmp_path: Path) -> None:
    """One file that works from a disk, in ten years, without a network."""
    path = tmp_path / "report.html"
    write_report(MANY, path)
    page = browser.new_page()
    asked: list[str] = []
    said: list[str] = []

    def pass_on(route: Route) -> None:
        asked.append(route.request.url)
        route.continue_()

    page.route("**/*", pass_on)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_load_state("networkidle")

    assert [url for url in asked if not url.startswith("file:")] == []
    assert len(asked) <= 1
    assert said == []


@pytest.mark.real
def test_verdicts_are_sorted_by_a_button_that_a_keyboard_reaches(
    browser: Browser, tmp_path: Path
) -> None:
    """The strongest effect first, and back to the plan's order; the state is announced."""
    page = opened(browser, tmp_path, MANY)
    names = "[...document.querySelectorAll('.card h3')].map(title => title.textContent)"
    planned = page.evaluate(names)

    page.keyboard.press("Tab")
    skip = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    strongest = page.evaluate(names)

    assert skip == "Skip to the verdicts"
    assert outline == "solid"
    assert strongest[0] == "hidden blocking call"
    assert sorted(strongest) == sorted(planned)
    assert page.get_attribute("[data-order=strength]", "aria-pressed") == "true"
    page.click("[data-order=plan]")
    assert page.evaluate(names) == planned


@pytest.mark.real
def test_the_overview_leads_to_each_verdict_and_stays_in_sight(
    browser: Browser, tmp_path: Path
) -> None:
    """Of ninety verdicts a reader wants one: a cell leads to it, from any place of the page."""
    page = opened(browser, tmp_path, MANY)
    cells = page.locator(".overview td a")
    page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")

    missing = page.evaluate(
        "[...document.querySelectorAll('.overview a')]"
        ".filter(link => !document.querySelector(link.getAttribute('href'))).length"
    )
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    cells.last.click()
    verdict = page.locator(":target")

    assert cells.count() == len(MANY.pairs)
    assert missing == 0
    assert "whether it helps" in str(verdict.text_content())
    assert page.evaluate("document.querySelector(':target').getBoundingClientRect().top") < 800


def test_a_single_verdict_needs_no_overview() -> None:
    """What fits on one screen is its own overview."""
    assert '<nav class="overview"' not in report_html(HELPS)
    assert '<nav class="overview"' in report_html(MANY)


def test_evidence_is_a_list_below_the_sentence() -> None:
    """The verdict is read first; who doubts it reads on."""
    page = report_html(HELPS)

    assert page.index('class="sentence"') < page.index('<ul class="evidence"')
    assert "<li>4 threads at 50 ms each allow 80 requests/s</li>" in page
    assert "2.10 -&gt; 1240 ms beside B (measured)" in report_html(Run(ENVIRONMENT, (neighbour(),)))


@pytest.mark.real
def test_without_script_the_page_is_whole(browser: Browser, tmp_path: Path) -> None:
    """The script only sorts: verdicts, charts and tables do not need it."""
    page = opened(browser, tmp_path, HELPS, script=False)

    assert page.locator(".sort").is_hidden()
    assert page.locator("svg.chart").count() == 3
    assert page.locator("text=Async helps").is_visible()


@pytest.mark.real
def test_the_report_prints_with_every_table_open(browser: Browser, tmp_path: Path) -> None:
    """Paper has no buttons: what is folded on the screen is open on it."""
    page = opened(browser, tmp_path, HELPS)
    page.evaluate(
        "addEventListener('beforeprint', () => setTimeout(() => 0)); window.opened = 0;"
        "addEventListener('beforeprint', () => {"
        " window.opened = document.querySelectorAll('details[open]').length })"
    )

    printed = page.pdf(format="A4")

    assert printed.startswith(b"%PDF")
    assert page.evaluate("window.opened") == 2
    assert page.locator("details[open]").count() == 0
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.real
def test_text_of_the_project_stays_text(browser: Browser, tmp_path: Path) -> None:
    """Paths, names and failures come from elsewhere and may hold anything."""
    result = thread_cap(50)
    side = replace(result.a, path=HOSTILE, failures={HOSTILE: 3})
    run = Run(
        replace(ENVIRONMENT, command=HOSTILE, databases=(HOSTILE,)),
        (replace(result, pair=HOSTILE, a=side),),
        notes=(HOSTILE,),
    )

    page = opened(browser, tmp_path, run)

    assert page.title() == "freeloop report, 2026-11-20"
    assert page.locator("section.pair h2").first.text_content() == HOSTILE
    assert page.locator("script").count() == 1


def test_what_could_not_be_measured_is_not_left_out() -> None:
    """A plan that lost a pair must not look whole."""
    run = Run(ENVIRONMENT, (thread_cap(50),), refused=("export: /export/ answers 500",))

    page = report_html(run)

    assert "<strong>Not measured:</strong> export: /export/ answers 500" in page


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_verdict_comes_before_the_first_table(name: str) -> None:
    """Verdicts first: who reads one screen reads the answers."""
    run = BY_NAME[name]
    page = report_html(run)
    head = page.split('<table class="comparison"', maxsplit=1)[0]

    assert head.count('class="sentence"') == len(run.pairs)
    assert page.count("<h1>") == 1
    assert page.startswith("<!doctype html>")
    assert all("None" not in verdict_sentence(result) for result in run.pairs)


def test_a_report_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    """A folder that is not there is the user's mistake: no traceback."""
    with pytest.raises(FreeloopError) as caught:
        write_report(HELPS, tmp_path / "missing" / "report.html")

    assert caught.value.slug == "report-not-written"
    assert "missing" in caught.value.where
