"""Loaders: who may have looked at a request's user before a view does, in code that is not read.

`request.user` is loaded once. A middleware of another package that looks at it does so in a
thread, and a framework's own way to sign in may put a user there that is not lazy: then no look at
it runs a query. Readers of unseen projects found it so in every case that was not Django's alone.
"""

from __future__ import annotations

from functools import cached_property

from freeloop.source.code.entries import Entry
from freeloop.source.code.index import Class, Func
from freeloop.source.code.kinds import ClassRef, FuncRef
from freeloop.source.code.program import Program
from freeloop.source.code.settings import Settings

SETS_USER = "django.contrib.auth.middleware.AuthenticationMiddleware"
# Packages whose middleware has nothing to do with users.
APART = ("django.", "corsheaders.", "whitenoise.", "django_htmx.", "csp.")
# Of Django's, those that look.
LOOK = ("RemoteUserMiddleware", "LoginRequiredMiddleware")
MIXIN = "django.utils.deprecation.MiddlewareMixin"


class Loaders:
    """Tells whether somebody may have loaded the user before."""

    def __init__(self, program: Program, settings: Settings) -> None:
        """Tell it of a program and its settings."""
        self._program = program
        self._settings = settings

    def may_have_loaded(self, entry: Entry | None) -> bool:
        """Tell whether the user may be there, or be no lazy one, where an entry point starts."""
        return not (self._is_lazy and entry is not None and self._is_django(entry))

    @cached_property
    def _is_lazy(self) -> bool:
        """Whether every layer is known, Django's sets the user and no other looks at it."""
        names = self._settings.middleware
        return (
            self._settings.middleware_whole
            and SETS_USER in names
            and all(self._leaves_alone(name) for name in names)
        )

    def _leaves_alone(self, name: str) -> bool:
        kind = self._program.resolver.dotted(name)
        if isinstance(kind, ClassRef):
            bases = self._program.resolver.mro(kind.cls)
            return not any(
                any(map(_mentions_user, each.methods.values()))
                if isinstance(each, Class)
                else each not in ("object", MIXIN)
                for each in bases
            )
        if isinstance(kind, FuncRef):
            func = kind.func
            parts = [each for each in func.module.functions if func in (each, each.outer)]
            return not any(map(_mentions_user, parts))
        return name.startswith(APART) and not name.endswith(LOOK)

    def _is_django(self, entry: Entry) -> bool:
        """Tell whether Django alone stands between its middleware and an entry point."""
        if entry.what not in ("async view", "middleware"):
            return False
        cls = entry.func.cls
        bases = () if cls is None else self._program.resolver.mro(cls)
        if any(isinstance(base, str) and not base.startswith(("django.", "object"))
               for base in bases):  # fmt: skip
            return False
        return not any(
            name != "" and not name.startswith(("django.", "asgiref."))
            for name, _, _ in self._program.resolver.decorator_names(entry.func)
        )


def _mentions_user(func: Func) -> bool:
    return b"user" in func.packed
