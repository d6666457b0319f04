"""The one request before any load: does the view answer at all, and what?"""

from __future__ import annotations

import http.client
from dataclasses import dataclass

from freeloop.errors import FreeloopError
from freeloop.model.request import RequestSpec

LONGEST_BODY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """An answer: status, the Location header ("" without one), and the start of the body."""

    status: int
    location: str
    body: bytes


def first_answer(
    port: int, request: RequestSpec, *, host: str, timeout_s: float = 60.0
) -> FirstAnswer:
    """Send one request to 127.0.0.1 and return its answer.

    Raises:
        FreeloopError: "no-answer" when the connection ends or nothing comes in time.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    headers = {"Connection": "close", **request.headers}
    if not any(name.lower() == "host" for name in request.headers):
        headers["Host"] = host
    if request.cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in request.cookies.items())
    try:
        connection.request(request.method, request.url or "/", request.body, headers)
        answer = connection.getresponse()
        body = answer.read(LONGEST_BODY_BYTES)
        return FirstAnswer(answer.status, answer.getheader("Location", ""), body)
    except (OSError, http.client.HTTPException) as error:
        raise FreeloopError(
            "no-answer",
            what=f"{request.url} gives no answer",
            where=f"127.0.0.1:{port}, {timeout_s:g} s allowed: {error!r}",
            mend="make the view answer one request first, then bench it",
        ) from error
    finally:
        connection.close()
