"""Middleware as third parties write it, subclasses of Django's, and ones that fail in a hook."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import User
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.decorators import async_only_middleware, sync_only_middleware
from django.utils.deprecation import MiddlewareMixin

trail: ContextVar[tuple[str, ...]] = ContextVar("trail", default=())


def _pass(name: str) -> None:
    trail.set((*trail.get(), name))


@sync_only_middleware
def sync_only(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Holds a thread; queries on the way in."""

    def middleware(request: HttpRequest) -> Any:
        _pass("sync in")
        User.objects.exists()
        response = get_response(request)
        _pass("sync out")
        response["X-Trail-Sync"] = str(len(trail.get()))
        return response

    return middleware


@async_only_middleware
def async_only(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Awaits, and queries."""

    async def middleware(request: HttpRequest) -> Any:
        _pass("async in")
        await User.objects.aexists()
        response = await get_response(request)
        _pass("async out")
        response["X-Trail-Async"] = str(len(trail.get()))
        return response

    return middleware


class Hybrid:
    """Both ways, as the documentation shows it."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Answer, or promise to."""
        if iscoroutinefunction(self):
            return self._answer(request)
        response = self.get_response(request)
        response["X-Hybrid"] = "sync"
        return response

    async def _answer(self, request: HttpRequest) -> Any:
        _pass("hybrid")
        response = await self.get_response(request)
        response["X-Hybrid"] = "async"
        return response


class OldStyle(MiddlewareMixin):
    """All hooks, written for sync Django; uses the database in each."""

    def process_request(self, request: HttpRequest) -> None:
        """On the way in."""
        _pass("old request")
        request.users = User.objects.count()  # type: ignore[attr-defined]

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Before the view."""
        _pass("old view")
        User.objects.exists()

    def process_template_response(self, request: HttpRequest, response: Any) -> Any:
        """Before rendering."""
        _pass("old template")
        return response

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """On the way out."""
        _pass("old response")
        response["X-Users"] = str(getattr(request, "users", "?"))
        return response


class SavingSession(SessionMiddleware):
    """A subclass: writes to every session."""

    def process_request(self, request: HttpRequest) -> None:
        """Load and change."""
        super().process_request(request)
        request.session["seen"] = request.session.get("seen", 0) + 1


class LoadingAuthentication(AuthenticationMiddleware):
    """A subclass: asks for the user at once."""

    def process_request(self, request: HttpRequest) -> None:
        """Query."""
        super().process_request(request)
        str(request.user)


class OwnCommon(CommonMiddleware):
    """A subclass that redirects its own way."""

    def process_response(self, request: Any, response: Any) -> Any:
        """Query on the way out."""
        User.objects.exists()
        return super().process_response(request, response)


class OwnSecurity(SecurityMiddleware):
    """A subclass without a change."""


class OwnCsrf(CsrfViewMiddleware):
    """A subclass that adds a hook of its own."""

    def process_request(self, request: Any) -> Any:
        """Query, then Django's."""
        User.objects.exists()
        return super().process_request(request)


class ShortCut:
    """Answers some requests itself."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Answer at once, or pass on."""
        if iscoroutinefunction(self):
            return self._later(request)
        return HttpResponse("short") if "short" in request.GET else self.get_response(request)

    async def _later(self, request: HttpRequest) -> Any:
        return HttpResponse("short") if "short" in request.GET else await self.get_response(request)


class _Failing(MiddlewareMixin):
    """Fails in the hook that the request names, after a query."""

    error: type[Exception] = ValueError

    def _maybe(self, request: HttpRequest, hook: str) -> None:
        if request.GET.get("hook") == hook:
            User.objects.exists()
            raise self.error(f"in {hook}")


class Failing(_Failing):
    """Fails in any hook."""

    def process_request(self, request: HttpRequest) -> None:
        """Maybe fail."""
        self._maybe(request, "request")

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Maybe fail."""
        self._maybe(request, "view")

    def process_template_response(self, request: HttpRequest, response: Any) -> Any:
        """Maybe fail."""
        self._maybe(request, "template")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> Any:
        """Maybe fail, maybe answer."""
        self._maybe(request, "exception")
        return HttpResponse("rescued") if "rescue" in request.GET else None

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """Maybe fail."""
        self._maybe(request, "response")
        return response


class Forgetful(MiddlewareMixin):
    """Returns nothing from `process_response` if asked to."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """Forget."""
        return None if "forget" in request.GET else response
