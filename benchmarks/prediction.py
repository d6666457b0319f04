"""Claim: predictions from a trace and three bursts come near what bench measures.

Predicts and measures every pair below at 50 and 200 requests in flight, and eight what-ifs whose
change the sample project really has. Where a number is given: throughput is off by at most 20 % in
the median and 50 % at the 90th percentile; of the cells that the measurement decides and the
prediction answers, at least 90 % get the same verdict; the what-ifs keep the same two bounds. Ends
with 1 when one does not hold. How many intervals held the measured rate is printed beside it.

    .venv/bin/python benchmarks/prediction.py            # most of two hours, then the check
    .venv/bin/python benchmarks/prediction.py --check    # the run that is there

The pairs were written down before the first run. The model is not tuned to single pairs.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from freeloop import BenchOptions, bench
from freeloop.api import predict
from freeloop.api.predict_plan import predict_plan
from freeloop.model.plan import Arm, Pair, Plan, Question, Side
from freeloop.model.prediction import Prediction
from freeloop.model.request import RequestSpec
from freeloop.source.plan import read_plan

ROOT = Path(__file__).resolve().parents[1]
CAFE = ROOT / "examples" / "cafe"
RESULT = ROOT / "benchmarks" / "results" / "prediction.json"

CONCURRENCY = (50, 200)
ROUNDS = BenchOptions(max_rounds=7)
Cells = dict[str, list[dict[str, Any]]]
MEDIAN_ERROR, P90_ERROR, RIGHT = 0.20, 0.50, 0.90

# Of all.toml all but the WebSocket, which is not traced.
PAIRS = (
    "hello",
    "hello served by ASGI",
    "async hello served by ASGI",
    "wait",
    "wait served by ASGI",
    "wait in asyncio.to_thread",
    "wait in sync_to_async",
    "wait on granian",
    "wait then cpu",
    "more threads for wait",
    "one call",
    "one call with httpx",
    "httpx against aiohttp",
    "a new client per request",
    "new client against shared client",
    "four calls in sequence",
    "four calls gathered",
    "four calls gathered with httpx",
    "four calls in a thread pool",
    "thread pool against gathering",
    "quick query",
    "quick query in sync_to_async",
    "slow query",
    "slow query in sync_to_async",
    "ten queries",
    "ten queries behind one adapter",
    "three slow queries",
    "gathered slow queries",
    "cpu",
    "cpu in a thread",
    "cpu in a process pool",
    "cpu in a process pool, sync",
    "template",
    "export",
    "password",
    "password in a thread",
    "cache",
    "hidden blocking call",
    "long poll",
    "stream",
    "buffered stream",
    "class",
    "ninja",
    "rest framework served by ASGI",
    "async view on WSGI",
    "gathering inside one WSGI request",
)

UVICORN = Arm("uvicorn", "uvicorn", relief=False)
RELIEVED = Arm("relieved", "uvicorn", relief=True)
TWENTY = Arm("gthread-20", "gunicorn:gthread", threads=20)
MANY = Arm("gthread-200", "gunicorn:gthread", threads=200)


@dataclass(frozen=True, slots=True)
class Made:
    """A what-if, and the change really made.

    Attributes:
        change: As asked for.
        before: View that is changed in thought.
        after: Deployment and view with the change.
        arm: Deployment of the view before.
    """

    change: str
    before: str
    after: tuple[Arm, str]
    arm: Arm = UVICORN


MADE = (
    Made("awaited", "/hidden/async/?ms=20", (UVICORN, "/hidden/mended/async/?ms=20")),
    Made("awaited", "/call/sync/?ms=50", (UVICORN, "/call/async/?ms=50")),
    Made("awaited", "/wait/sync/?ms=50", (UVICORN, "/wait/async/?ms=50")),
    Made("gathered", "/four/sync/?ms=50", (UVICORN, "/four/gathered/async/?ms=50")),
    Made("gathered", "/four/async/?ms=50", (UVICORN, "/four/gathered/async/?ms=50")),
    Made(
        "gathered",
        "/three-slow-queries/async/?ms=50",
        (UVICORN, "/three-slow-queries/gathered/async/?ms=50"),
    ),
    Made("relief", "/wait/async/?ms=50", (RELIEVED, "/wait/async/?ms=50")),
    Made("threads=200", "/wait/sync/?ms=50", (MANY, "/wait/sync/?ms=50"), TWENTY),
)


def main() -> int:
    """Measure unless told not to, then check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="check the run that is there")
    parser.add_argument("--inside", action="store_true", help="for the script itself")
    parser.add_argument("--only", action="append", metavar="PAIR", help="to try the script")
    parser.add_argument("--result", type=Path, default=RESULT, help="where the run is kept")
    options = parser.parse_args()
    result = options.result.resolve()
    if options.only and result == RESULT:
        parser.error("--only is no whole run: keep it apart with --result FILE")
    if options.inside:
        result.write_text(json.dumps(measured(options.only), indent=1) + "\n", encoding="utf-8")
        return 0
    if not options.check:
        kept = ["--result", str(result)]
        only = [part for name in options.only or () for part in ("--only", name)]
        subprocess.run(
            [
                sys.executable,
                "backing.py",
                "--",
                sys.executable,
                __file__,
                "--inside",
                *kept,
                *only,
            ],
            cwd=CAFE,
            check=True,
        )
    run = json.loads(result.read_text(encoding="utf-8"))
    held = True
    for good, sentence in claims(run):
        print(f"{'holds' if good else 'FAILS'}  {sentence}")
        held = held and good
    return 0 if held else 1


