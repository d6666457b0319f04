"""The house's own mechanisms: what is missing is loud, what is left behind fails."""

from __future__ import annotations

from pathlib import Path

import pytest

NEEDY = """
    from __future__ import annotations
    import pytest

    @pytest.mark.needs("no-such-distribution")
    def test_needs_something_absent():
        pass

    @pytest.mark.needs("pytest")
    def test_needs_something_present():
        pass
"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A pytest of its own that uses the plugins of this test suite."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("FREELOOP_REQUIRE", raising=False)
    return pytester


def test_a_missing_program_is_named_in_the_summary(inner: pytest.Pytester) -> None:
    """A skip that nobody sees reads like a pass."""
    inner.makepyfile(NEEDY)

    result = inner.runpytest_subprocess("-p", "tests.needs")

    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(
        ["*left out*", "1 tests: no-such-distribution is missing; pip install*"]
    )


@pytest.mark.parametrize(("name", "value"), [("FREELOOP_REQUIRE", "all"), ("CI", "true")])
def test_a_missing_program_fails_where_all_is_required(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """CI proves nothing when it may leave tests out."""
    monkeypatch.setenv(name, value)
    inner.makepyfile(NEEDY)

    result = inner.runpytest_subprocess("-p", "tests.needs")

    result.assert_outcomes(passed=1, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize("detached", [False, True])
def test_a_process_left_behind_fails_the_session(inner: pytest.Pytester, detached: bool) -> None:
    """A server in a session of its own is found as well as a plain child."""
    inner.makepyfile(f"""
        import subprocess, sys

        def test_starts_a_process_and_forgets_it():
            again = "import time; time.sleep(20)"
            start = (
                "import subprocess, sys;"
                f"subprocess.Popen([sys.executable, '-c', {{again!r}}], start_new_session=True)"
            )
            if {detached}:
                subprocess.run([sys.executable, "-c", start], check=True)
            else:
                global child
                child = subprocess.Popen([sys.executable, "-c", again])
    """)
    inner.makeconftest("""
        import os, psutil, pytest, tests.leftovers
        tests.leftovers.PATIENCE_S = 0.0

        @pytest.hookimpl(trylast=True)
        def pytest_unconfigure(config):
            mark = os.environ[tests.leftovers.SESSION]
            for line in config.stash[tests.leftovers.FOUND]:
                psutil.Process(int(line.split()[1])).kill()
    """)

    result = inner.runpytest_subprocess("-p", "tests.leftovers")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*left behind by the tests*", "process * still runs: *sleep*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_forgotten_port_fails_the_session(inner: pytest.Pytester) -> None:
    """A listening socket of the test process itself counts too."""
    inner.makepyfile("""
        import socket

        def test_forgets_a_socket():
            global listener
            listener = socket.create_server(("127.0.0.1", 0))
    """)

    inner.makeconftest("import tests.leftovers; tests.leftovers.PATIENCE_S = 0.0")

    result = inner.runpytest_subprocess("-p", "tests.leftovers")

    result.stdout.fnmatch_lines(["port * is still listened on"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize(
    "workers", [[], ["-p", "xdist.plugin", "-n", "2"]], ids=["alone", "side by side"]
)
def test_a_forgotten_temporary_file_fails_the_session(
    inner: pytest.Pytester, workers: list[str]
) -> None:
    """Also where a worker of pytest-xdist made it, or a program that a test started."""
    inner.makepyfile("""
        import subprocess, sys

        def test_forgets_a_file():
            make = "import tempfile; tempfile.mkstemp(suffix='-forgotten')"
            subprocess.run([sys.executable, "-c", make], check=True)
    """)
    inner.makeconftest("import tests.leftovers; tests.leftovers.PATIENCE_S = 0.0")

    result = inner.runpytest_subprocess("-p", "tests.leftovers", *workers)

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["temporary file *-forgotten is still there"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize(("end", "failed"), [("gate.wait(9)", True), ("None", False)])
def test_a_working_thread_fails_the_session_and_an_idle_executor_does_not(
    inner: pytest.Pytester, end: str, failed: bool
) -> None:
    """Asgiref keeps idle executor threads; the interpreter ends those by itself."""
    inner.makepyfile(f"""
        import threading
        from concurrent.futures import ThreadPoolExecutor

        gate = threading.Event()
        pool = ThreadPoolExecutor()

        def test_starts_threads():
            pool.submit(print, "idle from now on").result()
            threading.Thread(target=lambda: {end}, name="forgotten").start()
    """)
    inner.makeconftest("""
        import sys, tests.leftovers
        tests.leftovers.PATIENCE_S = 0.0

        def pytest_unconfigure(config):
            sys.modules[[name for name in sys.modules if name.startswith("test_a_")][0]].gate.set()
    """)

    result = inner.runpytest_subprocess("-p", "tests.leftovers")

    assert result.ret == (pytest.ExitCode.TESTS_FAILED if failed else pytest.ExitCode.OK)
    assert ("thread forgotten still runs" in result.stdout.str()) is failed
