"""Make the application that a server serves; runs in the project's own interpreter.

This file stands alone (standard library and Django only): the project's interpreter may not have
freeloop. `process.py` writes a module that loads it by path and exposes `application`.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import traceback
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

RAISED_FILE = "raised"
VARIABLE = "FREELOOP_ENTRY"
SETTINGS_MODULE = "freeloop_run_settings"

_SETTINGS_VARIABLE = "DJANGO_SETTINGS_MODULE"


def application_from_environment() -> Any:
    """Return the application that the configuration in the environment describes.

    The configuration is JSON in FREELOOP_ENTRY: `settings` (module or null), `overrides` (settings
    by name), `interface` ("asgi" or "wsgi"), `app` ("pkg.asgi:application" or null: one is made),
    `root` (the project's folder), `agent` (path of the agent or null), `sockets` (its folder),
    `relief` (folder of the package freeloop, or null: none is installed here).
    """
    config: dict[str, Any] = json.loads(os.environ[VARIABLE])
    _choose_settings(config["settings"], config["overrides"], config["app"])
    agent = _load("freeloop_agent", config["agent"]) if config["agent"] else None
    if agent is not None:
        agent.install(root=config["root"], sockets=config["sockets"])
    relief = _installed_relief(config["relief"]) if config["relief"] else None
    application = _application(config["interface"], config["app"])
    if relief is not None:
        _check_relief_on(relief)
    if config["overrides"]:
        _check_settings_used(config["app"])
    _keep_first_exception(f"{config['sockets']}/{RAISED_FILE}")
    if agent is None:
        return application
    wrap = agent.wrap_asgi if config["interface"] == "asgi" else agent.wrap_wsgi
    return wrap(application)


def overridden_settings(original: str, overrides: Mapping[str, object]) -> ModuleType:
    """Return a settings module: all names of `original`, then the overrides, each whole."""
    module = ModuleType(SETTINGS_MODULE, "The project's settings with those of the arm over them.")
    source = importlib.import_module(original)
    module.__dict__.update({name: vars(source)[name] for name in vars(source) if name.isupper()})
    module.__dict__.update(overrides)
    return module


def _choose_settings(
    settings: str | None, overrides: Mapping[str, object], app: str | None
) -> None:
    settings = settings or os.environ.get(_SETTINGS_VARIABLE)
    if settings is None:
        if app is not None and not overrides:
            # The project's own asgi.py or wsgi.py may name them.
            return
        raise SystemExit(f"freeloop: {_SETTINGS_VARIABLE} is not set")
    os.environ[_SETTINGS_VARIABLE] = settings
    if overrides:
        # Loaded at Django's first use of a setting, not now: the project's own asgi.py or wsgi.py
        # may prepare the environment before that.
        sys.meta_path.insert(0, _SettingsFinder(settings, overrides))
        os.environ[_SETTINGS_VARIABLE] = SETTINGS_MODULE


class _SettingsFinder:
    """Import hook that makes the overridden settings when they are first asked for."""

    def __init__(self, original: str, overrides: Mapping[str, object]) -> None:
        self.original = original
        self.overrides = overrides

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        """Answer for the one module that this hook makes."""
        del path, target
        if name != SETTINGS_MODULE:
            return None
        return importlib.util.spec_from_loader(name, self)  # type: ignore[arg-type] # duck-typed

    def create_module(self, spec: object) -> ModuleType:
        """Return the finished module."""
        del spec
        return overridden_settings(self.original, self.overrides)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: `create_module` filled it."""


def _application(interface: str, path: str | None) -> Any:
    if path is not None:
        module_name, _, attribute = path.partition(":")
        found: Any = importlib.import_module(module_name)
        for part in (attribute or "application").split("."):
            found = getattr(found, part)
        return found
    if interface == "asgi":
        from django.core.asgi import get_asgi_application

        return get_asgi_application()
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def _installed_relief(package: str) -> Any:
    """Return `freeloop.relief`, installed: it relieves the handlers that are built from now on.

    The project's own freeloop is what it will be deployed with; without one, the freeloop that
    measures is taken, of which this part needs Django alone.
    """
    if importlib.util.find_spec("freeloop") is None:
        _load("freeloop", f"{package}/__init__.py", package)
    try:
        relief = importlib.import_module("freeloop.relief")
    except ModuleNotFoundError as error:
        if error.name != "freeloop.relief":
            raise
        raise SystemExit(
            "freeloop: the project's interpreter has a freeloop without relief; renew it, or"
            " remove it: then the one that measures is used"
        ) from None
    if not relief.install():
        raise SystemExit("freeloop: no part of relief fits the project's Django and asgiref")
    return relief


def _check_relief_on(relief: Any) -> None:
    switch = importlib.import_module(f"{relief.__name__}.switch")
    if not switch.on():
        raise SystemExit(
            "freeloop: the project switches relief off, so that the arm would be measured without"
            ' it: FREELOOP["RELIEF"]["ENABLED"] is False, or uninstall() was called'
        )


def _check_settings_used(path: str | None) -> None:
    from django.conf import settings

    used = os.environ[_SETTINGS_VARIABLE]
    if used != SETTINGS_MODULE or settings.SETTINGS_MODULE != SETTINGS_MODULE:
        raise SystemExit(
            f"freeloop: {path} sets {_SETTINGS_VARIABLE} to {used!r}, so that the settings of the"
            f" arm are lost; use os.environ.setdefault({_SETTINGS_VARIABLE!r}, ...) there"
        )


def _keep_first_exception(file: str) -> None:
    """Write the traceback of the first request that raises to a file, once.

    The log cannot be relied on: outside DEBUG Django sends tracebacks to ADMINS only, and LOGGING
    disables the loggers of the server unless it says `disable_existing_loggers: False`.
    """
    from django.core.signals import got_request_exception

    def keep(**_signal: object) -> None:
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:  # there is one already, or the server is being stopped
            return
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as kept:
            kept.write(traceback.format_exc())

    got_request_exception.connect(keep, weak=False)


def _load(name: str, path: str, package: str | None = None) -> Any:
    folders = [package] if package else None
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=folders)
    if spec is None or spec.loader is None:
        raise SystemExit(f"freeloop: cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
