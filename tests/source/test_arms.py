"""Deployments on the command line, and the pairs that are made of them."""

from __future__ import annotations

import pytest

from freeloop.model.plan import Arm, Question
from freeloop.source.arms import default_pair, pair_of, parse_arm, rewrite_pair
from freeloop.source.requests import parse_target
from tests.source.conftest import error_of


def test_a_side_is_server_options_and_target() -> None:
    """The arm is labelled by what was typed of it."""
    side = parse_arm("gunicorn:gthread workers=2  threads=16 /old/?a=b")

    assert side.arm == Arm("gunicorn:gthread workers=2 threads=16", "gunicorn:gthread", 2, 16)
    assert side.request.url == "/old/?a=b"


@pytest.mark.parametrize(
    ("text", "relief"),
    [
        ("uvicorn /new/", None),
        ("uvicorn relief /new/", True),
        ("uvicorn workers=2 relief=true /new/", True),
        ("granian:asgi relief=false /new/", False),
    ],
)
def test_relief_is_typed_as_a_word(text: str, relief: bool | None) -> None:
    """Left out, it is what the project says."""
    side = parse_arm(text)

    assert side.arm.relief is relief
    assert side.arm.name == text.removesuffix(" /new/")


def test_a_side_may_name_a_view() -> None:
    """Options are told from view names by their equals sign."""
    side = parse_arm("uvicorn reports:list")

    assert (side.arm.threads, side.request.view) == (None, "reports:list")


@pytest.mark.parametrize(
    ("text", "slug", "says"),
    [
        ("", "unknown-server", "known: gunicorn:sync"),
        ("gunicorn:thread /a/", "unknown-server", "did you mean gunicorn:gthread?"),
        ("uvicorn", "bad-arm", "no path or view"),
        ("uvicorn workers=2", "bad-arm", "no path or view"),
        ("uvicorn worker=2 /a/", "bad-arm", "did you mean workers?"),
        ("uvicorn fast /a/", "bad-arm", "'fast'"),
        ("uvicorn workers=0 /a/", "bad-arm", "not '0'"),
        ("uvicorn workers=two /a/", "bad-arm", "not 'two'"),
        ("uvicorn workers=1 workers=2 /a/", "bad-arm", "twice"),
        ("uvicorn http://x/", "not-loopback", "path alone"),
        ("uvicorn relief", "bad-arm", "no path or view"),
        ("uvicorn relief=1 /a/", "bad-arm", "not '1'"),
        ("uvicorn relieve /a/", "bad-arm", "did you mean relief?"),
        ("uvicorn relief relief=true /a/", "bad-arm", "twice"),
        ("gunicorn:gthread relief /a/", "relief-needs-asgi", "serves WSGI"),
        ("granian:wsgi relief=true /a/", "relief-needs-asgi", "granian:asgi"),
    ],
)
def test_a_side_that_cannot_be_read_is_refused(text: str, slug: str, says: str) -> None:
    """Each message shows what is known."""
    error = error_of(lambda: parse_arm(text, where="--a"))

    assert error.slug == slug
    assert says in f"{error.what} {error.mend}"


def test_other_servers_can_be_passed_in() -> None:
    """The servers that can be started are known to another floor."""
    assert parse_arm("daphne /a/", servers=["daphne"]).arm.server == "daphne"


def test_one_view_is_asked_how_to_serve_it() -> None:
    """Threads stay open: as many as the concurrency, so that no cap decides."""
    pair = default_pair(parse_target("/a/"), concurrency=(5,))

    assert pair.question is Question.SERVE
    assert (pair.a.arm.server, pair.b.arm.server) == ("gunicorn:gthread", "uvicorn")
    assert (pair.a.arm.threads, pair.a.request, pair.concurrency) == (None, pair.b.request, (5,))


def test_a_view_and_its_twin_are_a_rewrite() -> None:
    """Async helps is said of a rewrite only."""
    pair = rewrite_pair(parse_target("/old/"), parse_target("/new/"))

    assert pair.question is Question.REWRITE
    assert (pair.a.request.url, pair.b.request.url) == ("/old/", "/new/")


@pytest.mark.parametrize(
    ("a", "b", "question"),
    [
        ("uvicorn /a/", "uvicorn /b/", Question.REWRITE),
        ("gunicorn:gthread /a/", "granian:wsgi /a/", Question.SERVE),
        ("gunicorn:gthread threads=4 /a/", "gunicorn:gthread threads=8 /a/", Question.SETTING),
        ("uvicorn /a/", "uvicorn relief /a/", Question.SETTING),
        ("gunicorn:gthread /a/", "uvicorn relief /a/", Question.SERVE),
    ],
)
def test_the_difference_of_two_sides_tells_the_question(a: str, b: str, question: Question) -> None:
    """Nobody should have to name it on the command line."""
    assert pair_of(parse_arm(a), parse_arm(b)).question is question
