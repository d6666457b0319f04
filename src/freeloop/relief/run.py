"""A run: adjacent middleware of Django's own, gone through in one coroutine.

Does what each of them does in stock, in the same order: `MiddlewareMixin.__acall__`, and around it
`convert_exception_to_response`. The difference is where a hook runs: inline if its guard agrees,
else in the request's thread, in one hop. Between two of these middleware only Django's own code
runs, so whether request and response are plain is asked once on the way in and once on the way out,
and again after a hop.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import update_wrapper
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.core.handlers import exception

from freeloop.relief.plain import plain_request, plain_response
from freeloop.relief.request_thread import relieved

if TYPE_CHECKING:
    from collections.abc import Callable

    from freeloop.relief.guards import Guards


@dataclass(frozen=True, slots=True)
class Link:
    """One middleware of a run.

    Attributes:
        middleware: Django's object.
        guards: Of its hooks.
        process_request: Django's function, None without one.
        process_response: Likewise.
        below: What the middleware was given to call.
    """

    middleware: Any
    guards: Guards
    process_request: Any
    process_response: Any
    below: Any


# The run behind each function that was made here. What somebody wraps around one is not in it.
_runs: WeakKeyDictionary[Any, tuple[Link, ...]] = WeakKeyDictionary()


def run_from(middleware: Any, guards: Guards) -> Callable[..., Any]:
    """Return the handler of this middleware and of the relieved ones directly below it."""
    cls = type(middleware)
    below = middleware.get_response
    link = Link(
        middleware,
        guards,
        getattr(cls, "process_request", None),
        getattr(cls, "process_response", None),
        below,
    )
    links = (link, *_runs.get(below, ()))
    handler = update_wrapper(_handler(links), middleware)
    _runs[handler] = links
    return handler


def _handler(links: tuple[Link, ...]) -> Callable[..., Any]:
    last = links[-1]

    async def run(request: Any) -> Any:
        inline = relieved()
        plain: bool | None = None
        response: Any = None
        entered: list[Link] = []
        for link in links:
            middleware = link.middleware
            answered = False
            try:
                # Looked up for each request: what was patched or added since runs in the thread.
                process_request = getattr(middleware, "process_request", None)
                if process_request is not None:
                    if inline and plain is None:
                        plain = plain_request(request)
                    guard = link.guards.request
                    if (
                        plain
                        and guard is not None
                        and getattr(process_request, "__func__", None) is link.process_request
                        and guard(request)
                    ):
                        response = process_request(request)
                    else:
                        response = await _in_thread(process_request, request)
                        plain = None
                        if link.guards.ran_in_thread is not None:
                            link.guards.ran_in_thread(request)
                answered = bool(response)
                below = middleware.get_response
                if not answered and (link is last or below is not link.below):
                    response = await below(request)
                    answered = True
            except Exception as error:
                response = await _converted(request, error)
                break
            entered.append(link)
            if answered:
                break
        return await _leave(request, response, entered, inline=inline)

    return run


async def _leave(request: Any, response: Any, entered: list[Link], *, inline: bool) -> Any:
    """Return what `process_response` of the middleware that were entered makes of the response."""
    asked: Any = _NOTHING
    plain = False
    for link in reversed(entered):
        process_response = getattr(link.middleware, "process_response", None)
        if process_response is None:
            continue
        try:
            if inline and asked is not response:
                plain = plain_request(request) and plain_response(response)
                asked = response
            guard = link.guards.response
            if (
                plain
                and guard is not None
                and getattr(process_response, "__func__", None) is link.process_response
                and guard(request, response)
            ):
                response = process_response(request, response)
            else:
                response = await _in_thread(process_response, request, response)
                asked = _NOTHING
        except Exception as error:
            response = await _converted(request, error)
            asked = _NOTHING
    return response


_NOTHING = object()


async def _in_thread(hook: Any, *arguments: Any) -> Any:
    return await sync_to_async(hook, thread_sensitive=True)(*arguments)


async def _converted(request: Any, error: Exception) -> Any:
    answer = sync_to_async(exception.response_for_exception, thread_sensitive=False)
    return await answer(request, error)
