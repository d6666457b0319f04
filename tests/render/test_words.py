from __future__ import annotations

import re
from dataclasses import replace

import pytest

from freeloop.model.plan import Arm, Question
from freeloop.model.run import PairResult, Run
from freeloop.model.verdict import Answer, Basis, Cause, Interval, Verdict
from freeloop.render.words import (
    ANSWER_SIGNS,
    ANSWER_WORDS,
    CAUSE_CLAUSES,
    CHECK_SIGNS,
    QUESTION_WORDS,
    REWRITE_UNKNOWN,
    arm_name,
    arm_phrase,
    contention_sentence,
    evidence_lines,
    further_sentences,
    missing_line,
    neighbour_line,
    package_words,
    short_ratio,
    verdict_sentence,
)
from tests.render.sample_runs import (
    BY_NAME,
    ENVIRONMENT,
    cpu_no_difference,
    neighbour,
    refused,
    serve_hurts,
    stream,
    thread_cap,
    undecided,
)


def test_a_rewrite_that_helps_says_all_in_one_sentence() -> None:
    """Answer, ratio, baseline, concurrency, basis, interval, reason: nothing to look up."""
    assert verdict_sentence(thread_cap(50)) == (
        "Async helps: B on uvicorn has 3.1x the throughput of A on gunicorn gthread with "
        "4 threads, at 50 concurrent requests (measured, 2.9 to 3.4x), because of the thread cap."
    )


def test_what_speaks_for_the_cause_stands_in_lines_of_its_own() -> None:
    """Five clauses in one sentence are read by nobody."""
    result = thread_cap(50)

    assert evidence_lines(result) == ("4 threads at 50 ms each allow 80 requests/s",)
    assert missing_line(result) == ""
    for line in evidence_lines(result):
        assert line not in verdict_sentence(result)


@pytest.mark.parametrize("question", list(Question))
@pytest.mark.parametrize("answer", list(Answer))
def test_every_verdict_says_what_a_and_b_are(question: Question, answer: Answer) -> None:
    """The evidence speaks of sides A and B; the sentence above it is where they are named."""
    result = replace(thread_cap(50), question=question)

    sentence = verdict_sentence(replace(result, verdict=replace(result.verdict, answer=answer)))

    assert re.search(r"\bA\b", sentence)
    assert re.search(r"\bB\b", sentence)
    assert "gunicorn gthread" in sentence
    assert "uvicorn" in sentence


@pytest.mark.parametrize("question", [Question.SERVE, Question.SETTING])
@pytest.mark.parametrize("answer", list(Answer))
def test_only_a_rewrite_speaks_of_async(question: Question, answer: Answer) -> None:
    """Another server or another setting proves nothing about async."""
    result = thread_cap(50)
    verdict = replace(result.verdict, answer=answer)

    sentence = verdict_sentence(replace(result, question=question, verdict=verdict))

    assert "async" not in sentence.lower()


@pytest.mark.parametrize("a_async", [True, None])
def test_a_rewrite_that_is_not_from_sync_to_async_is_called_a_rewrite(a_async: bool | None) -> None:
    """Async against async (a blocking call replaced) says nothing about async as such."""
    result = thread_cap(50)

    sentence = verdict_sentence(replace(result, a=replace(result.a, view_is_async=a_async)))

    assert sentence.startswith("The rewrite helps: ")


def test_a_serve_verdict_names_both_deployments_and_what_was_not_asked() -> None:
    """For one sync view the rewrite is a question that bench has not measured."""
    result = serve_hurts(50)

    assert verdict_sentence(result).startswith(
        "Serving this view on uvicorn (B) instead of gunicorn gthread with 50 threads (A): "
        "hurts, 0.24x the throughput"
    )
    assert further_sentences(result) == (REWRITE_UNKNOWN,)


def test_an_async_view_is_not_asked_to_be_rewritten() -> None:
    """It is async already."""
    result = serve_hurts(50)
    view = replace(result.a, view_is_async=True)

    assert further_sentences(replace(result, a=view)) == ()


