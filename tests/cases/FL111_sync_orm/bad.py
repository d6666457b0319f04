"""Queries on the event loop."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.shortcuts import get_object_or_404, render
from models import Dish, Guest, Kind, Order

User = get_user_model()


async def calls(request):
    Dish.objects.get(pk=1)  # FL111
    Dish.objects.filter(price=1).exclude(price=2).first()  # FL111
    User.objects.count()  # FL111


async def saves(request):
    dish = await Dish.objects.aget(pk=1)
    dish.save()  # FL111


async def makes(request):
    guest = Guest(name="Ada")
    guest.save()  # FL111


async def loops(request):
    dishes = Dish.objects.all()
    for dish in dishes:  # FL111
        print(dish)


async def lists(request):
    return list(Dish.objects.filter(price=1))  # FL111


async def comprehends(request):
    return [dish.price for dish in Dish.objects.all()]  # FL111


async def tests(request):
    dishes = Dish.objects.filter(price=1)
    if dishes:  # FL111
        return 1
    if not dishes.exists():  # FL111
        return 2


async def foreign_key(request):
    order = await Order.objects.aget(pk=1)
    return order.guest.name  # FL111


async def other_foreign_key_loaded(request):
    order = await Order.objects.select_related("guest").aget(pk=1)
    return order.guest.name, order.dish.price  # FL111


async def in_template(request):
    return render(request, "menu.html", {"dishes": Dish.objects.all()})  # FL111


async def shortcut(request):
    return get_object_or_404(Dish, pk=1)  # FL111


async def deep(request):
    return menu()


def menu():
    return [row.pk for row in cheap_dishes()]  # FL111


def cheap_dishes():
    return Dish.objects.cheap()


async def through_property(request):
    guest = await Guest.objects.aget(pk=1)
    return guest.orders_so_far


async def index_of(request):
    return Dish.objects.order_by("price")[0]  # FL111


async def of_async_loop(request):
    async for order in Order.objects.all():
        print(order.guest.name)  # FL111


async def second_look(request):
    order = await Order.objects.aget(pk=1)
    if order.guest:  # FL111
        return order.guest.name
    return None


async def of_helper(request):
    order = await Order.objects.aget(pk=1)
    return as_row(order)


def as_row(order: Order):
    return {"guest": order.guest.name}  # FL111


async def of_loader(request):
    order = await load_order()
    return order.guest.name  # FL111


async def load_order() -> Order:
    return await Order.objects.select_related("dish").aget(pk=1)


async def of_many(request):
    guest = await Guest.objects.aget(pk=1)
    return [table.pk for table in guest.tables.all()]  # FL111


async def of_set(request):
    guest = await Guest.objects.aget(pk=1)
    return guest.order_set.count()  # FL111


async def another_query(request):
    dishes = Dish.objects.filter(price=1)
    async for dish in dishes:
        print(dish.price)
    first = dishes.first()  # FL111
    return first, len(dishes.exclude(price=2))  # FL111


def dish_of(key=None, *, kind: Kind = Kind.NONE):
    if key is not None:
        return Dish.objects.get(pk=key)  # FL111
    match kind:
        case Kind.CHEAP:
            return Dish.objects.cheap().first()  # FL111
        case Kind.DEAR:
            return None
    return None


async def with_a_key(request):
    return dish_of(1)


async def with_a_kind(request):
    return passed_on(kind=Kind.CHEAP)


def passed_on(key=None, kind=None):
    return dish_of(key, kind=kind)


def set_anew(key=None):
    key = 1
    if key:
        return Dish.objects.get(pk=key)  # FL111
    return None


async def with_a_default(request):
    return set_anew()


async def rows_taken_twice(request):
    dishes = Dish.objects.filter(price=1)
    for dish in dishes:  # FL111
        dish.price = 2
    return [dish.price for dish in dishes]  # FL111


async def saved_in_a_thread(request):
    order = await Order.objects.aget(pk=1)
    await sync_to_async(order.save)()
    return order.guest.name  # FL111


async def not_given(request):
    return dish_or_last()


def dish_or_last(dish=None):
    if dish is None:
        dish = Dish.objects.last()  # FL111
    return dish
