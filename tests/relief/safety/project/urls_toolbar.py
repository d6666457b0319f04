"""The project's paths, and the toolbar's."""

from __future__ import annotations

from debug_toolbar.toolbar import debug_toolbar_urls

from tests.relief.safety.project.urls import urlpatterns as _project

urlpatterns = [*_project, *debug_toolbar_urls()]