def test_more_threads_are_always_named_where_threads_limit() -> None:
    """Without this line a small thread count would pass for a gain of async."""
    capped = thread_cap(50)
    unestimated = replace(capped, a=replace(capped.a, more_threads=None))

    (estimate,) = further_sentences(capped)
    (unknown,) = further_sentences(unestimated)

    assert estimate.startswith(
        "More threads: 50 instead of 4 on gunicorn gthread would do about 971"
    )
    assert estimate.endswith("(estimated).")
    assert "unknown" in unknown
    assert further_sentences(thread_cap(1)) == ()


def test_a_setting_is_named_with_both_values() -> None:
    """The reader must know what to type."""
    result = replace(
        undecided(),
        verdict=Verdict(Answer.HELPS, Interval(2.0, 1.8, 2.2, 0.99), Basis.MEASURED),
    )
    arm = Arm("pool", "uvicorn", settings={"CONN_MAX_AGE": 60})
    plain = replace(result.a, arm=Arm("plain", "uvicorn"))
    pool = replace(result, a=plain, b=replace(result.b, arm=arm))
    relief = replace(
        result, a=plain, b=replace(result.b, arm=Arm("relief", "uvicorn", relief=True))
    )

    assert verdict_sentence(result).startswith(
        "Setting 50 threads instead of 4 (B against A) on gunicorn gthread: helps, 2.0x the"
    )
    assert (
        "CONN_MAX_AGE 60 instead of the project's own (B against A) on uvicorn"
        in verdict_sentence(pool)
    )
    assert verdict_sentence(relief).startswith(
        "Setting relief instead of the application as it is (B against A) on uvicorn: helps, 2.0x"
    )


def test_unknown_says_what_is_missing_and_what_was_seen() -> None:
    """Unknown is a good answer only with its reason."""
    assert verdict_sentence(refused()) == (
        "Unknown whether async helps: B on uvicorn against A on gunicorn gthread with 50 threads, "
        "at 50 concurrent requests."
    )
    assert missing_line(refused()) == (
        "missing: B failed 12 % of its requests (status 500); at most 1 % are allowed"
    )
    assert "seen so far 1.09x (measured, 0.91 to 1.31x, 20 rounds a side)" in verdict_sentence(
        undecided()
    )


def test_an_unknown_cause_is_said_to_be_unknown() -> None:
    """No cause may be guessed from the ratio."""
    result = stream()
    verdict = replace(result.verdict, cause=Cause.UNKNOWN, evidence=(), missing="a round inside")

    unknown = replace(result, verdict=verdict)

    assert verdict_sentence(unknown).endswith("(measured, 10.9 to 12.7x); cause: unknown.")
    assert missing_line(unknown) == "missing: a round inside"


def test_a_neighbour_is_told_before_and_beside_the_load() -> None:
    """What other users feel; without the latency alone nobody knows what the load added."""
    result = neighbour()
    first = replace(result, a=replace(result.a, neighbour_alone=None))
    half = replace(result, b=replace(result.b, neighbour=None))

    assert neighbour_line(result) == (
        "neighbour: p50 2.10 -> 4.10 ms beside A, 2.10 -> 1240 ms beside B (measured)"
    )
    assert "4.10 ms beside A (alone: not measured)," in neighbour_line(first)
    assert "not measured beside B" in neighbour_line(half)
    assert neighbour_line(thread_cap(50)) == ""


def test_a_narrow_cell_still_says_whether_its_ratio_is_measured() -> None:
    """Every number keeps its basis, also where there is no room for the word."""
    verdict = thread_cap(50).verdict

    assert short_ratio(verdict) == "3.1x"
    assert short_ratio(replace(verdict, basis=Basis.ESTIMATED)) == "~3.1x"
    assert short_ratio(refused().verdict) == "?"


def test_packages_that_serve_nothing_are_left_out() -> None:
    """Who repeats a run does not need the version of the installer."""
    known = replace(ENVIRONMENT, packages={"uvicorn": "0.54.0", "pip": "24.2"})

    assert package_words(Run(known)) == ("uvicorn 0.54.0",)


