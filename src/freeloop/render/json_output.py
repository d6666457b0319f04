"""A run as JSON text: stable, for scripts and for drawing again later."""

from __future__ import annotations

import json
from collections.abc import Sequence

from freeloop import __version__
from freeloop.model.check import Check
from freeloop.model.codec import encode_run
from freeloop.model.relief import ReliefReport
from freeloop.model.run import Run
from freeloop.model.stack import StackReport
from freeloop.model.structure import Json, to_plain
from freeloop.model.watched import Overview


def dump_run(run: Run) -> str:
    """Return the run as the text of a `freeloop.run/1` file, ending with a line break."""
    return json.dumps(encode_run(run), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def dump_checks(checks: Sequence[Check]) -> str:
    """Return the doctor's rows as JSON text, schema freeloop.checks/1."""
    rows = [
        {"name": each.name, "state": each.state, "detail": each.detail, "mend": each.mend}
        for each in checks
    ]
    document = {"schema": "freeloop.checks/1", "tool": __version__, "results": rows}
    return json.dumps(document, indent=2, ensure_ascii=False)


def dump_relief(report: ReliefReport) -> str:
    """Return the report of relief as JSON text, schema freeloop.relief/1."""
    said = report.explanation
    document: dict[str, Json] = {
        "schema": "freeloop.relief/1",
        "tool": __version__,
        "environment": to_plain(
            {
                "settings": said.settings,
                **report.environment,
                "django": said.django,
                "asgiref": said.asgiref,
            }
        ),
        "off": said.off,
        "share": said.share,
        "unknown": list(said.unknown),
        "basis": "computed",
        "async_view": to_plain(said.async_view),
        "sync_view": to_plain(said.sync_view),
        "results": [to_plain(piece) for piece in said.pieces],
        "counted": to_plain(report.count),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def dump_stack(report: StackReport) -> str:
    """Return the simulated middleware stack as JSON text, schema freeloop.stack/1."""
    said = report.simulation
    orders = {
        "current": said.current,
        "best": said.best,
        "best_relieved": said.best_relieved,
        "rewritten": said.rewritten,
    }
    document: dict[str, Json] = {
        "schema": "freeloop.stack/1",
        "tool": __version__,
        "environment": to_plain(
            {
                "settings": said.explanation.settings,
                **report.environment,
                "django": said.explanation.django,
                "asgiref": said.explanation.asgiref,
            }
        ),
        "basis": "computed",
        "hop_us": said.hop_us,
        "sync_only": list(said.sync_only),
        "orders": {name: to_plain(order) for name, order in orders.items()},
        "tried": said.tried,
        "untried": said.untried,
        "refused": said.refused,
        "results": [to_plain(piece) for piece in said.explanation.pieces],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def dump_overview(overview: Overview, *, indent: int | None = None) -> str:
    """Return what workers reported as JSON text, schema freeloop.watch/1."""
    document: dict[str, Json] = {
        "schema": "freeloop.watch/1",
        "tool": __version__,
        "environment": {},
        "basis": "measured",
        "at": overview.at,
        "reports": overview.reports,
        "held_ms": overview.held_ms,
        "results": [to_plain(line) for line in overview.lines],
        "workers": [to_plain(worker) for worker in overview.workers],
        "unreadable": [to_plain(each) for each in overview.unreadable],
        "absent": list(overview.absent),
    }
    return json.dumps(document, indent=indent, ensure_ascii=False)
