"""Causes: the sites that block their thread, and the queries that Django refuses on the loop."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from freeloop.knowledge.blocking import Blocking
from freeloop.knowledge.blocking import Kind as Waits
from freeloop.source.code.attributes import FIELD_FILE, LAZY_USER, SESSION
from freeloop.source.code.drawing import DRAWS, Drawing
from freeloop.source.code.index import Class
from freeloop.source.code.kinds import (
    Ext,
    ExtInst,
    ExtMethod,
    FuncRef,
    Inst,
    Kind,
    Manager,
    QuerySet,
    is_in_memory,
)
from freeloop.source.code.lazy import comes_with_user
from freeloop.source.code.orm import (
    INSTANCE_RUNS,
    RELATED_RUNS,
    RUNS,
    SHORTCUTS,
)
from freeloop.source.code.program import Program
from freeloop.source.code.settings import Settings
from freeloop.source.code.sites import Site, Use, What
from freeloop.source.code.spelling import written
from freeloop.source.code.terms import CONSTANT, Term

# Django refuses these on a running loop (django.utils.asyncio.async_unsafe).
REFUSED = ("django.db.", "django.contrib.auth.", "django.shortcuts.", "django.contrib.sessions.")
GET_USER = "django.contrib.auth.get_user"
STORAGE = "django.core.files.storage."
CACHE = "django.core.cache."
CACHE_METHODS = frozenset(
    {"get", "set", "add", "delete", "touch", "get_many", "set_many", "delete_many", "get_or_set",
     "incr", "decr", "clear", "has_key"}
)  # fmt: skip
# Give an iterator that waits when it is iterated: where it is passed on, someone else does that.
LAZY_CALLS = ("iter_content", "iter_lines", "iter_bytes", "iter_text", "iter_raw", ".walk",
              "glob", ".iterator")  # fmt: skip
PASSED_ON = (Use.ARGUMENT, Use.RETURNED, Use.ASSIGNED)
# Questions and changes to a directory's entries: microseconds, not worth a thread.
BRIEF_OWNERS = ("os.path.", "fcntl.")
BRIEF = frozenset(
    {f"os.{name}" for name in (
        "access", "chmod", "link", "listdir", "lstat", "makedirs", "mkdir", "remove", "rename",
        "replace", "rmdir", "scandir", "stat", "symlink", "unlink", "utime", "read", "write",
    )}
    | {f"pathlib.Path.{name}" for name in (
        "chmod", "exists", "hardlink_to", "is_dir", "is_file", "is_symlink", "iterdir", "lstat",
        "mkdir", "readlink", "rename", "replace", "resolve", "rmdir", "samefile", "stat",
        "symlink_to", "touch", "unlink",
    )}
    | {"linecache.getlines", "mimetypes.init", "tokenize.detect_encoding", "shutil.which"}
    # Held for moments; a lock that is held over an await has a rule of its own.
    | {"threading.Lock.acquire", "threading.Semaphore.acquire", "threading.Semaphore.__enter__"}
    # A datagram is handed to the kernel, which drops what it cannot keep.
    | {"socket.socket.sendto"}
    # Full only when it has a limit, which most have not.
    | {"queue.Queue.put"}
)  # fmt: skip


class CauseKind(StrEnum):
    """QUERY: Django raises SynchronousOnlyOperation. BLOCK: the thread waits."""

    QUERY = "query"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a site must not run on the event loop.

    Attributes:
        kind: Whether it raises or blocks.
        subject: Qualified name of what is called, "requests.get".
        waits: net, db, file, proc, sleep, lock, cpu, dns.
        twin: What an async function awaits in its place; None if there is none.
        implicit: Words for a query that no call shows, "iterating over a queryset"; "" for a call.
    """

    kind: CauseKind
    subject: str
    waits: str
    twin: str | None = None
    implicit: str = ""


