from __future__ import annotations

import importlib.util
import itertools
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from scipy import stats as scipy_stats

from freeloop.judge.replay import Recording, _draw, replay, upper_bound
from freeloop.judge.stats import Looks
from freeloop.model.verdict import Answer
from tests.judge.sides import a_round, a_side

if TYPE_CHECKING:
    from types import ModuleType

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "aa.py"


@pytest.fixture(scope="module")
def aa() -> ModuleType:
    """The benchmark as a module; `benchmarks/` is no package."""
    spec = importlib.util.spec_from_file_location("freeloop_benchmark_aa", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def recording(aa: ModuleType, *, spread: float, seed: int, ratio: float = 1.0) -> Any:
    """Return 20 noisy pairs of rounds of one deployment against itself."""
    source = Random(seed)

    def rounds(factor: float) -> list[Any]:
        return [
            a_round(200 * factor * source.lognormvariate(0, spread), cpu_ms=0.1) for _ in range(20)
        ]

    return Recording(name=f"seed {seed}", cores=1, a=a_side(rounds(1.0)), b=a_side(rounds(ratio)))


@pytest.mark.parametrize("spread", [0.05, 0.15, 0.4])
def test_noise_alone_gives_few_false_verdicts(aa: ModuleType, spread: float) -> None:
    """The claim itself, on made noise; the benchmark holds it on recorded rounds."""
    recordings = [recording(aa, spread=spread, seed=seed) for seed in range(4)]

    answers = replay(recordings, decisions=200, seed=3)

    assert answers.total() == 200
    wrong = answers[Answer.HELPS] + answers[Answer.HURTS]
    assert upper_bound(wrong, 200) <= 0.05


def test_a_rule_without_statistics_would_be_caught(aa: ModuleType) -> None:
    """The benchmark can fail: the same rounds judged by half-sure intervals."""
    recordings = [recording(aa, spread=0.4, seed=seed) for seed in range(4)]

    answers = replay(recordings, decisions=200, looks=Looks(at=(5, 7, 10), level=0.5))

    wrong = answers[Answer.HELPS] + answers[Answer.HURTS]
    assert upper_bound(wrong, 200) > 0.05


def test_a_bias_of_the_recording_is_caught_by_the_live_decisions(
    aa: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Turning blocks around hides a favoured side; live decisions are not turned around."""
    biased = [recording(aa, spread=0.05, seed=seed, ratio=1.5) for seed in range(20)]

    code = aa.report(biased, decisions=200, seed=1)

    out = capsys.readouterr().out
    assert code == 1
    assert "20 of them live" in out
    assert "refuted" in out


def test_the_bound_is_that_of_clopper_and_pearson(aa: ModuleType) -> None:
    """SciPy is the oracle: one-sided, 95 %."""
    for wrong in (0, 1, 4, 5, 50, 199):
        exact = scipy_stats.binomtest(wrong, 200, alternative="less").proportion_ci(0.95).high
        assert upper_bound(wrong, 200) == pytest.approx(exact)
    assert upper_bound(200, 200) == 1
    assert upper_bound(4, 200) <= 0.05 < upper_bound(5, 200)


def test_a_drawn_decision_uses_each_pair_once_in_blocks_of_neighbours(aa: ModuleType) -> None:
    """Repeated blocks would look calmer than the machine; parted ones would hide drift."""
    one = recording(aa, spread=0.3, seed=1)

    drawn = _draw(one.pairs, 20, Random(2))

    places = [one.pairs.index(pair if pair in one.pairs else (pair[1], pair[0])) for pair in drawn]
    neighbours = sum(later == earlier + 1 for earlier, later in itertools.pairwise(places))
    assert sorted(places) == list(range(20))
    assert places != list(range(20))
    assert neighbours >= 9


def test_the_same_seed_draws_the_same(aa: ModuleType) -> None:
    """A refuted claim can be repeated."""
    one = recording(aa, spread=0.3, seed=1)

    assert replay([one], decisions=30, seed=5) == replay([one], decisions=30, seed=5)


def test_saved_rounds_are_replayed_alike(
    aa: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of rounds is evidence that anybody can judge again."""
    recordings = [recording(aa, spread=0.1, seed=seed) for seed in range(3)]
    file = tmp_path / "rounds.json"
    aa.save(recordings, file)

    code = aa.main(["--replay", str(file), "--decisions", "60", "--seed", "2"])

    restored = aa.load(file)
    assert [each.pairs for each in restored] == [each.pairs for each in recordings]
    assert "60 decisions, 3 of them live" in capsys.readouterr().out
    assert code in (0, 1)
    assert replay(restored, decisions=40) == replay(recordings, decisions=40)


@pytest.mark.parametrize("content", ["", "[]", '{"schema": "freeloop.aa/1", "recordings": []}'])
def test_a_file_that_is_no_recording_is_wrong_use(
    aa: ModuleType, tmp_path: Path, content: str
) -> None:
    """Exit code 2 and a sentence, not a traceback and not a claim that holds."""
    file = tmp_path / "rounds.json"
    file.write_text(content)

    with pytest.raises(SystemExit) as ended:
        aa.main(["--replay", str(file)])

    assert ended.value.code == 2
