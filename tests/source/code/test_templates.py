"""Templates that code on the loop draws: their tags run there, and so do their queries."""

from __future__ import annotations

from pathlib import Path

import pytest

from freeloop.source.code.graph import Graph
from freeloop.source.code.templates import Templates
from tests.source.code.conftest import Write

MODELS = """
from django.db import models
class Guest(models.Model):
    name = models.CharField()
    def orders_so_far(self):
        return Order.objects.filter(guest=self).count()
class Order(models.Model):
    guest = models.ForeignKey(Guest, on_delete=models.CASCADE)
"""
VIEWS = """
from django.shortcuts import render
from models import Guest, Order
async def view(request):
    order = await Order.objects.aget(pk=1)
    loaded = await Order.objects.select_related("guest").aget(pk=1)
    rows = [row async for row in Order.objects.all()]
    return render(request, "shop/page.html", {
        "order": order, "loaded": loaded, "rows": rows, "orders": Order.objects.all()})
"""
TAGS = """
import time
from django import template
register = template.Library()
@register.simple_tag
def rate(): time.sleep(1)
@register.filter("euro")
def as_euro(value): time.sleep(2)
@register.inclusion_tag("x.html", name="row")
def draw_row(): time.sleep(3)
"""


def put(at: Path, **templates: str) -> None:
    """Write templates of an application."""
    folder = at / "shop" / "templates" / "shop"
    folder.mkdir(parents=True)
    for name, text in templates.items():
        (folder / f"{name}.html").write_text(text)


def queries(graph: Graph) -> list[str]:
    """Return what is said of queries on the loop."""
    return [cause.implicit for _, cause in graph.loop_causes]


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("{{ order.guest.name }}", ["order.guest in shop/page.html:1"]),
        ("\n{% if order.guest %}x{% endif %}", ["order.guest in shop/page.html:2"]),
        ("{% for each in orders %}x{% endfor %}", ["orders in shop/page.html:1"]),
        ("{{ orders.count }}", ["orders.count in shop/page.html:1"]),
        ("{% if not orders %}none{% endif %}", ["orders in shop/page.html:1"]),
        ("{% with mine=orders %}{{ mine|length }}{% endwith %}", ["mine in shop/page.html:1"]),
        ('{% url "guest" order.guest.pk %}', ["order.guest in shop/page.html:1"]),
        ("{{ order.pk }}{{ order.guest_id }}{{ loaded.guest.name }}", []),
        ("{% for row in rows %}{{ row.pk }}{% endfor %}", []),
        ("{# {{ order.guest }} #}", []),
        ("{% comment %}{{ order.guest }}{% endcomment %}", []),
        ("{% verbatim %}{{ order.guest }}{% endverbatim %}", []),
        ('{{ "order.guest" }}{{ other.guest }}', []),
        ("order.guest", []),
    ],
)
def test_a_template_queries_what_it_looks_up_and_nothing_else(
    write: Write, tmp_path: Path, page: str, found: list[str]
) -> None:
    """A context may hold lazy things that nobody looks at."""
    put(tmp_path, page=page)

    assert queries(write(models=MODELS, views=VIEWS)) == found


def test_parents_and_includes_are_drawn_too_but_not_the_blocks_that_are_replaced(
    write: Write, tmp_path: Path
) -> None:
    """The line is that of the file which the lookup is written in."""
    base = (
        "{% block one %}{{ order.guest }}{% endblock %}\n"
        "{% block two %}{% block inner %}{{ loaded.guest }}{% endblock inner %}{% endblock %}\n"
        "{% block three %}{{ orders }}{% endblock %}"
    )
    put(
        tmp_path,
        page='{% extends "shop/base.html" %}{% block one %}{% include "shop/part.html" %}'
        "{% endblock %}",
        base=base,
        part="{{ loaded.guest }}",
    )

    assert queries(write(models=MODELS, views=VIEWS)) == ["orders in shop/base.html:3"]


def test_a_template_that_is_not_found_is_taken_to_look_at_a_queryset(write: Write) -> None:
    """It may come from a library; a queryset is there to be looped over."""
    assert queries(write(models=MODELS, views=VIEWS)) == ["a template takes the rows"]


def test_the_tags_and_filters_that_a_template_uses_run_on_the_loop(
    write: Write, tmp_path: Path
) -> None:
    """Those of a library that is not loaded, or that the template does not name, do not."""
    put(tmp_path, page="{% load shop %}{% rate %}{{ rows|euro }}{{ rows|other }}")

    graph = write(models=MODELS, views=VIEWS, shop__templatetags__shop=TAGS, other__shop=TAGS)

    waits = {site.func.qualified for site, cause in graph.loop_causes}
    assert waits == {"shop.templatetags.shop.rate", "shop.templatetags.shop.as_euro"}


@pytest.mark.parametrize(
    ("page", "processor", "middleware", "found"),
    [
        ("{{ user.username }}", True, "AuthenticationMiddleware", ["user.username"]),
        ("{% if perms.shop %}x{% endif %}", True, "AuthenticationMiddleware", ["perms.shop"]),
        ("{{ request.user }}", True, "AuthenticationMiddleware", ["request.user"]),
        ("{{ user.username }}", True, "LoginRequiredMiddleware", []),
        ("{{ user.username }}", False, "AuthenticationMiddleware", []),
        ("{{ rows }}", True, "AuthenticationMiddleware", []),
    ],
)
def test_user_in_a_template_is_lazy(
    write: Write, tmp_path: Path, page: str, processor: bool, middleware: str, found: list[str]
) -> None:
    """It loads the session and the user, unless a middleware has done so in a thread."""
    name = "django.contrib.auth.context_processors.auth" if processor else "other.auth"
    conf = (
        f'TEMPLATES = [{{"OPTIONS": {{"context_processors": ["{name}"]}}}}]\n'
        f'MIDDLEWARE = ["django.contrib.auth.middleware.{middleware}"]\n'
    )
    put(tmp_path, page=page)

    graph = write("conf", conf=conf, models=MODELS, views=VIEWS)

    assert [text.partition(" in ")[0] for text in queries(graph)] == found


def test_templates_are_found_below_folders_of_that_name_and_not_in_environments(
    tmp_path: Path,
) -> None:
    """The first folder wins, as it does for Django."""
    put(tmp_path, page="{{ a }}")
    environment = tmp_path / "env"
    environment.mkdir()
    (environment / "pyvenv.cfg").touch()
    put(environment, other="{{ b }}")

    templates = Templates(tmp_path)

    page = templates.draw("shop/page.html")
    assert page is not None
    assert [lookup.path for lookup in page.lookups] == ["a"]
    assert templates.draw("shop/other.html") is None
