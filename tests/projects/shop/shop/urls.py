"""Routes with names, a namespace and arguments."""

from __future__ import annotations

from django.urls import include, path
from reports import views  # type: ignore[import-not-found,attr-defined,unused-ignore]

reports = (
    [
        path("", views.listing, name="list"),
        path("<int:number>/", views.detail, name="detail"),
        path("board/", views.Board.as_view(), name="board"),
        path("decorated/", views.decorated, name="decorated"),
    ],
    "reports",
)

urlpatterns = [
    path("reports/", include(reports)),
    path("sync/", views.sync_listing, name="sync-listing"),
    path("whoami/", views.whoami, name="whoami"),
]
