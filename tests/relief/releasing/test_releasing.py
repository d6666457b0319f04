"""What is released, what is opened again, and what is lost on the way."""

from __future__ import annotations

import pytest

from tests.relief.releasing.served import Served, serving
from tests.relief.releasing.state import FIND

pytestmark = [pytest.mark.real, pytest.mark.needs("postgresql")]


def test_a_request_releases_and_queries_again_as_often_as_it_likes(relieved: Served) -> None:
    """Each time another process of the database answers."""
    facts = relieved.ask("/again/")

    assert facts["released"] == [["default"]] * 3
    assert facts["between"] == [[]] * 3
    assert len(set(facts["processes"])) == 3


@pytest.mark.parametrize(
    ("using", "released"),
    [
        ("", ["default", "second"]),
        ("?using=second", ["second"]),
        ("?using=default", ["default"]),
        ("?using=second&using=default", ["default", "second"]),
        ("?using=second&using=file", ["second"]),
    ],
)
def test_only_the_databases_named_are_released(
    relieved: Served, using: str, released: list[str]
) -> None:
    """One alias, several, or none for all."""
    facts = relieved.ask(f"/several/{using}")

    assert sorted(facts["released"]) == released
    assert sorted([*facts["opened"], *facts["released"]]) == ["default", "second"]


@pytest.mark.parametrize("path", ["/several/?using=nope", "/untouched/?using=nope"])
def test_an_unknown_alias_is_an_error(relieved: Served, path: str) -> None:
    """Also before the first query: a typing mistake shows in the first test."""
    assert relieved.status(path) == 500


def test_a_request_without_connections_releases_nothing(relieved: Served) -> None:
    """And costs no thread."""
    assert relieved.ask("/untouched/") == {"released": []}


def test_databases_that_were_not_used_are_not_set_up(relieved: Served) -> None:
    """Their driver may be absent here."""
    assert relieved.ask("/makes_nothing/") == {"made": ["default"]}


def test_sqlite_in_memory_is_kept_and_not_called_released(database: str) -> None:
    """Closing it would lose the data, so Django never does."""
    with serving(database) as site:
        facts = site.ask("/in_memory/")

    assert facts == {"released": [], "opened": ["file"]}


def test_a_sync_view_releases_over_the_bridge(relieved: Served) -> None:
    """`async_to_sync` runs the block while the view's thread waits, which owns the connection."""
    facts = relieved.ask("/from_a_sync_view/")

    assert facts == {"released": ["default"], "opened": [], "again": True}


def test_closed_cursors_do_not_wait_for_the_collector(relieved: Served) -> None:
    """Keeping a record of cursors must not keep the cursors, nor the rows in them."""
    assert relieved.ask("/frees_cursors/") == {"left": 0}


def test_the_state_of_the_session_goes_with_the_connection(relieved: Served) -> None:
    """The page says so: role, path, locks, temporary tables, channels."""
    facts = relieved.ask("/session_state/")

    assert facts["before"] == dict.fromkeys(FIND, True)
    assert facts["after"] == dict.fromkeys(FIND, False)


def test_a_pool_hands_the_state_of_the_session_on(database: str) -> None:
    """Django's pool does not reset a session; stock hands it on at the end of each request."""
    with serving(database, ISOLATION_POOL="1") as site:
        facts = site.ask("/session_state/")
        others = site.ask("/state_of_others/")

    assert facts["after"] == others["found"] == dict.fromkeys(FIND, True)
