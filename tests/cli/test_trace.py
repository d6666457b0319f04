"""`freeloop trace` as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_bench import freeloop
from tests.projects.written import write_project

VIEW = """
import asyncio
from django.http import HttpResponse

async def view(request):
    await asyncio.sleep(0.01)
    return HttpResponse("soup")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of one async view."""
    folder = tmp_path_factory.mktemp("site")
    write_project(folder, VIEW)
    return folder


@pytest.mark.real
def test_a_trace_goes_to_standard_output_a_file_and_perfetto(site: Path, tmp_path: Path) -> None:
    """One run, three uses; the file shows the same when it is opened again."""
    file, perfetto = tmp_path / "trace.json.gz", tmp_path / "perfetto.json"

    ended = freeloop(
        "trace", "/view/?token=hunter2", "--format", "json", "--output", str(file),
        "--perfetto", str(perfetto), cwd=site,
    )  # fmt: skip
    again = freeloop("trace", "--open", str(file), "--format", "json", cwd=tmp_path)

    assert ended.returncode == 0, ended.stderr
    trace = json.loads(ended.stdout)
    assert trace["schema"] == "freeloop.trace/1"
    assert trace["results"][0]["request"]["view"] == "site_views.view"
    assert json.loads(again.stdout) == trace
    assert "hunter2" not in ended.stdout + perfetto.read_text()
    assert json.loads(perfetto.read_text())["traceEvents"]


@pytest.mark.real
def test_the_project_may_live_in_an_interpreter_without_freeloop(
    site: Path, tmp_path: Path
) -> None:
    """`uvx freeloop trace --python .venv`: the recorder is loaded from freeloop's own place."""
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    (installed,) = bare.glob("lib/python*/site-packages")
    import asgiref
    import django
    import sqlparse

    for package in (asgiref, django, sqlparse):
        place = Path(package.__file__ or "").parent
        (installed / place.name).symlink_to(place)
        (info,) = place.parent.glob(f"{place.name}-*.dist-info")
        (installed / info.name).symlink_to(info)

    ended = freeloop("trace", "/view/", "--python", str(bare), "--format", "json", cwd=site)

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["results"][0]["request"]["status"] == 200


@pytest.mark.real
@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        (["trace"], "nothing-to-trace"),
        (["trace", "/view/", "--open", "x.json"], "two-ways"),
        (["trace", "--open", "absent.json"], "no-trace-file"),
        (["trace", "/vieww/"], "no-such-path"),
        (["trace", "/view/", "--output", "absent/x.json"], "cannot-write"),
        (["trace", "/view/", "--user", "cook"], "no-login"),
    ],
)
def test_bad_input_is_one_clear_error(site: Path, arguments: list[str], slug: str) -> None:
    """What, where, and how to mend it; never a traceback."""
    ended = freeloop(*arguments, cwd=site)

    assert ended.returncode == 2, ended.stderr
    assert slug in ended.stderr
    assert "mend" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        (["--what-if", "awaited"], "predict-missing"),
        (["--predict", "--wsgi"], "predict-alone"),
        (["--predict", "--what-if", "awated"], "bad-what-if"),
        (["--predict", "--what-if", "pool=many"], "bad-what-if"),
    ],
)
def test_a_prediction_that_cannot_be_is_refused_before_anything_runs(
    arguments: list[str], slug: str, tmp_path: Path
) -> None:
    """A minute of bursts, and then a misspelt word, would be lost."""
    ended = freeloop("trace", "/view/", *arguments, cwd=tmp_path)

    assert ended.returncode == 2
    assert f"[{slug}]" in ended.stderr


def test_a_misspelt_change_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    ended = freeloop("trace", "/view/", "--predict", "--what-if", "gatherd", cwd=tmp_path)

    assert "did you mean gathered?" in ended.stderr


@pytest.mark.real
@pytest.mark.needs("linux")
@pytest.mark.timeout(300)
def test_a_prediction_goes_to_the_terminal_and_onto_the_page(site: Path, tmp_path: Path) -> None:
    """Traced once, loaded in bursts, shown twice."""
    page = tmp_path / "trace.html"

    ended = freeloop(
        "trace", "/view/", "--predict", "--concurrency", "20", "--what-if", "gathered",
        "--html", str(page), cwd=site,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stderr
    assert "20 in flight" in ended.stdout
    assert "gunicorn:gthread, 20 threads" in ended.stdout
    assert "uvicorn with relief" in ended.stdout
    assert "no gain: nothing waits one after another" in " ".join(ended.stdout.split())
    assert 'id="prediction"' in page.read_text()
