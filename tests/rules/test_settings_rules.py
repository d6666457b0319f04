"""Rules that speak about settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.cases import check

URLS = "from django.urls import path\nfrom views import view\nurlpatterns = [path('a/', view)]\n"
ASYNC, SYNC = "async def view(request): return await x\n", "def view(request): return x\n"
BASE = 'ROOT_URLCONF = "urls"\nASGI_APPLICATION = "asgi.application"\n'


@pytest.mark.parametrize(
    ("settings", "views", "rules"),
    [
        ('DATABASES = {"default": {"CONN_MAX_AGE": 60}}', ASYNC, {"FL303"}),
        ('DATABASES = {"default": {"CONN_MAX_AGE": 0}}', ASYNC, set()),
        ('DATABASES = {"default": {"CONN_MAX_AGE": 60}}', SYNC, set()),
        ('DATABASES = {"default": {"ATOMIC_REQUESTS": True}}', ASYNC, {"FL301"}),
        ('DATABASES = {"default": {"ATOMIC_REQUESTS": False}}', ASYNC, set()),
        ('DATABASES = {"default": {"ATOMIC_REQUESTS": True}}', SYNC, set()),
    ],
)
def test_a_setting_is_reported_where_async_views_make_it_costly(
    tmp_path: Path, settings: str, views: str, rules: set[str]
) -> None:
    """The same setting is right for a project without async views."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "settings.py").write_text(BASE + settings)
    (tmp_path / "urls.py").write_text(URLS)
    (tmp_path / "views.py").write_text(views)

    assert {each.rule for each in check(tmp_path)} == rules
