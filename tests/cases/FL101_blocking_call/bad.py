"""Calls that wait, made on the event loop: directly, deep, and through what looks like no call."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
import urllib.request
from functools import cached_property

from channels.generic.websocket import AsyncWebsocketConsumer
from django.dispatch import Signal, receiver
from starlette.applications import Starlette

rung = Signal()
opened = Signal()


async def direct(request):
    time.sleep(1)  # FL101


async def shared_redis(request):
    from django_redis import get_redis_connection

    get_redis_connection("default").get("dish")  # FL101


async def two_deep(request):
    return first_helper()


def first_helper():
    return second_helper()


def second_helper():
    return urllib.request.urlopen("http://example.org").read()  # FL101


class Rates:
    def __init__(self):
        self.finished = threading.Event()

    @property
    def euro(self):
        return subprocess.run(["rates"], check=True)  # FL101

    @cached_property
    def dollar(self):
        return subprocess.check_output(["rates"])  # FL101

    def wait(self):
        self.finished.wait()  # FL101


async def through_property(request):
    return Rates().euro


async def through_cached_property(request):
    rates = Rates()
    return rates.dollar


async def through_attribute_of_self(request, rates: Rates):
    rates.wait()


async def in_comprehension(request):
    return [time.sleep(each) for each in (1, 2)]  # FL101


async def through_generator(request):
    for line in lines():
        print(line)


def lines():
    yield "first"
    time.sleep(1)  # FL101


async def through_block(request):
    with connection():
        pass


@contextlib.contextmanager
def connection():
    yield socket.create_connection(("127.0.0.1", 80))  # FL101


async def through_signal(request):
    rung.send(sender=None)


@receiver(rung)
def on_ring(sender, **kwargs):
    time.sleep(0.1)  # FL101


def slow_decorator(view):
    async def wrapper(request):
        time.sleep(0.1)  # FL101
        return await view(request)

    return wrapper


@slow_decorator
async def decorated(request):
    return None


async def through_nested_function(request):
    def inner():
        time.sleep(1)  # FL101

    return inner()


async def through_map(request):
    return list(map(pause, (1, 2)))


def pause(seconds):
    time.sleep(seconds)  # FL101


async def imported_late(request):
    from time import sleep

    sleep(1)  # FL101


async def generator_of_events():
    yield "one"
    time.sleep(1)  # FL101


async def through_partial(request):
    from functools import partial

    wait = partial(wait_for, 3)
    wait()


def wait_for(seconds):
    time.sleep(seconds)  # FL101


async def sync_client(request):
    import redis

    client = redis.Redis()
    client.get("a")  # FL101


class Rate:
    def __init__(self):
        import requests

        self.session = requests.Session()

    def now(self):
        return self.session.get("http://example.org").json()  # FL101


async def kept_session(request):
    return Rate().now()


async def through_connected_receiver(request):
    opened.send(sender=None)


def on_open(sender, **kwargs):
    time.sleep(0.1)  # FL101


async def on_open_async(sender, **kwargs):
    time.sleep(0.1)  # FL101


opened.connect(on_open)
opened.connect(on_open_async)


@receiver(rung)
async def on_ring_async(sender, **kwargs):
    time.sleep(0.1)  # FL101


async def through_async_generator(request):
    return [line async for line in lines_async()]


async def lines_async():
    yield "first"
    for _ in range(2):
        time.sleep(0.1)  # FL101


class Chat(AsyncWebsocketConsumer):
    async def connect(self):
        time.sleep(0.1)  # FL101
        await self.accept()

    async def chat_message(self, event):
        self.note(event)

    def note(self, event):
        time.sleep(0.1)  # FL101


class TimingMiddleware:
    async_capable = True
    sync_capable = False

    def __init__(self, get_response):
        self.get_response = get_response

    async def __call__(self, request):
        time.sleep(0.1)  # FL101
        return await self.get_response(request)


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        time.sleep(0.1)  # FL101


@contextlib.asynccontextmanager
async def lifespan(app):
    time.sleep(0.1)  # FL101
    yield


outer = Starlette(lifespan=lifespan)


class Cursor:
    def __aiter__(self):
        return self

    async def __anext__(self):
        time.sleep(0.1)  # FL101
        raise StopAsyncIteration

    async def __aenter__(self):
        time.sleep(0.1)  # FL101
        return self

    async def __aexit__(self, *error):
        pass


async def through_async_block(request):
    async with Cursor() as cursor:
        return [row async for row in cursor]


async def waits_for_a_child(request):
    return os.waitpid(1234, os.WUNTRACED)  # FL101


async def executes_what_it_kept(request):
    import redis

    pipe = redis.Redis().pipeline()
    pipe.get("a")
    return pipe.execute()  # FL101
