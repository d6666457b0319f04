"""Every sentence that a person reads about a verdict, a cause or a state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container

from freeloop.model.check import CheckState
from freeloop.model.plan import Arm, Question
from freeloop.model.run import PairResult, Run, SideResult
from freeloop.model.verdict import Answer, Basis, Cause, FalseVerdicts, Interval, Verdict
from freeloop.render.figures import latency_ms, middle, number_text, ratio_text, share_text

ANSWER_WORDS = {
    Answer.HELPS: "helps",
    Answer.NO_DIFFERENCE: "no difference",
    Answer.HURTS: "hurts",
    Answer.UNKNOWN: "unknown",
}
# Beside every colour, so that nothing rests on colour alone.
ANSWER_SIGNS = {
    Answer.HELPS: "+",
    Answer.NO_DIFFERENCE: "=",
    Answer.HURTS: "-",
    Answer.UNKNOWN: "?",
}
CHECK_SIGNS = {
    CheckState.OK: "+",
    CheckState.WARNING: "!",
    CheckState.MISSING: "?",
    CheckState.BROKEN: "x",
}
# How the sentence of a verdict ends; UNKNOWN has no reason to give.
CAUSE_CLAUSES = {
    Cause.THREAD_CAP: "because of the thread cap",
    Cause.POOL_CAP: "because of the pool cap",
    Cause.CLIENT_CPU: "because of the CPU of the HTTP client",
    Cause.ASGI_FIXED_COST: "because of the fixed cost of ASGI",
    Cause.BLOCKED_LOOP: "because of a blocked event loop",
    Cause.CPU_BOUND: "because both are CPU bound",
    Cause.OVERLAPPED_WAITS: "because waits overlap inside one request",
    Cause.WAIT_BOUND: "because both are bound by the wait",
    Cause.UNKNOWN: "cause: unknown",
}
QUESTION_WORDS = {
    Question.SERVE: "serve: this view unchanged, deployment A or B",
    Question.REWRITE: "rewrite: view A or its twin B",
    Question.SETTING: "setting: one setting changed, all else equal",
}
RELIEF_WORDS = {True: "relief", False: "no relief", None: "the application as it is"}
THREADED = ("gunicorn:gthread", "granian:wsgi")
REWRITE_UNKNOWN = "rewrite: unknown; give --pair, or run trace --predict"
CUT_SHORT = "Interrupted: only what was finished is shown."
NOTHING = "Nothing was measured."
OVERVIEW_HINT = "B / A per concurrency; ~ estimated or predicted, others measured"
NO_REASON = "no reason was given"
# Installs the project, and takes no part in serving it.
NOT_NAMED = frozenset({"pip"})
# Above this share of the servers' cores, the numbers say more about other programs.
CONTENTION_SHARE = 0.15


def server_name(arm: Arm) -> str:
    """Return the server as people call it, such as "gunicorn gthread" or "granian ASGI"."""
    name, _, mode = arm.server.partition(":")
    return f"{name} {mode.upper() if mode in ('wsgi', 'asgi') else mode}".strip()


def arm_name(arm: Arm) -> str:
    """Return the deployment for a label, such as "gunicorn gthread, 50 threads"."""
    return ", ".join((server_name(arm), *_amounts(arm)))


def arm_phrase(arm: Arm) -> str:
    """Return the deployment inside a sentence, such as "gunicorn gthread with 50 threads"."""
    amounts = _amounts(arm)
    return f"{server_name(arm)} with {' and '.join(amounts)}" if amounts else server_name(arm)


def view_words(side: SideResult) -> str:
    """Return the kind of the view."""
    if side.view_is_async is None:
        return "view of unknown kind"
    return "async view" if side.view_is_async else "sync view"


def effect_words(effect: Interval, basis: Basis) -> str:
    """Return interval and basis, such as "measured, 2.9 to 3.4x"."""
    return f"{basis.value}, {ratio_text(effect.low)} to {ratio_text(effect.high)}x"


def level_text(effect: Interval) -> str:
    """Return the coverage of the interval, such as "99%"."""
    return f"{effect.level * 100:.3g}%"


def rounds_words(verdict: Verdict) -> str:
    """Return what the interval rests on, such as "99% interval, 5 rounds a side"."""
    rounds = f"{_count(verdict.rounds, 'round')} a side"
    return rounds if verdict.effect is None else f"{level_text(verdict.effect)} interval, {rounds}"


def short_ratio(verdict: Verdict) -> str:
    """Return the ratio for a narrow cell, such as "2.3x"; "~" marks one that is not measured."""
    if verdict.effect is None:
        return "?"
    mark = "" if verdict.basis is Basis.MEASURED else "~"
    return f"{mark}{ratio_text(verdict.effect.ratio)}x"


def verdict_sentence(result: PairResult) -> str:
    """Return the verdict as one sentence: answer, ratio, A and B, load, interval, basis, cause.

    "Async helps" is said of a sync view rewritten as an async one, and of nothing else.
    """
    verdict = result.verdict
    if verdict.answer is Answer.UNKNOWN:
        return _unknown_sentence(result)
    said = f"{_subject(result)}{_said(result)}"
    if verdict.effect is not None:
        times = f"{ratio_text(verdict.effect.ratio)}x the throughput"
        if result.question is Question.REWRITE:
            times = f": {_rewrite_compared(result, times)}"
        else:
            times = f", {times}"
        said += f"{times} {_load(result)} ({effect_words(verdict.effect, verdict.basis)})"
    joint = ";" if verdict.cause is Cause.UNKNOWN else ","
    return f"{said}{joint} {CAUSE_CLAUSES[verdict.cause]}."


def evidence_lines(result: PairResult) -> tuple[str, ...]:
    """Return what speaks for the cause, one line each, without full stops."""
    return tuple(line.rstrip(". ") for line in result.verdict.evidence)


def missing_line(result: PairResult) -> str:
    """Return what would be needed for an answer or a cause; "" when nothing is missing."""
    verdict = result.verdict
    if Answer.UNKNOWN is not verdict.answer and verdict.cause is not Cause.UNKNOWN:
        return ""
    missing = verdict.missing.rstrip(". ")
    if not missing and verdict.answer is Answer.UNKNOWN:
        missing = NO_REASON
    return f"missing: {missing}" if missing else ""


def neighbour_line(result: PairResult) -> str:
    """Return what a light request beside the load felt; "" when none was sent."""
    if result.a.neighbour is None and result.b.neighbour is None:
        return ""
    felt = ", ".join(_beside(side, letter) for letter, side in (("A", result.a), ("B", result.b)))
    return f"neighbour: p50 {felt} (measured)"


def further_sentences(result: PairResult) -> tuple[str, ...]:
    """Return what must be said beside the verdict: more threads, and what was not asked."""
    said = [_more_threads(side, result) for side in (result.a, result.b) if _capped(side, result)]
    if result.question is Question.SERVE and result.a.view_is_async is not True:
        said.append(REWRITE_UNKNOWN)
    return tuple(said)


def tally_words(run: Run) -> str:
    """Return how often each answer was given, such as "7 verdicts: + 2 helps, - 5 hurts"."""
    counts = Counter(result.verdict.answer for result in run.pairs)
    seen = (
        f"{ANSWER_SIGNS[answer]} {counts[answer]} {ANSWER_WORDS[answer]}"
        for answer in Answer
        if counts[answer]
    )
    return f"{_count(len(run.pairs), 'verdict')}: {', '.join(seen)}"


def false_verdicts_sentence(seen: FalseVerdicts) -> str:
    """Return how far verdicts of this machine can be trusted, from equal sides."""
    return (
        f"A/A: {seen.wrong} of {seen.total} decisions on equal sides found a difference "
        f"(measured: {seen.live} live, the others replayed from their rounds); at most "
        f"{100 * seen.bound:.1f} % of this machine's verdicts are false, 95 % sure."
    )


def contention_sentence(run: Run) -> str | None:
    """Return a warning when other programs used the servers' cores; None when all was quiet."""
    seen = [
        (middle(item.strangers for item in side.closed.rounds), result, label)
        for result in run.pairs
        for label, side in (("A", result.a), ("B", result.b))
        if side.closed.rounds
    ]
    known = [(share, result, label) for share, result, label in seen if share is not None]
    if seen and not known:
        return "Contention: not known, this kernel does not tell who used the cores."
    share, result, label = max(known, key=lambda each: each[0], default=(0.0, None, ""))
    if result is None or share < CONTENTION_SHARE:
        return None
    return (
        f"Contention: other programs used {share_text(share)} of the servers' cores "
        f"({result.pair}, {result.concurrency} in flight, {label}); trust ratios and CPU, "
        f"not requests/s."
    )


