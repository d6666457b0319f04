"""Requests on the command line and in files: what is accepted, and what each mistake says."""

from __future__ import annotations

from pathlib import Path

import pytest

from freeloop.model.request import Expect, Kind, RequestSpec
from freeloop.source.requests import parse_target, read_requests
from tests.source.conftest import error_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the requests are written."""
    return tmp_path / "requests.toml"


def read_one(file: Path, text: str) -> RequestSpec:
    """Write one request and read it."""
    file.write_text(f"format = 1\n[[request]]\n{text}\n")
    (request,) = read_requests(file)
    return request


def test_a_word_is_a_path_or_a_view_name() -> None:
    """The slash tells them apart."""
    path, view = parse_target("/reports/?page=2"), parse_target("reports:list")

    assert (path.url, path.view, path.name) == ("/reports/?page=2", None, "/reports/?page=2")
    assert (view.url, view.view, view.name) == (None, "reports:list", "reports:list")


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("http://shop.example/", "not-loopback"),
        ("//shop.example/", "not-loopback"),
        ("reports/", "bad-target"),
        ("two words", "bad-target"),
        ("", "bad-target"),
    ],
)
def test_other_words_are_refused(text: str, slug: str) -> None:
    """Another host is never loaded; a forgotten slash is named."""
    assert error_of(lambda: parse_target(text)).slug == slug


def test_every_field_is_read(file: Path) -> None:
    """The request file of the contract, in full."""
    request = read_one(
        file,
        'name = "save"\nview = "reports:detail"\nargs = ["a", 3]\nmethod = "put"\nuser = "ada"\n'
        'body = "x"\nheaders = {X-Team = "blue"}\ncookies = {seen = "1"}\n'
        'expect = {status = 201, contains = "ok"}',
    )

    assert request == RequestSpec(
        name="save",
        view="reports:detail",
        args=("a", "3"),
        method="PUT",
        user="ada",
        body=b"x",
        headers={"X-Team": "blue"},
        cookies={"seen": "1"},
        expect=Expect(201, "ok"),
    )
    assert request.writes


def test_a_request_without_a_name_is_named_by_its_target(file: Path) -> None:
    """Most files need no names."""
    assert read_one(file, 'url = "/a/"').name == "/a/"


def test_bodies_bring_their_content_type_unless_one_is_given(file: Path) -> None:
    """Django does not parse a body of an unknown type."""
    (file.parent / "data.bin").write_bytes(b"\0\1")

    as_json = read_one(file, 'url = "/"\njson = {a = [1, true]}')
    as_form = read_one(file, 'url = "/"\nform = {a = "1 2", b = 3}')
    as_file = read_one(file, 'url = "/"\nbody_file = "data.bin"')
    own = read_one(file, 'url = "/"\njson = []\nheaders = {content-type = "text/x"}')

    assert (as_json.body, dict(as_json.headers)) == (
        b'{"a": [1, true]}',
        {"Content-Type": "application/json"},
    )
    assert as_form.body == b"a=1+2&b=3"
    assert as_form.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert (as_file.body, dict(as_file.headers)) == (b"\0\1", {})
    assert dict(own.headers) == {"content-type": "text/x"}


def test_a_websocket_sends_messages_and_expects_an_upgrade(file: Path) -> None:
    """101 is what a WebSocket answers with."""
    request = read_one(file, 'url = "/ws/"\nkind = "websocket"\nsend = ["a", "b"]')

    assert (request.kind, request.send) == (Kind.WEBSOCKET, ("a", "b"))
    assert request.expect.status == 101


def test_paths_are_ready_to_be_sent(file: Path) -> None:
    """The load client writes bytes: blanks, line breaks, letters beyond ASCII are encoded."""
    request = read_one(file, 'url = "/caf\\u00e9/a b\\r\\nX: y?q=%20|#part"')

    assert request.url == "/caf%C3%A9/a%20b%0D%0AX:%20y?q=%20%7C"


@pytest.mark.parametrize(
    ("text", "slug", "where", "says"),
    [
        ('url = "/"\nmethods = "GET"', "unknown-key", "request[0].methods", "method?"),
        ('url = "/"\nexpect = {stats = 200}', "unknown-key", "request[0].expect.stats", "status?"),
        ('url = "/"\nview = "a"', "one-target", "request[0].url", "not both"),
        ('name = "a"', "one-target", "request[0].url", "has none"),
        ('url = "/"\nargs = ["1"]', "one-target", "request[0].args", "view"),
        ('url = "/"\nkwargs = {a = "1"}', "one-target", "request[0].kwargs", "view"),
        ('url = "reports/"', "bad-url", "request[0].url", "/reports/"),
        ('url = "http://x/"', "not-loopback", "request[0].url", "path alone"),
        ('url = 3', "wrong-type", "request[0].url", "not 3"),
        ('url = "/"\nheaders = ["a"]', "wrong-type", "request[0].headers", "not ['a']"),
        ('url = "/"\nexpect = 200', "wrong-type", "request[0].expect", "not 200"),
        ('url = "/"\nexpect = {status = 99}', "wrong-type", "expect.status", "not 99"),
        ('url = "/"\nsend = "a"', "wrong-type", "request[0].send", "not 'a'"),
        ('url = "/"\njson = {a = 2026-01-01}', "wrong-type", "request[0].json", "dates"),
        ('url = "/"\nmethod = "G T"', "bad-method", "request[0].method", "G T"),
        ('url = "/"\nheaders = {A = "b\\r\\nC: d"}', "bad-header", "request[0].headers", "A"),
        ('url = "/"\ncookies = {"a b" = "c"}', "bad-header", "request[0].cookies", "a b"),
        ('url = "/"\nbody = "a"\njson = 1', "two-bodies", "request[0].json", "body and json"),
        ('url = "/"\nbody_file = "none"', "no-such-file", "request[0].body_file", "none"),
        ('url = "/"\nkind = "websockets"', "unknown-word", "request[0].kind", "websocket?"),
        ('url = "/"\nsend = ["a"]', "send-needs-websocket", "request[0].send", "http"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_file_and_key(
    file: Path, text: str, slug: str, where: str, says: str
) -> None:
    """What, where, how to mend."""
    error = error_of(lambda: read_one(file, text))

    assert error.slug == slug
    assert str(file) in error.where
    assert error.where.endswith(where)
    assert says in f"{error.what} {error.mend}"


@pytest.mark.parametrize(
    ("text", "slug", "says"),
    [
        ("format = 1", "no-requests", "no request"),
        ("[[request]]\nurl = '/'", "unknown-format", "missing"),
        ("format = 2", "unknown-format", "2 is not known"),
        ("format = true", "unknown-format", "True is not known"),
        ("format = 1\nx = = 1", "toml-syntax", "line 2"),
        ("format = 1\nrequest = {url = '/'}", "wrong-type", "[[request]]"),
        ("format = 1\nrequests = []", "unknown-key", "request?"),
        ("format = 1\n" + "[[request]]\nname = 'a'\nurl = '/'\n" * 2, "duplicate-name", "a"),
    ],
)
def test_a_file_that_is_no_requests_file_is_refused(
    file: Path, text: str, slug: str, says: str
) -> None:
    """The format number lets later versions read older files."""
    file.write_text(text)

    error = error_of(lambda: read_requests(file))

    assert error.slug == slug
    assert says in f"{error.what} {error.mend}"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With its absolute name, since relative ones start where freeloop runs."""
    error = error_of(lambda: read_requests(tmp_path / "none.toml"))

    assert (error.slug, error.where) == ("no-such-file", str(tmp_path / "none.toml"))
