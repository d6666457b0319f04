"""Answers of the project beside one third-party package: `python -m tests.relief.safety.beside`.

Arguments: the package, and when relief is installed: never, before the package, or after it.
Prints JSON: what a client sees, what the package noted, and the parts of relief that are in place.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from freeloop import relief

NEVER, BEFORE, AFTER = "never", "before", "after"
PACKAGES = (
    *("whitenoise", "corsheaders", "debug_toolbar", "sentry", "sentry_spans", "opentelemetry"),
    *("opentelemetry_asgi", "channels", "staticfiles"),
)
PATHS = (
    *("/", "/hello_sync/", "/query/", "/page/", "/fails/", "/missing/", "/stream/", "/form/"),
    *("/visits/", "/static/site.css", "/static/none.css", "/log_in/", "/json/"),
)
noted: list[str] = []


def settings_for(package: str, folder: Path) -> dict[str, Any]:
    """Return the project's settings with the package added as its documentation says."""
    from tests.relief.safety.project.settings import for_folder

    given = for_folder(folder)
    order, apps = list(given["MIDDLEWARE"]), list(given["INSTALLED_APPS"])
    if package == "whitenoise":
        order.insert(1, "whitenoise.middleware.WhiteNoiseMiddleware")
        given |= {"WHITENOISE_USE_FINDERS": True, "WHITENOISE_AUTOREFRESH": True}
    if package == "corsheaders":
        order.insert(2, "corsheaders.middleware.CorsMiddleware")
        apps.append("corsheaders")
        given["CORS_ALLOW_ALL_ORIGINS"] = True
    if package == "debug_toolbar":
        order.insert(0, "debug_toolbar.middleware.DebugToolbarMiddleware")
        apps.append("debug_toolbar")
        given |= {
            "DEBUG": True,
            "INTERNAL_IPS": ["127.0.0.1"],
            "ROOT_URLCONF": "tests.relief.safety.project.urls_toolbar",
        }
    if package == "staticfiles":
        # Its handler finds files only while developing, its view with DEBUG.
        given["DEBUG"] = True
    return {**given, "MIDDLEWARE": order, "INSTALLED_APPS": apps}


def start(package: str) -> None:
    """Start what patches Django or its settings."""
    if package.startswith("sentry"):
        import sentry_sdk
        from sentry_sdk.integrations.django import DjangoIntegration
        from sentry_sdk.transport import Transport

        class Kept(Transport):
            def capture_envelope(self, envelope: Any) -> None:
                for item in envelope.items:
                    event = item.payload.json or {}
                    spans = sorted(
                        f"{each.get('op')} {each.get('description')}"
                        for each in event.get("spans", ())
                    )
                    noted.append(f"{item.type} {event.get('transaction')} {spans}")

        sentry_sdk.init(
            dsn="http://key@localhost/1",
            transport=Kept,
            traces_sample_rate=1.0,
            default_integrations=False,
            integrations=[DjangoIntegration(middleware_spans=package == "sentry_spans")],
        )
    if package.startswith("opentelemetry"):
        from opentelemetry import trace
        from opentelemetry.instrumentation.django import DjangoInstrumentor
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import (
            SimpleSpanProcessor,
            SpanExporter,
            SpanExportResult,
        )

        class KeptSpans(SpanExporter):
            def export(self, spans: Any) -> SpanExportResult:
                noted.extend(f"{span.name} {span.status.status_code.name}" for span in spans)
                return SpanExportResult.SUCCESS

        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(KeptSpans()))
        trace.set_tracer_provider(provider)
        if package == "opentelemetry":
            DjangoInstrumentor().instrument()


def wrapped(package: str, application: Any) -> Any:
    """Return the application as the package serves it."""
    if package == "channels":
        from channels.routing import ProtocolTypeRouter, URLRouter  # type: ignore[import-untyped]
        from django.urls import re_path

        inner = URLRouter([re_path(r"", application)])
        return ProtocolTypeRouter({"http": inner})
    if package == "staticfiles":
        from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler

        return ASGIStaticFilesHandler(application)
    if package == "opentelemetry_asgi":
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

        return OpenTelemetryMiddleware(application)
    return application


def main(package: str, when: str, folder: Path) -> None:
    """Set up, ask every path twice, print."""
    import django
    from django.conf import settings

    if when == BEFORE:
        relief.install()
    settings.configure(**settings_for(package, folder))
    start(package)
    if when == AFTER:
        relief.install()
    django.setup()
    logging.disable(logging.CRITICAL)

    from django.core.handlers.asgi import ASGIHandler

    from tests.relief.safety.conftest import _prepare
    from tests.relief.safety.exchange import Asked, ask, on_a_loop
    from tests.relief.safety.observed import masked

    on_a_loop(lambda: asyncio.to_thread(_prepare))
    application = wrapped(package, ASGIHandler())
    # Not the preparation's.
    noted.clear()
    origin = (("Origin", "http://elsewhere.example"), ("Accept", "text/html"))
    answers = []
    for path in (*PATHS, *PATHS):
        answer = on_a_loop(lambda path=path: ask(application, Asked(path, "GET", origin)))  # type: ignore[misc]
        body = masked(answer.body.decode("latin-1"))
        debug_page = package in {"debug_toolbar", "staticfiles"} and answer.status >= 400
        answers.append(
            [
                path,
                answer.status,
                [
                    [n.decode(), masked(v.decode("latin-1"))]
                    for n, v in answer.headers
                    # Timings, and the length of what shows them.
                    if package != "debug_toolbar" or n not in {b"Server-Timing", b"Content-Length"}
                    if not (debug_page and n == b"Content-Length")
                ],
                "" if debug_page or 'id="djDebug"' in body else body,
                repr(answer.raised),
            ]
        )
    if package.startswith("sentry"):
        import sentry_sdk

        sentry_sdk.flush()
    notes = [masked(each) for each in noted]
    print(json.dumps({"answers": answers, "noted": notes, "parts": relief.installed_parts()}))  # noqa: T201


if __name__ == "__main__":
    _, its_package, its_time = sys.argv
    with tempfile.TemporaryDirectory() as its_folder:
        main(its_package, its_time, Path(its_folder))
