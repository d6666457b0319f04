"""Every sentence that a person reads about a prediction."""

from __future__ import annotations

from freeloop.model.prediction import Bottleneck, Forecast, Judged, Predicted, Prediction, WhatIf
from freeloop.model.verdict import Answer
from freeloop.render.figures import number_text, ratio_text, seconds_text

BASIS = "predicted: structure from the trace, cost from bursts of 1, 8 and 32 in flight"
MEANS = "mean values of the closed model; intervals meant to hold 9 of 10 measurements"
NO_NUMBER = "no number"
BOTTLENECKS = {
    Bottleneck.CORE: "CPU",
    Bottleneck.LOOP: "the blocked event loop",
    Bottleneck.THREADS: "the server's threads",
    Bottleneck.EXECUTOR: "the threads of asyncio.to_thread",
    Bottleneck.CLIENT: "the client's connections",
    Bottleneck.DATABASE: "the database pool",
    Bottleneck.LOCK: "a lock",
    Bottleneck.UNSEEN: "a limit that the trace does not show",
    Bottleneck.NONE: "nothing yet",
}


def head(prediction: Prediction) -> str:
    """Return what was predicted."""
    beside = f" and its twin {prediction.twin}" if prediction.twin else ""
    return f"prediction  {prediction.path}{beside}"


def forecast_text(forecast: Forecast) -> str:
    """Return rate, interval and mean latency; or that there is no number."""
    if forecast.rate_rps is None:
        return NO_NUMBER
    return (
        f"{number_text(forecast.rate_rps)}/s  "
        f"({number_text(forecast.low_rps)} to {number_text(forecast.high_rps)})  "
        f"mean {seconds_text(forecast.mean_ms)}"
    )


def limited_text(forecast: Forecast) -> str:
    """Return what more requests in flight would queue for."""
    return f"limited by {BOTTLENECKS[forecast.bottleneck]}"


def knee_text(deployment: Predicted) -> str:
    """Return from when on requests queue, or why there is no number."""
    if deployment.growth is not None:
        return growth_text(deployment)
    if deployment.knee is None:
        return "no queue at any number in flight"
    if deployment.knee < 1.5:
        return "requests go one at a time"
    return f"requests queue from about {deployment.knee:.0f} in flight"


def growth_text(deployment: Predicted) -> str:
    """Return why no number is given, with the library."""
    growth = deployment.growth
    if growth is None:
        return ""
    whose = f", most of it in {growth.library}" if growth.library else ""
    what = "CPU per request"
    if growth.of_call:
        what, whose = f"CPU per call of {growth.library}", ", measured apart"
    return (
        f"{what} is {growth.ratio:.1f} times as much at 32 in flight as at 8{whose}: "
        f"no number beyond 32 requests in hand; measure with freeloop bench"
    )


def verdict_text(judged: Judged) -> str:
    """Return one verdict as a sentence with its numbers, baseline and basis."""
    verdict = judged.verdict
    answer = verdict.answer.value.replace("_", " ")
    sides = f"{judged.b} against {judged.a}, {judged.concurrency} in flight"
    if verdict.effect is None:
        return f"{answer}: {sides}; {verdict.missing}"
    effect = verdict.effect
    numbers = (
        f"{ratio_text(effect.ratio)}x the throughput "
        f"({verdict.basis}, {ratio_text(effect.low)} to {ratio_text(effect.high)}x)"
    )
    more = f"; {verdict.missing}" if verdict.answer is Answer.UNKNOWN else ""
    return f"{answer}: {sides}: {numbers}{more}"


def what_if_lines(what_if: WhatIf, prediction: Prediction) -> list[str]:
    """Return what a change would do at each concurrency, and what that assumes."""
    lines = []
    before = next(each for each in prediction.deployments if each.name == what_if.before)
    if what_if.after is not None:
        lines += [
            f"{number} in flight: {forecast_text(before.at(number))} becomes "
            f"{forecast_text(what_if.after.at(number))}, {limited_text(what_if.after.at(number))}"
            for number in prediction.concurrency
        ]
        if what_if.after.growth is not None:
            lines.append(growth_text(what_if.after))
    return [*lines, *what_if.remarks]
