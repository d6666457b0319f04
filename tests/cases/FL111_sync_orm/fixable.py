"""Queries whose receiver is certain, in places where an await may stand."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.contrib.auth import login as sign_in
from django.shortcuts import (
    get_list_or_404,
    get_object_or_404 as one_dish,
)
from django.urls import path
from models import Dish, Guest, Order


async def calls(request):
    Dish.objects.get(pk=1).delete()  # FL111
    first = Dish.objects.filter(price=1).exclude(price=2).first()  # FL111
    if not Dish.objects.filter(price=1).exists():  # FL111
        Dish.objects.create(price=1)  # FL111
    return first, -Dish.objects.count() + 1  # FL111


async def instances(request):
    dish = await Dish.objects.aget(pk=1)
    dish.price = 2
    dish.save(update_fields=["price"])  # FL111
    dish.refresh_from_db()  # FL111
    guest = Guest(name="Ada")
    guest.save()  # FL111
    guest.tables.clear()  # FL111


async def loops(request):
    dishes = Dish.objects.all()
    for dish in dishes:  # FL111
        print(dish)
    else:
        print("all")
    return [dish.price for dish in dishes if dish.price]  # FL111


async def takes_all(request):
    orders = list(Order.objects.filter(pk__gt=1))  # FL111
    prices = {dish.pk: dish.price for dish in Dish.objects.order_by("price")[:5]}  # FL111
    names = sorted(Guest.objects.values_list("name", flat=True), reverse=True)  # FL111
    return orders, prices, names, set(Dish.objects.values_list("price"))  # FL111


async def shortcuts(request):
    dish = one_dish(Dish.objects.filter(price=1), pk=1)  # FL111
    return dish, get_list_or_404(Dish, price=1)[0]  # FL111


async def signs_in(request):
    user = authenticate(request, username="ada", password="x")  # FL111
    sign_in(request, user)  # FL111


async def session(request):
    request.session.setdefault("seen", 0)  # FL111
    return request.session.get("seen") + 1  # FL111


urlpatterns = [path("session", session), path("signs_in", signs_in)]
urlpatterns += [path(each.__name__, each) for each in (calls, instances, loops)]
