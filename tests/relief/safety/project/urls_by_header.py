"""The project's paths, where a language follows from path, cookie and header."""

from __future__ import annotations

from django.conf.urls.i18n import i18n_patterns
from django.urls import path

from tests.relief.safety.project import views
from tests.relief.safety.project.urls import views_by_name

urlpatterns = views_by_name + i18n_patterns(path("translated/", views.page))
