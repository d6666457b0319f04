"""Deployments as users write them, and the pairs that freeloop makes of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from freeloop.errors import FreeloopError
from freeloop.model.plan import DEFAULT_CONCURRENCY, Arm, Pair, Question, Side
from freeloop.model.request import RequestSpec
from freeloop.source.fields import nearest
from freeloop.source.requests import parse_target

# Server as users name it -> distribution that brings it.
SERVERS: Mapping[str, str] = {
    "gunicorn:sync": "gunicorn",
    "gunicorn:gthread": "gunicorn",
    "uvicorn": "uvicorn",
    "granian:wsgi": "granian",
    "granian:asgi": "granian",
}
WSGI_SERVERS = frozenset({"gunicorn:sync", "gunicorn:gthread", "granian:wsgi"})
BASELINE = Arm("gunicorn:gthread", "gunicorn:gthread")
CANDIDATE = Arm("uvicorn", "uvicorn")
OPTIONS = ("workers", "threads", "relief")
YES_OR_NO = {"true": True, "false": False}
EXAMPLE = "'gunicorn:gthread threads=16 /reports/'"


def parse_arm(
    text: str, *, servers: Collection[str] = SERVERS, where: str = "the command line"
) -> Side:
    """Return the side of "gunicorn:gthread threads=16 /old/": server, options, path or view name.

    Args:
        text: As typed.
        servers: Names of the known servers.
        where: Option that it was typed for, for messages.
    """
    server, *rest = text.split() or [""]
    known_server(server, servers, where)
    if not rest or rest[-1] == "relief" or "=" in rest[-1].partition("/")[0]:
        raise FreeloopError(
            "bad-arm",
            what=f"{text!r} names no path or view at its end",
            where=where,
            mend=f"write server, options, path: {EXAMPLE}",
        )
    *options, target = rest
    numbers: dict[str, int] = {}
    flags: dict[str, bool] = {}
    for option in options:
        if option.partition("=")[0] == "relief":
            flags["relief"] = parse_relief(option, where)
        else:
            name, number = parse_option(option, where)
            numbers[name] = number
    if len(numbers) + len(flags) < len(options):
        raise FreeloopError(
            "bad-arm",
            what=f"an option is given twice in {text!r}",
            where=where,
            mend="give each option once",
        )
    relief = flags.get("relief")
    if relief:
        relievable(server, where)
    arm = Arm(
        name=" ".join([server, *options]),
        server=server,
        workers=numbers.get("workers", 1),
        threads=numbers.get("threads"),
        relief=relief,
    )
    return Side(arm, parse_target(target))


def parse_option(text: str, where: str) -> tuple[str, int]:
    """Return name and value of "threads=16"."""
    key, equals, value = text.partition("=")
    if not equals or key not in OPTIONS:
        raise FreeloopError(
            "bad-arm",
            what=f"unknown option {text!r} of a deployment",
            where=where,
            mend=f"{nearest(key, OPTIONS)}; such as {EXAMPLE}",
        )
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise FreeloopError(
            "bad-arm",
            what=f"{key} must be a whole number from 1 up, not {value!r}",
            where=where,
            mend=f"write: {key}=4",
        )
    return key, int(value)


def parse_relief(text: str, where: str) -> bool:
    """Return what "relief", "relief=true" or "relief=false" says."""
    value = text.partition("=")[2] if "=" in text else "true"
    if value not in YES_OR_NO:
        raise FreeloopError(
            "bad-arm",
            what=f"relief must be true or false, not {value!r}",
            where=where,
            mend="write: relief",
        )
    return YES_OR_NO[value]


def relievable(server: str, where: str) -> None:
    """Refuse relief on a server that never meets Django's ASGI handler."""
    if server in WSGI_SERVERS:
        raise FreeloopError(
            "relief-needs-asgi",
            what=f"{server} serves WSGI, where there is nothing to relieve",
            where=where,
            mend="leave relief out, or use an ASGI server: uvicorn, granian:asgi",
        )


def known_server(server: str, servers: Collection[str], where: str) -> None:
    """Refuse a server that freeloop cannot start."""
    if server not in servers:
        raise FreeloopError(
            "unknown-server",
            what=f"unknown server {server!r}",
            where=where,
            mend=nearest(server, servers),
        )


def default_pair(
    request: RequestSpec,
    *,
    concurrency: tuple[int, ...] = DEFAULT_CONCURRENCY,
    neighbour: RequestSpec | None = None,
) -> Pair:
    """Return the pair for one view: gthread, with a thread for each request, against uvicorn."""
    return pair_of(
        Side(BASELINE, request),
        Side(CANDIDATE, request),
        concurrency=concurrency,
        neighbour=neighbour,
    )


def rewrite_pair(
    old: RequestSpec,
    new: RequestSpec,
    *,
    concurrency: tuple[int, ...] = DEFAULT_CONCURRENCY,
    neighbour: RequestSpec | None = None,
) -> Pair:
    """Return the pair for a view and its twin: old on gthread, new on uvicorn."""
    return replace(
        pair_of(
            Side(BASELINE, old), Side(CANDIDATE, new), concurrency=concurrency, neighbour=neighbour
        ),
        question=Question.REWRITE,
    )


def pair_of(
    a: Side,
    b: Side,
    *,
    concurrency: tuple[int, ...] = DEFAULT_CONCURRENCY,
    neighbour: RequestSpec | None = None,
) -> Pair:
    """Return any two sides as a pair, with the question that their difference asks.

    Two requests are a rewrite; one request on one server with other numbers, or with relief, is a
    setting; one request on two servers is a way to serve.
    """
    if a.request != b.request:
        question, name = Question.REWRITE, f"{a.request.name} or {b.request.name}"
    elif a.arm.server == b.arm.server:
        question, name = Question.SETTING, a.request.name
    else:
        question, name = Question.SERVE, a.request.name
    return Pair(name, question, a, b, concurrency, neighbour)
