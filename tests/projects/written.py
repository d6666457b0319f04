"""Projects of one file, written for one test."""

from __future__ import annotations

from pathlib import Path


def write_project(folder: Path, views: str, *, apps: list[str] | None = None) -> None:
    """Write a project of one view at /view/."""
    (folder / "manage.py").write_text(
        "import os, sys\n"
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_settings')\n"
        "from django.core.management import execute_from_command_line\n"
        "execute_from_command_line(sys.argv)\n"
    )
    (folder / "site_settings.py").write_text(
        "SECRET_KEY = 'for tests'\nROOT_URLCONF = 'site_urls'\nALLOWED_HOSTS = ['*']\n"
        f"INSTALLED_APPS = {apps or []!r}\n"
        "LOGGING = {'version': 1, 'disable_existing_loggers': False,"
        " 'handlers': {'out': {'class': 'logging.StreamHandler'}},"
        " 'loggers': {'django': {'handlers': ['out']}}}\n"
    )
    (folder / "site_views.py").write_text(views)
    (folder / "site_urls.py").write_text(
        "from django.urls import path\nimport site_views\n"
        "urlpatterns = [path('view/', site_views.view)]\n"
    )
