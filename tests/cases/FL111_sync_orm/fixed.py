"""Queries whose receiver is certain, in places where an await may stand."""

from __future__ import annotations

from django.contrib.auth import aauthenticate, authenticate
from django.contrib.auth import alogin, login as sign_in
from django.shortcuts import (
    aget_list_or_404, get_list_or_404,
    aget_object_or_404, get_object_or_404 as one_dish,
)
from django.urls import path
from models import Dish, Guest, Order


async def calls(request):
    await (await Dish.objects.aget(pk=1)).adelete()  # FL111
    first = await Dish.objects.filter(price=1).exclude(price=2).afirst()  # FL111
    if not await Dish.objects.filter(price=1).aexists():  # FL111
        await Dish.objects.acreate(price=1)  # FL111
    return first, -await Dish.objects.acount() + 1  # FL111


async def instances(request):
    dish = await Dish.objects.aget(pk=1)
    dish.price = 2
    await dish.asave(update_fields=["price"])  # FL111
    await dish.arefresh_from_db()  # FL111
    guest = Guest(name="Ada")
    await guest.asave()  # FL111
    await guest.tables.aclear()  # FL111


async def loops(request):
    dishes = Dish.objects.all()
    async for dish in dishes:  # FL111
        print(dish)
    else:
        print("all")
    return [dish.price async for dish in dishes if dish.price]  # FL111


async def takes_all(request):
    orders = [row async for row in Order.objects.filter(pk__gt=1)]  # FL111
    prices = {dish.pk: dish.price async for dish in Dish.objects.order_by("price")[:5]}  # FL111
    names = sorted([row async for row in Guest.objects.values_list("name", flat=True)], reverse=True)  # FL111
    return orders, prices, names, {row async for row in Dish.objects.values_list("price")}  # FL111


async def shortcuts(request):
    dish = await aget_object_or_404(Dish.objects.filter(price=1), pk=1)  # FL111
    return dish, (await aget_list_or_404(Dish, price=1))[0]  # FL111


async def signs_in(request):
    user = await aauthenticate(request, username="ada", password="x")  # FL111
    await alogin(request, user)  # FL111


async def session(request):
    await request.session.asetdefault("seen", 0)  # FL111
    return await request.session.aget("seen") + 1  # FL111


urlpatterns = [path("session", session), path("signs_in", signs_in)]
urlpatterns += [path(each.__name__, each) for each in (calls, instances, loops)]
