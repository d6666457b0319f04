"""What the sample project answers: `python -m tests.relief.safety.cafe_answers stock|relief`.

Reads one JSON line, the routes; prints a line for each request: what was asked, what was seen.
Its surroundings (database, supplier) are given by the environment.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from typing import Any

from freeloop import relief

FORM = (
    b'--line\r\nContent-Disposition: form-data; name="dish"; filename="dish.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nsoup\r\n--line--\r\n"
)
# A ticket that nobody has.
NUMBER = "00000000-0000-4000-8000-000000000000"


def main(arm: str) -> None:
    """Ask every route in every way."""
    if arm == "relief":
        relief.install()
    import django

    django.setup()
    from django.core.handlers.asgi import ASGIHandler

    from tests.relief.safety.observed import observe

    handler = ASGIHandler()

    async def application(*arguments: Any) -> None:
        try:
            await handler(*arguments)
        finally:
            # They belong to the loop, and every request has one of its own here.
            await import_module("kitchen.clients").close_all()

    for asked in requests(json.loads(sys.stdin.readline())):
        seen, _ = observe(application, asked)
        # HTTP clients log ports, and from threads of their own.
        seen.records = [each for each in seen.records if each[0].startswith("django")]
        seen.answer = without_work(seen.answer)
        name = f"{asked.method} {asked.target} {asked.headers}"
        print(json.dumps({"asked": name, "seen": asdict(seen)}), flush=True)  # noqa: T201


def without_work(answer: tuple[Any, ...]) -> tuple[Any, ...]:
    """Leave out how much a view chopped in its time, and what follows from the digits."""
    status, headers, body, *others = answer
    if "carrots" not in body:
        return answer
    headers = [(name, value) for name, value in headers if name != "Content-Length"]
    return status, headers, re.sub(r"\d+", "<work>", body), *others


def requests(routes: list[str]) -> Iterator[Any]:
    """Twice as anybody, with cookies, HEAD, and a form."""
    from tests.relief.safety.exchange import Asked

    cookies = (("Cookie", f"sessionid={'k' * 32}; csrftoken={'s' * 32}"),)
    form = (("Content-Type", "multipart/form-data; boundary=line"),)
    length = (("Content-Length", str(len(FORM))),)
    for route in [*routes, "/nowhere/", "/hello/async"]:
        target = route.replace("<uuid:number>", NUMBER) + "?ms=2"
        yield Asked(target)
        yield Asked(target, headers=cookies)
        yield Asked(target, "HEAD")
        yield Asked(target, "POST", (*form, *length), (FORM,))


if __name__ == "__main__":
    main(sys.argv[1])
    import_module("kitchen.processes").dismiss_helpers()
