"""`freeloop bench` as a user runs it: real servers, real answers, real exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.projects.written import write_project

CAFE = Path(__file__).resolve().parents[2] / "examples" / "cafe"


def freeloop(
    *arguments: str, cwd: Path = CAFE, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command in a project and return how it ended."""
    clean = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, "-m", "freeloop", *arguments],
        cwd=cwd,
        env={**clean, "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@pytest.mark.real
@pytest.mark.alone
def test_one_view_gets_a_verdict_that_json_repeats_and_a_gate_reads(tmp_path: Path) -> None:
    """The main job: one path in, one answer to one question out, with its basis and interval."""
    file, page = tmp_path / "run.json", tmp_path / "report.html"

    ended = freeloop(
        "bench", "hello-sync", "-c", "8", "--max-rounds", "5",
        "--json", str(file), "--html", str(page), "--fail-if", "p99 > 0ms",
    )  # fmt: skip

    assert ended.returncode == 1, ended.stderr
    assert "--fail-if p99 > 0ms: true of" in ended.stderr
    run = json.loads(file.read_text())
    (result,) = run["results"]
    assert run["schema"] == "freeloop.run/1"
    assert (result["question"], result["concurrency"]) == ("serve", 8)
    assert result["answer"] in {"helps", "no_difference", "hurts", "unknown"}
    assert result["rounds"] == 5
    assert result["basis"] in {"measured", "estimated"}
    assert result["low"] < result["ratio"] < result["high"]
    assert result["observed"]["b"]["threads_started"] > result["observed"]["a"]["threads_started"]
    assert re.search(r"^ *database +default: sqlite3", ended.stdout, re.MULTILINE)
    assert page.read_text().startswith("<!doctype html>")
    assert f"report: {page}" in ended.stdout
    # Serving a sync view elsewhere says nothing about its async twin.
    assert "rewrite: unknown; give --pair, or run trace --predict" in ended.stdout
    assert "Async" not in ended.stdout


@pytest.mark.real
@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        (["bench"], "nothing-to-bench"),
        (["bench", "/hello/async/", "--settings", "cafe.absent"], "settings"),
        (["bench", "hello-asinc"], "no-such-view"),
        (["bench", "/hallo/async/"], "no-such-path"),
        (["bench", "--a", "waitress /x/", "--b", "uvicorn /x/"], "unknown-server"),
        (["bench", "--a", "uvicorn /x/"], "half-a-pair"),
        (["bench", "/x/", "--pair", "/a/", "/b/"], "two-ways"),
        (["bench", "--plan", "absent.toml"], "no-such-file"),
        (["bench", "/x/", "--fail-if", "p77 > 1ms"], "bad-condition"),
        (["bench", "/x/", "--html", "absent/report.html"], "cannot-write"),
        (["bench", "http://example.org/"], "not-loopback"),
        (["bench", "/x/", "--python", "/absent/python"], "python"),
    ],
)
def test_bad_input_is_one_clear_error(arguments: list[str], slug: str) -> None:
    """What, where, and how to mend it; never a traceback."""
    ended = freeloop(*arguments)

    assert ended.returncode == 2, ended.stderr
    assert slug in ended.stderr
    assert "mend" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_a_missing_extra_names_its_install_command() -> None:
    """`pip install freeloop` alone has no load client."""
    hide = "import sys; sys.modules['numpy'] = None; from freeloop.cli.main import run; "

    ended = subprocess.run(
        [sys.executable, "-c", hide + "run(['bench', '/x/'])"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 2
    assert "missing-extra" in ended.stderr
    assert "freeloop[bench]" in ended.stderr


@pytest.mark.real
def test_a_view_that_raises_is_refused_before_any_load(tmp_path: Path) -> None:
    """Loading an error page would measure the error page."""
    write_project(tmp_path, "def view(request):\n    raise ValueError('no soup')\n")

    ended = freeloop("bench", "/view/", cwd=tmp_path)

    assert ended.returncode == 2
    assert "view-raises" in ended.stderr
    assert "no soup" in ended.stderr


@pytest.mark.real
def test_a_view_that_raises_is_shown_where_the_project_mutes_every_log(tmp_path: Path) -> None:
    """LOGGING disables the loggers there are, and without DEBUG Django writes to ADMINS only."""
    write_project(tmp_path, "def view(request):\n    raise ValueError('no soup')\n")
    with (tmp_path / "site_settings.py").open("a") as settings:
        settings.write("LOGGING = {'version': 1}\nDEBUG_PROPAGATE_EXCEPTIONS = True\n")

    ended = freeloop("bench", "/view/", cwd=tmp_path)

    assert "view-raises" in ended.stderr
    assert "ValueError: no soup" in ended.stderr


@pytest.mark.real
def test_a_redirect_names_the_page_that_it_leads_to(tmp_path: Path) -> None:
    """Sites in several languages answer / with a redirect."""
    write_project(
        tmp_path,
        "from django.http import HttpResponseRedirect\n"
        "def view(request):\n"
        "    return HttpResponseRedirect(request.build_absolute_uri('/en/view/?x=1'))\n",
    )

    ended = freeloop("bench", "/view/", cwd=tmp_path)

    assert ended.returncode == 2
    assert "wrong-status" in ended.stderr
    assert "/en/view/?x=1, or set expect.status" in ended.stderr


@pytest.mark.real
def test_a_project_that_goes_by_the_host_name_can_be_given_one(tmp_path: Path) -> None:
    """Tenants and sites choose by Host, whatever ALLOWED_HOSTS says, and answer 404 to others."""
    write_project(
        tmp_path,
        "from django.http import Http404, HttpResponse\n"
        "def view(request):\n"
        "    if request.get_host() != 'shop.example':\n        raise Http404\n"
        "    return HttpResponse('the shop')\n",
    )
    named = tmp_path / "requests.toml"
    named.write_text(
        'format = 1\n[[request]]\nname = "shop"\nurl = "/view/"\n'
        'headers = { host = "shop.example" }\nexpect = { contains = "another shop" }\n'
    )

    plain = freeloop("bench", "/view/", cwd=tmp_path)
    given = freeloop("bench", "shop", "--requests", str(named), cwd=tmp_path)

    assert "asked with Host: 127.0.0.1" in plain.stderr
    assert '{Host = "..."}' in plain.stderr
    assert "wrong-body" in given.stderr
    assert "'the shop'" in given.stderr


@pytest.mark.real
def test_a_view_behind_a_login_names_the_mend(tmp_path: Path) -> None:
    """A redirect to the login page answers quickly and means nothing."""
    write_project(
        tmp_path,
        "from django.http import HttpResponseRedirect\n"
        "def view(request):\n    return HttpResponseRedirect('/accounts/login/?next=/view/')\n",
    )

    ended = freeloop("bench", "/view/", cwd=tmp_path)

    assert ended.returncode == 2
    assert "needs-login" in ended.stderr
    assert "--user" in ended.stderr


@pytest.mark.real
def test_a_method_that_writes_needs_permission(tmp_path: Path) -> None:
    """A benchmark repeats a request thousands of times."""
    requests = tmp_path / "requests.toml"
    requests.write_text('format = 1\n[[request]]\nname = "order"\nurl = "/x/"\nmethod = "post"\n')

    ended = freeloop("bench", "order", "--requests", str(requests))

    assert ended.returncode == 2
    assert "writes-not-allowed" in ended.stderr
    assert "--allow-writes" in ended.stderr


@pytest.mark.real
def test_manage_py_forwards_to_the_command(tmp_path: Path) -> None:
    """`manage.py freeloop` is the same door for those who live in manage.py."""
    write_project(tmp_path, "def view(request):\n    ...\n", apps=["freeloop"])

    ended = subprocess.run(
        [sys.executable, "manage.py", "freeloop", "bench", "--fail-if", "nonsense", "/view/"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 2
    assert "bad-condition" in ended.stderr


@pytest.mark.real
def test_doctor_says_what_is_there() -> None:
    """Each row has a state in words; the sample project has what it needs."""
    ended = freeloop("doctor", "--format", "json")

    rows = {row["name"]: row for row in json.loads(ended.stdout)["results"]}
    assert ended.returncode == 0, ended.stdout
    assert rows["settings"]["state"] == "ok"
    assert {"server: gunicorn", "server: uvicorn", "server: granian"} <= set(rows)


@pytest.mark.real
def test_doctor_helps_where_there_is_no_project(tmp_path: Path) -> None:
    """The place where most people start: nothing is set up yet."""
    ended = freeloop("doctor", cwd=tmp_path)

    assert ended.returncode == 1
    assert "--settings" in ended.stdout
    assert "Traceback" not in ended.stderr
