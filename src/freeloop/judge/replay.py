"""Replay rounds of equal sides: how often would this machine give a false verdict?

A recording takes all rounds of one deployment against itself, whatever they show, because rounds
that stop at an answer are calmer than the machine. Every recording is itself one decision, taken
live. Further decisions are replayed: the recording is cut into blocks of two adjacent pairs of
rounds (one A B B A), these are shuffled, and the real rule judges them look by look. Noise that
lasts for a few rounds stays together. Blocks are not drawn twice into one decision: with
replacement three blocks of a recording are often the same one, which looks calmer than any
machine. Each block is turned around by the toss of a coin: both sides are the same deployment, and
without it the chance difference of a short recording would count as an effect. An order of rounds
that favours one side would vanish by that; live decisions are not turned around.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from scipy.special import betaincinv

from freeloop.judge.stats import LOOKS, Looks
from freeloop.judge.verdict import decide
from freeloop.model.run import Round, Run, SideResult
from freeloop.model.verdict import Answer, FalseVerdicts

SURE = 0.95
MOST_FALSE = 0.05
FALSE = (Answer.HELPS, Answer.HURTS)


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


def false_verdicts(
    recordings: Sequence[Recording], *, decisions: int = 200, seed: int = 1
) -> FalseVerdicts:
    """Return how often the real rule is wrong on equal sides.

    Args:
        recordings: Each with as many pairs of rounds as the last look wants.
        decisions: Live and replayed ones together.
        seed: Of the draw; the same seed draws the same.
    """
    live = Counter(decision(each) for each in recordings)
    answers = live + replay(recordings, decisions=max(0, decisions - len(recordings)), seed=seed)
    wrong = sum(answers[answer] for answer in FALSE)
    return FalseVerdicts(
        answers=dict(answers),
        live=len(recordings),
        wrong=wrong,
        bound=upper_bound(wrong, answers.total()),
    )


def recordings_of(run: Run) -> list[Recording]:
    """Return the A/A pairs of a run."""
    cores = len(run.environment.server_cores) or run.environment.cores
    return [
        Recording(f"{result.pair} c{result.concurrency}", cores, result.a, result.b)
        for result in run.pairs
    ]


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
