"""One of the urlconfs that a middleware chooses by `request.urlconf`."""

from __future__ import annotations

from tests.relief.isolation.urls import patterns

urlpatterns = patterns("b")
