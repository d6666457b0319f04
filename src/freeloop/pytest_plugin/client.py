"""The fixture `freeloop_client`: one request through the project's ASGI handler, recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from freeloop.errors import FreeloopError
from freeloop.model.trace import MarkKind
from freeloop.pytest_plugin.limits import Limits, limits_of

if TYPE_CHECKING:
    from freeloop.api.in_process import Seen

DATABASE = "@pytest.mark.django_db(transaction=True)"
# How pytest-django refuses a test without its mark.
NOT_ALLOWED = "Database access not allowed"


class FreeloopClient:
    """Asks the project's ASGI handler as a server does: other threads, real connections.

    Each request runs on an event loop and a thread of its own, so it can be made in a sync test, in
    an async one, and under any event loop.
    """

    def __init__(self, application: Any, root: str, limits: Limits, *, has_database: bool) -> None:
        self._application = application
        self._root = root
        self._limits = limits
        self._has_database = has_database

    def get(self, url: str, **options: Any) -> Seen:
        """Send a GET; options as of `request`."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> Seen:
        """Send a POST; options as of `request`."""
        return self.request("POST", url, **options)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, Any] | None = None,
        body: bytes = b"",
        timeout_s: float = 30.0,
    ) -> Seen:
        """Send a request and fail the test if it takes more than its mark allows.

        Args:
            method: In capitals.
            url: Path and query.
            headers: Beside Host, which is one that the project allows.
            cookies: Such as the `cookies` of Django's test client after `force_login`.
            body: As sent.
            timeout_s: How long it may take.
        """
        __tracebackhide__ = True
        from freeloop.api.in_process import ask

        sent = dict(headers or {})
        if cookies:
            pairs = (f"{name}={getattr(value, 'value', value)}" for name, value in cookies.items())
            sent["Cookie"] = "; ".join(pairs)
        asked = (self._application, method, url, sent, body)
        seen = ask(*asked, root=self._root, timeout_s=timeout_s)
        self._refuse_without_database(seen)
        self._judge(seen, f"{method} {seen.trace.request.path}")
        return seen

    def _judge(self, seen: Seen, shown: str) -> None:
        __tracebackhide__ = True
        limits = self._limits
        if limits.max_hops is not None and seen.demand.hops > limits.max_hops:
            pytest.fail(
                f"{shown} made {seen.demand.hops} thread hops (measured); allowed:"
                f" {limits.max_hops}\n{_hops(seen)}"
                "  mend   freeloop relief --explain shows which of them Django makes",
                pytrace=False,
            )
        most = limits.max_connections_held
        if most is not None and seen.connections_held > most:
            pytest.fail(
                f"{shown} held {seen.connections_held} database connections at once (measured);"
                f" allowed: {most}\n"
                "  mend   release_connections() before a wait, or one database less",
                pytrace=False,
            )

    def _refuse_without_database(self, seen: Seen) -> None:
        __tracebackhide__ = True
        raised = [mark.text for mark in seen.trace.marks if mark.kind is MarkKind.RAISED]
        if not self._has_database and any(NOT_ALLOWED in text for text in raised):
            pytest.fail(_needs_transaction("the view uses the database"), pytrace=False)


def client_for(request: pytest.FixtureRequest) -> FreeloopClient:
    """Return the client for one test."""
    has_database = _database(request)
    from freeloop.api.in_process import application

    named = request.config.getini("freeloop_application") or None
    found = refused = None
    try:
        found = application(named)
    except FreeloopError as error:
        refused = f"{error.what} [{error.slug}]\n  where  {error.where}\n  mend   {error.mend}"
    if refused is not None:  # not above: pytest would show the error twice
        pytest.fail(refused, pytrace=False)
    return FreeloopClient(
        found,
        str(request.config.rootpath),
        limits_of(request.node, None),
        has_database=has_database,
    )


def _database(request: pytest.FixtureRequest) -> bool:
    """Return whether views can use the database; fail where they would not see the test's rows."""
    plugins = request.config.pluginmanager
    if not any(plugins.has_plugin(name) for name in ("django", "pytest_django.plugin")):
        return True  # whoever runs Django without pytest-django has arranged for it
    if {"transactional_db", "live_server"} & set(request.fixturenames):
        return True
    mark = request.node.get_closest_marker("django_db")
    if mark is not None and mark.kwargs.get("transaction", mark.args[:1] == (True,)):
        return True
    if mark is not None or "db" in request.fixturenames:
        pytest.fail(_needs_transaction("the test runs in a transaction"), pytrace=False)
    return False


def _needs_transaction(why: str) -> str:
    return (
        f"freeloop_client needs {DATABASE}: {why}\n"
        "  where  requests run on other threads, with connections of their own, as on a server;\n"
        "         what a transaction of the test has written cannot be seen there\n"
        f"  mend   mark the test with {DATABASE}"
    )


def _hops(seen: Seen) -> str:
    marks = [mark for mark in seen.trace.marks if mark.kind is MarkKind.HOP and mark.text]
    names = list(dict.fromkeys(mark.text for mark in marks))
    return f"  hops   {', '.join(names[:12])}\n" if names else ""
