"""Requests of a logged-in user: a session in the project's own store, removed at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from freeloop.errors import FreeloopError
from freeloop.source.conversation import Conversation, NotPossible
from freeloop.source.project import Project


@contextmanager
def session_for(project: Project, user: str) -> Iterator[Mapping[str, str]]:
    """Give the cookies of a session of one user; see `sessions_for`."""
    with sessions_for(project, [user]) as sessions:
        yield sessions[user]


@contextmanager
def sessions_for(
    project: Project, users: Iterable[str]
) -> Iterator[Mapping[str, Mapping[str, str]]]:
    """Give session cookies by user name, and remove the sessions at the end.

    Nothing is sent to a login view: no signal, no new `last_login`. The sessions are removed too
    when freeloop is killed, because the process that made them sees the end of its input.

    Raises:
        FreeloopError: If a user does not exist or is not active, or if the project keeps its
            sessions where a server could not read them.
    """
    names = list(dict.fromkeys(users))
    if not names:
        yield {}
        return
    with Conversation(project) as inside:
        try:
            yield {name: _make(inside, name, project) for name in names}
        except BaseException:
            with suppress(FreeloopError):  # what went wrong first is what the user must hear
                _remove(inside, project)
            raise
        _remove(inside, project)


def _remove(inside: Conversation, project: Project) -> None:
    try:
        inside.ask("session", user=None)
    except NotPossible as answer:
        raise _refused(answer, project) from None


def _make(inside: Conversation, user: str, project: Project) -> Mapping[str, str]:
    try:
        cookies: Mapping[str, str] = inside.ask("session", user=user)["cookies"]
    except NotPossible as answer:
        raise _refused(answer, project) from None
    return cookies


def _refused(answer: NotPossible, project: Project) -> FreeloopError:
    said = answer.details
    match answer.reason:
        case "no-user":
            return FreeloopError(
                "no-such-user",
                what=f"no user has the {said['field']} {said['user']}",
                where=f"the user table of {project.settings}",
                mend="name an existing user: freeloop makes none",
            )
        case "inactive" | "no-backend":
            return FreeloopError(
                "user-may-not-log-in",
                what=f"the user {said['user']} may not log in",
                where="is_active, or AUTHENTICATION_BACKENDS",
                mend="name a user that is active and known to a backend",
            )
        case "no-auth":
            return FreeloopError(
                "no-login",
                what="the project has no session login",
                where=f"missing: {said['missing']}",
                mend="leave `user` out, or send the project's own credentials as a header",
            )
        case "process-local":
            return FreeloopError(
                "sessions-process-local",
                what=f"sessions are kept in {said['store']}, so no server could read one",
                where=f"SESSION_ENGINE = {said['engine']}",
                mend="use the database, files, signed cookies or a shared cache for sessions",
            )
        case _:
            return FreeloopError(
                "session-database",
                what=f"a session could not be stored or removed: {said.get('message', '')}",
                where=f"the database of {project.settings}",
                mend="run: manage.py migrate",
            )
