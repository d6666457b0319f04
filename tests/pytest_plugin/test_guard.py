"""Exactly the tests fail whose code holds an event loop, whoever runs the loop."""

from __future__ import annotations

from importlib import metadata

import pytest

from tests.pytest_plugin.conftest import Run

# The names say what is planted: tests named `test_bad_...` must fail, all others pass.
PLANTED = """
    import asyncio
    import time

    import pytest


    def call_of_a_slow_service():
        time.sleep(0.3)


    def compute():
        began = time.thread_time()
        while time.thread_time() - began < 0.3:
            pass


    async def waits():
        await asyncio.sleep(0.01)
        call_of_a_slow_service()


    async def is_fine():
        await asyncio.sleep(0.3)
        await asyncio.to_thread(call_of_a_slow_service)


    def test_bad_in_asyncio_run():
        asyncio.run(waits())


    def test_bad_computing():
        async def main():
            await asyncio.sleep(0.01)
            compute()

        asyncio.run(main())


    def test_bad_in_a_callback():
        async def main():
            asyncio.get_running_loop().call_later(0.01, call_of_a_slow_service)
            await asyncio.sleep(0.05)

        asyncio.run(main())


    def test_bad_under_uvloop():
        import uvloop
        uvloop.run(waits())


    @pytest.mark.asyncio
    async def test_bad_with_pytest_asyncio():
        await waits()


    @pytest.mark.anyio
    async def test_bad_with_anyio():
        await waits()


    @pytest.mark.freeloop(max_block_ms=60)
    def test_bad_by_a_stricter_mark():
        async def main():
            await asyncio.sleep(0.01)
            time.sleep(0.1)

        asyncio.run(main())


    def test_good_under_the_limit():
        async def main():
            await asyncio.sleep(0.01)
            time.sleep(0.1)

        asyncio.run(main())


    def test_good_in_asyncio_run():
        asyncio.run(is_fine())


    @pytest.mark.asyncio
    async def test_good_with_pytest_asyncio():
        await is_fine()


    @pytest.mark.anyio
    async def test_good_with_anyio():
        await is_fine()


    def test_good_without_a_loop():
        call_of_a_slow_service()
        asyncio.run(asyncio.sleep(0))
        call_of_a_slow_service()


    def test_good_between_two_runs_of_one_loop():
        with asyncio.Runner() as runner:
            runner.run(asyncio.sleep(0.01))
            call_of_a_slow_service()
            runner.run(asyncio.sleep(0.01))


    def test_good_that_imports_what_takes_long():
        async def main():
            await asyncio.sleep(0.01)
            import takes_long

        asyncio.run(main())


    @pytest.mark.freeloop(max_block_ms=None)
    def test_good_that_is_allowed_to():
        asyncio.run(waits())


    @pytest.mark.xfail(strict=True, raises=pytest.fail.Exception)
    def test_good_that_is_expected_to_fail():
        asyncio.run(waits())
"""
ANYIO = """
    import pytest

    @pytest.fixture
    def anyio_backend():
        return "asyncio"
"""


@pytest.fixture
def planted(pytester: pytest.Pytester) -> pytest.Pytester:
    """A suite of tests of which some hold the loop."""
    pytester.makepyfile(test_planted=PLANTED, takes_long="import time\ntime.sleep(0.3)\n")
    pytester.makeconftest(ANYIO)
    return pytester


def outcomes(result: pytest.RunResult) -> dict[str, set[str]]:
    """Return the names of the tests by how they ended."""
    found: dict[str, set[str]] = {}
    for line in result.outlines:
        place, _, outcome = line.partition(" ")
        if "::" in place and outcome:
            found.setdefault(outcome.split()[0], set()).add(place.rpartition("::")[2])
    return found


@pytest.mark.usefixtures("planted")
def test_exactly_the_planted_tests_fail(run: Run) -> None:
    """A guard that cries wolf is switched off, one that sleeps is worse."""
    arguments = ("-v", "--freeloop-watch=200", "--strict-markers", "-W", "error")
    result = run(*arguments, plugins=("asyncio", "anyio"))

    ended = outcomes(result)
    names = {name for found in ended.values() for name in found}
    bad = {name for name in names if name.startswith("test_bad_")}
    assert (len(bad), len(names)) == (7, 16)
    assert ended["FAILED"] == bad, result.stdout.str()
    assert ended["PASSED"] | ended["XFAIL"] == names - bad


