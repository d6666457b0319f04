"""`simulate_stack` on a project, and what is shown of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from freeloop.api import simulate_stack
from freeloop.errors import FreeloopError
from freeloop.model.stack import StackReport
from freeloop.render.json_output import dump_stack
from freeloop.render.stack_table import show_stack

SETTINGS = """
SECRET_KEY = "small" * 10
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
MIDDLEWARE = ["own.audit", *[f"django.middleware.{name}Middleware" for name in (
    "security.Security", "common.Common", "csrf.CsrfView", "clickjacking.XFrameOptions")]]
"""
OWN = """
def audit(get_response):
    def middleware(request):
        return get_response(request)
    return middleware
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of four files with one sync middleware, outside of the others."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "manage.py").write_text(
        "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'small')\n"
    )
    (folder / "small.py").write_text(SETTINGS)
    (folder / "urls.py").write_text("urlpatterns = []\n")
    (folder / "own.py").write_text(OWN)
    return folder


@pytest.fixture(scope="module")
def report(project: Path) -> StackReport:
    """Simulated once for the tests below."""
    return simulate_stack(start=project)


def test_the_stack_of_a_project_is_simulated_in_its_own_interpreter(report: StackReport) -> None:
    """Fewer hops with the sync one below; none, and no thread held, without it."""
    said = report.simulation

    assert said.sync_only == ("own.audit",)
    assert said.best.middleware[-1] == "own.audit"
    assert said.current.async_view.stock is not None
    assert said.best.async_view.stock is not None
    assert said.best.async_view.stock.hops < said.current.async_view.stock.hops
    assert (said.current.held, said.rewritten.held) == (1, 0)
    assert said.explanation.settings == "small"


def test_each_layer_and_what_would_cost_less_are_shown(report: StackReport) -> None:
    """Every number says whether it is computed, measured or estimated."""
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115

    with console.file:
        show_stack(report, console)
        shown = console.export_text()

    assert "own.audit" in shown
    assert "sync only" in shown
    assert "us (measured)" in shown
    assert "ms (estimated), 1 thread held while it waits" in shown
    assert "Rewrite own.audit for async: 12 -> 10 hops" in shown
    assert "own.audit    <- moved" in shown
    assert max(len(line) for line in shown.splitlines()) <= 100


def test_the_same_is_there_as_json(report: StackReport) -> None:
    said = json.loads(dump_stack(report))

    assert said["schema"] == "freeloop.stack/1"
    assert said["orders"]["best"]["moved"] == ["own.audit"]
    assert [each["mode"] for each in said["results"] if each["name"] == "own.audit"] == ["sync"]
    assert said["environment"]["django"]


def test_a_project_that_is_not_there_is_an_error_that_can_be_mended(tmp_path: Path) -> None:
    with pytest.raises(FreeloopError) as caught:
        simulate_stack(start=tmp_path)

    assert caught.value.mend
