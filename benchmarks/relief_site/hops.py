"""Print what one request hands to threads, stock and relieved, beside what `explain` says.

Run in this folder with one argument, JSON: `{"path": "/", "settings": {}, "logged_in": false,
"pays": []}`; `pays` names the hops that relief takes off a usual request and this one pays, because
it meets a condition that `explain` names. Functions are counted by name, by the probe of
`freeloop relief --explain --count`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from http.cookies import SimpleCookie
from inspect import iscoroutinefunction
from typing import Any

VIEW = "the view"

Application = Any


class Site:
    """One handler, and the session that it gave."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._cookie = ""

    def log_in(self) -> None:
        """Take a session, for the requests that follow."""
        messages, _ = asyncio.run(self._ask("/log-in/"))
        jar: SimpleCookie = SimpleCookie()
        for name, value in messages[0]["headers"]:
            if name.lower() == b"set-cookie":
                jar.load(value.decode())
        self._cookie = f"sessionid={jar['sessionid'].value}"

    def counted(self, path: str) -> tuple[Counter[str], int]:
        """Return functions handed to threads, and threads started, once everything is warm."""
        for _ in range(3):
            messages, recorded = asyncio.run(self._ask(path))
            assert messages[0]["status"] == 200, messages
        names = Counter(each.function for each in recorded.hops)
        return Counter(
            {VIEW if name.startswith("site_views.") else name: n for name, n in names.items()}
        ), recorded.threads

    async def _ask(self, path: str) -> tuple[list[Any], Any]:
        from freeloop.record.probes.asgiref_hops import recording, watching

        asked = iter([{"type": "http.request", "body": b"", "more_body": False}])
        messages: list[Any] = []

        async def receive() -> Any:
            for message in asked:
                return message
            return await asyncio.get_running_loop().create_future()

        async def send(message: Any) -> None:
            messages.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"ms=1",
            "root_path": "",
            "headers": [(b"host", b"127.0.0.1"), (b"cookie", self._cookie.encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        with watching(), recording() as recorded:
            await self._application(scope, receive, send)
        return messages, recorded


def differences(
    said: Any, stock: tuple[Counter[str], int], relieved: tuple[Counter[str], int], pays: list[str]
) -> list[str]:
    """Return where what was counted is not what was said; empty when it is.

    What stock hands over beyond what is said of it is the view's own, and stays with relief.
    """
    found = []
    (stock_calls, stock_threads), (calls, threads) = stock, relieved
    usual, left = Counter(said.stock.to_thread), Counter(said.relieved.to_thread)
    own = stock_calls - usual
    if missing := usual - stock_calls:
        found.append(f"stock does not make {dict(missing)}")
    taken_off = usual - left
    paid = Counter(name for name in taken_off if name.endswith(tuple(pays)))
    if len(paid) != len(pays):
        found.append(f"{pays} are not among what relief takes off")
    expected = left + own + paid
    if calls != expected:
        more, less = dict(calls - expected), dict(expected - calls)
        found.append(f"relieved makes {more} beyond what is said, and not {less}")
    if threads != bool(expected):
        found.append(f"relieved starts {threads} threads")
    if stock_threads != said.stock.threads:
        found.append(f"stock starts {stock_threads} threads, said {said.stock.threads}")
    return found


def main(question: dict[str, Any]) -> None:
    """Count, compare and print."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
    django.setup()

    from django.core.handlers.asgi import ASGIHandler
    from django.test import override_settings
    from django.urls import resolve

    from freeloop.relief import explain, install

    path = question["path"]
    counted = []
    with override_settings(**question["settings"]):
        said = explain()
        for prepare in (tuple, install):
            prepare()
            site = Site(ASGIHandler())
            if question["logged_in"]:
                site.log_in()
            counted.append(site.counted(path))
    is_async = iscoroutinefunction(resolve(path).func)
    cost = said.async_view if is_async else said.sync_view
    stock, relieved = counted
    answer = {
        "stock": stock[0],
        "relief": relieved[0],
        "said": {"stock": cost.stock.hops, "relief": cost.relieved.hops},
        "differences": differences(cost, stock, relieved, question["pays"]),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
