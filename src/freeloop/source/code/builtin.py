"""Builtins by what they do with what they are given."""

from __future__ import annotations

from freeloop.source.code.results import ALL_ITEMS

# Builtins that take every item of what they are given.
CONSUMERS = ALL_ITEMS | {
    "dict", "sum", "min", "max", "any", "all", "len", "bool", "enumerate", "zip",
}  # fmt: skip
# Builtins that call their first argument, or `key`, here and now.
CALLERS = frozenset({"map", "filter", "sorted", "min", "max", "sum", "functools.reduce"})
BUILTINS = CONSUMERS | CALLERS | {
    "open", "input", "print", "next", "anext", "iter", "getattr", "isinstance", "str", "int",
    "super", "type", "hasattr", "setattr", "property", "staticmethod", "classmethod",
}  # fmt: skip
# What may be asked of a coroutine or task.
OF_COROUTINE = frozenset(
    ["close", "send", "throw", "cancel", "done", "result", "exception", "add_done_callback",
     "cancelled", "cancelling", "get_name", "set_name", "get_coro", "remove_done_callback",
     "uncancel", "cr_frame", "cr_code", "get_stack"]
)  # fmt: skip
