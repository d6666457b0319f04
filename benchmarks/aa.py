"""A/A: how often does freeloop find a difference between two equal deployments?

Claim: over at least 200 decisions on two equal sides, the upper 95 % bound (Clopper and Pearson)
of the share of false verdicts, helps or hurts, is at most 5 %. Exits with 1 when it is above.

    python benchmarks/aa.py --record rounds.json --url /hello/async/ --server uvicorn
    python benchmarks/aa.py --replay rounds.json

Recording runs real servers and takes all rounds, whatever they show, because rounds that stop at
an answer are calmer than the machine. Every recording is itself one decision, taken live.
Further decisions are replayed: the recording is cut into blocks of two adjacent pairs of rounds
(one A B B A), these are shuffled, and the real rule judges them look by look. Noise that lasts
for a few rounds stays together. Blocks are not drawn twice into one decision: with replacement
three blocks of a recording are often the same one, which looks calmer than any machine. Each
block is turned around by the toss of a coin: both sides are the same deployment, and without it
the chance difference of a short recording would count as an effect. An order of rounds that
favours one side would vanish by that; therefore the ratio of each whole recording is printed
with its interval, and live decisions are not turned around.

Not controlled: other load on the machine. It is what the rule has to stand.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from scipy.special import betaincinv

from freeloop.judge.stats import FEWEST_ROUNDS, LOOKS, Looks, ratio_interval
from freeloop.judge.verdict import decide, log_ratios
from freeloop.model.plan import Arm, Pair, Plan, Question, Side
from freeloop.model.request import RequestSpec
from freeloop.model.run import Arrivals, Quantiles, Round, Series, SideResult
from freeloop.model.verdict import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

CLAIM = 0.05
SURE = 0.95
FALSE = (Answer.HELPS, Answer.HURTS)
ALL_ROUNDS = Looks(at=(LOOKS.last,), level=0.95)
SCHEMA = "freeloop.aa/1"


@dataclass(frozen=True, slots=True)
class Recording:
    """Rounds of one deployment against itself, in the order in which they ran.

    Attributes:
        name: Server, path and concurrency.
        cores: Cores that the servers could use.
        a: First side.
        b: Second side, the same deployment.
    """

    name: str
    cores: int
    a: SideResult
    b: SideResult

    @property
    def pairs(self) -> list[tuple[Round, Round]]:
        """Adjacent rounds of both sides."""
        return list(zip(self.a.closed.rounds, self.b.closed.rounds, strict=False))


def decision(recording: Recording, *, looks: Looks = LOOKS) -> Answer:
    """Return the answer of the real rule, taken look by look as a bench does."""
    pairs = recording.pairs
    for rounds in (count for count in looks.at if count <= len(pairs)):
        so_far = _with_pairs(recording, pairs[:rounds])
        verdict = decide(so_far.a, so_far.b, cores=recording.cores, looks=looks)
        if verdict is not None:
            return verdict.answer
    return Answer.UNKNOWN


def replay(
    recordings: Sequence[Recording], *, decisions: int = 200, seed: int = 1, looks: Looks = LOOKS
) -> Counter[Answer]:
    """Return the answers of decisions drawn from the recordings in turn.

    Args:
        recordings: Each with as many pairs of rounds as the last look wants.
        decisions: How many to draw.
        seed: Of the draw; the same seed draws the same.
        looks: The schedule to test.
    """
    source = Random(seed)
    answers: Counter[Answer] = Counter()
    for number in range(decisions):
        recording = recordings[number % len(recordings)]
        drawn = _with_pairs(recording, _draw(recording.pairs, looks.last, source))
        answers[decision(drawn, looks=looks)] += 1
    return answers


def upper_bound(wrong: int, decisions: int) -> float:
    """Return the upper 95 % bound of the share of false verdicts (Clopper and Pearson 1934)."""
    if wrong >= decisions:
        return 1.0
    return float(betaincinv(wrong + 1, decisions - wrong, SURE))


def record(
    urls: Sequence[str], servers: Sequence[str], *, concurrency: Sequence[int], repeats: int
) -> list[Recording]:
    """Return rounds of real servers, each deployment against itself."""
    from freeloop.api import bench  # the only part that needs servers

    recordings = []
    for number in range(repeats):
        pairs = tuple(_pair(url, server, tuple(concurrency)) for url in urls for server in servers)
        run = bench(Plan(pairs=pairs), looks=ALL_ROUNDS)
        cores = len(run.environment.server_cores) or run.environment.cores
        recordings += [
            Recording(
                name=f"{result.pair} c{result.concurrency} run {number + 1}",
                cores=cores,
                a=result.a,
                b=result.b,
            )
            for result in run.pairs
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
    live = [decision(each) for each in recordings]
    for each, answer in zip(recordings, live, strict=True):
        ratios = log_ratios(each.a, each.b, cores=each.cores)
        print(f"{each.name}: {len(ratios)} pairs, {_ratio_of(ratios)}, live: {answer}")
    replayed = replay(recordings, decisions=max(0, decisions - len(live)), seed=seed)
    answers = replayed + Counter(live)
    total, wrong = answers.total(), sum(answers[answer] for answer in FALSE)
    bound = upper_bound(wrong, total)
    counts = ", ".join(f"{answer.replace('_', ' ')} {answers[answer]}" for answer in Answer)
    print(f"{total} decisions, {len(live)} of them live: {counts}")
    holds = bound <= CLAIM
    print(
        f"false verdicts: {wrong} of {total}, upper 95 % bound {100 * bound:.1f} % "
        f"(claim: at most {100 * CLAIM:.0f} %): {'holds' if holds else 'refuted'}"
    )
    return 0 if holds else 1


def _ratio_of(ratios: Sequence[float]) -> str:
    if len(ratios) < FEWEST_ROUNDS:
        return "too few answers for a ratio"
    whole = ratio_interval(ratios, level=0.95)
    return f"ratio {whole.ratio:.3f} ({whole.low:.3f} to {whole.high:.3f})"


def _draw(
    pairs: Sequence[tuple[Round, Round]], count: int, source: Random
) -> list[tuple[Round, Round]]:
    # Where the first block starts is drawn too, so that no two pairs are always together.
    first = source.randrange(2)
    blocks = [pairs[:first], *(pairs[start : start + 2] for start in range(first, len(pairs), 2))]
    source.shuffle(blocks)
    drawn: list[tuple[Round, Round]] = []
    for block in blocks:
        drawn += [(b, a) for a, b in block] if source.random() < 0.5 else block
    return drawn[:count]


def _with_pairs(recording: Recording, pairs: Sequence[tuple[Round, Round]]) -> Recording:
    def side(old: SideResult, rounds: tuple[Round, ...]) -> SideResult:
        return replace(old, closed=replace(old.closed, rounds=rounds))

    return replace(
        recording,
        a=side(recording.a, tuple(a for a, _ in pairs)),
        b=side(recording.b, tuple(b for _, b in pairs)),
    )


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
