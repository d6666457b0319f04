from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, sync_playwright

from freeloop.errors import FreeloopError
from freeloop.model.reading import Reading
from freeloop.model.trace import Variable
from freeloop.render.html.trace import MOST_STOPS, trace_page, write_trace_page
from freeloop.render.stops import labels_of, stops_of
from tests.render.html.test_report import AXE_RULES, FLAGS, HOSTILE
from tests.render.sample_readings import CHECKOUT, STEPS

SCREENS = [("light", 1280), ("dark", 1280), ("light", 380), ("dark", 380)]
STOPS = stops_of(CHECKOUT)
# Of the current line and of the box it scrolls in: whether the line is whole inside.
LINE_SEEN = """() => {
  const line = document.querySelector('.source.current');
  if (!line) return 'no line';
  const box = line.parentElement.getBoundingClientRect(), part = line.getBoundingClientRect();
  return part.top >= box.top - 1 && part.bottom <= box.bottom + 1 ? 'seen' : 'hidden';
}"""
# Whether the current row of the table lies below its heading and inside its box.
ROW_SEEN = """() => {
  const row = document.querySelector('.rows tr.current').getBoundingClientRect();
  const head = document.querySelector('.rows thead').getBoundingClientRect();
  const box = document.querySelector('.rows').getBoundingClientRect();
  return row.top >= head.bottom - 1 && row.bottom <= box.bottom + 1;
}"""
# Ratio of WCAG of each word in the picture with all that it may lie on: its own halo, and the
# filling of its bar: plain, or both colours of the pattern.
LEAST_CONTRAST = """() => {
  const parts = css => {
    const found = css.match(/[\\d.]+/g).slice(0, 3).map(Number);
    return css.startsWith('color(') ? found : found.map(part => part / 255);
  };
  const light = css => parts(css)
    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const ratio = (one, two) => (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  const look = part => getComputedStyle(part);
  const paper = look(document.querySelector('.panel')).backgroundColor;
  const grounds = text => {
    const [, state, filling] = text.classList;
    if (!text.classList.contains('label')) return [paper];
    const tone = look(document.querySelector(`.bar.${state} rect`));
    if (filling === 'hollow') return [paper];
    if (filling === 'solid') return [tone.fill];
    const pattern = document.querySelector(`#fill-${state}`);
    return [look(pattern.querySelector('rect')).fill, look(pattern.querySelector('path')).stroke];
  };
  const texts = [...document.querySelectorAll('.lanes text')];
  const ratios = texts.flatMap(text => {
    const inks = text.querySelector('tspan') ? [...text.querySelectorAll('tspan')] : [text];
    return inks.flatMap(ink => [...grounds(text), look(text).paintOrder === 'normal'
      ? paper : look(text).stroke].map(ground => ratio(light(look(ink).fill), light(ground))));
  });
  return [texts.length, Math.min(...ratios)];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium: the system's where there is one, else Playwright's own."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield made
        made.close()


def opened(browser: Browser, folder: Path, reading: Reading = CHECKOUT, scheme: str = "light",
           width: int = 1280, *, script: bool = True) -> Page:  # fmt: skip
    path = folder / "trace.html"
    write_trace_page(reading, path)
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
    )
    page = context.new_page()
    page.goto(path.as_uri())
    return page


def step_shown(page: Page) -> int:
    """Return the number of the step that the page shows."""
    return int(str(page.locator("#slider").input_value()))


@pytest.mark.real
@pytest.mark.parametrize(("scheme", "width"), SCREENS)
def test_axe_finds_no_violation(browser: Browser, tmp_path: Path, scheme: str, width: int) -> None:
    """Contrast, names, headings, regions: in the midst of a walk, with all that folds open."""
    page = opened(browser, tmp_path, CHECKOUT, scheme, width)
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")

    found = Axe().run(page, options=AXE_RULES)

    assert found.violations_count == 0, found.generate_report()
    assert len(found.response["passes"]) > 20


@pytest.mark.real
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_in_the_lanes_stand_out(browser: Browser, tmp_path: Path, scheme: str) -> None:
    """Axe does not look inside SVG: AA asks for 4.5 of text, on its bar and on its halo."""
    page = opened(browser, tmp_path, CHECKOUT, scheme)

    texts, least = page.evaluate(LEAST_CONTRAST)

    assert texts > 15
    assert least >= 4.5


@pytest.mark.real
@pytest.mark.parametrize("width", [1280, 380])
def test_words_that_are_shown_fit_their_bar(browser: Browser, tmp_path: Path, width: int) -> None:
    """Half a word tells nothing; on a wide page most bars have their words."""
    page = opened(browser, tmp_path, CHECKOUT, width=width)

    over = page.evaluate(
        "[...document.querySelectorAll('.fitted text')].filter(text =>"
        " text.getComputedTextLength() > text.parentElement.getBoundingClientRect().width + 1"
        ").length"
    )
    said = page.evaluate(
        "[...document.querySelectorAll('.fitted text')].map(text => text.textContent)"
    )

    assert over == 0
    assert "asyncio.gather, 80.5 ms" in said or width == 380


@pytest.mark.real
@pytest.mark.parametrize("width", [1280, 380])
def test_the_current_line_and_row_are_always_in_view(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    """At every step, forwards and back: not scrolled out, not covered by the heading."""
    page = opened(browser, tmp_path, CHECKOUT, width=width)
    seen = []

    for key in ["ArrowRight"] * (len(STOPS) - 1) + ["ArrowLeft"] * (len(STOPS) - 1):
        page.keyboard.press(key)
        placed = STOPS[step_shown(page) - 1].place is not None
        seen.append(
            (page.evaluate(LINE_SEEN), page.evaluate(ROW_SEEN), "seen" if placed else "no line")
        )

    assert [step for step in seen if step[0] != step[2] or not step[1]] == []


@pytest.mark.real
def test_keys_walk_through_the_request(browser: Browser, tmp_path: Path) -> None:
    """Arrows from anywhere; letters, Home and End inside the walk alone (WCAG 2.1.4)."""
    page = opened(browser, tmp_path)
    waits = [number for number, stop in enumerate(STOPS, start=1) if stop.wait]
    walked = [step_shown(page)]

    page.keyboard.press("n")
    walked.append(step_shown(page))
    page.keyboard.press("ArrowRight")
    walked.append(step_shown(page))
    page.keyboard.press("ArrowLeft")
    walked.append(step_shown(page))
    for _ in waits:
        page.keyboard.press("n")
        walked.append(step_shown(page))
    page.keyboard.press("Home")
    walked.append(step_shown(page))
    page.keyboard.press("End")
    walked.append(step_shown(page))

    assert walked == [1, 1, 2, 1, *waits, 1, len(STOPS)]
    assert page.evaluate("document.activeElement.id") == "slider"


@pytest.mark.real
def test_each_step_is_said_once_in_a_live_region(browser: Browser, tmp_path: Path) -> None:
    """Who does not see the picture hears one sentence per step."""
    page = opened(browser, tmp_path)

    said = []
    for _ in STOPS:
        said.append(page.locator(".say").text_content())
        page.keyboard.press("ArrowRight")

    assert said == [stop.sentence for stop in STOPS]
    assert page.locator(".say").get_attribute("aria-live") == "polite"


@pytest.mark.real
def test_awaits_that_are_pending_are_marked_beside_the_source(
    browser: Browser, tmp_path: Path
) -> None:
    """While the second task starts, the reader sees that the first one waits at its line."""
    page = opened(browser, tmp_path)
    starts = next(
        label
        for label, stop in zip(labels_of(STOPS), STOPS, strict=True)
        if stop.lane == 4 and stop.sentence.startswith("task price_of bread enters")
    )

    page.evaluate(
        f"location.hash = ''; document.querySelector('a[href=\"#step-{starts}\"]').click()"
    )

    assert page.locator(".file:not([hidden]) .pending:not(:empty)").all_text_contents() == [
        "task price_of soup waits for asyncio.sleep, 80.0 ms"
    ]


@pytest.mark.real
def test_variables_are_now_before_new_and_changed(browser: Browser, tmp_path: Path) -> None:
    """The tracker shows the frame of the step, and what the last line did to it."""
    changed = replace(STEPS[20], variables=(Variable("soup", "5", "changed"),))
    trace = replace(CHECKOUT.trace, steps=(*STEPS[:20], changed))
    reading = replace(CHECKOUT, trace=trace, rows=())
    page = opened(browser, tmp_path, reading)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")

    rows = [
        [cell.strip() for cell in row.locator("th, td").all_text_contents()]
        for row in page.locator(".variables tbody tr").all()
    ]

    assert rows == [
        ["request", "ASGIRequest", "", ""],
        ["customer", "Customer pk=3", "", ""],
        ["soup", "5", "4", "changed"],
        ["bread", "2", "", ""],
    ]


@pytest.mark.real
def test_key_moments_lead_to_their_step(browser: Browser, tmp_path: Path) -> None:
    """The longest block of the loop is one click away, and the walk goes on from there."""
    page = opened(browser, tmp_path)

    page.get_by_role("link", name="longest block of the loop").click()
    at = page.locator(".say").text_content()
    page.keyboard.press("ArrowRight")

    assert "sits in till.wait" in str(at)
    assert page.locator(".say").text_content() != at
    assert page.evaluate("document.querySelector('.walk').getBoundingClientRect().top") < 40


@pytest.mark.real
def test_a_click_on_the_timeline_goes_to_that_time(browser: Browser, tmp_path: Path) -> None:
    """What one sees, one may point at."""
    page = opened(browser, tmp_path)
    box = page.locator(".lanes").bounding_box()
    assert box is not None

    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + 60)
    last = step_shown(page)
    page.mouse.click(box["x"] + 2, box["y"] + 60)

    assert last == len(STOPS)
    assert step_shown(page) == 1


@pytest.mark.real
def test_an_address_with_a_step_opens_there(browser: Browser, tmp_path: Path) -> None:
    """A colleague is sent to the very step."""
    page = opened(browser, tmp_path)

    page.goto(f"{page.url}#step-7.2")
    page.reload()

    assert step_shown(page) == labels_of(STOPS).index("7.2") + 1


@pytest.mark.real
def test_no_narrow_page_scrolls_sideways(browser: Browser, tmp_path: Path) -> None:
    """A phone at 380 px shows the whole page; wide tables scroll inside their own frame."""
    page = opened(browser, tmp_path, width=380)

    widths = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )

    assert widths[0] <= widths[1]


@pytest.mark.real
def test_the_page_asks_for_nothing_and_logs_nothing(browser: Browser, tmp_path: Path) -> None:
    """One file that works from a disk, in ten years, without a network."""
    path = tmp_path / "trace.html"
    write_trace_page(CHECKOUT, path)
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
    for _ in STOPS:
        page.keyboard.press("ArrowRight")
    page.wait_for_load_state("networkidle")

    assert [url for url in asked if not url.startswith("file:")] == []
    assert len(asked) <= 1
    assert said == []


@pytest.mark.real
def test_without_script_the_page_is_whole(browser: Browser, tmp_path: Path) -> None:
    """Lanes, sources and the table do not need it; what does is not shown."""
    page = opened(browser, tmp_path, script=False)

    assert page.locator(".controls").is_hidden()
    assert page.locator(".slide").is_hidden()
    assert page.locator(".file:visible").count() == 2
    assert page.locator(".rows tbody tr").count() == len(STOPS)


@pytest.mark.real
def test_motion_is_left_out_for_who_asked_for_it(browser: Browser, tmp_path: Path) -> None:
    """Nothing slides: the page jumps, and no part of it is animated."""
    page = opened(browser, tmp_path)
    page.emulate_media(reduced_motion="reduce")

    behaviour = page.evaluate("getComputedStyle(document.documentElement).scrollBehavior")
    page.keyboard.press("ArrowRight")

    assert behaviour == "auto"
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.real
def test_paper_shows_every_file_and_row_on_white(browser: Browser, tmp_path: Path) -> None:
    """Paper has no slider: what scrolls or hides on the screen is whole on it."""
    page = opened(browser, tmp_path, scheme="dark")
    page.keyboard.press("ArrowRight")
    page.emulate_media(media="print", color_scheme="dark")

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".file:visible").count() == 2
    assert page.locator(".controls").is_hidden()
    assert page.evaluate(
        "[...document.querySelectorAll('.code, .rows')].every(box =>"
        " getComputedStyle(box).maxHeight === 'none')"
    )
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.real
def test_text_of_the_project_stays_text(browser: Browser, tmp_path: Path) -> None:
    """Paths, values, SQL and sources come from elsewhere and may hold anything."""
    trace = CHECKOUT.trace
    hostile = replace(
        CHECKOUT,
        trace=replace(
            trace,
            request=replace(trace.request, path=HOSTILE, error=HOSTILE),
            lanes=tuple(replace(lane, name=HOSTILE) for lane in trace.lanes),
            steps=(replace(STEPS[0], variables=(Variable(HOSTILE, HOSTILE, "new"),)), *STEPS[1:]),
            sources={path: f"{HOSTILE}\n{text}" for path, text in trace.sources.items()},
        ),
        rows=tuple(replace(row, text=HOSTILE) for row in CHECKOUT.rows),
    )

    page = opened(browser, tmp_path, hostile)
    for _ in STOPS:
        page.keyboard.press("ArrowRight")

    assert page.title() == f"GET {HOSTILE}, freeloop trace"
    assert page.locator("h1").text_content() == f"GET {HOSTILE}"
    assert page.locator("script").count() == 2


def test_the_page_has_no_inline_handler_and_no_address() -> None:
    """One style and one script, beside the data that the script walks through."""
    page = trace_page(CHECKOUT)

    assert page.count("<style>") == 1
    assert page.count("<script>") == 1
    assert page.count('<script type="application/json"') == 1
    assert " onclick=" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_a_trace_without_steps_or_places_is_a_page_too() -> None:
    """A request that failed before any line of the project ran is worth a look."""
    trace = replace(CHECKOUT.trace, steps=(), sources={})
    bare = replace(CHECKOUT, trace=trace, rows=(), moments=(), findings=())

    page = trace_page(bare)

    assert "No line of the project" in page
    assert "Nothing found" in page


def test_lines_that_do_not_fit_a_page_are_counted() -> None:
    """A loop over thousands of rows makes thousands of line steps: what happened stays whole."""
    many = tuple(replace(STEPS[1], at_ns=260_000 + number) for number in range(MOST_STOPS))
    reading = replace(CHECKOUT, trace=replace(CHECKOUT.trace, steps=many))

    page = trace_page(reading)

    assert f"{MOST_STOPS} lines that ran are left out" in page
    assert page.count('<tr id="step-') == len(CHECKOUT.rows)


def test_a_page_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    """A folder that is not there is the user's mistake: no traceback."""
    with pytest.raises(FreeloopError) as caught:
        write_trace_page(CHECKOUT, tmp_path / "missing" / "trace.html")

    assert caught.value.slug == "report-not-written"
