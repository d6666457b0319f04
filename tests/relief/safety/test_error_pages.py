"""Error pages: the status, the page, the log records and the signals are stock's."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler

from tests.relief.safety.comparing import assert_same, seen_of
from tests.relief.safety.exchange import Asked, answer_of, relieved
from tests.relief.safety.observed import Observed
from tests.relief.safety.project.settings import DEFAULT_MIDDLEWARE

MIDDLEWARE = "tests.relief.safety.project.middleware."
ERRORS = {
    "/nowhere/": 404,
    "/missing/": 404,
    "/forbidden/": 403,
    "/bad/": 400,
    "/suspicious/": 400,
    "/fails/": 500,
    "/fails_sync/": 500,
    "/query_then_fails/": 500,
    "/nothing/": 500,
}
HOOKS = ("request", "view", "template", "response")
ACCEPTED = (("Accept", "text/html"),), (("Accept", "application/json"),)
URLS = "tests.relief.safety.project."

pytestmark = [
    pytest.mark.timeout(300),
    # Before 6.1 stock leaves the body open when the handler raises; relief as well.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


FRAMES = re.compile(
    r'<div id="traceback">.*<div id="requestinfo">'
    r"|Traceback \(most recent call last\):.*?\nException Type:",
    re.DOTALL,
)


def without_variables(seen: Observed) -> Observed:
    """Leave out the frames of a debug page in HTML: only there are their local variables shown.

    Two of them are not stock's: what Django's handler keeps as `middleware_method` is the hook with
    relief, a SyncToAsync without; and a thread's frame is already being emptied when it is shown.
    The plain page shows functions, files and lines, and stays as it is.
    """
    return without_frames(seen) if "<html" in seen.answer[2] else without_lookups(seen)


def without_frames(seen: Observed) -> Observed:
    """Leave out which functions were on the stack.

    An error that a hook of Django's middleware raises has passed relief's own call of that hook,
    not `MiddlewareMixin.__acall__` and asgiref's thread. Nothing else of the page may differ.
    """
    status, headers, body, *others = seen.answer
    body, found = FRAMES.subn("<frames>", body)
    assert found == 1 or "Traceback" not in body
    headers = [(name, value) for name, value in headers if name != "Content-Length"]
    return without_lookups(replace(seen, answer=(status, headers, body, *others)))


def without_lookups(seen: Observed) -> Observed:
    """Leave out what the template of the debug page looked for in vain: told with all frames."""
    return replace(seen, records=[each for each in seen.records if each[0] != "django.template"])


def usual(target: str) -> list[Asked]:
    """Return the ways in which a client may ask for what goes wrong."""
    return [
        *(Asked(target, "GET", accepted) for accepted in ACCEPTED),
        Asked(target, "HEAD"),
        # Without its token: 403 from csrf, and a log record of its own.
        Asked(target, "POST", (), (b"a=1",)),
    ]


@pytest.mark.parametrize("urls", ["urls", "urls_own_pages", "urls_broken_pages"])
@pytest.mark.parametrize("debug", [False, True], ids=["", "DEBUG"])
@pytest.mark.parametrize("target", ERRORS)
def test_an_error_is_answered_and_logged_as_in_stock(target: str, debug: bool, urls: str) -> None:
    """Django's pages, the project's own, and own ones that fail."""
    given = {"DEBUG": debug, "ROOT_URLCONF": URLS + urls}

    assert_same(DEFAULT_MIDDLEWARE, usual(target), given, without_variables)


@pytest.mark.parametrize("urls", ["urls", "urls_own_pages", "urls_broken_pages"])
@pytest.mark.parametrize("debug", [False, True], ids=["", "DEBUG"])
@pytest.mark.parametrize("host", ["evil.example", "not a host", ""])
def test_a_host_that_is_not_allowed_is_answered_and_logged_as_in_stock(
    host: str, debug: bool, urls: str
) -> None:
    """CommonMiddleware asks first, on the event loop with relief."""
    given = {"DEBUG": debug, "ROOT_URLCONF": URLS + urls, "ALLOWED_HOSTS": ["testserver"]}
    asked = [Asked("/hello/", "GET", accepted, host=host) for accepted in ACCEPTED]

    assert_same(DEFAULT_MIDDLEWARE, asked, given, without_frames)


@pytest.mark.parametrize("debug", [False, True], ids=["", "DEBUG"])
@pytest.mark.parametrize("place", [0, 3, 7])
@pytest.mark.parametrize("hook", HOOKS)
def test_an_error_in_a_hook_is_answered_and_logged_as_in_stock(
    hook: str, place: int, debug: bool
) -> None:
    """Outermost, in the middle, and next to the view; not Django's own, so all of the page."""
    order = list(DEFAULT_MIDDLEWARE)
    order.insert(place, MIDDLEWARE + "Failing")
    asked = [Asked(f"/page/?hook={hook}", "GET", accepted) for accepted in ACCEPTED]

    given = {"DEBUG": debug, "ROOT_URLCONF": URLS + "urls_own_pages"}
    assert_same(order, asked, given, without_variables)


@pytest.mark.parametrize("on", [False, True], ids=["stock", "relief"])
@pytest.mark.parametrize(("target", "status"), ERRORS.items())
def test_the_comparison_sees_the_page_and_the_record(target: str, status: int, on: bool) -> None:
    """What is compared above is really there."""
    own = {"ROOT_URLCONF": URLS + "urls_own_pages"}

    (seen,) = seen_of(DEFAULT_MIDDLEWARE, [Asked(target)], own, on=on)

    assert seen.answer[0] == status
    assert f"our page for {status}" in seen.answer[2]
    assert any(name.startswith("django.") for name, *_ in seen.records)


def test_an_error_record_names_the_request_and_the_status(
    both: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """What log handlers and mails to admins read from it."""
    with relieved(on=both), caplog.at_level("ERROR", "django.request"):
        answer_of(ASGIHandler(), "/fails/")

    told: Any
    (told,) = caplog.records
    assert (told.status_code, told.levelname) == (500, "ERROR")
    assert told.request.path == "/fails/"
    assert told.exc_info[0] is ValueError
