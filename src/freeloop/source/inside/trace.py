"""Inside the project: record one request, with freeloop's own recorder."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[2]


def answer(question: dict[str, Any], _cleanups: list[Callable[[], None]], asked: Any) -> object:
    """Record the request that the question describes and return where its trace lies."""
    load_freeloop()
    errors = importlib.import_module("freeloop.errors")
    try:
        return importlib.import_module("freeloop.record.entry").answer(question)
    except errors.FreeloopError as error:
        raise asked(
            "refused", slug=error.slug, what=error.what, where=error.where, mend=error.mend
        ) from error


def load_freeloop() -> None:
    """Make this freeloop importable: another may be installed here, or none.

    Of it, only what the standard library and Django suffice for is imported.
    """
    loaded = sys.modules.get("freeloop")
    if loaded is not None and Path(loaded.__file__ or "").parent == PACKAGE:
        return
    for name in [name for name in sys.modules if name.partition(".")[0] == "freeloop"]:
        if loaded is not None:
            return  # the project uses its own already: two in one process would not agree
        del sys.modules[name]
    spec = importlib.util.spec_from_file_location(
        "freeloop", PACKAGE / "__init__.py", submodule_search_locations=[str(PACKAGE)]
    )
    assert spec is not None  # noqa: S101, RUF100 - the file is freeloop's own
    assert spec.loader is not None  # noqa: S101, RUF100
    module = importlib.util.module_from_spec(spec)
    sys.modules["freeloop"] = module
    spec.loader.exec_module(module)
