"""What views tell the test, and what the test tells views; imports no model."""

from __future__ import annotations

import threading
from typing import Any

# In order.
said: list[Any] = []
# What a view that blocks waits for.
let_go = threading.Event()

# Views that answer a GET the same every time.
PLAIN = (
    *("hello", "hello_sync", "query", "query_sync", "page", "page_sync", "reads_session", "who"),
    *("who_sync", "json", "adds_message", "language", "sets_context", "caches", "long_text"),
    *("with_etag", "sets_cookie", "own_headers", "missing", "forbidden", "bad", "suspicious"),
    *("fails", "fails_sync", "nothing", "query_then_fails", "visits", "stream", "with_closer"),
    *("own_close", "file", "form", "echo", "log_in"),
)
