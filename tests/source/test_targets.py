"""Where requests lead: path, view, kind of the view, and its place in the source."""

from __future__ import annotations

import pytest

from freeloop.model.request import Kind, RequestSpec
from freeloop.source.facts import resolve
from freeloop.source.project import Project
from tests.source.conftest import MakeProject, error_of


def test_every_kind_of_view_is_told_apart(shop: Project) -> None:
    """Kind as Django treats it, place of the code that the project wrote."""
    requests = [
        RequestSpec("a", url="/reports/?page=2"),
        RequestSpec("b", view="sync-listing"),
        RequestSpec("c", view="reports:detail", args=("3",)),
        RequestSpec("d", view="reports:detail", kwargs={"number": "4"}),
        RequestSpec("e", view="reports:board"),
        RequestSpec("f", url="/reports/decorated/"),
    ]

    targets = resolve(shop, requests)

    assert [(t.path, t.view, t.is_async) for t in targets] == [
        ("/reports/?page=2", "reports.views.listing", True),
        ("/sync/", "reports.views.sync_listing", False),
        ("/reports/3/", "reports.views.detail", True),
        ("/reports/4/", "reports.views.detail", True),
        ("/reports/board/", "reports.views.Board", True),
        ("/reports/decorated/", "reports.views.decorated", True),
    ]
    source = (shop.root / "reports" / "views.py").read_text().splitlines()
    lines = [source[int(target.place.rpartition(":")[2]) - 1] for target in targets]
    assert [line.split("(")[0] for line in lines] == [
        "async def listing",
        "def sync_listing",
        "async def detail",
        "async def detail",
        "class Board",
        "async def decorated",
    ]


def test_views_of_rest_framework_and_ninja_are_seen_through(make_project: MakeProject) -> None:
    """Both hide the project's function behind their own callable."""
    project = make_project(
        "SECRET_KEY = 'x'\nROOT_URLCONF = 'routes'\nINSTALLED_APPS = ['rest_framework']\n"
        "INSTALLED_APPS += ['django.contrib.auth', 'django.contrib.contenttypes']\n",
        routes=(
            "from django.urls import path\n"
            "from ninja import NinjaAPI\n"
            "from rest_framework.decorators import api_view\n"
            "from rest_framework.response import Response\n"
            "from rest_framework.views import APIView\n"
            "api = NinjaAPI()\n"
            "@api.get('/menu')\n"
            "async def menu(request): return []\n"
            "class Orders(APIView):\n"
            "    def get(self, request): return Response([])\n"
            "urlpatterns = [path('api/', api.urls), path('orders/', Orders.as_view())]\n"
        ),
    )

    menu, orders = resolve(
        project, [RequestSpec("a", url="/api/menu"), RequestSpec("b", url="/orders/")]
    )

    assert (menu.view, menu.is_async, menu.place) == ("routes.menu", True, "routes.py:8")
    assert (orders.view, orders.is_async, orders.place) == ("routes.Orders", False, "routes.py:9")


def test_an_unknown_path_comes_with_its_neighbours(shop: Project) -> None:
    """It is no error yet: middleware may answer it, and a WebSocket is routed elsewhere."""
    absent, socket = resolve(
        shop,
        [RequestSpec("a", url="/sync"), RequestSpec("w", url="/ws/", kind=Kind.WEBSOCKET)],
    )

    assert (absent.found, absent.view, absent.near) == (False, None, ("/sync/",))
    assert (socket.found, socket.is_async) == (None, None)


@pytest.mark.parametrize(
    ("asked", "slug", "says"),
    [
        (RequestSpec("x", view="reports:lst"), "no-such-view", "reports:list"),
        (RequestSpec("x", view="board"), "no-such-view", "reports:board"),
        (RequestSpec("x", view="zzz"), "no-such-view", "give the path"),
        (RequestSpec("x", view="reports:detail"), "view-arguments", "<int:number>"),
    ],
)
def test_a_view_name_that_does_not_reverse_is_explained(
    shop: Project, asked: RequestSpec, slug: str, says: str
) -> None:
    """A near name, a forgotten namespace, a missing argument."""
    error = error_of(lambda: resolve(shop, [asked]))

    assert error.slug == slug
    assert says in error.mend + error.where


def test_a_broken_url_configuration_is_told_with_its_line(make_project: MakeProject) -> None:
    """Settings may import while URLs do not."""
    project = make_project(
        "SECRET_KEY = 'x'\nROOT_URLCONF = 'routes'", routes="\nimport absent_views"
    )

    error = error_of(lambda: resolve(project, [RequestSpec("a", url="/")]))

    assert (error.slug, error.where) == ("urls-do-not-load", "routes.py:2")


def test_the_place_of_an_installed_view_is_seen_from_site_packages(
    make_project: MakeProject,
) -> None:
    """Where an environment lies tells nobody anything, and makes the line long."""
    urls = (
        "from django.urls import path\nfrom django.views.generic import RedirectView\n"
        "urlpatterns = [path('', RedirectView.as_view(url='/x/'))]\n"
    )
    project = make_project("SECRET_KEY = 'x'\nROOT_URLCONF = 'urls'\n", urls=urls)

    (target,) = resolve(project, [RequestSpec("a", url="/")])

    assert target.place.startswith("django/views/generic/base.py:")
