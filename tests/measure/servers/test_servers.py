from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from freeloop.errors import FreeloopError
from freeloop.measure.servers import installed, require, server_named, servers

if TYPE_CHECKING:
    from freeloop.measure.servers.base import Server


class _NotInstalled(type(server_named("uvicorn"))):  # type: ignore[misc] # the class is its own
    name = "nowhere"
    distribution = "freeloop-no-such-server"
    extras = ("its-extra",)


def test_the_servers_of_the_plan_vocabulary_are_found_by_walking_the_folder() -> None:
    """A server that nobody can name in a plan would be dead code; a missing one a broken plan."""
    names = [server.name for server in servers()]

    assert names == ["granian:asgi", "granian:wsgi", "gunicorn:gthread", "gunicorn:sync", "uvicorn"]


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("gunicorn:sync", 3),
        ("gunicorn:gthread", 24),
        ("granian:wsgi", 24),
        ("uvicorn", None),
        ("granian:asgi", None),
    ],
)
def test_the_thread_limit_is_what_the_server_handles_at_once(name: str, limit: int | None) -> None:
    """The cause "thread cap" and "what more threads would give" rest on this number."""
    assert server_named(name).thread_limit(workers=3, threads=8) == limit


@pytest.mark.parametrize("server", servers(), ids=lambda server: server.name)
def test_every_command_listens_on_loopback_only_without_access_log(server: Server) -> None:
    """Care: nothing is opened to the network, and writing a line per request is not measured."""
    command = server.command("python3", "entry", 4711, 2, 5)

    assert command[:2] == ["python3", "-m"]
    assert any("127.0.0.1" in word for word in command)
    assert any("4711" in word for word in command)
    assert not any(word in {"--access-log", "--access-logfile", "0.0.0.0"} for word in command)


def test_an_unknown_server_names_the_nearest_known_one() -> None:
    """A typing mistake is mended without opening the documentation."""
    with pytest.raises(FreeloopError) as raised:
        server_named("gunicorn:gthreads")

    assert raised.value.slug == "unknown-server"
    assert raised.value.mend == "did you mean gunicorn:gthread?"


def test_a_missing_server_is_named_with_its_install_command() -> None:
    """The project's interpreter decides, and the command is for that interpreter."""
    with pytest.raises(FreeloopError) as raised:
        _require_missing()

    assert raised.value.slug == "server-missing"
    assert raised.value.mend.startswith(f"{sys.executable} -m pip install freeloop-no-such-server")


def _require_missing() -> None:
    missing = _NotInstalled()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("freeloop.measure.servers.servers", lambda: (missing,))
        require(missing, sys.executable)


def test_versions_come_from_the_given_interpreter() -> None:
    """An isolated install of freeloop has other servers than the project."""
    versions = installed(sys.executable)

    assert set(versions) == {"granian", "gunicorn", "uvicorn"}
    assert versions["gunicorn"] is not None


def test_an_interpreter_that_does_not_run_is_said_so() -> None:
    """`--python` takes a path, and paths are mistyped."""
    with pytest.raises(FreeloopError) as raised:
        installed("/nowhere/python")

    assert raised.value.slug == "no-interpreter"
