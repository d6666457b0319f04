"""`freeloop relief` as a user runs it: in a project, beside it, in another interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_bench import CAFE, freeloop

SETTINGS = """
SECRET_KEY = "small" * 10
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
"""
URLS = """
import asyncio
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.urls import path

async def plain(request):
    return HttpResponse(b"plain")

async def writes(request):
    request.session["seen"] = True
    return HttpResponse(b"written")

def lookup():
    return b"looked up"

async def hops(request):
    return HttpResponse(await sync_to_async(lookup)())

def fails(request):
    raise RuntimeError("not today")

urlpatterns = [
    path("plain/", plain, name="plain"), path("writes/", writes), path("hops/", hops),
    path("fails/", fails),
]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of three files, with no database."""
    (tmp_path / "manage.py").write_text(
        "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'small')\n"
    )
    (tmp_path / "small.py").write_text(SETTINGS)
    (tmp_path / "urls.py").write_text(URLS)
    return tmp_path


def report(project: Path, *arguments: str) -> dict[str, object]:
    """Return what the command says as JSON."""
    ended = freeloop("relief", "--explain", "--format", "json", *arguments, cwd=project)
    assert ended.returncode == 0, ended.stderr
    said: dict[str, object] = json.loads(ended.stdout)
    return said


def test_the_sample_project_is_explained_without_a_request_or_a_database() -> None:
    """The seven default middleware: 15 hops, none with relief."""
    before = set(CAFE.iterdir())

    ended = freeloop("relief", "--explain", COLUMNS="160")

    assert ended.returncode == 0, ended.stderr
    assert "15 -> 0" in ended.stdout
    assert "hops, computed" in ended.stdout
    assert "one hop if the session was modified" in ended.stdout
    assert "counted" not in ended.stdout.replace("one counted request", "")
    assert set(CAFE.iterdir()) == before


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_no_line_is_wider_than_the_terminal(project: Path, columns: str) -> None:
    """A wrapped table cannot be read."""
    ended = freeloop("relief", "--explain", "--count", "/writes/", cwd=project, COLUMNS=columns)

    assert ended.returncode == 0, ended.stderr
    assert max(map(len, ended.stdout.splitlines())) <= int(columns)


def test_a_count_confirms_what_was_computed(project: Path) -> None:
    """By view name; both numbers say which of the two they are."""
    ended = freeloop("relief", "--explain", "--count", "plain", "--quiet", cwd=project)

    assert ended.returncode == 0, ended.stderr
    assert "async view: 8 -> 0 hops, " in ended.stdout
    assert "GET /plain/ (async view urls.plain): 8 -> 0 hops" in " ".join(ended.stdout.split())
    assert ended.stdout.count("counted as computed") == 2


def test_a_hop_more_than_computed_is_named_with_its_reason(project: Path) -> None:
    """A session that was written, and a hop of the view's own."""
    written = report(project, "--count", "/writes/")["counted"]
    hopping = report(project, "--count", "/hops/")["counted"]

    assert isinstance(written, dict)
    assert isinstance(hopping, dict)
    assert written["stock_differences"] == []
    assert [
        (each["function"].rpartition(".")[2], each["times"], each["why"])
        for each in written["relieved_differences"]
    ] == [("process_response", 1, "guard"), ("close", 1, "closing")]
    assert "session was modified" in written["relieved_differences"][0]["words"]
    assert hopping["stock_differences"][0] == {
        "function": "urls.lookup",
        "times": 1,
        "why": "other",
        "words": "",
    }


def test_an_answer_that_is_an_error_is_not_compared_in_silence(project: Path) -> None:
    """Computed is a successful GET."""
    ended = freeloop("relief", "--explain", "--count", "/fails/", cwd=project)

    assert ended.returncode == 0, ended.stderr
    assert "the answer was 500" in ended.stdout
    assert "process_exception_by_middleware" in ended.stdout


def test_the_json_holds_every_piece_and_every_name(project: Path) -> None:
    """Numbered, so that readers know what they read."""
    said = report(project)

    assert said["schema"] == "freeloop.relief/1"
    assert said["basis"] == "computed"
    assert said["counted"] is None
    results = said["results"]
    assert isinstance(results, list)
    assert [each["name"].rpartition(".")[2] for each in results] == [
        "request_started",
        "SecurityMiddleware",
        "SessionMiddleware",
        "CommonMiddleware",
        "the view",
        "closing the response",
        "the request's thread",
    ]
    hops = [name for each in results for name in each["async_view"]["stock"]["to_thread"]]
    assert len(hops) == 8


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        (("--count", "/plaim/"), "no-such-path"),
        (("--count", "plaim"), "no-such-view"),
        (("--count", "http://example.org/"), "not-loopback"),
        (("--settings", "absent"), "settings-do-not-import"),
        (("--python", "absent"), "no-interpreter"),
    ],
)
def test_a_mistake_is_told_with_its_mend(
    project: Path, arguments: tuple[str, ...], slug: str
) -> None:
    """Exit code 2, no traceback."""
    ended = freeloop("relief", "--explain", *arguments, cwd=project)

    assert ended.returncode == 2
    assert f"[{slug}]" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_nothing_to_do_is_a_wrong_use(project: Path) -> None:
    """The command may learn to do more."""
    ended = freeloop("relief", cwd=project)

    assert ended.returncode == 2
    assert "--explain" in ended.stderr


@pytest.fixture
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with Django and without freeloop."""
    environment = tmp_path_factory.mktemp("bare") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    inside = next(environment.glob("lib/python*/site-packages"))
    packages = Path(next(path for path in sys.path if path.endswith("site-packages")))
    for name in ("django", "asgiref", "sqlparse"):
        for found in [packages / name, *packages.glob(f"{name}-*.dist-info")]:
            (inside / found.name).symlink_to(found)
    return environment


def test_freeloop_need_not_be_installed_in_the_project(project: Path, bare: Path) -> None:
    """`uvx freeloop relief` and a project of its own interpreter."""
    seen = subprocess.run(
        [bare / "bin" / "python", "-c", "import freeloop"],
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        check=False,
    )
    assert seen.returncode != 0

    said = report(project, "--python", str(bare), "--count", "/plain/")

    counted = said["counted"]
    assert isinstance(counted, dict)
    assert (counted["stock_differences"], counted["relieved_differences"]) == ([], [])


def test_another_freeloop_in_the_project_is_told(project: Path) -> None:
    """An older one that has no relief must not end in a traceback."""
    (project / "freeloop.py").write_text("__version__ = '0.0.1'\n")

    # Not by `-m`, which would run the project's.
    ended = subprocess.run(
        [Path(sys.executable).with_name("freeloop"), "relief", "--explain", "--settings", "small"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2, ended.stdout
    assert "[other-freeloop]" in ended.stderr
    assert "0.0.1" in ended.stderr


def test_a_project_that_is_relieved_already_is_counted_stock_too(project: Path) -> None:
    """FREELOOP["RELIEF"]["ENABLED"] installs relief when the apps load."""
    with (project / "small.py").open("a") as settings:
        settings.write('INSTALLED_APPS = ["freeloop"]\nFREELOOP = {"RELIEF": {"ENABLED": True}}\n')

    counted = report(project, "--count", "/plain/")["counted"]

    assert isinstance(counted, dict)
    assert len(counted["stock"]["charge"]["to_thread"]) == 8
    assert counted["relieved"]["charge"]["to_thread"] == []
