"""A run as one self-contained page: verdicts first, then each pair, races, environment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.template import Context, Engine
from django.utils.safestring import mark_safe

from freeloop.errors import FreeloopError
from freeloop.model.run import PairResult, Run, SideResult
from freeloop.model.verdict import Answer
from freeloop.render.comparison import LEGEND, comparison
from freeloop.render.figures import by_pair, number_text, ratio_text, share_text
from freeloop.render.html import charts, svg
from freeloop.render.words import (
    ANSWER_SIGNS,
    ANSWER_WORDS,
    CUT_SHORT,
    NOTHING,
    OVERVIEW_HINT,
    QUESTION_WORDS,
    arm_name,
    contention_sentence,
    cores_sentence,
    effect_words,
    evidence_lines,
    further_sentences,
    missing_line,
    neighbour_line,
    package_words,
    rounds_words,
    short_ratio,
    verdict_sentence,
    view_words,
)

# Fewer verdicts are seen at once without one.
OVERVIEW_FROM = 4
MOST_BESIDE = 3
HERE = Path(__file__).parent


def write_report(run: Run, path: Path) -> None:
    """Write the report.

    Raises:
        FreeloopError: `report-not-written` if the file cannot be written.
    """
    try:
        path.write_text(report_html(run), encoding="utf-8")
    except OSError as problem:
        raise FreeloopError(
            "report-not-written",
            what="the report cannot be written",
            where=f"{path}: {problem.strerror}",
            mend="give --html a file in a folder that exists and that you may write",
        ) from problem


def report_html(run: Run) -> str:
    """Return the page; it asks for nothing from the network."""
    # Plain strings only, and no localisation: the page needs no Django settings.
    template = Engine(dirs=[str(HERE)]).get_template("report.html")
    return template.render(Context(_page(run), use_l10n=False, use_tz=False))


def _page(run: Run) -> dict[str, object]:
    scale = svg.ratio_scale(
        value
        for result in run.pairs
        if (effect := result.verdict.effect) is not None
        for value in (effect.ratio, effect.low, effect.high)
    )
    groups = by_pair(run)
    pairs = [_pair(number, results, scale) for number, results in enumerate(groups, start=1)]
    return {
        "overview": _overview(groups) if len(run.pairs) >= OVERVIEW_FROM else None,
        "overview_hint": OVERVIEW_HINT.replace("~", "\u2248"),
        # Our own files, read beside this module: nothing of the user's goes in unescaped.
        "style": mark_safe(_own("base.css") + _own("report.css")),
        "script": mark_safe(_own("report.js")),
        "run": run,
        "day": run.environment.started[:10],
        "tally": _tally(run),
        "pairs": pairs,
        "scale": (ratio_text(scale.low), ratio_text(scale.high)),
        "races": [
            {
                "id": f"race-{number}",
                "title": f"{race.race}: race",
                "chart": charts.race_chart(race),
            }
            for number, race in enumerate(run.races, start=1)
        ],
        "legend": LEGEND,
        "cut_short": "" if run.complete else CUT_SHORT,
        "nothing": "" if run.pairs or run.races else NOTHING,
        "warning": contention_sentence(run) or "",
        "environment": _environment(run),
    }


def _own(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _overview(groups: Sequence[Sequence[PairResult]]) -> dict[str, object]:
    loads = sorted({result.concurrency for results in groups for result in results})
    rows = []
    for number, results in enumerate(groups, start=1):
        known = {
            result.concurrency: {
                "id": f"pair-{number}-at-{result.concurrency}",
                "answer": _answer(result.verdict.answer),
                "ratio": _signs(short_ratio(result.verdict)) if result.verdict.effect else "",
            }
            for result in results
        }
        rows.append(
            {
                "id": f"pair-{number}",
                "name": results[0].pair,
                "strength": _strongest(results),
                "cells": [known.get(load) for load in loads],
            }
        )
    # Columns that fit beside the verdicts; a wider table stands above them.
    beside = max(2, len(loads)) if len(loads) <= MOST_BESIDE else 0
    return {"loads": loads, "rows": rows, "beside": beside}


def _signs(text: str) -> str:
    # A small "~" beside the sign of "hurts" looks like a second minus.
    return text.replace("x", "\u00d7").replace("~", "\u2248")


def _tally(run: Run) -> list[dict[str, str]]:
    counts = Counter(result.verdict.answer for result in run.pairs)
    return [
        {**_answer(answer), "count": str(counts[answer])} for answer in Answer if counts[answer]
    ]


def _answer(answer: Answer) -> dict[str, str]:
    return {
        "css": answer.value.replace("_", "-"),
        "sign": {"-": "\u2212"}.get(ANSWER_SIGNS[answer], ANSWER_SIGNS[answer]),
        "words": ANSWER_WORDS[answer],
    }


def _pair(number: int, results: Sequence[PairResult], scale: svg.Scale) -> dict[str, object]:
    first = results[0]
    drawn = (charts.throughput_chart(results), charts.latency_chart(results))
    return {
        "id": f"pair-{number}",
        "name": first.pair,
        "question": QUESTION_WORDS[first.question],
        "strength": _strongest(results),
        "sides": [
            _side("a", [result.a for result in results]),
            _side("b", [result.b for result in results]),
        ],
        "verdicts": _verdicts(results, scale),
        "charts": [chart for chart in drawn if chart is not None],
        "concurrency": [str(result.concurrency) for result in results],
        "groups": _groups(results),
    }


def _verdicts(results: Sequence[PairResult], scale: svg.Scale) -> list[dict[str, object]]:
    said: set[str] = set()
    made: list[dict[str, object]] = []
    for result in results:
        verdict = result.verdict
        further = [item for item in further_sentences(result) if item not in said]
        said.update(further)
        below = (missing_line(result), neighbour_line(result), *further)
        made.append(
            {
                "concurrency": str(result.concurrency),
                "answer": _answer(verdict.answer),
                "ratio": ratio_text(verdict.effect.ratio) if verdict.effect else "",
                "range": effect_words(verdict.effect, verdict.basis) if verdict.effect else "",
                "rounds": rounds_words(verdict),
                "track": charts.effect_track(verdict.effect, scale),
                "sentence": verdict_sentence(result),
                "evidence": evidence_lines(result),
                "below": [line for line in below if line],
            }
        )
    return made


def _strongest(results: Sequence[PairResult]) -> str:
    return f"{max(_strength(result) for result in results):.4f}"


def _strength(result: PairResult) -> float:
    effect = result.verdict.effect
    if effect is None or effect.ratio <= 0:
        return 0.0
    return max(effect.ratio, 1 / effect.ratio)


def _side(letter: str, sides: Sequence[SideResult]) -> dict[str, object]:
    seen = [side.observed for side in sides if side.observed is not None]
    failures: Counter[str] = Counter()
    for side in sides:
        failures.update(side.failures)
    return {
        "css": letter,
        "letter": letter.upper(),
        "arms": " / ".join(dict.fromkeys(arm_name(side.arm) for side in sides)),
        "path": sides[0].path,
        "view": view_words(sides[0]),
        "blocked": sorted({item.blocked_at for item in seen if item.blocked_at}),
        "shares": _shares(seen[-1].cpu_shares) if seen else "",
        "failures": [f"{reason}, {count} times" for reason, count in failures.items()],
    }


def _shares(shares: Mapping[str, float]) -> str:
    ordered = sorted(shares.items(), key=lambda item: -item[1])[:4]
    return ", ".join(f"{package} {share_text(share)}" for package, share in ordered)


def _groups(results: Sequence[PairResult]) -> list[dict[str, object]]:
    groups: list[tuple[str, list[dict[str, object]]]] = []
    for row in comparison(results):
        if not groups or groups[-1][0] != row.group:
            groups.append((row.group, []))
        cells = [cell for couple in row.cells for cell in couple]
        groups[-1][1].append({"label": row.label, "cells": cells})
    return [{"name": name, "rows": rows} for name, rows in groups]


def _environment(run: Run) -> list[tuple[str, str]]:
    known = run.environment
    packages = ", ".join(package_words(run))
    load = "not known" if known.load_before is None else number_text(known.load_before)
    return [
        ("Started", known.started),
        ("Database", "; ".join(known.databases) or "none configured, or not known"),
        ("Python", known.python),
        ("Packages", packages or "not known"),
        ("Machine", known.platform),
        ("Cores", cores_sentence(run)),
        ("Load average before", load),
        ("Middleware", ", ".join(known.middleware) or "none"),
        ("freeloop", known.freeloop),
    ]