def measured(only: list[str] | None) -> Cells:
    """Predict first, then measure: nothing of the measurement can reach the prediction."""
    chosen = only or PAIRS
    known = read_plan(CAFE / "all.toml")
    plan = Plan(
        pairs=tuple(
            replace(pair, concurrency=CONCURRENCY, neighbour=None)
            for pair in known.pairs
            if pair.id in chosen
        )
    )
    forecasts = {
        (each.pair, each.concurrency): each for each in predict_plan(plan, start=CAFE, say=print)
    }
    made = [] if only else list(what_ifs())
    run = bench(plan, start=CAFE, options=ROUNDS)
    cells: list[dict[str, Any]] = []
    for result in run.pairs:
        found = forecasts.get((result.pair, result.concurrency))
        if found is None:
            continue
        cells.append(
            {
                "pair": result.pair,
                "concurrency": result.concurrency,
                "predicted": [asdict(found.a), asdict(found.b)],
                "predicted_answer": found.verdict.answer,
                "measured_rps": [result.a.quiet_rps, result.b.quiet_rps],
                "measured_answer": result.verdict.answer,
            }
        )
    return {"cells": cells, "what_ifs": made}


def what_ifs() -> Iterator[dict[str, Any]]:
    """Think each change through, then measure the view that has it."""
    thought: dict[str, Prediction] = {}
    for each in MADE:
        if each.before not in thought:
            changes = tuple(other.change for other in MADE if other.before == each.before)
            thought[each.before] = predict(
                each.before, start=CAFE, concurrency=CONCURRENCY, what_ifs=changes
            )
        after = next(
            found.after for found in thought[each.before].what_ifs if found.asked == each.change
        )
        arm, path = each.after
        pair = Pair(
            f"{each.change} {each.before}",
            Question.REWRITE,
            Side(each.arm, RequestSpec(f"before {each.before}", url=each.before)),
            Side(arm, RequestSpec(f"after {path}", url=path)),
            concurrency=CONCURRENCY,
        )
        for result in bench(Plan(pairs=(pair,)), start=CAFE, options=ROUNDS).pairs:
            forecast = after.at(result.concurrency) if after else None
            yield {
                "what_if": pair.id,
                "concurrency": result.concurrency,
                "predicted_rps": forecast.rate_rps if forecast else None,
                "measured_rps": result.b.quiet_rps,
            }


def claims(run: Cells) -> Iterator[tuple[bool, str]]:
    """Yield whether each claim holds, with its numbers."""
    errors, inside, without = [], 0, 0
    for cell in run["cells"]:
        for forecast, rate_rps in zip(cell["predicted"], cell["measured_rps"], strict=True):
            if forecast["rate_rps"] is None or not rate_rps:
                without += 1
                continue
            errors.append(off(forecast["rate_rps"], rate_rps))
            inside += forecast["low_rps"] <= rate_rps <= forecast["high_rps"]
    yield from bounds("throughput of a side", errors, f"{without} without a number")
    print(f"       {inside} of {len(errors)} intervals hold the measured rate, 90 % are meant to")
    decided = [cell for cell in run["cells"] if cell["measured_answer"] != "unknown"]
    answered = [cell for cell in decided if cell["predicted_answer"] != "unknown"]
    right = sum(cell["predicted_answer"] == cell["measured_answer"] for cell in answered)
    yield (
        bool(answered) and right >= RIGHT * len(answered),
        (
            f"verdicts: {right} of {len(answered)} right; {len(decided)} decided by measurement, "
            f"{len(decided) - len(answered)} of them predicted as unknown"
        ),
    )
    made = [cell for cell in run["what_ifs"] if cell["predicted_rps"] and cell["measured_rps"]]
    for cell in made:
        print(
            f"       {cell['what_if']}, {cell['concurrency']} in flight: "
            f"{cell['predicted_rps']:.0f}/s predicted, {cell['measured_rps']:.0f}/s measured"
        )
    errors = [off(cell["predicted_rps"], cell["measured_rps"]) for cell in made]
    yield from bounds("what-ifs", errors, f"{len(run['what_ifs']) - len(made)} without a number")


def bounds(name: str, errors: list[float], more: str) -> Iterator[tuple[bool, str]]:
    """Yield the two claims on a list of errors."""
    if not errors:
        yield False, f"{name}: nothing to compare, {more}"
        return
    middle, tail = np.percentile(errors, [50, 90])
    yield middle <= MEDIAN_ERROR, f"{name}: median error {middle:.0%} of {len(errors)}, {more}"
    yield tail <= P90_ERROR, f"{name}: error at the 90th percentile {tail:.0%}"


def off(predicted_rps: float, measured_rps: float) -> float:
    """Return the error as a ratio above zero, the same for twice as much and half as much."""
    return math.exp(abs(math.log(predicted_rps / measured_rps))) - 1


if __name__ == "__main__":
    raise SystemExit(main())