@pytest.mark.usefixtures("planted")
def test_the_failure_names_line_stack_cause_and_mend(run: Run) -> None:
    """The line, not the test alone: it may be five calls away, in the project."""
    result = run("--freeloop-watch=200", "-k", "test_bad_in_asyncio_run")

    result.assert_outcomes(failed=1, deselected=15)
    result.stdout.re_match_lines(
        [
            r"the event loop was held for \d+ ms \(measured\); allowed: 200 ms",
            r"  line   test_planted.py:8 call_of_a_slow_service",
            r"  cause  wait: held by a waiting call",
            r"  stack  test_planted.py:8 call_of_a_slow_service",
            r"         test_planted.py:19 waits",
            r"  mend   await it, .*@pytest.mark.freeloop\(max_block_ms=\d+\)",
        ]
    )


@pytest.mark.usefixtures("planted")
def test_without_the_option_only_marked_tests_are_guarded(run: Run) -> None:
    result = run("-v", "-k", "computing or stricter", plugins=("asyncio", "anyio"))

    assert outcomes(result) == {
        "PASSED": {"test_bad_computing"},
        "FAILED": {"test_bad_by_a_stricter_mark"},
    }


def test_the_option_may_stand_in_the_settings_of_pytest(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makeini("[pytest]\nfreeloop_watch = 200\n")
    pytester.makepyfile(PLANTED)

    result = run("-k", "test_bad_in_asyncio_run")

    result.assert_outcomes(failed=1, deselected=15)


def test_a_loop_in_another_thread_and_one_of_a_fixture_are_watched_too(
    run: Run, pytester: pytest.Pytester
) -> None:
    """Servers run in threads; clients are connected in fixtures."""
    pytester.makepyfile("""
        import asyncio, threading, time
        import pytest

        async def waits():
            await asyncio.sleep(0.01)
            time.sleep(0.3)

        @pytest.fixture
        def connected():
            asyncio.run(waits())

        def test_of_the_fixture(connected):
            pass

        def test_of_the_thread():
            async def patient():
                await asyncio.sleep(0.6)

            thread = threading.Thread(target=lambda: asyncio.run(waits()))
            thread.start()
            asyncio.run(patient())
            thread.join()
    """)

    result = run("--freeloop-watch=200")

    result.assert_outcomes(failed=1, errors=1)


@pytest.mark.parametrize(
    ("mark", "problem"),
    [
        ("max_blok_ms=5", "has no max_blok_ms; did you mean max_block_ms?"),
        ("max_hops='few'", "max_hops must be a number or None, not 'few'"),
    ],
)
def test_a_mark_that_would_guard_nothing_is_refused(
    run: Run, pytester: pytest.Pytester, mark: str, problem: str
) -> None:
    pytester.makepyfile(f"""
        import pytest

        @pytest.mark.freeloop({mark})
        def test_something():
            pass
    """)

    result = run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*test_something: @pytest.mark.freeloop {problem}*"])
    assert "Traceback" not in result.stderr.str()


def test_what_is_no_threshold_is_refused(run: Run, pytester: pytest.Pytester) -> None:
    """`--freeloop-watch tests/` takes the folder for the number."""
    result = run("--freeloop-watch", "tests")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--freeloop-watch*tests*"])


def test_a_suite_that_uses_nothing_of_it_imports_nothing_of_it(
    run: Run, pytester: pytest.Pytester
) -> None:
    """It is loaded in every suite of an environment that has freeloop."""
    pytester.makepyfile("""
        import sys

        def test_something(request):
            ours = {name for name in sys.modules if name.partition(".")[0] == "freeloop"}
            assert ours == {
                "freeloop", "freeloop.pytest_plugin", "freeloop.pytest_plugin.names"
            }
            assert not {"django", "rich", "click", "asgiref"} & set(sys.modules)
            assert not request.config.pluginmanager.has_plugin("freeloop-guard")
    """)

    run("--strict-markers").assert_outcomes(passed=1)


def test_it_is_installed_as_a_plugin_of_pytest() -> None:
    """Nobody has to name it."""
    (found,) = metadata.entry_points(group="pytest11", name="freeloop")

    assert found.value == "freeloop.pytest_plugin"
