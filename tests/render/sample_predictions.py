"""A prediction for tests of its faces: solved by the judge from networks given here."""

from __future__ import annotations

from dataclasses import replace

from freeloop.judge.predict import judged, predicted
from freeloop.judge.what_if import Change, Known, changed
from freeloop.model.plan import Question
from freeloop.model.prediction import (
    Burst,
    Cost,
    Growth,
    Judged,
    Network,
    Predicted,
    Prediction,
    WhatIf,
)
from freeloop.model.trace import MarkKind
from tests.judge.test_calibrate import NOTHING
from tests.judge.test_what_if import CALLS, call

ASKED = (50, 200)
STEADY = Cost(1.6, 1.0, 1.1, doubt=0.12)


def bursts(network: Network) -> tuple[Burst, ...]:
    """Return bursts as that network answers them."""
    made = predicted("", network, (1, 8, 32))
    return tuple(
        Burst(
            concurrency=each.concurrency,
            completed=500,
            failed=0,
            rate_rps=each.rate_rps or 0.0,
            latency_ms=each.mean_ms or 0.0,
            cpu_ms=1.0,
            busy=0.5,
        )
        for each in made.forecasts
    )


def deployment(name: str, network: Network, growth: Growth | None = None) -> Predicted:
    return predicted(name, network, ASKED, growth=growth, measured=bursts(network))


THREADS = Network(STEADY, wait_ms=50.0, front=20)
BLOCKED = Network(Cost(2.4, 1.6, 1.6, doubt=0.12), wait_ms=0.0, blocked_ms=20.0)
GROWING = Network(Cost(2.2, 2.1, 6.5, doubt=0.12), wait_ms=50.0)


def sample() -> Prediction:
    """Return a blocked loop, its threads, and a twin whose client grows."""
    few = deployment("gunicorn:gthread, 20 threads", THREADS)
    many = deployment("gunicorn:gthread, 200 threads", replace(THREADS, front=200))
    loop = deployment("uvicorn", BLOCKED)
    growing = deployment("uvicorn, /twin/", GROWING, Growth(3.1, "httpx"))
    structure = replace(NOTHING, calls=(call(MarkKind.SLEEP, 20.0, blocked=True),), blocked_ms=20.0)
    mended = changed(BLOCKED, Change("awaited"), Known(structure, CALLS))
    after = predicted("uvicorn, awaited", mended.network, ASKED)
    sides = [(Question.SETTING, few, many), (Question.REWRITE, loop, growing)]
    return Prediction(
        path="/checkout/",
        twin="/twin/",
        concurrency=ASKED,
        deployments=(few, many, loop, growing),
        verdicts=tuple(
            Judged(question, a.name, b.name, number, judged(a.at(number), b.at(number)))
            for question, a, b in sides
            for number in ASKED
        ),
        what_ifs=(WhatIf("awaited", "uvicorn", after, mended.remarks),),
        notes=("DEBUG is on",),
    )
