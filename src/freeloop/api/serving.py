"""Bench: what all parts of a benchmark share: project, servers, load engine, progress."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from freeloop.api.effort import Clock, Effort
from freeloop.errors import FreeloopError
from freeloop.judge.stats import Looks
from freeloop.measure.agent_client import agent_report, agent_reset
from freeloop.measure.first_answer import FirstAnswer, first_answer
from freeloop.measure.launch import Launch
from freeloop.measure.load import Load, LoadEngine
from freeloop.measure.process import ServerProcess
from freeloop.measure.servers import server_named
from freeloop.model.plan import Arm, Side
from freeloop.model.progress import Progress, Step
from freeloop.model.request import Kind, RequestSpec
from freeloop.model.run import Observed
from freeloop.source.facts import Facts, Target
from freeloop.source.project import Project

READY_S = 60.0


@dataclass(frozen=True, slots=True)
class ServedSide:
    """One side while its server runs.

    Attributes:
        process: The running server.
        arm: The deployment with its threads resolved.
        request: What is sent; its url, cookies and headers are complete.
        view_is_async: Whether the view is a coroutine function; None when not known.
        place: "file:line" of the view, "" when not known.
        thread_limit: Requests that the server handles at once, None without a limit.
        host: Value of the Host header.
    """

    process: ServerProcess
    arm: Arm
    request: RequestSpec
    view_is_async: bool | None
    place: str
    thread_limit: int | None
    host: str

    @property
    def pid(self) -> int:
        """First process of the server."""
        return self.process.pid

    @property
    def label(self) -> str:
        """Server and path, for progress and errors."""
        return f"{self.arm.server} {self.request.url}"

    def load(self, *, connections: int, seconds: float) -> Load:
        """Return a closed-model load of this side's request."""
        return Load(
            port=self.process.port,
            requests=(self.request,),
            connections=connections,
            seconds=seconds,
            host=self.host,
        )

    def reset_agent(self) -> None:
        """Forget what the agent has counted so far."""
        agent_reset(self.process)

    def agent_report(self) -> Observed | None:
        """Return what the agent counted since the last reset, None when it says nothing."""
        return agent_report(self.process)


@dataclass(slots=True)
class Bench:
    """One running benchmark.

    Attributes:
        project: The project that is measured.
        facts: What it says about itself.
        targets: Where each request leads, by the request's name.
        engine: Sends the load.
        effort: How long the parts take.
        clock: Share done and time left.
        progress: Told what runs.
        server_cores: Cores that servers are held to; empty for all.
        cores: Number of cores that a server may use.
        looks: When the rounds may be judged.
        notes: Sentences about what could not be measured.
    """

    project: Project
    facts: Facts
    targets: Mapping[str, Target]
    engine: LoadEngine
    effort: Effort
    clock: Clock
    progress: Progress
    server_cores: tuple[int, ...]
    cores: int
    looks: Looks
    notes: list[str] = field(default_factory=list)

    def say(self, doing: str, title: str = "", known: str = "") -> None:
        """Report progress."""
        self.progress(Step(doing, title, self.clock.done, self.clock.left_s, known))

    def rested(self, quiet: bool, served: ServedSide) -> None:  # noqa: FBT001 - an outcome
        """Note once that a server still worked when the next round began."""
        if not quiet:
            self.note(served.label, "still worked 15 s after its load ended; later rounds overlap")

    def note(self, about: str, text: str) -> None:
        """Keep a sentence for the reader; the first about each thing stands for all like it."""
        if not any(each.startswith(f"{about}: ") for each in self.notes):
            self.notes.append(f"{about}: {text}")

    def ready(self, request: RequestSpec) -> RequestSpec:
        """Return a request of the plan with its path, cookies and headers complete."""
        return self.targets[request.name].request

    @contextmanager
    def serve(self, side: Side, *, threads: int, observed: bool = False) -> Iterator[ServedSide]:
        """Serve one side until the block ends.

        Args:
            side: Deployment and request.
            threads: Threads where the arm leaves them open and the server has them.
            observed: Run behind the agent.
        """
        server = server_named(side.arm.server)
        arm = side.arm
        if server.has_threads and arm.threads is None:
            arm = replace(arm, threads=max(1, -(-threads // arm.workers)))
        app = self.facts.asgi if server.interface == "asgi" else self.facts.wsgi
        launch = Launch(
            server=server,
            root=self.project.root,
            settings=self.project.settings,
            app=app,
            python=str(self.project.python),
            workers=arm.workers,
            threads=arm.threads or 1,
            overrides=arm.settings,
            relief=arm.relief,
            cores=self.server_cores,
            observed=observed,
            host=self.facts.host or "127.0.0.1",
        )
        target = self.targets[side.request.name]
        self.say(f"starting {arm.server}")
        with ServerProcess(launch) as process:
            process.wait_ready("/", timeout_s=READY_S)
            yield ServedSide(
                process=process,
                arm=arm,
                request=target.request,
                view_is_async=target.is_async,
                place=target.place,
                thread_limit=server.thread_limit(arm.workers, arm.threads or 1),
                host=launch.host,
            )

    def check_first_answer(self, served: ServedSide) -> None:
        """Send the request once and refuse to load a side whose answer is wrong.

        Raises:
            FreeloopError: "needs-login", "wrong-status", "wrong-body" or "view-raises".
        """
        request = served.request
        if request.kind is Kind.WEBSOCKET:
            return
        answer = first_answer(served.process.port, request, host=served.host)
        if answer.status == request.expect.status:
            if request.expect.contains.encode() in answer.body:
                return
            raise FreeloopError(
                "wrong-body",
                what=f"{request.url} does not answer what is expected",
                where=f"on {served.arm.server}: expected {request.expect.contains!r}, "
                f"got {answer.body[:200].decode(errors='replace')!r}",
                mend="correct the view, or expect.contains of the request",
            )
        where = f"on {served.arm.server}{f', view at {served.place}' if served.place else ''}"
        if answer.location and _is_login(answer.location):
            raise FreeloopError(
                "needs-login",
                what=f"{request.url} redirects to a login page",
                where=f"{where}: {answer.status} to {answer.location}",
                mend="name an existing user: --user NAME, or user = in the request",
            )
        if answer.status >= 500:
            raise FreeloopError(
                "view-raises",
                what=f"{request.url} answers {answer.status}",
                where=f"{where}\n{_reason(served.process)}",
                mend="make the view answer one request first, then bench it",
            )
        location = f" to {answer.location}" if answer.location else ""
        raise FreeloopError(
            "wrong-status",
            what=f"{request.url} answers {answer.status}{location}, "
            f"{request.expect.status} is expected",
            where=f"{where}, asked with Host: {served.host}",
            mend=_mend_status(served, answer),
        )


def _mend_status(served: ServedSide, answer: FirstAnswer) -> str:
    leads = urlsplit(answer.location)
    if answer.location and leads.netloc in {
        "",
        served.host,
        f"{served.host}:{served.process.port}",
    }:
        there = leads._replace(scheme="", netloc="", fragment="").geturl() or "/"
        return f"bench the page that it leads to, {there}, or set expect.status of the request"
    if answer.status in {400, 404, 421}:
        return (
            "correct the path; or, where the project goes by the host name, give the request "
            'headers = {Host = "..."}; or set expect.status'
        )
    return "correct the path, or set expect.status of the request"


def _reason(process: ServerProcess) -> str:
    return process.raised() or process.log_tail() or "(nothing was raised, nothing was logged)"


def _is_login(location: str) -> bool:
    parts = urlsplit(location)
    return "login" in parts.path or "signin" in parts.path or parts.query.startswith("next=")
