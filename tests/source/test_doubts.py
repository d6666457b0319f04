"""What makes a verdict doubtful is said beside it, for the servers that take part."""

from __future__ import annotations

from freeloop.source.doubts import doubts
from freeloop.source.facts import inspect_project
from tests.source.conftest import MakeProject

MINIMAL = "SECRET_KEY = 'x'\n"
BOTH = {"gunicorn:gthread": "wsgi", "uvicorn": "asgi"}


def test_a_project_as_in_production_raises_no_doubt(make_project: MakeProject) -> None:
    """A note that is always there is read by nobody."""
    facts = inspect_project(make_project(MINIMAL + "DEBUG = False"))

    assert list(doubts(facts, BOTH)) == []


def test_debug_is_named(make_project: MakeProject) -> None:
    """Demo projects switch it on, and it can decide the verdict."""
    facts = inspect_project(make_project(MINIMAL + "DEBUG = True"))

    (doubt,) = doubts(facts, BOTH)

    assert doubt.startswith("DEBUG = True")


def test_an_application_that_was_replaced_is_named_where_it_would_serve(
    make_project: MakeProject,
) -> None:
    """A wrapper around the project's application would not be measured, in silence."""
    facts = inspect_project(make_project(MINIMAL, asgi="raise RuntimeError('no licence')"))

    (doubt,) = doubts(facts, BOTH)

    assert "no licence" in doubt
    assert list(doubts(facts, {"granian:wsgi": "wsgi"})) == []


def test_an_application_that_insists_on_other_settings_is_replaced(
    make_project: MakeProject,
) -> None:
    """Otherwise one side would run with other settings than the other one."""
    forcing = "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'live'\napplication = object()\n"
    facts = inspect_project(make_project(MINIMAL, wsgi=forcing, live=MINIMAL))

    assert facts.wsgi is None
    assert "sets DJANGO_SETTINGS_MODULE to 'live'" in facts.wsgi_failure
