"""`freeloop_client`: the ASGI handler itself, and limits on what one request takes."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.conftest import Run
from tests.pytest_plugin.test_guard import outcomes

pytestmark = pytest.mark.usefixtures("shop")


def test_limits_fail_exactly_the_requests_that_exceed_them(run: Run, shop: pytest.Pytester) -> None:
    """Block, hops and connections, each with a test beside it that stays within."""
    shop.makepyfile("""
        import asyncio
        import pytest

        @pytest.mark.freeloop(max_block_ms=100)
        def test_bad_block(freeloop_client):
            freeloop_client.get("/slow/")

        @pytest.mark.freeloop(max_block_ms=100)
        def test_good_block(freeloop_client):
            assert freeloop_client.get("/fine/?with=bread").body == b"soup bread"

        @pytest.mark.freeloop(max_hops=4)
        def test_bad_hops(freeloop_client):
            freeloop_client.get("/hops/")

        @pytest.mark.freeloop(max_hops=7)
        def test_good_hops(freeloop_client):
            seen = freeloop_client.get("/hops/")
            assert 5 <= seen.demand.hops <= 7
            assert seen.trace.request.route == "hops/"

        @pytest.mark.django_db(transaction=True)
        @pytest.mark.freeloop(max_connections_held=0)
        def test_bad_connections(freeloop_client):
            freeloop_client.get("/users/")

        @pytest.mark.django_db(transaction=True)
        @pytest.mark.freeloop(max_connections_held=1)
        def test_good_connections(freeloop_client, django_user_model):
            django_user_model.objects.create(username="cook")
            seen = freeloop_client.get("/users/")
            assert (seen.body, seen.connections_held) == (b"1", 1)

        @pytest.mark.asyncio
        async def test_good_in_an_async_test(freeloop_client):
            await asyncio.sleep(0)
            assert freeloop_client.get("/fine/").status == 200

        @pytest.mark.asyncio
        @pytest.mark.freeloop(max_block_ms=100)
        async def test_bad_in_an_async_test(freeloop_client):
            await asyncio.sleep(0)
            freeloop_client.get("/slow/")

        def test_good_request(freeloop_client):
            seen = freeloop_client.post("/echo/", body=b"salt", cookies={"a": "b"})
            assert (seen.status, seen.body, seen.headers["x-shop"]) == (200, b"POST salt", "b")
            assert freeloop_client.get("/nowhere/").status == 404
    """)

    result = run("-v", "--freeloop-watch=200", plugins=("asyncio", "django"))

    ended = outcomes(result)
    names = {name for found in ended.values() for name in found}
    bad = {name for name in names if name.startswith("test_bad_")}
    assert (len(bad), len(names)) == (4, 9), result.stdout.str()
    assert ended["FAILED"] == bad, result.stdout.str()
    result.stdout.fnmatch_lines(["  line   shop_urls.py:11 price_of*", "  route  /slow/"])
    result.stdout.fnmatch_lines(["GET /hops/ made * thread hops (measured); allowed: 4"])
    result.stdout.fnmatch_lines(["GET /users/ held 1 database connections at once (measured);*: 0"])


def test_without_a_transactional_test_it_says_what_is_missing(
    run: Run, shop: pytest.Pytester
) -> None:
    """The rows of the test's own transaction are not seen on other threads."""
    shop.makepyfile("""
        import pytest

        @pytest.mark.django_db
        def test_marked(freeloop_client):
            freeloop_client.get("/users/")

        def test_with_fixture(freeloop_client, db):
            freeloop_client.get("/users/")

        def test_unmarked(freeloop_client):
            freeloop_client.get("/users/")

        def test_without_database(freeloop_client):
            freeloop_client.get("/fine/")
    """)

    result = run(plugins=("django",))

    result.assert_outcomes(passed=1, failed=1, errors=2)
    needs = "freeloop_client needs @pytest.mark.django_db(transaction=True): "
    found = [line.removeprefix(needs) for line in result.outlines if line.startswith(needs)]
    assert sorted(found) == [*["the test runs in a transaction"] * 2, "the view uses the database"]


def test_without_an_application_it_says_where_it_comes_from(
    run: Run, shop: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A traceback from inside Django would not tell."""
    shop.makepyfile("def test_users(freeloop_client): pass")

    misspelt = run("-o", "freeloop_application=shop.asg:application")
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    unset = run()

    misspelt.assert_outcomes(errors=1)
    misspelt.stdout.fnmatch_lines(["the ASGI application cannot *import]", "*mend *"])
    unset.assert_outcomes(errors=1)
    unset.stdout.fnmatch_lines(["Django cannot read its settings: *no-settings]", "*mend *"])
    assert "Traceback" not in misspelt.stdout.str() + unset.stdout.str()


def test_it_works_without_pytest_django(run: Run, shop: pytest.Pytester) -> None:
    shop.makepyfile("""
        def test_fine(freeloop_client):
            assert freeloop_client.get("/fine/").status == 200
    """)

    run().assert_outcomes(passed=1)
