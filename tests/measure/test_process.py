from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from freeloop.errors import FreeloopError
from freeloop.measure.process import _free_port
from freeloop.measure.servers import server_named, servers
from tests.measure.tiny import ROOT, answer, soon, text, tiny, told, tree

if TYPE_CHECKING:
    from freeloop.measure.process import ServerProcess

pytestmark = pytest.mark.real

NAMES = [server.name for server in servers()]


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.mark.parametrize("server", NAMES)
def test_a_server_starts_answers_and_leaves_nothing(server: str) -> None:
    """No process, no port, no file may outlive a measurement; the project stays as it was."""
    before = sorted(path for path in ROOT.rglob("*") if "__pycache__" not in path.parts)
    with tiny(server, workers=2, threads=2) as process:
        assert process.wait_ready("/") == 200
        assert text(process, "/") == "hello"
        started, port, directory = tree(process), process.port, process.sockets
        assert len(started) >= 3
        assert (directory / "freeloop_run_entry.py").exists()

    assert [one for one in started if one.is_running()] == []
    assert _port_is_free(port)
    assert not directory.exists()
    assert before == sorted(path for path in ROOT.rglob("*") if "__pycache__" not in path.parts)


@pytest.mark.parametrize("server", NAMES)
def test_a_broken_project_is_told_with_the_end_of_the_log(server: str) -> None:
    """The user sees the project's own traceback, not "connection refused"."""
    with tiny(server, settings="tiny.no_such_settings") as process:
        with pytest.raises(FreeloopError) as raised:
            process.wait_ready("/", timeout_s=15)
        directory = process.sockets

    assert raised.value.slug == "server-did-not-start"
    assert "No module named 'tiny.no_such_settings'" in raised.value.where
    assert server_named(server).distribution in raised.value.where
    assert not directory.exists()


def test_an_interpreter_that_does_not_exist_is_told() -> None:
    """`--python` may be wrong; the name that was tried is in the message."""
    process = tiny("uvicorn", python="/nowhere/python")

    with pytest.raises(FreeloopError) as raised:
        process.start()

    assert raised.value.slug == "server-did-not-start"
    assert "/nowhere/python" in raised.value.where


def test_a_server_that_does_not_answer_in_time_is_told() -> None:
    """A view that never answers ends in an error, not in a hanging benchmark."""
    with tiny("uvicorn") as process, pytest.raises(FreeloopError) as raised:
        process.wait_ready("/await/?ms=60000", timeout_s=2)

    assert raised.value.slug == "server-did-not-start"
    assert "in time" in raised.value.what


def test_a_given_port_that_is_taken_is_refused() -> None:
    """Another program's port is left alone."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        process = tiny("uvicorn", port=other.getsockname()[1])

        with pytest.raises(FreeloopError) as raised:
            process.start()

    assert raised.value.slug == "port-taken"


@pytest.mark.parametrize("server", ["uvicorn", "granian:wsgi"])
def test_a_port_that_is_lost_to_another_program_is_left_to_it(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between finding a free port and using it anyone may take it, and would be measured."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        ports = iter([taken, _free_port()])
        monkeypatch.setattr("freeloop.measure.process._free_port", lambda: next(ports))
        with tiny(server) as process:
            assert process.wait_ready("/") == 200
            assert process.port != taken


def test_the_status_of_the_first_answer_is_returned() -> None:
    """A host that ALLOWED_HOSTS refuses, or a view that raises, is for the caller to judge."""
    with tiny("gunicorn:gthread", host="elsewhere.example") as process:
        assert process.wait_ready("/") == 400


def test_settings_of_an_arm_replace_those_of_the_project_whole() -> None:
    """Nothing of the project's own value may be mixed into the arm's."""
    overrides = {"GREETING": "from the arm", "NESTED": {"replaced": 2}}
    with tiny("uvicorn", overrides=overrides) as process:
        process.wait_ready("/")
        shown = told(process, "/settings/")

    assert shown == {"greeting": "from the arm", "nested": {"replaced": 2}}


def test_an_application_that_insists_on_its_settings_is_not_measured_as_the_arm() -> None:
    """Silently serving the project's settings would make a verdict about nothing."""
    with (
        tiny("uvicorn", app="tiny.hard:application", overrides={"GREETING": "lost"}) as process,
        pytest.raises(FreeloopError) as raised,
    ):
        process.wait_ready("/", timeout_s=15)

    assert "settings of the arm are lost" in raised.value.where


def test_a_setting_that_json_cannot_carry_is_refused_before_anything_starts() -> None:
    """The override crosses to another interpreter as text."""
    process = tiny("uvicorn", overrides={"GREETING": object()})

    with pytest.raises(FreeloopError) as raised:
        process.start()

    assert raised.value.slug == "setting-not-plain"
    assert not process.sockets.exists()


