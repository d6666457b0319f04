"""Which functions of Python, Django and libraries block, what they reach, and their async twins.

    blocking("requests.get").kind                                  # Kind.NET
    blocking_method(["shop.models.Dish", "django.db.models.Model"], "save").twin

Every row was derived by a run (`scripts/derive_blocking.py`) and is proved again by the tests.
A name may be the public one or that of the module that defines it: `requests.get` and
`requests.api.get` are one row.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path

from freeloop.knowledge import shipped
from freeloop.knowledge.load import read_table
from freeloop.knowledge.rows import Blocking, Kind, Table

__all__ = ["Blocking", "Kind", "Knowledge", "blocking", "blocking_method", "known"]

# Of a class whose methods are made from a description, as those of boto3's clients: any of them.
ANY = "*"


class Knowledge:
    """The rows that freeloop ships, with those of the user's files above them.

    A shipped file is read when the first name of its library is asked for.
    """

    def __init__(self, files: Sequence[Path] = (), *, django: str | None = None) -> None:
        """Read the user's files.

        Args:
            files: Data files; the earlier ones win.
            django: Version to answer for, "5.2"; the installed one if None.

        Raises:
            FreeloopError: If a file of the user cannot be read as a data file.
        """
        self._own = [read_table(path, needs_proof=False) for path in files]
        self._tables_of: dict[str, list[Table]] = {}
        self._django = django

    def blocking(self, qualified_name: str) -> Blocking | None:
        """Return what is known of a function or of "module.Class.method"; None if nothing."""
        for table in self._tables(qualified_name):
            found = table.calls.get(_settled(qualified_name, table))
            if found is not None:
                return found
        owner, _, method = qualified_name.rpartition(".")
        return self.method([owner], method) if "." in owner else None

    def own(self, qualified_name: str) -> Blocking | None:
        """Return what the user's files say of a function of the project itself."""
        rows = (table.calls.get(qualified_name) for table in self._own)
        return next((row for row in rows if row is not None), None)

    def method(self, classes: Iterable[str], name: str) -> Blocking | None:
        """Return what is known of a method of an object.

        Args:
            classes: Qualified names of its class and the bases that are known, nearest first; the
                bases of a library's class need not be named.
            name: Of the method.
        """
        every = tuple(dict.fromkeys(each for cls in classes for each in self.ancestry(cls)))
        for row in (name, ANY):
            for each in every:
                for table in self._tables(each):
                    found = table.calls.get(f"{each}.{row}")
                    if found is not None:
                        harmless = name in table.harmless.get(each, ()) or not name[:1].islower()
                        return None if row is ANY and harmless else found
        return None

    def is_class(self, name: str) -> bool:
        """Whether a name is that of a class with rows of its own or of its bases."""
        settled = self.settled(name)
        return any(settled in table.bases for table in self._tables(settled))

    def ancestry(self, cls: str) -> tuple[str, ...]:
        """Return a class by its settled name and then its bases, as far as they are known."""
        found: dict[str, None] = {}
        waiting = [cls]
        while waiting:
            name = self.settled(waiting.pop(0))
            if name not in found:
                found[name] = None
                for table in self._tables(name):
                    waiting.extend(table.bases.get(name, ()))
        return tuple(found)

    def returned(self, qualified_name: str) -> str | None:
        """Return the class of what a function returns: "sqlite3.Connection" for sqlite3.connect."""
        for table in self._tables(qualified_name):
            found = table.returns.get(_settled(qualified_name, table))
            if found is not None:
                return found
        owner, _, method = qualified_name.rpartition(".")
        for each in self.ancestry(owner)[1:] if "." in owner else ():
            found = self.returned(f"{each}.{method}")
            if found is not None:
                return found
        return None

    def settled(self, name: str) -> str:
        """Return the one name under which a thing of several names is kept."""
        for table in self._tables(name):
            settled = _settled(name, table)
            if settled != name:
                return settled
        return name

    def _tables(self, name: str) -> list[Table]:
        library = name.partition(".")[0]
        tables = self._tables_of.get(library)
        if tables is None:
            known = shipped.table(library, self._django)
            tables = self._tables_of[library] = self._own if known is None else [*self._own, known]
        return tables


def _settled(name: str, table: Table) -> str:
    head, tail = name, ""
    while head:
        if head in table.aliases:
            return table.aliases[head] + tail
        head, dot, last = head.rpartition(".")
        tail = dot + last + tail
    return name


@functools.cache
def known() -> Knowledge:
    """Return what freeloop ships, for the installed Django."""
    return Knowledge()


def blocking(qualified_name: str) -> Blocking | None:
    """Return what freeloop ships about a function or "module.Class.method"; None if nothing."""
    return known().blocking(qualified_name)


def blocking_method(classes: Iterable[str], name: str) -> Blocking | None:
    """Return what freeloop ships about a method of an object; see `Knowledge.method`."""
    return known().method(classes, name)
