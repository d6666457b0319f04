"""What relief leaves out in the user's project and what its middleware costs, asked inside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freeloop.errors import FreeloopError
from freeloop.model.relief import Charge, Counted, Explanation
from freeloop.model.stack import Simulation
from freeloop.model.structure import from_plain
from freeloop.source.conversation import NotPossible, ask
from freeloop.source.facts import Facts, Target
from freeloop.source.project import Project

# Two GETs stock and two relieved, each with a limit of its own inside.
COUNT_TIMEOUT_S = 180.0


def explain(project: Project) -> Explanation:
    """Return what is computed for the project; no request runs."""
    said = _ask(project, path=None, host="", headers={})
    return from_plain(Explanation, said["explained"])


def simulate(project: Project) -> Simulation:
    """Return what the project's middleware costs, as it is and in other orders; no request runs."""
    try:
        said = ask(project, "stack", timeout_s=COUNT_TIMEOUT_S)
    except NotPossible as answer:
        raise _refused(answer, project) from None
    return from_plain(Simulation, said)


def count(
    project: Project, target: Target, facts: Facts
) -> tuple[Explanation, str, Counted, Counted]:
    """Return the explanation, the name of the view's hop, and the GET counted both ways."""
    said = _ask(project, path=target.path, host=facts.host, headers=facts.secure_headers)
    counted = said["counted"]
    return (
        from_plain(Explanation, said["explained"]),
        counted["view"],
        _counted(counted["stock"]),
        _counted(counted["relieved"]),
    )


def _ask(project: Project, **details: object) -> Mapping[str, Any]:
    try:
        said: Mapping[str, Any] = ask(project, "relief", timeout_s=COUNT_TIMEOUT_S, **details)
    except NotPossible as answer:
        raise _refused(answer, project) from None
    return said


def _counted(said: Mapping[str, Any]) -> Counted:
    return Counted(said["status"], from_plain(Charge, said))


def _refused(answer: NotPossible, project: Project) -> FreeloopError:
    if answer.reason == "no-answer":
        return FreeloopError(
            "no-answer",
            what=f"the view did not end within {answer.details['limit_s']:g} s",
            where="driven inside the project's interpreter, without a server",
            mend="count a view that ends by itself",
        )
    return FreeloopError(
        "other-freeloop",
        what=f"the project has another freeloop, {answer.details['version']}, without "
        f"{answer.details['missing']}",
        where=str(project.python),
        mend="install the same freeloop there, or none: it is then lent to the project",
    )
