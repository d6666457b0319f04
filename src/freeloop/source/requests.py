"""Requests as users write them: one word on the command line, or tables in a file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

from freeloop.errors import FreeloopError
from freeloop.model.request import Expect, Kind, RequestSpec
from freeloop.source.fields import Table, read_table

KEYS = (
    "name", "url", "view", "args", "kwargs", "method", "headers", "cookies", "body", "body_file",
    "json", "form", "user", "kind", "send", "expect",
)  # fmt: skip
BODIES = ("body", "body_file", "json", "form")
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
WEBSOCKET_STATUS = 101


def parse_target(text: str) -> RequestSpec:
    """Return the GET request of a path ("/reports/") or a view name ("reports:list")."""
    text = text.strip()
    if text.startswith("/") or "://" in text:
        return RequestSpec(name=text, url=checked_url(text, "the command line"))
    if not text or re.search(r"[\s/?#]", text):
        raise FreeloopError(
            "bad-target",
            what=f"{text!r} is neither a path nor a view name",
            where="the command line",
            mend="a path starts with a slash: /reports/; a view name is the one for reverse()",
        )
    return RequestSpec(name=text, view=text)


def read_requests(path: Path) -> tuple[RequestSpec, ...]:
    """Return the requests of a `--requests` file, at least one."""
    document = read_table(path)
    document.only("format", "request")
    requests = tuple(requests_of(document).values())
    if not requests:
        raise FreeloopError(
            "no-requests",
            what="the file holds no request",
            where=str(path),
            mend='write: [[request]] and below it name = "list" and url = "/reports/"',
        )
    return requests


def requests_of(document: Table) -> Mapping[str, RequestSpec]:
    """Return the `[[request]]` tables of a file by their names, in order."""
    requests: dict[str, RequestSpec] = {}
    for table in document.tables("request"):
        request = request_of(table)
        if request.name in requests:
            raise FreeloopError(
                "duplicate-name",
                what=f"two requests are named {request.name}",
                where=table.at("name"),
                mend="give each its own name",
            )
        requests[request.name] = request
    return requests


def request_of(table: Table) -> RequestSpec:
    """Return one `[[request]]` table as a request; `name` defaults to its url or view."""
    table.only(*KEYS)
    url, view = table.text("url") or None, table.text("view") or None
    if (url is None) == (view is None):
        raise FreeloopError(
            "one-target",
            what="a request needs either url or view, " + ("not both" if url else "and has none"),
            where=table.at("url"),
            mend='write: url = "/reports/" or: view = "reports:list"',
        )
    if url is not None and (table.values.get("args") or table.values.get("kwargs")):
        raise FreeloopError(
            "one-target",
            what="args and kwargs belong to view, not to url",
            where=table.at("args" if table.values.get("args") else "kwargs"),
            mend="write them into the url, or use view",
        )
    kind = Kind(table.word("kind", [kind.value for kind in Kind], Kind.HTTP.value))
    body, content_type = body_of(table)
    headers = fields_of(table, "headers")
    if content_type and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = content_type
    return RequestSpec(
        name=table.text("name") or str(url or view),
        url=checked_url(url, table.at("url")) if url else None,
        view=view,
        args=table.texts("args"),
        kwargs=table.text_by_name("kwargs"),
        method=method_of(table),
        headers=headers,
        cookies=fields_of(table, "cookies"),
        body=body,
        user=table.text("user") or None,
        kind=kind,
        send=sent_of(table, kind),
        expect=expect_of(table.table("expect"), kind),
    )


def checked_url(url: str, where: str) -> str:
    """Return a path ready to be sent: from the slash, percent-encoded, without fragment."""
    if "://" in url.partition("?")[0] or url.startswith("//"):
        raise FreeloopError(
            "not-loopback",
            what=f"{url} names a host: freeloop loads only servers that it has started itself",
            where=where,
            mend="give the path alone, such as /reports/",
        )
    if not url.startswith("/"):
        raise FreeloopError(
            "bad-url",
            what=f"url must start with a slash, not {url!r}",
            where=where,
            mend=f"write: /{url}; or use view for the name of a view",
        )
    return quote(url.partition("#")[0], safe="/?&=%:@!$'()*+,;~[]")


def method_of(table: Table) -> str:
    """Return the HTTP method in capitals."""
    method = table.text("method", "GET").upper()
    if not re.fullmatch("[A-Z]+", method):
        raise FreeloopError(
            "bad-method",
            what=f"{table.values['method']!r} is no HTTP method",
            where=table.at("method"),
            mend='write one such as: method = "POST"',
        )
    return method


def fields_of(table: Table, key: str) -> dict[str, str]:
    """Return headers or cookies; a line break in one would be a second request."""
    fields = dict(table.text_by_name(key))
    for name, value in fields.items():
        separator = ";" if key == "cookies" else ""
        if not TOKEN.fullmatch(name) or re.search(f"[\\r\\n\\0{separator}]", value):
            raise FreeloopError(
                "bad-header",
                what=f"{key} cannot hold {name!r} = {value!r}",
                where=table.at(key),
                mend="names are letters, digits and dashes; values have no line break",
            )
    return fields


def body_of(table: Table) -> tuple[bytes | None, str]:
    """Return the body as sent and the content type that goes with it, "" for none."""
    given = [key for key in BODIES if key in table.values]
    if len(given) > 1:
        raise FreeloopError(
            "two-bodies",
            what=f"a request has one body, not {' and '.join(given)}",
            where=table.at(given[1]),
            mend=f"keep one of {', '.join(BODIES)}",
        )
    match given:
        case ["body"]:
            return table.text("body").encode(), ""
        case ["body_file"]:
            return read_body(table), ""
        case ["json"]:
            try:
                return json.dumps(table.values["json"]).encode(), "application/json"
            except TypeError:  # TOML has dates, JSON has none
                raise table.wrong("json", "what JSON can hold (write dates as text)") from None
        case ["form"]:
            form = table.text_by_name("form")
            return urlencode(form).encode(), "application/x-www-form-urlencoded"
        case _:
            return None, ""


def read_body(table: Table) -> bytes:
    """Return the content of `body_file`, which is named from the directory of the TOML file."""
    file = table.file.parent / table.required_text("body_file")
    try:
        return file.read_bytes()
    except OSError as error:
        raise FreeloopError(
            "no-such-file",
            what=f"cannot read {file}: {error.strerror}",
            where=table.at("body_file"),
            mend=f"name it from the directory of {table.file.name}",
        ) from error


def sent_of(table: Table, kind: Kind) -> tuple[str, ...]:
    """Return the messages to send, which only a WebSocket has."""
    send = table.texts("send")
    if send and kind is not Kind.WEBSOCKET:
        raise FreeloopError(
            "send-needs-websocket",
            what=f"send belongs to a WebSocket, this request is {kind.value}",
            where=table.at("send"),
            mend='write: kind = "websocket"; or use body',
        )
    return send


def expect_of(table: Table, kind: Kind) -> Expect:
    """Return what counts as a right answer."""
    table.only("status", "contains")
    usual = WEBSOCKET_STATUS if kind is Kind.WEBSOCKET else Expect().status
    status = table.count("status")
    if status is not None and not 100 <= status <= 599:  # noqa: PLR2004, RUF100 - HTTP's range
        raise table.wrong("status", "an HTTP status from 100 to 599")
    return Expect(status=usual if status is None else status, contains=table.text("contains"))
