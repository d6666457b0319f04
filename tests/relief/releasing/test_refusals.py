"""A connection that is in use is not closed, and the error says by what."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.relief.isolation.sites import environment
from tests.relief.releasing.served import Served, serving

pytestmark = [pytest.mark.real, pytest.mark.needs("postgresql")]


def test_a_transaction_keeps_its_connection_and_all_others(relieved: Served) -> None:
    """Nothing is closed when one refuses: the second one is the same as before."""
    facts = relieved.ask("/atomic/")

    assert facts["refused"] == {
        "alias": "default",
        "reason": "it is inside of transaction.atomic()",
    }
    assert facts["kept"]
    assert facts["later"] is None


def test_no_autocommit_keeps_the_connection(relieved: Served) -> None:
    """Django does not know then whether a transaction is open."""
    facts = relieved.ask("/autocommit_off/")

    assert "autocommit" in facts["refused"]["reason"]
    assert facts["later"] is None


def test_a_function_that_waits_for_the_commit_keeps_the_connection(relieved: Served) -> None:
    """Closing would forget it."""
    facts = relieved.ask("/on_commit/")

    assert "on_commit" in facts["refused"]["reason"]
    assert facts["ran"] == 1
    assert facts["later"] is None


def test_an_unfinished_iterator_keeps_the_connection(relieved: Served) -> None:
    """Its rows are still in the database: releasing here used to kill the iteration."""
    facts = relieved.ask("/iterator/")

    assert facts["refused"]["reason"].startswith("1 cursor(s) are open")
    assert facts["names"] == 24
    assert facts["later"] is None


def test_a_left_iterator_keeps_the_connection_only_while_the_database_has_its_cursor(
    relieved: Served,
) -> None:
    """No false refusal: when Django frees the cursor of an iteration that was left is not promised.

    It hangs on the generator, which the request's thread may still hold. Of 900 iterations on
    Django 5.2, 6.0 and 6.1, the database still had the cursor of 332, and 129 of these refused.
    """
    found = [relieved.ask("/left_iterator/") for _ in range(30)]

    for facts in found:
        assert facts["refused"]["reason"].startswith("1 cursor(s) are open")
        assert facts["later"] is None or facts["left"] == 1


def test_a_server_side_cursor_keeps_the_connection(relieved: Served) -> None:
    """It lives in the session."""
    facts = relieved.ask("/server_side_cursor/")

    assert facts["refused"]["reason"].startswith("1 cursor(s) are open")
    assert facts["row"] == 2
    assert facts["later"] is None


@pytest.mark.parametrize("alias", ["default", "file"])
def test_a_plain_cursor_keeps_the_connection(relieved: Served, alias: str) -> None:
    """On PostgreSQL and on SQLite."""
    facts = relieved.ask(f"/plain_cursor/?using={alias}")

    assert facts["refused"]["alias"] == alias
    assert facts["refused"]["reason"].startswith("1 cursor(s) are open")
    assert facts["rows"] == 2
    assert facts["later"] is None


@pytest.mark.parametrize("alias", ["default", "file"])
def test_a_cursor_that_nobody_holds_keeps_nothing(relieved: Served, alias: str) -> None:
    """Without relief it is freed at once; it has to be with relief."""
    facts = relieved.ask(f"/dropped_cursor/?using={alias}")

    assert facts["refused"] is None
    assert facts["opened"] == []


def test_an_error_in_a_cursor_block_keeps_nothing(relieved: Served) -> None:
    """The block closes the cursor."""
    facts = relieved.ask("/error_in_cursor/")

    assert facts["error"] == "DataError"
    assert facts["refused"] is None


def test_cursors_that_are_not_known_keep_the_connection(database: str) -> None:
    """Stock Django keeps no record, so nobody knows; relief was not installed."""
    with serving(database, "stock") as site:
        facts = site.ask("/dropped_cursor/")

    assert facts["refused"]["reason"].startswith("its cursors are not known")
    assert facts["opened"] == ["default"]


def test_a_cursor_of_the_driver_is_not_seen_and_ends(relieved: Served) -> None:
    """It was not opened through Django; the page says so."""
    facts = relieved.ask("/raw_cursor/")

    assert facts == {"refused": None, "error": "OperationalError"}


def test_the_connections_of_django_s_test_classes_are_kept(database: str) -> None:
    """They belong to the test; the page says how to test a view that releases."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.relief.releasing.in_test_classes"],
        env=environment(database, ISOLATION_URLCONF="tests.relief.releasing.urls"),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    met = json.loads(answer.stdout)

    assert met["InTransaction"] == "it is inside of transaction.atomic()"
    assert met["WithoutTransaction"].startswith("its cursors are not known")


def test_the_kill_switch_leaves_the_view_working(database: str) -> None:
    """FREELOOP_RELIEF=0 is for emergencies: a view that releases must answer as in stock."""
    with serving(database, FREELOOP_RELIEF="0") as site:
        facts = site.ask("/again/")

    assert facts["released"] == [[], [], []]
    assert len(set(facts["processes"])) == 1
