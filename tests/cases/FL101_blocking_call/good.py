"""The same calls where they do no harm."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import urllib.request

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.generic.websocket import WebsocketConsumer
from django.dispatch import Signal, receiver
from django.utils.deprecation import MiddlewareMixin


def sync_view(request):
    time.sleep(1)


async def in_thread(request):
    await asyncio.to_thread(time.sleep, 1)
    await sync_to_async(time.sleep)(1)
    await asyncio.get_running_loop().run_in_executor(None, time.sleep, 1)
    await sync_to_async(helper)()


def helper():
    return urllib.request.urlopen("http://example.org").read()


async def lambda_in_thread(request):
    await asyncio.to_thread(lambda: time.sleep(1))
    await sync_to_async(lambda: helper())()


@sync_to_async
def offloaded():
    time.sleep(1)


@database_sync_to_async
def offloaded_too():
    time.sleep(1)


@sync_to_async(thread_sensitive=False)
def offloaded_with_arguments():
    time.sleep(1)


offloaded_name = sync_to_async(helper)


class Service:
    aload = sync_to_async(helper)

    def __init__(self):
        self.load = sync_to_async(self.load_now)

    def load_now(self):
        time.sleep(1)

    async def run(self):
        await self.load()
        await self.aload()


async def awaits_offloaded(request):
    await offloaded()
    await offloaded_too()
    await offloaded_with_arguments()
    await offloaded_name()


def in_my_thread(f):
    async def wrapper(*args):
        return await sync_to_async(f)(*args)

    return wrapper


async def starts_thread(request):
    threading.Thread(target=helper).start()


async def makes_but_never_iterates(request):
    return rows()


def rows():
    yield 1
    time.sleep(1)


async def own_sleep(request):
    from asyncio import sleep

    await sleep(1)


class Clock:
    def sleep(self, seconds):
        return seconds


async def same_name(request):
    clock = Clock()
    clock.sleep(1)


async def never_called(request):
    def inner():
        time.sleep(1)

    await asyncio.to_thread(inner)


async def passes_the_iterator_on(request):
    import requests

    answer = await asyncio.to_thread(requests.get, "http://example.org", stream=True)
    return StreamingResponse(answer.iter_content())


async def async_client_of_the_same_library(request):
    from redis.asyncio import Redis

    client = Redis()
    await client.get("a")
    async with client.pipeline() as pipe:
        pipe.set("a", 1)


async def awaited_whatever_it_is(request, client):
    import redis

    client = redis.Redis() if request is None else client
    await client.get("a")


async def socket_that_does_not_block(request):
    import socket

    own = socket.socket()
    own.setblocking(False)
    own.connect(("127.0.0.1", 80))


async def datagram(request):
    import socket

    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.sendto(b"ping", ("127.0.0.1", 9))
    own.close()


told = Signal()


async def sync_receivers_run_in_a_thread(request):
    await told.asend(sender=None)


@receiver(told)
def on_told(sender, **kwargs):
    time.sleep(1)


class Chat(WebsocketConsumer):
    """A sync consumer runs in a thread."""

    def connect(self):
        time.sleep(1)


class Timing(MiddlewareMixin):
    """Django takes each of its steps to a thread."""

    def process_request(self, request):
        time.sleep(1)


class Plain:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        time.sleep(1)
        return self.get_response(request)


async def asks_whether_a_child_has_ended(request):
    return os.waitpid(1234, os.WNOHANG), os.waitpid(1234, options=os.WNOHANG | os.WUNTRACED)


async def kept_until_it_is_executed(request):
    import redis

    pipe = redis.Redis().pipeline()
    pipe.get("a")
    await asyncio.to_thread(pipe.execute)
