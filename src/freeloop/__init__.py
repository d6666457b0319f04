"""freeloop: when async helps in Django, and when it does not."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freeloop.api import BenchOptions, bench, check, doctor, predict, trace
    from freeloop.errors import FreeloopError
    from freeloop.model.finding import Finding, Findings
    from freeloop.model.plan import Plan
    from freeloop.model.prediction import Prediction
    from freeloop.model.request import RequestSpec
    from freeloop.model.run import Run
    from freeloop.model.trace import Trace
    from freeloop.model.verdict import Verdict

__version__ = "0.1.0"

__all__ = [
    "BenchOptions",
    "Finding",
    "Findings",
    "FreeloopError",
    "Plan",
    "Prediction",
    "RequestSpec",
    "Run",
    "Trace",
    "Verdict",
    "__version__",
    "bench",
    "check",
    "doctor",
    "predict",
    "trace",
]

_HOMES = {
    "BenchOptions": "freeloop.api",
    "Finding": "freeloop.model.finding",
    "Findings": "freeloop.model.finding",
    "FreeloopError": "freeloop.errors",
    "Plan": "freeloop.model.plan",
    "Prediction": "freeloop.model.prediction",
    "RequestSpec": "freeloop.model.request",
    "Run": "freeloop.model.run",
    "Trace": "freeloop.model.trace",
    "Verdict": "freeloop.model.verdict",
    "bench": "freeloop.api",
    "check": "freeloop.api",
    "doctor": "freeloop.api",
    "predict": "freeloop.api",
    "trace": "freeloop.api",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import freeloop` stays cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
