"""The watch is on where it was asked for, costs no import, and one word turns it off."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from freeloop import watch


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Do nothing."""


def python(code: str, **environment: str) -> str:
    """Run code in a fresh interpreter and return what it printed, on either stream."""
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout + answer.stderr


def test_it_adds_no_module_to_an_asgi_project_but_its_own() -> None:
    loaded = python(
        "import django; from django.conf import settings; settings.configure()\n"
        "import django.core.asgi, sys\n"
        "before = set(sys.modules)\n"
        "import freeloop.watch; freeloop.watch.asgi(None); import freeloop.watch.seam\n"
        "print(*sorted(set(sys.modules) - before))"
    ).split()

    # `gc` is built in; `__future__` holds seven constants.
    assert {name.partition(".")[0] for name in loaded} <= {"freeloop", "gc", "__future__"}
    assert [name for name in loaded if name.startswith("freeloop.relief")] == []


def test_a_log_is_read_without_django() -> None:
    loaded = python("import sys, freeloop.watch.stretch; print(*sys.modules)").split()

    assert [name for name in loaded if name.partition(".")[0] in ("django", "asyncio")] == []


def test_the_environment_turns_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREELOOP_WATCH", "0")

    assert watch.asgi(application) is application


def configured(watch_table: str, code: str) -> list[str]:
    """Run code in a project with this table in its settings; return the words it printed."""
    start = (
        "import sys, types\n"
        "from django.conf import settings\n"
        f"settings.configure(FREELOOP={{'WATCH': {watch_table}}}, INSTALLED_APPS=['freeloop'],"
        " ALLOWED_HOSTS=['*'], ROOT_URLCONF='urls')\n"
        "urls = sys.modules['urls'] = types.ModuleType('urls'); urls.urlpatterns = []\n"
        "from freeloop import watch\n"
        "async def application(scope, receive, send): pass\n"
    )
    return python(start + code).split()


@pytest.mark.parametrize(
    ("table", "same"), [("{'ENABLED': False}", "True"), ("{'ENABLED': True}", "False")]
)
def test_the_setting_turns_it_off(table: str, same: str) -> None:
    assert configured(table, "print(watch.asgi(application) is application)") == [same]


@pytest.mark.parametrize(
    ("table", "module"),
    [
        ("{'ENABLED': True}", "freeloop.watch.wrapper"),
        ("{'ENABLED': False}", "django.core.handlers.asgi"),
        ("{}", "django.core.handlers.asgi"),
    ],
)
def test_the_setting_alone_turns_it_on(table: str, module: str) -> None:
    """Relief still finds Django's handler as it knows it."""
    said = configured(
        table,
        "from django.core.asgi import get_asgi_application\n"
        "from freeloop.relief.shapes import unknown_shapes\n"
        "print(get_asgi_application().__module__, len(unknown_shapes()))",
    )

    assert said == [module, "0"]


def test_the_setting_says_the_threshold() -> None:
    said = configured(
        "{'THRESHOLD_MS': 250}",
        "from freeloop.watch.watchdog import watchdog\n"
        "watch.asgi(application); print(watchdog.threshold_ns)\n"
        "watch.asgi(application, threshold_ms=30); print(watchdog.threshold_ns)",
    )

    assert said == ["250000000", "30000000"]


ANSWERS = """
import asyncio, sys
from django.conf import settings
settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None, MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
)
import logging, django
logging.disable()
django.setup()
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path
from django.core.asgi import get_asgi_application
from freeloop import relief, watch

async def plain(request):
    return HttpResponse("plain", headers={"X-Own": "1"})

def in_thread(request):
    return HttpResponse(request.GET["word"])

async def fails(request):
    raise LookupError("told to nobody")

async def stream(request):
    async def pieces():
        for each in "abc":
            await asyncio.sleep(0)
            yield each
    return StreamingHttpResponse(pieces())

urlpatterns = [path(f"{v.__name__}/", v) for v in (plain, in_thread, fails, stream)]

async def ask(application, path):
    sent, asked = [], []
    async def receive():
        if asked:
            await asyncio.Event().wait()
        asked.append(1)
        return {"type": "http.request", "body": b""}
    async def send(message):
        sent.append(message)
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"word=yes",
             "headers": [(b"host", b"a")], "asgi": {"version": "3.0"}}
    await asyncio.create_task(application(scope, receive, send))
    return sent

async def answers(wrap):
    application = wrap(get_asgi_application())
    paths = ("plain", "in_thread", "fails", "stream", "nowhere")
    return [await ask(application, f"/{each}/") for each in paths]

def wrapped(application):
    return watch.asgi(application)

found = [asyncio.run(answers(wrap)) for wrap in (lambda a: a, wrapped)]
relief.install()
found += [asyncio.run(answers(wrap)) for wrap in (lambda a: a, wrapped)]
print(all(each == found[0] for each in found), [each[0]["status"] for each in found[0]])
"""


def test_answers_are_the_same_with_and_without_it_and_with_relief() -> None:
    said = python(ANSWERS)

    assert said.split(maxsplit=1) == ["True", "[200, 200, 500, 200, 404]\n"]


PROGRAM = """
import logging
logging.getLogger("freeloop.watch").addHandler(logging.NullHandler())  # else: stderr
import asyncio, os, sys, time
from django.conf import settings
settings.configure()
from freeloop import watch

seen = []

async def application(scope, receive, send):
    time.sleep(0.08)
    await asyncio.sleep(0)

watched = watch.asgi(application, on_report=seen.append)

async def main():
    for _ in range(2):
        await asyncio.create_task(watched({"type": "http", "path": "/"}, None, None))
        await asyncio.sleep(0.1)

def blocks():
    return sum(each.kind == "block" for each in seen)
"""


def test_a_child_is_watched_after_a_fork() -> None:
    """As gunicorn forks its workers from a process that has loaded, even run, the project."""
    said = python(
        PROGRAM
        + """
asyncio.run(main())
from freeloop.watch.watchdog import watchdog
watchdog.stop()
before = blocks()
child = os.fork()
if not child:
    seen.clear()
    asyncio.run(main())
    watchdog.stop()
    os._exit(blocks())
print(before, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    )

    assert said.split() == ["2", "2"]


def test_a_fork_in_the_middle_of_a_loop_leaves_the_child_whole() -> None:
    said = python(
        PROGRAM
        + """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)

async def forks():
    await main()
    child = os.fork()
    if not child:
        from freeloop.watch.watchdog import watchdog
        os._exit(10 + len(watchdog.loops))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

print(asyncio.run(forks()))
"""
    )

    assert said.split() == ["10"]


def test_the_interpreter_ends_quietly_and_the_last_block_is_told() -> None:
    said = python(
        PROGRAM
        + """
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
loop.close()
from freeloop.watch.watchdog import watchdog
watchdog.stop()
print(blocks())
"""
    )

    assert said.split() == ["2"]


def test_the_interpreter_may_end_while_the_watchdog_sleeps() -> None:
    assert python(PROGRAM + "asyncio.run(main())") == ""
