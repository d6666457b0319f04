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

    found = check(tmp_path)

    assert {each.rule for each in found} == rules
    assert {(each.path, each.line) for each in found} == {("settings.py", 3)} if rules else True


POOL = ('DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql",'
        ' "OPTIONS": {"pool": {"max_size": 20}}}}')  # fmt: skip
COMPOSE = """services:
  web: {command: uvicorn a.asgi:a --workers 9}
  db: {command: postgres -c max_connections=300}
"""


@pytest.mark.parametrize(
    ("name", "text", "settings", "rules"),
    [
        ("gunicorn.conf.py", "workers = 8\n", POOL, {"FL305"}),
        ("gunicorn.conf.py", "workers = 5\n", POOL, set()),
        ("gunicorn.conf.py", "# workers = 8\n", POOL, set()),
        ("gunicorn.conf.py", "workers = 8\n", POOL.replace("postgresql", "sqlite3"), set()),
        ("gunicorn.conf.py", "workers = 8\n", POOL.replace('{"max_size": 20}', "True"), set()),
        ("Procfile", "web: gunicorn shop.asgi -k asgi --workers 6\n", POOL, {"FL305"}),
        ("Procfile", "web: gunicorn shop.asgi -k asgi -w 5\n", POOL, set()),
        ("Dockerfile", 'CMD ["uvicorn", "shop.asgi:app", "--workers", "9"]\n', POOL, {"FL305"}),
        ("compose.yaml", COMPOSE, POOL, set()),
        ("Procfile", "web: celery worker -w 50\n", POOL, set()),
    ],
)
def test_pools_of_all_workers_together_are_held_against_the_servers_limit(
    tmp_path: Path, name: str, text: str, settings: str, rules: set[str]
) -> None:
    """Every process has a pool of its own, and the server counts them all."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "settings.py").write_text(BASE + settings)
    (tmp_path / name).write_text(text)

    found = check(tmp_path)

    assert {each.rule for each in found} == rules
    for each in found:
        assert (each.path, each.line) == ("settings.py", 3)
        assert [(place.path, place.line) for place in each.also] == [(name, 1)]


CLIENT = """import httpx
client = httpx.AsyncClient()
async def view(request):
    return await client.get("http://rates.test")
"""


@pytest.mark.parametrize(
    ("settings", "procfile", "rules"),
    [
        ('WSGI_APPLICATION = "wsgi.application"', "", {"FL407"}),
        ('WSGI_APPLICATION = "wsgi.application"', "web: gunicorn asgi:app -k asgi\n", set()),
        ('ASGI_APPLICATION = "asgi.application"', "web: gunicorn wsgi:app\n", {"FL407"}),
        ('ASGI_APPLICATION = "asgi.application"', "", set()),
        ("", "", set()),
    ],
)
def test_a_client_of_the_module_is_wrong_where_only_wsgi_serves(
    tmp_path: Path, settings: str, procfile: str, rules: set[str]
) -> None:
    """Under WSGI each async view has a loop of its own; when in doubt nothing is said."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "settings.py").write_text(f'ROOT_URLCONF = "urls"\n{settings}\n')
    (tmp_path / "urls.py").write_text(URLS)
    (tmp_path / "views.py").write_text(CLIENT)
    (tmp_path / "Procfile").write_text(procfile)

    assert {each.rule for each in check(tmp_path)} == rules


QUERY = """from django.contrib.auth.models import User
async def view(request):
    return await User.objects.acount()
"""
POSTGRES = 'DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql"}}'


def postgres(more: str) -> str:
    """Return the setting with more in it."""
    return POSTGRES.replace('"}}', f'", {more}}}}}')


@pytest.mark.parametrize(
    ("settings", "procfile", "rules"),
    [
        (POSTGRES, "", {"FL307"}),
        (postgres('"CONN_MAX_AGE": 0, "OPTIONS": {"sslmode": "require"}'), "", {"FL307"}),
        (postgres('"OPTIONS": {"pool": True}'), "", set()),
        (postgres('"OPTIONS": OPTIONS'), "", set()),
        (postgres('"CONN_MAX_AGE": env("AGE")'), "", set()),
        (postgres('"HOST": "pgbouncer"'), "", set()),
        (postgres('"PORT": "6432"'), "", set()),
        (POSTGRES.replace("postgresql", "sqlite3"), "", set()),
        ("DATABASES = {'default': env.db('URL')}", "", set()),
        (POSTGRES, "web: gunicorn shop.wsgi\n", set()),
    ],
)
def test_a_server_without_a_pool_is_named_where_async_views_query(
    tmp_path: Path, settings: str, procfile: str, rules: set[str]
) -> None:
    """What the settings do not write out may hold a pool."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "settings.py").write_text(BASE + settings)
    (tmp_path / "urls.py").write_text(URLS)
    (tmp_path / "views.py").write_text(QUERY)
    (tmp_path / "Procfile").write_text(procfile)

    assert {each.rule for each in check(tmp_path)} == rules


def test_views_that_do_not_query_need_no_pool(tmp_path: Path) -> None:
    """The setting alone is not enough."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "settings.py").write_text(BASE + POSTGRES)
    (tmp_path / "urls.py").write_text(URLS)
    (tmp_path / "views.py").write_text(ASYNC)

    assert {each.rule for each in check(tmp_path)} == set()
