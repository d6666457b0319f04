"""One path for each view; a path is the view's name."""

from __future__ import annotations

import inspect

from django.conf.urls.i18n import i18n_patterns
from django.urls import URLPattern, URLResolver, path

from tests.relief.safety.project import views

_ALL = [
    each
    for each in vars(views).values()
    if inspect.isfunction(each) and each.__module__ == views.__name__ and each.__name__[0] != "_"
]

views_by_name: list[URLPattern | URLResolver] = [
    path("", views.hello),
    *(path(f"{view.__name__}/", view) for view in _ALL),
]
# The default language has no prefix: then Django asks neither headers nor cookies for a language.
urlpatterns = views_by_name + i18n_patterns(
    path("translated/", views.page), prefix_default_language=False
)
