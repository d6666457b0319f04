from __future__ import annotations

import pytest

from freeloop.errors import FreeloopError
from freeloop.measure.client.wire import exchanges
from freeloop.model.request import Expect, Kind, RequestSpec


def head_and_body(request: RequestSpec) -> tuple[list[str], bytes]:
    (exchange,) = exchanges(request, "cafe.test")
    head, _, body = exchange.payload.partition(b"\r\n\r\n")
    return head.decode("latin-1").split("\r\n"), body


def test_the_request_line_holds_the_path_with_what_must_be_escaped() -> None:
    """A path typed with a space or an umlaut reaches the view that it names."""
    lines, body = head_and_body(RequestSpec(name="menu", url="/menü/a b/%20?q=1&r=é#top"))

    assert lines[0] == "GET /men%C3%BC/a%20b/%20?q=1&r=%C3%A9 HTTP/1.1"
    assert "Host: cafe.test" in lines
    assert body == b""


def test_own_headers_replace_the_usual_ones_and_cookies_are_joined() -> None:
    """Two Host headers or two Cookie headers would be refused by the server."""
    request = RequestSpec(
        name="menu",
        url="/",
        headers={"host": "other.test", "cookie": "a=1", "Content-Length": "99"},
        cookies={"sessionid": "x", "csrftoken": "y"},
    )

    lines, _ = head_and_body(request)

    assert "host: other.test" in lines
    assert "cookie: a=1; sessionid=x; csrftoken=y" in lines
    assert not [line for line in lines if line.lower() == "host: cafe.test"]
    assert not [line for line in lines if line.lower().startswith("content-length")]


@pytest.mark.parametrize(("body", "length"), [(b"price=3", "7"), (None, "0")])
def test_a_post_says_how_long_its_body_is(body: bytes | None, length: str) -> None:
    """Without a length the server would wait for a body that never comes."""
    lines, sent = head_and_body(RequestSpec(name="pay", url="/pay/", method="POST", body=body))

    assert f"Content-Length: {length}" in lines
    assert sent == (body or b"")


@pytest.mark.parametrize(
    "headers",
    [{"X-Note": "a\r\nX-Admin: 1"}, {"X Note": "a"}, {"X-Note": "\N{HOT BEVERAGE}"}, {"": "a"}],
)
def test_a_header_that_http_does_not_allow_is_a_clear_error(headers: dict[str, str]) -> None:
    """It would break the head of the request in two."""
    with pytest.raises(FreeloopError) as caught:
        exchanges(RequestSpec(name="menu", url="/", headers=headers), "cafe.test")

    assert caught.value.slug == "header-cannot-be-sent"
    assert "menu" in caught.value.where


def test_a_websocket_is_one_exchange_per_message_and_the_last_is_checked() -> None:
    """`expect.contains` speaks of the last message."""
    request = RequestSpec(
        name="chat",
        url="/ws/",
        kind=Kind.WEBSOCKET,
        send=("hello", "bye"),
        expect=Expect(contains="see you"),
    )

    hello, bye = exchanges(request, "cafe.test")

    assert (hello.payload, hello.contains) == (b"hello", b"")
    assert (bye.payload, bye.contains) == (b"bye", b"see you")


def test_a_websocket_without_messages_is_a_clear_error() -> None:
    """There would be nothing to measure."""
    with pytest.raises(FreeloopError) as caught:
        exchanges(RequestSpec(name="chat", url="/ws/", kind=Kind.WEBSOCKET), "cafe.test")

    assert caught.value.slug == "websocket-sends-nothing"


def test_only_safe_requests_may_be_sent_twice() -> None:
    """A POST whose connection was closed may have been carried out."""
    (get,) = exchanges(RequestSpec(name="menu", url="/"), "cafe.test")
    (post,) = exchanges(RequestSpec(name="pay", url="/", method="POST"), "cafe.test")

    assert get.repeatable
    assert not post.repeatable
