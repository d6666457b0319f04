"""Every sentence that a person reads about a verdict, a cause or a state."""

from __future__ import annotations

from freeloop.model.check import CheckState
from freeloop.model.plan import Arm, Question
from freeloop.model.run import PairResult, Run, SideResult
from freeloop.model.verdict import Answer, Basis, Cause, FalseVerdicts, Interval, Verdict
from freeloop.render.figures import middle, number_text, ratio_text, share_text

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
CAUSE_WORDS = {
    Cause.THREAD_CAP: "thread cap",
    Cause.POOL_CAP: "pool cap",
    Cause.CLIENT_CPU: "CPU of the HTTP client",
    Cause.ASGI_FIXED_COST: "fixed cost of ASGI",
    Cause.BLOCKED_LOOP: "blocked event loop",
    Cause.CPU_BOUND: "CPU bound",
    Cause.OVERLAPPED_WAITS: "waits overlap inside one request",
    Cause.WAIT_BOUND: "bound by the wait",
    Cause.UNKNOWN: "cause: unknown",
}
QUESTION_WORDS = {
    Question.SERVE: "serve: this view unchanged, deployment A or B",
    Question.REWRITE: "rewrite: view A or its twin B",
    Question.SETTING: "setting: one setting changed, all else equal",
}
THREADED = ("gunicorn:gthread", "granian:wsgi")
REWRITE_UNKNOWN = "rewrite: unknown; give --pair, or run trace --predict"
CUT_SHORT = "Interrupted: only what was finished is shown."
NOTHING = "Nothing was measured."
# Above this share of its wish to run, a server's own numbers say more about its neighbours.
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


def verdict_sentence(result: PairResult) -> str:
    """Return the verdict as one sentence: answer, ratio, baseline, interval, basis, reason.

    "Async helps" is said of a sync view rewritten as an async one, and of nothing else.
    """
    verdict = result.verdict
    if verdict.answer is Answer.UNKNOWN:
        return _unknown_sentence(result)
    subject, said = _subject(result)
    if verdict.effect is None:
        return f"{subject}{said[verdict.answer]}{_because(verdict)}."
    times = f"{ratio_text(verdict.effect.ratio)}x the throughput"
    if result.question is Question.REWRITE:
        times = f"{_elsewhere(result)}{times} of {arm_phrase(result.a.arm)}"
    joint = ":" if result.question is Question.REWRITE else ","
    return (
        f"{subject}{said[verdict.answer]}{joint} {times} {_load(result)} "
        f"({effect_words(verdict.effect, verdict.basis)}){_because(verdict)}."
    )


def further_sentences(result: PairResult) -> tuple[str, ...]:
    """Return what must be said beside the verdict: more threads, and what was not asked."""
    said = [_more_threads(side, result) for side in (result.a, result.b) if _capped(side, result)]
    if result.question is Question.SERVE and result.a.view_is_async is not True:
        said.append(REWRITE_UNKNOWN)
    return tuple(said)


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
    return tuple(amounts)


def _count(amount: int, thing: str) -> str:
    return f"{amount} {thing}" if amount == 1 else f"{amount} {thing}s"


def _load(result: PairResult) -> str:
    return f"at {_count(result.concurrency, 'concurrent request')}"


def _elsewhere(result: PairResult) -> str:
    a, b = arm_phrase(result.a.arm), arm_phrase(result.b.arm)
    return "" if a == b else f"on {b} "


def _subject(result: PairResult) -> tuple[str, dict[Answer, str]]:
    said = {
        Answer.HELPS: " helps",
        Answer.NO_DIFFERENCE: " makes no difference",
        Answer.HURTS: " hurts",
    }
    if result.question is Question.REWRITE:
        to_async = result.b.view_is_async is True and result.a.view_is_async is False
        return ("Async" if to_async else "The rewrite"), said
    words = {answer: f": {ANSWER_WORDS[answer]}" for answer in Answer}
    if result.question is Question.SERVE:
        a, b = arm_phrase(result.a.arm), arm_phrase(result.b.arm)
        return f"Serving this view on {b} instead of {a}", words
    return f"Setting {_changed_setting(result)}", words


def _changed_setting(result: PairResult) -> str:
    a, b = result.a.arm, result.b.arm
    changed = []
    if a.threads != b.threads:
        changed.append(f"{_known(b.threads)} threads instead of {_known(a.threads)}")
    if a.workers != b.workers:
        changed.append(f"{_count(b.workers, 'worker')} instead of {a.workers}")
    changed += [
        f"{name} {_setting(b, name)} instead of {_setting(a, name)}"
        for name in sorted({*a.settings, *b.settings})
        if _setting(a, name) != _setting(b, name)
    ]
    what = " and ".join(changed) or f"{b.name} instead of {a.name}"
    if a.server != b.server:
        return f"{what} on {server_name(b)} instead of {server_name(a)}"
    return f"{what} on {server_name(b)}"


def _known(amount: int | None) -> str:
    return "default" if amount is None else str(amount)


def _setting(arm: Arm, name: str) -> str:
    text = repr(arm.settings[name]) if name in arm.settings else "the project's own"
    return text if len(text) <= 40 else f"{text[:37]}..."


def _because(verdict: Verdict) -> str:
    evidence = "; ".join(sentence.rstrip(". ") for sentence in verdict.evidence)
    if verdict.cause is Cause.UNKNOWN:
        parts = (CAUSE_WORDS[Cause.UNKNOWN], evidence, _missing(verdict))
        return "; " + "; ".join(part for part in parts if part)
    return f": {CAUSE_WORDS[verdict.cause]}" + (f": {evidence}" if evidence else "")


def _missing(verdict: Verdict) -> str:
    return f"missing: {verdict.missing.rstrip('. ')}" if verdict.missing else ""


def _unknown_sentence(result: PairResult) -> str:
    subject, _ = _subject(result)
    verdict = result.verdict
    asked = f"whether async helps {_against(result)}" if subject == "Async" else None
    if asked is None and result.question is Question.REWRITE:
        asked = f"whether the rewrite helps {_against(result)}"
    if asked is None:
        asked = f"whether it helps: {subject[0].lower()}{subject[1:]}"
    seen = ""
    if verdict.effect is not None:
        seen = (
            f"; seen so far {ratio_text(verdict.effect.ratio)}x "
            f"({effect_words(verdict.effect, verdict.basis)}, "
            f"{_count(verdict.rounds, 'round')} a side)"
        )
    missing = _missing(verdict) or "missing: no reason was given"
    return f"Unknown {asked} {_load(result)}{seen}; {missing}."


def _against(result: PairResult) -> str:
    a, b = arm_phrase(result.a.arm), arm_phrase(result.b.arm)
    return f"on {b}" if a == b else f"on {b} against {a}"


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