def test_the_projects_own_application_is_served_when_named() -> None:
    """A project's asgi.py may wrap Django, for example to route WebSockets."""
    with tiny("uvicorn", app="tiny.asgi:application") as process:
        process.wait_ready("/")

        assert text(process, "/") == "hello"


def test_the_projects_own_application_may_name_its_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As it does in production, where nobody gives them on a command line."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    with tiny("uvicorn", app="tiny.asgi:application", settings=None) as process:
        assert process.wait_ready("/") == 200


def test_cores_that_do_not_exist_are_told() -> None:
    """A plan may come from a larger machine."""
    process = tiny("uvicorn", cores=(4000,))

    with pytest.raises(FreeloopError) as raised:
        process.start()

    assert raised.value.slug == "server-did-not-start"
    assert "cannot run the server" in raised.value.where


def test_a_server_whose_warden_was_killed_is_still_ended() -> None:
    """The kernel may choose it when memory runs out."""
    with tiny("gunicorn:gthread", workers=2) as process:
        process.wait_ready("/")
        started = tree(process)
        warden = psutil.Process(process.pid).parent()
        assert warden is not None
        warden.kill()

    assert soon(lambda: not any(one.is_running() for one in started))


def test_a_server_is_held_to_its_cores() -> None:
    """Server and client apart on the cores is what makes their rounds comparable."""
    core = min(os.sched_getaffinity(0))
    with tiny("granian:wsgi", cores=(core,)) as process:
        process.wait_ready("/")

        assert told(process, "/pid/")["cores"] == [core]


@pytest.mark.parametrize("server", ["gunicorn:gthread", "granian:asgi", "uvicorn"])
def test_stop_survives_a_worker_that_was_killed(server: str) -> None:
    """Out-of-memory kills happen under load; the rest must still be ended."""
    with tiny(server, workers=2) as process:
        process.wait_ready("/")
        started = tree(process)
        os.kill(told(process, "/pid/")["pid"], signal.SIGKILL)

    assert [one for one in started if one.is_running()] == []


def test_stop_may_be_called_at_any_time_and_twice() -> None:
    """An interrupt handler and a context manager may both call it."""
    process = tiny("uvicorn")
    process.stop()
    process.start()
    process.stop()
    process.stop()

    assert not process.alive()
    assert not process.sockets.exists()


def test_a_stopped_server_keeps_its_log_for_the_error_message() -> None:
    """What a server said before it fell is shown after it is gone."""
    with (
        contextlib.suppress(FreeloopError),
        tiny("uvicorn", settings="tiny.no_such_settings") as process,
    ):
        process.wait_ready("/", timeout_s=15)

    assert "no_such_settings" in process.log_tail()


_STARTS_AND_WAITS = """
import sys, time
from tests.measure.tiny import tiny
process = tiny(sys.argv[1], workers=2)
process.start()
process.wait_ready("/")
print(process.pid, process.port, process.sockets, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("server", ["gunicorn:gthread", "granian:asgi", "uvicorn"])
def test_nothing_outlives_a_freeloop_that_was_killed(server: str) -> None:
    """SIGKILL gives no chance to clean up: the warden does it."""
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    with subprocess.Popen(
        [sys.executable, "-c", _STARTS_AND_WAITS, server],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
    ) as killed:
        assert killed.stdout is not None
        pid, port, directory = killed.stdout.readline().split()
        root = psutil.Process(int(pid))
        started = [root, *root.children(recursive=True)]
        killed.kill()

    assert soon(lambda: not any(one.is_running() for one in started))
    assert soon(lambda: not Path(directory).exists())
    assert _port_is_free(int(port))


def test_an_interrupt_while_stopping_still_ends_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C is pressed twice by impatient people."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    process = tiny("gunicorn:gthread", workers=2)
    process.start()
    process.wait_ready("/")
    started, directory = tree(process), process.sockets
    monkeypatch.setattr("freeloop.measure.process._ask_for_end", interrupted)

    with pytest.raises(KeyboardInterrupt):
        process.stop()

    assert [one for one in started if one.is_running()] == []
    assert not directory.exists()


def test_variables_that_change_a_servers_options_are_kept_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """WEB_CONCURRENCY or GUNICORN_CMD_ARGS of the user's shell would make unequal arms."""
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--workers 3")
    with tiny("gunicorn:sync") as process:
        process.wait_ready("/")

        assert len(tree(process)) == 2


def test_a_stream_arrives_unchanged() -> None:
    """The entry must not buffer what the project streams."""
    with tiny("granian:asgi") as process:
        process.wait_ready("/")
        response, body = answer(process, "/stream/")

    assert response.status == 200
    assert body.count(b"data: ") == 3


def test_a_process_that_was_never_started_is_not_alive() -> None:
    """Asking early is no error."""
    process: ServerProcess = tiny("uvicorn")

    assert not process.alive()
    assert process.log_tail() == ""
