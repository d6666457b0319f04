"""Queries that are awaited, run in a thread, or are only built."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.shortcuts import aget_object_or_404, render
from models import Dish, Guest, Kind, Order, Table


async def awaited(request):
    await Dish.objects.aget(pk=1)
    await Dish.objects.filter(price=1).acount()
    dish = await aget_object_or_404(Dish, pk=1)
    await dish.asave()
    return [dish async for dish in Dish.objects.all()]


async def async_loop(request):
    async for dish in Dish.objects.filter(price=1):
        print(dish.price)


async def in_thread(request):
    await sync_to_async(list)(Dish.objects.all())
    await sync_to_async(Dish.objects.get)(pk=1)
    await sync_to_async(count_them)()


def count_them():
    return Dish.objects.count()


async def only_built(request):
    cheap = Dish.objects.filter(price=1)
    return cheap.exclude(price=2)[:5]


async def loaded(request):
    order = await Order.objects.select_related("guest", "dish").aget(pk=1)
    return order.guest.name, order.guest_id, order.dish.price


async def loaded_in_loop(request):
    async for order in Order.objects.select_related("guest"):
        print(order.guest.name)


async def rows_first(request):
    dishes = [dish async for dish in Dish.objects.all()]
    for dish in dishes:
        print(dish.price)
    return render(request, "menu.html", {"dishes": dishes})


class Cache:
    def get(self, key):
        return key

    def count(self):
        return 0


async def same_names(request):
    objects = Cache()
    objects.get("a")
    [1, 2].count(1)
    {}.get("b")
    "text".count("t")
    return objects.count()


async def of_parameter(request, guest: Guest):
    return guest.name


async def loaded_below(request):
    order = await Order.objects.prefetch_related("guest__favourite", "guest__tables").aget(pk=1)
    return order.guest.favourite.price, [each.pk for each in order.guest.tables.all()]


async def loaded_set(request):
    guest = await Guest.objects.prefetch_related("order_set", "tables").aget(pk=1)
    return [order.pk for order in guest.order_set.all()], list(guest.tables.all())


async def rows_that_may_be_loaded(request, guests: list[Guest]):
    return [order.pk for guest in guests for order in guest.order_set.all()]


@sync_to_async
def order_of(key):
    order = Order.objects.filter(pk=key).first()
    if order and order.guest != "":
        return order
    return None


async def read_before(request):
    order = await order_of(1)
    return order.guest.name


async def just_made(request):
    order = await Order.objects.acreate(guest_id=None)
    return order.guest


async def wrapped_inside(request):
    from asgiref.sync import sync_to_async as in_a_thread

    @in_a_thread
    def made():
        dish, _ = Dish.objects.get_or_create(pk=1)
        return dish

    return await made()


async def fetched_already(request):
    dishes = Dish.objects.filter(price=1)
    async for dish in dishes:
        print(dish.price, len(dishes))
    if dishes:
        return dishes.count(), dishes[0], list(dishes)
    return render(request, "menu.html", {"dishes": dishes})


async def fetched_by_a_comprehension(request):
    dishes = Dish.objects.filter(price=1)
    prices = [dish.price async for dish in dishes]
    return prices, len(dishes)


def dish_of(key=None, *, kind: Kind = Kind.NONE, always=False):
    if key is not None:
        return Dish.objects.get(pk=key)
    if not always and kind is Kind.NONE:
        return None
    match kind:
        case Kind.CHEAP:
            return Dish.objects.cheap().first()
        case Kind.DEAR:
            return None
    if all([always, key]):
        return Dish.objects.last()
    return None


async def not_with_these(request):
    return dish_of(), dish_of(None), dish_of(kind=Kind.DEAR), passed_on(None)


def passed_on(key):
    return dish_of(key, kind=Kind.DEAR)


async def declared(request):
    table = await load_table()
    return table.numbers()


async def load_table() -> Table:
    return await Table.objects.prefetch_related("seats").afirst()


async def one_or_the_other(request):
    if request.GET:
        order = await Order.objects.select_related("guest").aget(pk=1)
    else:
        order = await Order.objects.aget(pk=2)
    return order.guest


async def rows_that_may_be_there(request):
    for dish in kept_or_asked(request):
        print(dish)
    return (await order_kept_or_asked(request)).guest


def kept_or_asked(request):
    if request.dishes is not None:
        return request.dishes
    return Dish.objects.filter(price=1)


async def order_kept_or_asked(request):
    if request.order is not None:
        return request.order
    return await Order.objects.aget(pk=1)


async def loaded_by_a_method_in_a_thread(request):
    order = await Order.objects.aget(pk=1)
    await sync_to_async(hand_over)(order)
    return order.guest.name


def hand_over(order):
    order.guest = Guest()
    order.save()


async def loaded_by_what_is_not_read(request):
    order = await Order.objects.aget(pk=1)
    await sync_to_async(request.describe)(order)
    return order.guest.name


async def given(request):
    dish = await Dish.objects.afirst()
    return dish_or_first(dish)


def dish_or_first(dish=None):
    if dish is None:
        dish = Dish.objects.first()
    return dish


@sync_to_async
def place_of(order):
    return order.guest.favourite.price


async def read_deeper_before(request):
    order = await Order.objects.aget(pk=1)
    price = await place_of(order)
    return price, order.guest.favourite
