"""The project's modules, classes and functions by name; unpacked when first asked for."""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from freeloop.source.code.files import CodeFile
from freeloop.source.code.summary import HANDS_OVER, HAS_ASYNC, HAS_CLASSES, UNREADABLE, Kept
from freeloop.source.code.terms import ATTRIBUTE, Term, Terms

MODULE_BODY = "<module>"
# Where the number of its class stands in the row of a function.
CLASS = 11


@dataclass(slots=True, eq=False)
class Func:
    """A function, a method, or the body of a module.

    Attributes:
        module: Where it is written.
        name: Qualified name in the file, "Basket.total".
        line: Of `def`.
        end_line: Its last line.
        is_async: Whether `async def`.
        yields: Whether it is a generator.
        awaits: Whether it awaits anything.
        in_sequence: Whether it has awaits that do not need one another.
        updates: Whether it may lose an update.
        parameters: Name and annotation of each.
        decorators: The outermost first.
        returns: Annotation of what it returns.
        cls: Class whose method it is.
        outer: Function around it.
        defaults: Name and default of each parameter that has one.
    """

    module: Module
    name: str
    line: int
    end_line: int
    is_async: bool
    yields: bool
    awaits: bool
    in_sequence: bool
    updates: bool
    parameters: tuple[tuple[str, Term], ...]
    decorators: Terms
    returns: Term
    cls: Class | None
    outer: Func | None
    packed: bytes = b""
    defaults: Terms = ()
    _body: Terms | None = None

    @property
    def qualified(self) -> str:
        """Dotted name with the module, "shop.baskets.Basket.total"."""
        return f"{self.module.name}.{self.name}"

    @property
    def last_name(self) -> str:
        """Name alone, "total"."""
        return self.name.rpartition(".")[2]

    @property
    def in_tests(self) -> bool:
        """Whether it belongs to tests, by the conventions of test runners."""
        parts = self.module.name.split(".")
        return (
            bool({"tests", "test", "conftest", "pytest_plugin"} & set(parts))
            or parts[-1].startswith("test_")
            or parts[-1].endswith("_test")
        )

    @property
    def own(self) -> str:
        """What it calls the object that it is a method of; "" for a function."""
        return self.parameters[0][0] if self.cls is not None and self.parameters else ""

    @property
    def names(self) -> frozenset[str]:
        """Names of its parameters."""
        return frozenset([name for name, _ in self.parameters])

    @property
    def body(self) -> Terms:
        """Its statements."""
        if self._body is None:
            self._body = marshal.loads(self.packed)
        return self._body


@dataclass(slots=True, eq=False)
class Class:
    """A class of the project.

    Attributes:
        module: Where it is written.
        name: Qualified name in the file.
        line: Of `class`.
        bases: As written.
        attributes: Name -> annotation, value, line, of the class body.
        methods: Name -> function; the getter where a property has both.
        given: Name -> (annotation, value, method) of what methods give to `self`.
        outer: Function around it.
        fixed: Attributes that stay what its own `__init__` was given, once somebody has looked.
    """

    module: Module
    name: str
    line: int
    bases: Terms
    outer: Func | None
    decorators: Terms
    attributes: dict[str, tuple[Term, Term, int]] = field(default_factory=dict)
    methods: dict[str, Func] = field(default_factory=dict)
    given: dict[str, list[tuple[Term, Term, Func]]] = field(default_factory=dict)
    fixed: frozenset[str] | None = None

    @property
    def qualified(self) -> str:
        """Dotted name with the module."""
        return f"{self.module.name}.{self.name}"

    @property
    def last_name(self) -> str:
        """Name alone."""
        return self.name.rpartition(".")[2]


class Module:
    """A file's functions, classes, imports and body.

    Attributes:
        file: Where it is.
        name: Dotted name.
        imports: Name here -> dotted name.
        stars: Modules whose every name is imported.
        functions: All of them; those of the top level are also in `names`.
        classes: All of them.
        names: Functions and classes of the top level.
        body: The module's own statements as a function.
        ignored: As `Summary.ignored`.
    """

    __slots__ = ("body", "classes", "file", "functions", "ignored", "imports", "names", "stars")

    def __init__(self, file: CodeFile, kept: Kept) -> None:
        summary = kept.unpack()
        self.file = file
        self.imports: dict[str, str] = {}
        self.stars: list[str] = []
        for name, dotted in summary.imports:
            if name == "*":
                self.stars.append(dotted.removesuffix(".*"))
            else:
                self.imports[name] = dotted
        self.ignored = summary.ignored
        self.functions: list[Func] = []
        self.classes: list[Class] = []
        for row in summary.functions:
            self.functions.append(self._function(row))
        for row in summary.classes:
            self.classes.append(self._class(row))
        for number, row in enumerate(summary.functions):
            if row[CLASS] >= 0:
                self.functions[number].cls = self.classes[row[CLASS]]
        self.names: dict[str, Func | Class] = {}
        defined: list[Func | Class] = [*self.functions, *self.classes]
        for each in defined:
            if "." not in each.name:
                self.names[each.name] = each
        self.body = Func(
            self,
            MODULE_BODY,
            1,
            0,
            is_async=False,
            yields=False,
            awaits=False,
            in_sequence=False,
            updates=False,
            parameters=(),
            decorators=(),
            returns=None,
            cls=None,
            outer=None,
            _body=summary.body,
        )

    @property
    def name(self) -> str:
        """Dotted name."""
        return self.file.module

    def _function(self, row: tuple[Term, ...]) -> Func:
        """Return a function; the one around it comes before it in the table."""
        (
            name, line, end_line, is_async, yields, awaits, in_sequence, updates,
            parameters, decorators, returns, _, around, packed, defaults,
        ) = row  # fmt: skip
        outer = self.functions[around] if around >= 0 else None
        return Func(
            self, name, line, end_line, is_async, yields, awaits, in_sequence, updates,
            parameters, decorators, returns, None, outer, packed, defaults,
        )  # fmt: skip

    def _class(self, row: tuple[Term, ...]) -> Class:
        name, line, _, bases, decorators, outer, attributes, methods, given = row
        cls = Class(
            self, name, line, bases, self.functions[outer] if outer >= 0 else None, decorators
        )
        for attribute, annotation, value, at in attributes:
            cls.attributes[attribute] = (annotation, value, at)
        for method, number in methods:
            function = self.functions[number]
            if method not in cls.methods or not _is_setter(function):
                cls.methods[method] = function
        for attribute, annotation, value, number in given:
            cls.given.setdefault(attribute, []).append((annotation, value, self.functions[number]))
        return cls


