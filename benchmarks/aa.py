"""A/A: how often does freeloop find a difference between two equal deployments?

Claim: over at least 200 decisions on two equal sides, the upper 95 % bound (Clopper and Pearson)
of the share of false verdicts, helps or hurts, is at most 5 %. Exits with 1 when it is above.

    python benchmarks/aa.py --record rounds.json --url /hello/async/ --server uvicorn
    python benchmarks/aa.py --replay rounds.json

Recording runs real servers; every recording is one decision, taken live, and further ones are
replayed from its rounds: freeloop.judge.replay says how and why.

Not controlled: other load on the machine. It is what the rule has to stand.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freeloop.judge.replay import MOST_FALSE, Recording, decision, false_verdicts, recordings_of
from freeloop.judge.stats import FEWEST_ROUNDS, LOOKS, ratio_interval
from freeloop.judge.verdict import log_ratios
from freeloop.model.plan import Arm, Pair, Plan, Question, Side
from freeloop.model.request import RequestSpec
from freeloop.model.run import Arrivals, Quantiles, Round, Series, SideResult
from freeloop.model.verdict import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA = "freeloop.aa/1"


def record(
    urls: Sequence[str], servers: Sequence[str], *, concurrency: Sequence[int], repeats: int
) -> list[Recording]:
    """Return rounds of real servers, each deployment against itself."""
    from freeloop.api import BenchOptions, bench  # the only part that needs servers

    pairs = tuple(_pair(url, server, tuple(concurrency)) for url in urls for server in servers)
    recordings: list[Recording] = []
    for number in range(repeats):
        run = bench(Plan(pairs=pairs), options=BenchOptions(all_rounds=True))
        recordings += [
            replace(each, name=f"{each.name} run {number + 1}") for each in recordings_of(run)
        ]
    return recordings


def save(recordings: Sequence[Recording], file: Path) -> None:
    """Write what a decision is made of; the agent's reports and open rounds stay out."""
    rows = [
        {
            "name": each.name,
            "cores": each.cores,
            "sides": [_side_to_json(side) for side in (each.a, each.b)],
        }
        for each in recordings
    ]
    file.write_text(json.dumps({"schema": SCHEMA, "recordings": rows}, indent=1) + "\n")


def load(file: Path) -> list[Recording]:
    """Return saved recordings.

    Raises:
        ValueError: If the file is not one that `save` wrote, or a recording is too short.
    """
    content = json.loads(file.read_text())
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise ValueError(f"{file} is not a recording of {SCHEMA}")
    recordings = []
    for row in content["recordings"]:
        a, b = (_side_from_json(side) for side in row["sides"])
        recordings.append(Recording(name=row["name"], cores=row["cores"], a=a, b=b))
    short = [each.name for each in recordings if len(each.pairs) < LOOKS.last]
    if short or not recordings:
        raise ValueError(
            f"{file} needs {LOOKS.last} rounds per side in each recording; too short: "
            f"{', '.join(short) or 'no recording at all'}"
        )
    return recordings


def main(arguments: Sequence[str] | None = None) -> int:
    """Record or replay; return 1 when the claim is refuted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--record", type=Path, metavar="FILE", help="run real servers and write FILE")
    what.add_argument("--replay", type=Path, metavar="FILE", help="judge the rounds of FILE")
    parser.add_argument("--url", action="append", default=[], help="path to record, repeatable")
    parser.add_argument("--server", action="append", default=[], help="server, repeatable")
    parser.add_argument("--concurrency", action="append", type=int, default=[])
    parser.add_argument("--repeats", type=int, default=1, help="recordings of each")
    parser.add_argument("--decisions", type=int, default=200, help="live and replayed together")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if options.record:
        recordings = record(
            options.url or ["/hello/async/"],
            options.server or ["uvicorn"],
            concurrency=options.concurrency or [50],
            repeats=options.repeats,
        )
        save(recordings, options.record)
        print(f"{len(recordings)} recordings written to {options.record}")
        return 0
    try:
        recordings = load(options.replay)
    except (OSError, ValueError, KeyError, TypeError) as error:
        parser.error(f"cannot replay: {error}")
    return report(recordings, decisions=options.decisions, seed=options.seed)


def report(recordings: Sequence[Recording], *, decisions: int, seed: int) -> int:
    """Print the recordings, the decisions and the bound; return 1 when it is above 5 %."""
    for each in recordings:
        ratios = log_ratios(each.a, each.b, cores=each.cores)
        print(f"{each.name}: {len(ratios)} pairs, {_ratio_of(ratios)}, live: {decision(each)}")
    seen = false_verdicts(recordings, decisions=decisions, seed=seed)
    counts = ", ".join(
        f"{answer.replace('_', ' ')} {seen.answers.get(answer, 0)}" for answer in Answer
    )
    print(f"{seen.total} decisions, {seen.live} of them live: {counts}")
    holds = seen.bound <= MOST_FALSE
    print(
        f"false verdicts: {seen.wrong} of {seen.total}, upper 95 % bound {100 * seen.bound:.1f} % "
        f"(claim: at most {100 * MOST_FALSE:.0f} %): {'holds' if holds else 'refuted'}"
    )
    return 0 if holds else 1


def _ratio_of(ratios: Sequence[float]) -> str:
    if len(ratios) < FEWEST_ROUNDS:
        return "too few answers for a ratio"
    whole = ratio_interval(ratios, level=0.95)
    return f"ratio {whole.ratio:.3f} ({whole.low:.3f} to {whole.high:.3f})"


def _pair(url: str, server: str, concurrency: tuple[int, ...]) -> Pair:
    request = RequestSpec(name=url, url=url)
    a, b = (Side(Arm(name=f"{server} {name}", server=server), request) for name in "AB")
    return Pair(id=f"{server} {url}", question=Question.SETTING, a=a, b=b, concurrency=concurrency)


def _side_to_json(side: SideResult) -> dict[str, Any]:
    return {
        "server": side.arm.server,
        "workers": side.arm.workers,
        "path": side.path,
        "unloaded_ms": side.unloaded_ms,
        "thread_limit": side.thread_limit,
        "concurrency": side.closed.concurrency,
        "quiet_rps": side.quiet_rps,
        "rounds": [asdict(each) for each in side.closed.rounds],
    }


def _side_from_json(row: dict[str, Any]) -> SideResult:
    rounds = tuple(_round_from_json(each) for each in row["rounds"])
    return SideResult(
        arm=Arm(name=row["server"], server=row["server"], workers=row["workers"]),
        request=row["path"],
        path=row["path"],
        view_is_async=None,
        unloaded_ms=row["unloaded_ms"],
        closed=Series(Arrivals.CLOSED, row["concurrency"], None, rounds),
        open=None,
        quiet_rps=row["quiet_rps"],
        thread_limit=row["thread_limit"],
    )


def _round_from_json(row: dict[str, Any]) -> Round:
    known = {"latency", "first_byte", "gap"}
    quantiles = {name: Quantiles(**row[name]) if row[name] else None for name in known}
    return Round(**{**row, **quantiles})


if __name__ == "__main__":
    sys.exit(main())
