"""What probes may do: watch functions, stand in for names; and how all of it is taken away."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from types import CodeType
from typing import Any

from freeloop.record import probes
from freeloop.record.monitor import Call, Monitor, code_of
from freeloop.record.recorder import Recorder


class DoesNotFit(Exception):  # noqa: N818 - an answer: what it observes is missing in the trace
    """The installed version of a library has another shape than the probe knows."""


class Watch:
    """Everything that is put in for one recording.

    Attributes:
        off: Probes that did not fit, and why.
        versions: Of the libraries that are observed.
    """

    def __init__(self, recorder: Recorder, monitor: Monitor) -> None:
        self.recorder = recorder
        self.monitor = monitor
        self.off: dict[str, str] = {}
        self.versions: dict[str, str] = {}
        self._patched: list[tuple[Any, str, Any, Any]] = []
        self._late: dict[str, str] = {}

    def install(self) -> None:
        """Install each probe whose library the project has imported."""
        for name, probe in found_probes():
            module, distribution = probe.LIBRARY
            if module not in sys.modules:
                self._late[name] = module
                continue
            if distribution:
                self.versions[distribution] = version_of(distribution)
            try:
                probe.install(self)
            except (DoesNotFit, AttributeError, TypeError, ImportError) as problem:
                version = self.versions.get(distribution, "")
                self.off[name] = f"{distribution} {version} has another shape: {problem}".strip()

    def remove(self) -> None:
        """Put everything back; say which libraries came too late to be observed."""
        self.monitor.remove()
        # What somebody put over ours in the meantime stays, and calls through to stock.
        for owner, name, stock, ours in reversed(self._patched):
            if vars(owner).get(name) is ours:
                setattr(owner, name, stock)
        self._patched.clear()
        for name, module in self._late.items():
            if module in sys.modules:
                self.off[name] = f"{module} was imported by the request itself: record it again"
        self.recorder.queue.close()

    def call(self, function: Any, call: Call, *needs: str) -> None:
        """Mark the calls of a function that has these variables.

        Raises:
            DoesNotFit: If it has not.
        """
        code = function if isinstance(function, CodeType) else code_of(function)
        missing = [name for name in needs if name not in code.co_varnames]
        if missing:
            raise DoesNotFit(f"{code.co_qualname} has no {', '.join(missing)}")
        self.monitor.watch(code, call)

    def replace(self, owner: Any, name: str, stand_in: Callable[[Any], Any]) -> None:
        """Put `stand_in(stock)` where `owner.name` was: the last resort, for functions in C."""
        stock = vars(owner)[name]
        ours = stand_in(stock)
        setattr(owner, name, ours)
        self._patched.append((owner, name, stock, ours))


def found_probes() -> Iterator[tuple[str, Any]]:
    """Yield name and module of every probe in the folder."""
    for found in sorted(pkgutil.iter_modules(probes.__path__), key=lambda each: each.name):
        module = importlib.import_module(f"{probes.__name__}.{found.name}")
        if hasattr(module, "LIBRARY"):
            yield found.name.replace("_", "-"), module


def version_of(distribution: str) -> str:
    """Return the installed version; "" when there is none to tell."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""
