"""Ask the agents inside a server's worker processes, and add their answers up."""

from __future__ import annotations

import collections
import json
import socket
from typing import TYPE_CHECKING, Any

from freeloop.errors import FreeloopError
from freeloop.model.run import Observed

if TYPE_CHECKING:
    from freeloop.measure.process import ServerProcess

_TIMEOUT_S = 10.0
_FEWEST_SAMPLES = 3
_LEAST_SHARE = 0.05


def agent_reset(process: ServerProcess) -> int:
    """Make every agent of the server start counting anew.

    Returns:
        How many worker processes answered.

    Raises:
        FreeloopError: "agent-silent" when none does.
    """
    return len(_ask_all(process, b"reset"))


def agent_report(process: ServerProcess) -> Observed | None:
    """Return what the agents saw since the last `agent_reset`, all worker processes together.

    Counts are added and divided by the requests of all; `connections_held` and `pool_max` are the
    sums over processes (an upper bound of what was open at once); delays and holds are the worst.

    Returns:
        None when no request ended in that time: nothing is known then.

    Raises:
        FreeloopError: "agent-silent" when no worker process answers.
    """
    return merged(_ask_all(process, b"report"))


def merged(reports: list[dict[str, Any]]) -> Observed | None:
    """Return the reports of several worker processes as one."""

    def total(name: str) -> int:
        return sum(report[name] for report in reports)

    requests = total("requests")
    if not requests:
        return None

    def worst_ms(name: str) -> float:
        return max(int(report[name]) for report in reports) / 1e6

    pools = [report["pool_max"] for report in reports if report["pool_max"] is not None]
    blocked_at, cpu_ns = _added(reports, "blocked_at"), _added(reports, "cpu_ns")
    on_loop = reports[0]["interface"] == "asgi"
    all_cpu_ns = cpu_ns.total()
    return Observed(
        requests=requests,
        threads_started=total("threads_started") / requests,
        connections_held=total("connections_held"),
        connections_opened=total("connections_opened") / requests,
        pool_max=sum(pools) if pools else None,
        loop_held_ms=total("loop_held_ns") / 1e6 / requests if on_loop else None,
        loop_cpu_ms=total("loop_cpu_ns") / 1e6 / requests if on_loop else None,
        longest_hold_ms=worst_ms("longest_hold_ns") if on_loop else None,
        blocked_at=_often(blocked_at, requests),
        loop_delay_ms=worst_ms("loop_delay_ns") if on_loop else None,
        thread_held_ms=None if on_loop else total("thread_held_ns") / 1e6 / requests,
        cpu_shares={name: spent / all_cpu_ns for name, spent in cpu_ns.most_common()},
    )


def _often(blocked_at: collections.Counter[str], requests: int) -> str | None:
    """Return the place that was seen most, None when it was seen too rarely to be a cause.

    On a busy machine any step may be late once.
    """
    for place, samples in blocked_at.most_common(1):
        if samples >= max(_FEWEST_SAMPLES, requests * _LEAST_SHARE):
            return place
    return None


def _added(reports: list[dict[str, Any]], name: str) -> collections.Counter[str]:
    added: collections.Counter[str] = collections.Counter()
    for report in reports:
        added.update(report[name])
    return added


def _ask_all(process: ServerProcess, question: bytes) -> list[dict[str, Any]]:
    answers = []
    reason = "no worker process has opened its socket"
    for path in sorted(process.sockets.glob("agent-*.sock")):
        try:
            answers.append(_ask(str(path), question))
        except ConnectionRefusedError:
            # The socket of a worker that has ended since.
            continue
        except (OSError, ValueError) as error:
            reason = f"a worker process did not answer: {error}"
    if not answers:
        raise FreeloopError(
            "agent-silent",
            what="the agent inside the server does not answer",
            where=f"{process.launch.server.name}: {reason}\n{process.log_tail()}",
            mend="start it with observed=True; if it was, what the log says stopped it",
        )
    return answers


def _ask(path: str, question: bytes) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_TIMEOUT_S)
        client.connect(path)
        client.sendall(question)
        said = b""
        while block := client.recv(65536):
            said += block
    answer: dict[str, Any] = json.loads(said)
    return answer
