"""Claim: predictions from a trace and three bursts come near what bench measures.

Predicts and measures every pair below at 50 and 200 requests in flight, and eight what-ifs whose
change the sample project really has. Where a number is given: throughput is off by at most 20 % in
the median and 50 % at the 90th percentile; of the cells that the measurement decides and the
prediction answers, at least 90 % get the same verdict; the what-ifs keep the same two bounds. Ends
with 1 when one does not hold. How many intervals held the measured rate is printed beside it.

    .venv/bin/python benchmarks/prediction.py            # about an hour and a half, then the check
    .venv/bin/python benchmarks/prediction.py --resume   # goes on where the run was interrupted
    .venv/bin/python benchmarks/prediction.py --check    # the run that is there
    .venv/bin/python benchmarks/prediction.py --again    # its bursts through the model as it is now
    .venv/bin/python benchmarks/prediction.py --anew what-ifs --anew password   # these from scratch

What a prediction rests on (bursts, and the structure of traces) and the prediction itself are kept
in the result file before its pair is measured. --again is weaker evidence: whoever changed the
model may have seen the measurements; its predictions stand beside the first ones. --anew forgets
the bursts, predictions and measurements of single pairs (or of all what-ifs and the pairs that make
their changes) and of all that share a burst with them, and takes them as the first time.

The pairs (prediction_pairs.py) were written down before the first run, and the model is not tuned
to single ones. A side is measured once per pair; a what-if is compared with the side of a pair that
has the change. A cell whose requests would take longer than a round, one generation of them, is
left out and named.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from prediction_claims import claims
from prediction_pairs import CAFE, CONCURRENCY, MADE, WHAT_IFS, chosen, what_if_views
from turns import turn

from freeloop.api.options import PredictOptions
from freeloop.api.pair import timed_cells
from freeloop.api.predict_plan import (
    WHAT_IF_ARMS,
    Gatherer,
    Grounds,
    gathering,
    key_of,
    predict_pair,
    predict_view,
)
from freeloop.api.predicting import RELIEVED, UVICORN
from freeloop.errors import FreeloopError
from freeloop.judge.stats import LOOKS
from freeloop.judge.verdict import judge
from freeloop.model.plan import Pair, Plan, Question, Side
from freeloop.model.request import RequestSpec
from freeloop.model.structure import from_plain, to_plain

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "prediction.json"

MOST_ROUNDS, LONGEST_ROUND_S = 5, 40.0


@dataclass(slots=True)
class Kept:
    """The run so far, in its file after every step.

    Attributes:
        file: Where it is kept.
        grounds: What the predictions rest on.
        what_ifs: One row for each change and concurrency.
        cells: One row for each pair and concurrency.
        left_out: Why, by pair and concurrency.
    """

    file: Path
    grounds: Grounds = field(default_factory=Grounds)
    what_ifs: list[dict[str, Any]] = field(default_factory=list)
    cells: list[dict[str, Any]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Kept:
        """Return the run of a file."""
        run = json.loads(file.read_text(encoding="utf-8"))
        grounds = from_plain(Grounds, run["grounds"])
        return cls(file, grounds, run["what_ifs"], run["cells"], run["left_out"])

    def write(self) -> None:
        """Replace the file by the run as it is; an interrupt leaves the old or the new one."""
        run = {
            "cells": self.cells,
            "what_ifs": self.what_ifs,
            "left_out": self.left_out,
            "grounds": to_plain(self.grounds),
        }
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
        new.replace(self.file)

    def done(self, pair: str) -> bool:
        """Return whether a pair was measured, or cannot be."""
        cells = [cell for cell in self.cells if cell["pair"] == pair]
        waits = any("measured_rps" not in cell for cell in cells)
        return pair in self.left_out or (bool(cells) and not waits)


def main() -> int:
    """Measure unless told not to, then check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="check the run that is there")
    parser.add_argument("--resume", action="store_true", help="go on with the run that is there")
    parser.add_argument("--again", action="store_true", help="predict again from its bursts")
    parser.add_argument("--inside", action="store_true", help="for the script itself")
    parser.add_argument("--only", action="append", metavar="PAIR", help="to try the script")
    parser.add_argument(
        "--anew",
        action="append",
        metavar="PAIR",
        help=f"take a pair of the run that is there from scratch; {WHAT_IFS}: all of them",
    )
    parser.add_argument("--result", type=Path, default=RESULT, help="where the run is kept")
    parser.add_argument(
        "--turns", type=Path, metavar="FILE", help="lock this file for each step, to take turns"
    )
    options = parser.parse_args()
    options.result = options.result.resolve()
    if options.only and options.result == RESULT:
        parser.error("--only is no whole run: keep it apart with --result FILE")
    if options.inside:
        run(options)
        return 0
    if options.again:
        again(options.result)
    elif not options.check:
        command = [sys.executable, __file__, "--inside", *sys.argv[1:]]
        words = [sys.executable, "backing.py", "--", *command]
        if subprocess.run(words, cwd=CAFE, check=False).returncode:
            print(f"not finished; --resume goes on from {options.result}", file=sys.stderr)
            return 1
    kept = Kept.read(options.result)
    held = True
    for key, title in (("predicted", "before the measurement"), ("again", "again, by a new model")):
        if any(key not in row for row in (*kept.cells, *kept.what_ifs)):
            continue
        print(f"predicted {title}:")
        held = True
        for good, sentence in claims(kept.cells, kept.what_ifs, key):
            print(f"{'holds' if good else 'FAILS'}  {sentence}")
            held = held and good
    for name, reason in kept.left_out.items():
        print(f"       left out: {name}: {reason}")
    return 0 if held else 1