class Causes:
    """Tells of a site whether it is a cause."""

    def __init__(self, program: Program, settings: Settings, drawing: Drawing) -> None:
        """Tell it of a program whose settings decide what a cache or session costs."""
        self.program = program
        self.drawing = drawing
        self.settings = settings
        self._blocking = cache(program.knowledge.blocking)
        self._method = cache(program.knowledge.method)

    def of(self, site: Site) -> Cause | None:
        """Return why the site must not run on the loop; None if nothing is known against it."""
        target = site.target
        if target is None:
            return None
        if site.what is What.CALL:
            return self._of_call(target, site)
        if site.what in (What.ITERATE, What.TEST) and isinstance(target, QuerySet):
            words = "taking the rows" if site.what is What.ITERATE else "testing for rows"
            return Cause(CauseKind.QUERY, _rows(target), "db", None, f"{words} of {site.text}")
        if site.what is What.READ:
            return self._of_reading(target, site)
        if site.what is What.ENTER and site.use is not Use.AWAITED:
            return self._of_block(target)
        return None

    def _of_call(self, target: Kind | None, site: Site) -> Cause | None:
        match target:
            case Ext():
                return self._of_library(target.name, site)
            case ExtMethod():
                return self._of_method(target, site)
            case FuncRef() if not target.func.is_async:
                # What it does is read, but for what leads out of Python: users know better.
                return self._from(self.program.knowledge.own(target.func.qualified), site)
            case _:
                pass
        return None

    def _of_library(self, name: str, site: Site) -> Cause | None:
        if name in SHORTCUTS:
            return Cause(CauseKind.QUERY, name, "db", SHORTCUTS[name])
        if name.startswith(CACHE):
            return self._of_cache(name)
        if name in DRAWS:
            return self._of_template(site, name)
        found = self._blocking(name)
        if found is not None and found.in_memory and _in_memory(site):
            return None
        if name.startswith("os.wait") and site.call and _names(site.call[2:4], "WNOHANG"):
            return None
        return self._from(found, site)

    def _of_template(self, site: Site, name: str) -> Cause | None:
        """Return the query that is run while a template is drawn."""
        found = self.drawing.query(site)
        if found is not None:
            text = f"{found.path} in {found.place}" if found.place else "a template takes the rows"
            return Cause(CauseKind.QUERY, name, "db", None, text)
        request = site.call[2][0] if site.call and site.call[2] else None
        if self.settings.user_in_templates and f"{written(request)}.user" not in site.loaded:
            found = self.drawing.user(site)
            if found is not None:
                text = f"{found.path} in {found.place}"
                return Cause(CauseKind.QUERY, GET_USER, "db", "auser", text)
        return None

    def _of_method(self, target: ExtMethod, site: Site) -> Cause | None:
        owner, name = target.owner, target.name
        if isinstance(owner, Inst) and self.program.resolver.is_manager(owner.cls):
            owner = Manager(None, owner.cls)
        if isinstance(owner, QuerySet | Manager):
            return _of_query(owner, name)
        if isinstance(owner, Inst) and self.program.resolver.is_model(owner.cls):
            if name in INSTANCE_RUNS:
                twin = f"a{name}" if name in ("save", "delete", "refresh_from_db") else None
                return Cause(CauseKind.QUERY, f"{owner.cls.qualified}.{name}", "db", twin)
            return None
        if isinstance(owner, ExtInst) and owner.name in (LAZY_USER, SESSION):
            is_kept = owner.name != SESSION or comes_with_user(site.term) in site.loaded
            return None if is_kept else self._of_session(name)
        dotted = f"{target.classes[0]}.{name}" if target.classes else ""
        return self._of_cache(dotted) if dotted.startswith(CACHE) else self._known(target, site)

    def _known(self, target: ExtMethod, site: Site) -> Cause | None:
        """Return what is known of a method of a library's object."""
        if any(_is_async_client(each) for each in target.classes):
            return None
        # What is taken out of an archive in memory goes to the disk all the same.
        if is_in_memory(target.owner) and not target.name.startswith("extract"):
            return None
        # A pipeline keeps its commands until it is executed.
        if target.classes[0].endswith("Pipeline") and target.name not in ("execute", "watch"):
            return None
        found = self._method(target.classes, target.name)
        if found is not None and found.name.startswith("socket.socket.") and self._unblocked(site):
            return None
        return self._from(found, site)

    def _unblocked(self, site: Site) -> bool:
        """Tell whether a socket's function sees to it that its calls do not wait."""
        sites = self.program.sites(site.func)
        return any(other.text.endswith((".setblocking", "select.select")) for other in sites)

    def _of_reading(self, target: Kind | None, site: Site) -> Cause | None:
        if isinstance(target, QuerySet):
            text = f"reading the foreign key {site.text}"
            return Cause(CauseKind.QUERY, _rows(target), "db", None, text)
        if isinstance(target, ExtInst) and target.name == LAZY_USER:
            text = f"reading {site.text} loads the session and the user"
            return Cause(CauseKind.QUERY, GET_USER, "db", "auser", text)
        return None

    def _of_block(self, target: Kind | None) -> Cause | None:
        match target:
            case Ext() if target.name == "django.db.transaction.atomic":
                return Cause(CauseKind.QUERY, target.name, "db", None, "")
        return None

    def _of_session(self, name: str) -> Cause | None:
        if self.settings.session_in_cookie or name not in (
            "save", "flush", "cycle_key", "load", "get", "pop", "setdefault", "keys", "items",
        ):  # fmt: skip
            return None
        subject = f"{SESSION}.{name}"
        kind = CauseKind.QUERY if self.settings.session_in_database else CauseKind.BLOCK
        return Cause(kind, subject, "db", f"a{name}")

    def _of_cache(self, name: str) -> Cause | None:
        method = name.rpartition(".")[2]
        if method not in CACHE_METHODS:
            return None
        waits = self.settings.cache_waits
        if waits is None:
            return None
        kind = CauseKind.QUERY if waits == "db" else CauseKind.BLOCK
        return Cause(kind, f"django.core.cache.cache.{method}", waits, f"a{method}")

    def _from(self, known: Blocking | None, site: Site) -> Cause | None:
        # What is awaited is the async client of a library that shares names with its sync one.
        if site.use is Use.AWAITED:
            return None
        if known is not None and site.use in PASSED_ON and known.name.endswith(LAZY_CALLS):
            return None
        if known is None or known.name in BRIEF or known.name.startswith(BRIEF_OWNERS):
            return None
        refused = known.kind is Waits.DB and known.name.startswith(REFUSED)
        if refused and known.name.startswith(FIELD_FILE) and _without_row(site):
            return Cause(CauseKind.BLOCK, known.name, "file")
        in_storage = known.name.startswith((STORAGE, FIELD_FILE)) and not refused
        if in_storage and self.settings.stores_elsewhere:
            # It opens a file when that is read.
            method = known.name.rpartition(".")[2]
            subject = f"{self.settings.storage}.{method}"
            return None if method == "open" else Cause(CauseKind.BLOCK, subject, "net")
        # sendfile, which copies files too, was derived as the network's.
        waits = Waits.FILE if known.name.startswith("shutil.") else known.kind
        return Cause(
            CauseKind.QUERY if refused else CauseKind.BLOCK,
            known.name,
            waits.value,
            known.twin,
        )