def package_words(run: Run, leave_out: Container[str] = ()) -> tuple[str, ...]:
    """Return the packages that take part in serving the project, such as "uvicorn 0.54.0"."""
    return tuple(
        f"{name} {version}"
        for name, version in run.environment.packages.items()
        if name not in NOT_NAMED and name not in leave_out
    )


def cores_sentence(run: Run) -> str:
    """Return which cores were held by whom."""
    known = run.environment
    servers = _cores(known.server_cores)
    client = _cores(known.client_cores)
    return f"{known.cores} in all; servers {servers}; load client {client}"


def _cores(cores: tuple[int, ...]) -> str:
    return f"held to {', '.join(map(str, cores))}" if cores else "not held"


def _amounts(arm: Arm) -> tuple[str, ...]:
    amounts = []
    if arm.workers != 1 or arm.server == "gunicorn:sync":
        amounts.append(_count(arm.workers, "worker"))
    if arm.threads is not None and arm.server in THREADED:
        amounts.append(_count(arm.threads, "thread"))
    if arm.relief is not None:
        amounts.append("relief" if arm.relief else "no relief")
    return tuple(amounts)


def _count(amount: int, thing: str) -> str:
    return f"{amount} {thing}" if amount == 1 else f"{amount} {thing}s"


def _load(result: PairResult) -> str:
    return f"at {_count(result.concurrency, 'concurrent request')}"


