"""What the user's project says about itself, typed; and where its requests lead."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from freeloop.errors import FreeloopError
from freeloop.model.request import RequestSpec
from freeloop.source.conversation import ANSWER_TIMEOUT_S, NotPossible, ask
from freeloop.source.project import Project


@dataclass(frozen=True, slots=True)
class Database:
    """One entry of DATABASES, without user and password.

    Attributes:
        alias: Key in DATABASES.
        engine: Dotted path of the backend.
        name: Name or file.
        host: "" for a local socket or a file.
        port: "" for the default.
        pooled: Whether a connection pool is configured.
        pool_max: Most connections of the pool; None without one, or when it does not tell.
        conn_max_age_s: Seconds that a connection is kept; infinite when never closed.
    """

    alias: str
    engine: str
    name: str
    host: str = ""
    port: str = ""
    pooled: bool = False
    pool_max: int | None = None
    conn_max_age_s: float = 0.0

    @property
    def sentence(self) -> str:
        """One line for people: alias, engine, name, place, pool."""
        place = f" at {self.host}{f':{self.port}' if self.port else ''}" if self.host else ""
        pool = f", pool of at most {self.pool_max}" if self.pooled else ", no pool"
        if self.pooled and self.pool_max is None:
            pool = ", pool"
        age = f", connections kept {self.conn_max_age_s:g} s" if self.conn_max_age_s else ""
        if math.isinf(self.conn_max_age_s):
            age = ", connections never closed"
        return f"{self.alias}: {self.engine.rpartition('.')[2]}, {self.name}{place}{pool}{age}"


@dataclass(frozen=True, slots=True)
class Facts:
    """A project as its own interpreter sees it.

    Attributes:
        python: Version of the project's interpreter.
        packages: Installed versions of Django, servers, drivers; absent means not installed.
        databases: In the order of DATABASES.
        middleware: Dotted paths, in order.
        wsgi: "module:attribute", None when the project has none that imports.
        asgi: "module:attribute", None when the project has none that imports.
        wsgi_failure: Why a WSGI module that exists does not import; "" when it does or is absent.
        asgi_failure: The same for ASGI.
        debug: DEBUG.
        allowed_hosts: ALLOWED_HOSTS.
        host: A Host header that the project accepts; None when it accepts none.
        secure_headers: Headers that keep SECURE_SSL_REDIRECT from redirecting; empty if not needed.
        redirects_to_https: SECURE_SSL_REDIRECT is on and no header can tell it that TLS is done.
        session_engine: SESSION_ENGINE.
    """

    python: str
    packages: Mapping[str, str]
    databases: tuple[Database, ...]
    middleware: tuple[str, ...]
    wsgi: str | None
    asgi: str | None
    wsgi_failure: str
    asgi_failure: str
    debug: bool
    allowed_hosts: tuple[str, ...]
    host: str | None
    session_engine: str
    secure_headers: Mapping[str, str] = field(default_factory=dict)
    redirects_to_https: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Where one request leads.

    Attributes:
        request: The request, with its `url` known.
        found: Whether the URLconf has the path; None for a WebSocket, which it does not route.
        view: Dotted name of the function or class; None when not found.
        is_async: Whether Django treats the view as a coroutine function; None when not found.
        place: "file:line" of the view as seen from the project's root; "" when unknown.
        near: Known paths that look like this one, when it was not found.
    """

    request: RequestSpec
    found: bool | None
    view: str | None
    is_async: bool | None
    place: str = ""
    near: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The path with its query, as it is loaded."""
        assert self.request.url is not None  # set by `resolve`
        return self.request.url


def inspect_project(project: Project, *, timeout_s: float = ANSWER_TIMEOUT_S) -> Facts:
    """Load the project in its own interpreter and return what it says about itself."""
    said = ask(project, "facts", timeout_s=timeout_s)
    headers = ssl_headers(said)
    return Facts(
        python=said["python"],
        packages=said["packages"],
        databases=tuple(_database(entry) for entry in said["databases"]),
        middleware=tuple(said["middleware"]),
        wsgi=said["wsgi"],
        asgi=said["asgi"],
        wsgi_failure=_failure(said["wsgi_failure"]),
        asgi_failure=_failure(said["asgi_failure"]),
        debug=said["debug"],
        allowed_hosts=tuple(said["allowed_hosts"]),
        host=said["host"],
        session_engine=said["session_engine"],
        secure_headers=headers,
        redirects_to_https=said["ssl_redirect"] and not headers,
    )


def ssl_headers(said: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the header by which a proxy would tell the project that TLS is done."""
    if not said["ssl_redirect"] or not said["ssl_proxy_header"]:
        return {}
    name, value = said["ssl_proxy_header"][:2]
    return {name.removeprefix("HTTP_").replace("_", "-").title(): value.partition(",")[0]}


def resolve(
    project: Project, requests: Sequence[RequestSpec], *, timeout_s: float = ANSWER_TIMEOUT_S
) -> tuple[Target, ...]:
    """Return where each request leads, in the same order.

    A path that the URLconf does not have is no error here (`found` is False): middleware or the
    ASGI application may answer it.

    Raises:
        FreeloopError: If a view name does not exist or does not take the arguments.
    """
    asked = [
        {
            "url": request.url,
            "view": request.view,
            "args": list(request.args),
            "kwargs": dict(request.kwargs),
            "method": request.method,
            "kind": request.kind.value,
        }
        for request in requests
    ]
    try:
        answers = ask(project, "targets", timeout_s=timeout_s, requests=asked)
    except NotPossible as answer:
        raise _unresolved(answer, project) from None
    return tuple(
        Target(
            request=request.at(said["path"]),
            found=said["found"],
            view=said["view"],
            is_async=said["is_async"],
            place=said["place"],
            near=tuple(said["near"]),
        )
        for request, said in zip(requests, answers, strict=True)
    )


def _unresolved(answer: NotPossible, project: Project) -> FreeloopError:
    view = answer.details["view"]
    if answer.reason == "arguments":
        return FreeloopError(
            "view-arguments",
            what=f"the view name {view} exists but does not take these arguments",
            where=f"its route is {answer.details['route']}",
            mend="give args or kwargs in a requests file, or the path itself",
        )
    near = answer.details["near"]
    return FreeloopError(
        "no-such-view",
        what=f"no view is named {view}",
        where=f"the URL names of {project.settings}",
        mend=f"did you mean {' or '.join(near)}?" if near else "give the path, such as /reports/",
    )


def _database(said: dict[str, Any]) -> Database:
    age = said.pop("conn_max_age_s")
    return Database(**said, conn_max_age_s=math.inf if age is None else float(age))


def _failure(said: Mapping[str, str] | None) -> str:
    return f"{said['module']}: {said['message']}" if said else ""