def run(options: argparse.Namespace) -> None:
    """Take every step that the file does not hold yet; keep it after each."""
    on = options.resume or options.anew
    kept = Kept.read(options.result) if on else Kept(options.result)
    pairs = [pair for pair in chosen() if not options.only or pair.id in options.only]
    views = {} if options.only else what_if_views()
    if options.anew:
        forget(set(options.anew), kept)
    # The requests of what-ifs are sides too: the project is asked where all of them lead.
    asked = [Pair(name, Question.SERVE, *_twice(view)) for name, (view, _) in views.items()]
    with gathering(Plan((*pairs, *asked)), start=CAFE, grounds=kept.grounds) as gatherer:
        steps: list[str | Pair] = [
            *(name for name in views if all(row["before"] != name for row in kept.what_ifs)),
            *(pair for pair in pairs if not kept.done(pair.id)),
        ]
        spent_s = 0.0
        for number, step in enumerate(steps):
            name = f"what-ifs of {step}" if isinstance(step, str) else step.id
            with turn(options.turns):
                started = time.monotonic()
                try:
                    if isinstance(step, str):
                        kept.what_ifs += thought(gatherer, *views[step])
                    else:
                        measure(gatherer, step, kept)
                except FreeloopError as error:
                    kept.left_out[name] = f"{error.what} ({error.where})"
                kept.write()
                took_s = time.monotonic() - started
            spent_s += took_s
            left_min = spent_s / (number + 1) * (len(steps) - number - 1) / 60
            done = f"{number + 1} of {len(steps)}"
            print(f"{done}  {name}: {took_s:.0f} s; about {left_min:.0f} min left", flush=True)


def forget(names: set[str], kept: Kept) -> None:
    """Take pairs out of a run, what-ifs with the pairs that make their changes, and what shares.

    A side is loaded in bursts once: the other pairs that have it are predicted from the same ones,
    so they go too. Else a later --again would hold new bursts against old measurements.
    """
    pairs = chosen()
    sides: set[str] = set()
    if WHAT_IFS in names:
        names = names | {made.pair for made in MADE}
        kept.what_ifs = []
        kept.grounds.calls.clear()
        sides = {
            key_of(Side(arm, request))
            for request, _ in what_if_views().values()
            for arm in WHAT_IF_ARMS
        }
    more = {pair.id: {key_of(pair.a), key_of(pair.b)} for pair in pairs}
    while shares := {name for name in more if name in names or more[name] & sides}:
        names = names | shares
        sides = sides.union(*(more.pop(name) for name in shares))
    kept.grounds.forget(sides)
    kept.cells = [row for row in kept.cells if row["pair"] not in names]
    cells = {f"{name}, {number} in flight" for name in names for number in CONCURRENCY}
    for name in names | cells:
        kept.left_out.pop(name, None)