def _without_row(site: Site) -> bool:
    """Tell whether a call writes or deletes the file of a row alone: `save=False`."""
    if site.call is None:
        return False
    _, _, arguments, keywords, *_ = site.call
    return (CONSTANT, False) in (*arguments, *(value for _, value in keywords))


def _names(term: Term, name: str) -> bool:
    """Tell whether a name stands somewhere in a term."""
    if type(term) is tuple:
        return any(_names(each, name) for each in term)
    return bool(term == name)


def _is_async_client(cls: str) -> bool:
    """Tell whether a class of a library is its async one: its methods only look like the sync."""
    owner, _, name = cls.rpartition(".")
    return name.startswith("Async") or ".asyncio" in owner or ".aio" in owner


def _of_query(owner: QuerySet | Manager, name: str) -> Cause | None:
    if isinstance(owner, QuerySet) and owner.fetched and name in ("count", "exists"):
        return None
    if name in RUNS or (name in RELATED_RUNS and isinstance(owner, Manager)):
        return Cause(CauseKind.QUERY, f"{_rows(owner)}.{name}", "db", f"a{name}")
    return None


def _in_memory(site: Site) -> bool:
    """Tell whether a call works on a file in memory."""
    return any(is_in_memory(given) for given in (*site.arguments, *site.keywords.values()))


def _rows(kind: QuerySet | Manager) -> str:
    model = kind.model
    if isinstance(model, Class):
        return f"{model.qualified}.objects"
    return f"{model}.objects" if model and model != "?" else "django.db.models.query.QuerySet"