def _rewrite_compared(result: PairResult, times: str) -> str:
    a, b = arm_phrase(result.a.arm), arm_phrase(result.b.arm)
    if a == b:
        return f"B has {times} of A, both on {b},"
    return f"B on {b} has {times} of A on {a},"


def _is_to_async(result: PairResult) -> bool:
    return result.b.view_is_async is True and result.a.view_is_async is False


def _subject(result: PairResult) -> str:
    if result.question is Question.REWRITE:
        return "Async" if _is_to_async(result) else "The rewrite"
    if result.question is Question.SERVE:
        a, b = arm_phrase(result.a.arm), arm_phrase(result.b.arm)
        return f"Serving this view on {b} (B) instead of {a} (A)"
    return f"Setting {_changed_setting(result)}"


def _said(result: PairResult) -> str:
    answer = result.verdict.answer
    if result.question is not Question.REWRITE:
        return f": {ANSWER_WORDS[answer]}"
    return " makes no difference" if answer is Answer.NO_DIFFERENCE else f" {ANSWER_WORDS[answer]}"


def _changed_setting(result: PairResult) -> str:
    a, b = result.a.arm, result.b.arm
    changed = []
    if a.threads != b.threads:
        changed.append(f"{_known(b.threads)} threads instead of {_known(a.threads)}")
    if a.workers != b.workers:
        changed.append(f"{_count(b.workers, 'worker')} instead of {a.workers}")
    if a.relief != b.relief:
        changed.append(f"{RELIEF_WORDS[b.relief]} instead of {RELIEF_WORDS[a.relief]}")
    changed += [
        f"{name} {_setting(b, name)} instead of {_setting(a, name)}"
        for name in sorted({*a.settings, *b.settings})
        if _setting(a, name) != _setting(b, name)
    ]
    what = " and ".join(changed) or f"{b.name} instead of {a.name}"
    if a.server != b.server:
        return f"{what} on {server_name(b)} (B) instead of {server_name(a)} (A)"
    return f"{what} (B against A) on {server_name(b)}"


def _known(amount: int | None) -> str:
    return "default" if amount is None else str(amount)


def _setting(arm: Arm, name: str) -> str:
    text = repr(arm.settings[name]) if name in arm.settings else "the project's own"
    return text if len(text) <= 40 else f"{text[:37]}..."


def _unknown_sentence(result: PairResult) -> str:
    verdict = result.verdict
    subject = _subject(result)
    if result.question is Question.REWRITE:
        word = "async" if _is_to_async(result) else "the rewrite"
        asked = f"whether {word} helps: {_against(result)}"
    else:
        asked = f"whether it helps: {subject[0].lower()}{subject[1:]}"
    seen = ""
    if verdict.effect is not None:
        seen = (
            f"; seen so far {ratio_text(verdict.effect.ratio)}x "
            f"({effect_words(verdict.effect, verdict.basis)}, "
            f"{_count(verdict.rounds, 'round')} a side)"
        )
    return f"Unknown {asked}, {_load(result)}{seen}."


def _against(result: PairResult) -> str:
    a, b = arm_phrase(result.a.arm), arm_phrase(result.b.arm)
    return f"B against A, both on {b}" if a == b else f"B on {b} against A on {a}"


def _beside(side: SideResult, letter: str) -> str:
    if side.neighbour is None:
        return f"not measured beside {letter}"
    loaded = number_text(latency_ms(side.neighbour, "p50"))
    if side.neighbour_alone is None:
        return f"{loaded} ms beside {letter} (alone: not measured)"
    return f"{number_text(side.neighbour_alone.p50)} -> {loaded} ms beside {letter}"


def _capped(side: SideResult, result: PairResult) -> bool:
    return side.thread_limit is not None and side.thread_limit < result.concurrency


def _more_threads(side: SideResult, result: PairResult) -> str:
    other = result.b if side is result.a else result.a
    server = "gunicorn gthread" if side.arm.server == "gunicorn:sync" else server_name(side.arm)
    if side.more_threads is None:
        return (
            f"More threads: what {result.concurrency} instead of {side.thread_limit} would do "
            f"on {server} is unknown, it was not estimated."
        )
    compared = ""
    if other.quiet_rps > 0:
        share = ratio_text(side.more_threads / other.quiet_rps)
        compared = f", {share}x that of {arm_phrase(other.arm)}"
    return (
        f"More threads: {result.concurrency} instead of {side.thread_limit} on {server} would do "
        f"about {number_text(side.more_threads)} requests/s{compared} (estimated)."
    )