def _twice(request: RequestSpec) -> tuple[Side, Side]:
    return Side(UVICORN, request), Side(RELIEVED, request)


def thought(
    gatherer: Gatherer, request: RequestSpec, changes: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Return what the changes of one view are predicted to do."""
    gatherer.gather(Side(arm, request) for arm in WHAT_IF_ARMS)
    return changed(request, changes, gatherer.grounds)


def changed(
    request: RequestSpec, changes: tuple[str, ...], grounds: Grounds
) -> list[dict[str, Any]]:
    """Return a row for each change and concurrency, from the grounds alone."""
    options = PredictOptions(concurrency=CONCURRENCY, what_ifs=changes)
    found = {each.asked: each.after for each in predict_view(request, options, grounds).what_ifs}
    rows = []
    for change in changes:
        after = found[change]
        for number in CONCURRENCY:
            rate_rps = after.at(number).rate_rps if after else None
            rows.append(
                {
                    "change": change,
                    "before": request.name,
                    "concurrency": number,
                    "predicted": rate_rps,
                }
            )
    return rows


def forecasts(pair: Pair, grounds: Grounds) -> dict[int, dict[str, Any]]:
    """Return the prediction of a pair by concurrency, from the grounds alone."""
    return {
        cell.concurrency: {
            "sides": [asdict(cell.a), asdict(cell.b)],
            "answer": cell.verdict.answer,
        }
        for cell in predict_pair(pair, grounds)
    }


def measure(gatherer: Gatherer, pair: Pair, kept: Kept) -> None:
    """Predict and keep first, then measure: nothing of the measurement can reach the prediction."""
    gatherer.gather((pair.a, pair.b))
    rows: list[dict[str, Any]] = [
        {"pair": pair.id, "concurrency": number, "predicted": found}
        for number, found in forecasts(pair, gatherer.grounds).items()
    ]
    rows = [row for row in rows if fits(row, kept)]
    kept.cells = [row for row in kept.cells if row["pair"] != pair.id] + rows
    kept.write()
    bench = gatherer.bench
    bench = replace(
        bench,
        effort=replace(bench.effort, open_rounds=0, longest_round_s=LONGEST_ROUND_S),
        looks=LOOKS.until(MOST_ROUNDS),
    )
    pair = replace(pair, concurrency=tuple(row["concurrency"] for row in rows))
    for row, lanes in zip(rows, timed_cells(bench, pair) if rows else (), strict=True):
        a, b = (lane.result(bench.cores) for lane in lanes)
        verdict = judge(pair.question, a, b, cores=bench.cores, looks=bench.looks)
        row["measured_rps"] = [a.quiet_rps, b.quiet_rps]
        row["measured_cpu_ms"] = [
            median(each.cpu_ms for each in side.closed.rounds) for side in (a, b)
        ]
        row["measured_answer"] = verdict.answer


def fits(row: dict[str, Any], kept: Kept) -> bool:
    """Return whether both sides answer all that is in flight once within a round."""
    number = row["concurrency"]
    rates = [side["rate_rps"] for side in row["predicted"]["sides"] if side["rate_rps"]]
    slowest_s = max((number / rate_rps for rate_rps in rates), default=0.0)
    if slowest_s <= LONGEST_ROUND_S:
        return True
    reason = f"its {number} requests would take {slowest_s:.0f} s, predicted; no round is so long"
    kept.left_out[f"{row['pair']}, {number} in flight"] = reason
    return False


def again(file: Path) -> None:
    """Predict from the bursts of a run with the model as it is, beside the first predictions."""
    kept = Kept.read(file)
    known = {row["pair"] for row in kept.cells}
    found = {pair.id: forecasts(pair, kept.grounds) for pair in chosen() if pair.id in known}
    for row in kept.cells:
        row["again"] = found[row["pair"]][row["concurrency"]]
    for request, changes in what_if_views().values():
        for new in changed(request, changes, kept.grounds):
            for row in kept.what_ifs:
                if all(row[key] == new[key] for key in ("change", "before", "concurrency")):
                    row["again"] = new["predicted"]
    kept.write()


if __name__ == "__main__":
    raise SystemExit(main())
