"""The project is set up once, in this process; what a test changed is put back."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.conf import settings

from freeloop import relief
from tests.relief.safety.exchange import on_a_loop
from tests.relief.safety.project.settings import for_folder
from tests.relief.safety.project.told import let_go, said


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Django with the project of this folder, one user, and an empty database besides."""
    import django

    assert not settings.configured, "another test set up Django in this process"
    settings.configure(**for_folder(tmp_path_factory.mktemp("project")))
    django.setup()

    async def prepare() -> None:
        from asgiref.sync import ThreadSensitiveContext, sync_to_async

        async with ThreadSensitiveContext():
            await sync_to_async(_prepare)()

    on_a_loop(prepare)


def _prepare() -> None:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    User.objects.create_user("anna", password="secret")
    connections.close_all()


@pytest.fixture(autouse=True)
def _as_found(project: None) -> Iterator[None]:
    """A test that leaves relief installed would decide what the next one sees."""
    said.clear()
    let_go.clear()
    yield
    relief.uninstall()


@pytest.fixture(params=[False, True], ids=["stock", "relief"])
def both(request: pytest.FixtureRequest) -> bool:
    """Whether relief is installed; stock shows that the test holds without it."""
    return bool(request.param)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """Every thread that is started, in order."""
    threads: list[threading.Thread] = []
    start = threading.Thread.start

    def counted_start(thread: threading.Thread) -> None:
        threads.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", counted_start)
    return threads
