"""The urlconf of the site that gives connections back."""

from __future__ import annotations

from django.urls import path

from tests.relief.releasing import refusals, scenarios, state, waits

urlpatterns = [
    path(f"{view.__name__}/", view)
    for module in (refusals, scenarios, state, waits)
    for view in module.VIEWS
]
