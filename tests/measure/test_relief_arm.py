"""Relief as an arm: the served process installs it, forbids it, or leaves it to the project."""

from __future__ import annotations

import json
import sysconfig
import venv
from pathlib import Path

import pytest

from freeloop.errors import FreeloopError
from freeloop.measure.agent_client import agent_report, agent_reset
from freeloop.measure.process import ServerProcess
from tests.measure.tiny import text, tiny, together, told

pytestmark = pytest.mark.real

WAITING = 20


def most_threads(process: ServerProcess) -> int:
    """Return how many threads the server has while so many requests only wait."""
    process.wait_ready("/")
    bodies = together(process, "/threads/?ms=400", WAITING)
    return max(int(json.loads(body)["threads"]) for body in bodies)


@pytest.fixture(scope="module")
def without_freeloop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an interpreter that has all that this one has, but freeloop."""
    folder = tmp_path_factory.mktemp("interpreter")
    venv.create(folder)
    python = folder / "bin" / "python"
    packages = next((folder / "lib").iterdir()) / "site-packages"
    for kind in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for each in Path(kind).iterdir():
            if "freeloop" not in each.name and not (packages / each.name).exists():
                (packages / each.name).symlink_to(each)
    return python


@pytest.mark.parametrize("server", ["uvicorn", "granian:asgi"])
def test_a_relieved_server_starts_no_thread_for_a_request_that_waits(server: str) -> None:
    """A thread for each of them is the first thing that stock Django charges."""
    with tiny(server) as stock:
        many = most_threads(stock)
    with tiny(server, relief=True) as relieved:
        few = most_threads(relieved)

    assert many >= WAITING
    assert few < WAITING / 2


def test_every_worker_is_relieved() -> None:
    """Each process imports the application, and so relief, for itself."""
    with tiny("uvicorn", workers=2, relief=True) as process:
        assert most_threads(process) < WAITING / 2


def test_relief_is_there_before_the_projects_own_application() -> None:
    """A handler keeps the middleware that it was built with."""
    with tiny("uvicorn", app="tiny.asgi:application", relief=True) as process:
        assert most_threads(process) < WAITING / 2


def test_an_interpreter_without_freeloop_is_lent_this_one(without_freeloop: Path) -> None:
    """Relief needs Django alone; nothing else of freeloop may come with it."""
    with tiny("uvicorn", relief=True, python=str(without_freeloop)) as process:
        few = most_threads(process)
        loaded = set(told(process, "/modules/"))
    with tiny("uvicorn", python=str(without_freeloop)) as process:
        process.wait_ready("/")
        not_asked = set(told(process, "/modules/"))

    assert few < WAITING / 2
    assert {"freeloop", "freeloop.relief"} <= loaded
    ours = {name for name in loaded if name.startswith("freeloop.")}
    assert {name.split(".")[1] for name in ours} == {"relief"}
    assert not any(name.startswith("freeloop.") for name in not_asked)


def test_a_project_that_took_relief_into_use_can_be_measured_without_it() -> None:
    """Otherwise it could never again be compared with stock Django."""
    with tiny("uvicorn", app="tiny.relieved:application") as process:
        few = most_threads(process)
    with tiny("uvicorn", app="tiny.relieved:application", relief=False) as process:
        many = most_threads(process)

    assert few < WAITING / 2
    assert many >= WAITING


def test_a_kill_switch_of_the_shell_does_not_reach_a_relieved_arm() -> None:
    """The plan says what is measured."""
    with tiny("uvicorn", relief=True, environment={"FREELOOP_RELIEF": "0"}) as process:
        assert most_threads(process) < WAITING / 2


def test_a_project_that_switches_relief_off_is_not_measured_as_relieved() -> None:
    """A verdict about nothing would be worse than none."""
    overrides = {"FREELOOP": {"RELIEF": {"ENABLED": False}}}
    with (
        tiny("uvicorn", relief=True, overrides=overrides) as process,
        pytest.raises(FreeloopError) as raised,
    ):
        process.wait_ready("/", timeout_s=15)

    assert raised.value.slug == "server-did-not-start"
    assert "the project switches relief off" in raised.value.where


def test_a_freeloop_without_relief_in_the_projects_interpreter_is_told(tmp_path: Path) -> None:
    """The project's own is what it will be deployed with, so it is not passed over."""
    (tmp_path / "freeloop").mkdir()
    (tmp_path / "freeloop" / "__init__.py").write_text("")
    with (
        tiny("uvicorn", relief=True, environment={"PYTHONPATH": str(tmp_path)}) as process,
        pytest.raises(FreeloopError) as raised,
    ):
        process.wait_ready("/", timeout_s=15)

    assert "a freeloop without relief" in raised.value.where


def test_an_observed_round_of_a_relieved_server_sees_that_no_thread_was_started() -> None:
    """The agent must not change what it watches."""
    with tiny("uvicorn", relief=True, observed=True) as process:
        process.wait_ready("/")
        text(process, "/await/?ms=1")
        agent_reset(process)
        together(process, "/await/?ms=50", WAITING)
        report = agent_report(process)

    assert report is not None
    assert report.requests == WAITING
    assert report.threads_started == 0


@pytest.mark.parametrize("server", ["uvicorn", "granian:asgi"])
@pytest.mark.parametrize("workers", [1, 2])
def test_models_that_were_imported_on_the_event_loop_cost_no_thread(
    server: str, workers: int
) -> None:
    """They leave a connection object in every request's context, which nobody ever opens."""
    apps = {"INSTALLED_APPS": ["django.contrib.contenttypes", "django.contrib.auth"]}
    with tiny(server, relief=True, workers=workers, overrides=apps, observed=True) as process:
        process.wait_ready("/")
        together(process, "/await/?ms=1", WAITING)
        agent_reset(process)
        together(process, "/await/?ms=1", WAITING)
        report = agent_report(process)

    assert report is not None
    assert report.threads_started == 0
