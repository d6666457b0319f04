"""One path for each thing that the tests make a server do."""

from __future__ import annotations

from django.urls import path

from tiny import views  # type: ignore[import-not-found] # on the path of the served project

urlpatterns = [
    path("", views.hello),
    path("settings/", views.shown_settings),
    path("modules/", views.modules),
    path("pid/", views.pid),
    path("wait/", views.wait),
    path("await/", views.wait_async),
    path("threads/", views.threads),
    path("hold/", views.hold_loop),
    path("gather/", views.gather),
    path("query/", views.query_then_wait),
    path("pool/", views.pool_then_wait),
    path("burn/", views.burn),
    path("burn-async/", views.burn_async),
    path("burn-in-bits/", views.burn_in_bits),
    path("stream/", views.stream),
]