def test_the_basis_is_printed_beside_every_effect() -> None:
    """A predicted number must not pass for a measured one."""
    result = cpu_no_difference()
    for basis in Basis:
        verdict = replace(result.verdict, basis=basis)
        assert f"({basis.value}, 0.97 to 1.06x)" in verdict_sentence(
            replace(result, verdict=verdict)
        )


@pytest.mark.parametrize(
    ("arm", "name", "phrase"),
    [
        (Arm("", "gunicorn:gthread", threads=50), "gunicorn gthread, 50 threads",
         "gunicorn gthread with 50 threads"),
        (Arm("", "gunicorn:sync", workers=1), "gunicorn sync, 1 worker",
         "gunicorn sync with 1 worker"),
        (Arm("", "granian:wsgi", workers=2, threads=8), "granian WSGI, 2 workers, 8 threads",
         "granian WSGI with 2 workers and 8 threads"),
        (Arm("", "granian:asgi", threads=8), "granian ASGI", "granian ASGI"),
        (Arm("", "uvicorn"), "uvicorn", "uvicorn"),
        (Arm("", "uvicorn", relief=True), "uvicorn, relief", "uvicorn with relief"),
        (Arm("", "granian:asgi", workers=2, relief=False), "granian ASGI, 2 workers, no relief",
         "granian ASGI with 2 workers and no relief"),
    ],
)  # fmt: skip
def test_deployments_are_named_for_people(arm: Arm, name: str, phrase: str) -> None:
    """As people say it; threads only where the server has a thread limit."""
    assert arm_name(arm) == name
    assert arm_phrase(arm) == phrase


def test_contention_is_named_only_where_others_took_the_cores() -> None:
    """Said once, at its worst place; a few per cent are no news."""
    busy = Run(ENVIRONMENT, (cpu_no_difference(),))
    idle = Run(ENVIRONMENT, (thread_cap(1),))

    assert "other programs used 42% of the servers' cores" in str(contention_sentence(busy))
    assert "(cpu, 10 in flight, A)" in str(contention_sentence(busy))
    assert contention_sentence(idle) is None
    assert contention_sentence(Run(ENVIRONMENT)) is None


def test_a_kernel_that_does_not_tell_is_said() -> None:
    """Not known is not the same as no contention."""
    result = thread_cap(1)
    silent = [
        replace(
            side,
            closed=replace(
                side.closed,
                rounds=tuple(replace(item, strangers=None) for item in side.closed.rounds),
            ),
        )
        for side in (result.a, result.b)
    ]
    run = Run(ENVIRONMENT, (replace(result, a=silent[0], b=silent[1]),))

    assert "not known" in str(contention_sentence(run))


def test_every_state_has_words_and_a_sign_of_its_own() -> None:
    """A new answer, cause or question must not reach a reader unnamed."""
    assert set(ANSWER_WORDS) == set(ANSWER_SIGNS) == set(Answer)
    assert set(CAUSE_CLAUSES) == set(Cause)
    assert set(QUESTION_WORDS) == set(Question)
    for signs in (list(ANSWER_SIGNS.values()), list(CHECK_SIGNS.values())):
        assert len(set(signs)) == len(signs)


def all_results() -> list[PairResult]:
    return [result for run in BY_NAME.values() for result in run.pairs]


@pytest.mark.parametrize("answer", list(Answer))
@pytest.mark.parametrize("effect", [None, Interval(2.0, 1.8, 2.2, 0.99)])
def test_a_verdict_is_always_one_sentence(answer: Answer, effect: Interval | None) -> None:
    """Every mixture of question, answer and effect ends in one full stop, without a hole."""
    for result in all_results():
        verdict = replace(result.verdict, answer=answer, effect=effect)
        sentence = verdict_sentence(replace(result, verdict=verdict))

        assert sentence.endswith(".")
        assert ".." not in sentence
        assert "  " not in sentence
        assert "None" not in sentence