def _is_setter(function: Func) -> bool:
    return any(
        type(term) is tuple and term[0] == ATTRIBUTE and term[2] in ("setter", "deleter")
        for term in function.decorators
    )


class Index:
    """All modules of a project by name.

    Attributes:
        files: Every file by its path.
    """

    def __init__(self, files: Iterable[CodeFile], kept: Mapping[str, Kept]) -> None:
        """Index files; none is unpacked yet."""
        self.files = {file.path: file for file in files}
        self._kept = kept
        self._by_name: dict[str, CodeFile] = {}
        self._packages: set[str] = set()
        self._modules: dict[str, Module] = {}
        self._deriving: dict[str, list[str]] | None = None
        for file in self.files.values():
            if not kept[file.path].flags & UNREADABLE:
                self._by_name.setdefault(file.module, file)
                package = file.module.rpartition(".")[0]
                while package and package not in self._packages:
                    self._packages.add(package)
                    package = package.rpartition(".")[0]

    def __contains__(self, name: str) -> bool:
        return name in self._by_name or name in self._packages

    def module(self, name: str) -> Module | None:
        """Return a module by its dotted name; None if the project has none of that name."""
        found = self._modules.get(name)
        if found is None and name in self._by_name:
            file = self._by_name[name]
            found = self._modules[name] = Module(file, self._kept[file.path])
        return found

    def module_of(self, path: str) -> Module | None:
        """Return the module in a file; None if it cannot be read."""
        file = self.files.get(path)
        if file is None or self._kept[path].flags & UNREADABLE:
            return None
        if self._by_name.get(file.module) is file:
            return self.module(file.module)
        # Two files of one name, such as two scripts: the second is known by its path.
        found = self._modules.get(path)
        if found is None:
            found = self._modules[path] = Module(file, self._kept[path])
        return found

    def mentions(self, path: str, name: str) -> bool:
        """Tell whether a name or text is written somewhere in a file, or is part of one."""
        return name.encode() in self._kept[path].packed

    def holds(self, path: str, text: str) -> bool:
        """Tell whether a name or text is written somewhere in a file just so."""
        # As it is packed, its length stands before it.
        return marshal.dumps(text, 2) in self._kept[path].packed

    def with_async(self) -> Iterator[Module]:
        """Yield the modules that define async functions."""
        yield from self._with(HAS_ASYNC)

    def with_classes(self, mentioning: str) -> Iterator[Module]:
        """Yield the modules that define classes, and in which a name is written somewhere."""
        yield from self._with(HAS_CLASSES, mentioning.encode())

    def deriving_from(self, name: str) -> Iterator[Module]:
        """Yield the modules that derive a class from one of this last name."""
        if self._deriving is None:
            self._deriving = {}
            for path in self.files:
                for base in self._kept[path].bases:
                    self._deriving.setdefault(base, []).append(path)
        for path in self._deriving.get(name, ()):
            module = self.module_of(path)
            if module is not None:
                yield module

    def handing_over(self) -> Iterator[Module]:
        """Yield the modules that may give functions to a framework or a response."""
        yield from self._with(HANDS_OVER)

    def mentioning(self, name: str) -> Iterator[Module]:
        """Yield the modules in which a name is written somewhere."""
        yield from self._with(0, name.encode())

    def all_modules(self) -> Iterator[Module]:
        """Yield every module that can be read."""
        yield from self._with(0)

    def _with(self, flag: int, mentioning: bytes = b"") -> Iterator[Module]:
        for path in self.files:
            kept = self._kept[path]
            if not kept.flags & UNREADABLE and kept.flags & flag == flag:
                # Far cheaper than to unpack it; the bytes hold every name as it is written.
                if mentioning not in kept.packed:
                    continue
                module = self.module_of(path)
                if module is not None:
                    yield module
