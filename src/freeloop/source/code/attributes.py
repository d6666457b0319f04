"""What reading an attribute of a kind gives."""

from __future__ import annotations

from dataclasses import replace

from freeloop.source.code.index import Class, Func
from freeloop.source.code.kinds import (
    NOTHING,
    ClassRef,
    Enter,
    Ext,
    ExtInst,
    ExtMethod,
    FuncRef,
    Inst,
    Kind,
    LambdaRef,
    Lent,
    Manager,
    Many,
    Model,
    ModuleRef,
    Offload,
    QuerySet,
)
from freeloop.source.code.orm import (
    FOREIGN_KEYS,
    MANY_FIELDS,
    QUERYSET,
    below,
    field_kind,
    foreign_model,
    has_relation,
    is_loaded,
)
from freeloop.source.code.resolve import PROPERTIES, Resolver
from freeloop.source.code.terms import CONSTANT, Term

REQUEST = "django.http.request.HttpRequest"
REQUESTS = frozenset(
    {
        REQUEST,
        "django.http.HttpRequest",
        "django.core.handlers.asgi.ASGIRequest",
        "rest_framework.request.Request",
    }
)
LAZY_USER = "django.contrib.auth.middleware.request_user"
SESSION = "django.contrib.sessions.backends.base.SessionBase"
MANAGERS = frozenset({"objects", "_default_manager", "_base_manager"})
OF_REQUEST = {"user": LAZY_USER, "session": SESSION}
# What a row has for a field of files: reading the attribute opens nothing yet.
FIELD_FILE = "django.db.models.fields.files.FieldFile"
FILE_FIELDS = ("FileField", "ImageField")


class Attributes:
    """Reads attributes with the help of a resolver."""

    def __init__(self, resolver: Resolver) -> None:
        """Read attributes of what the resolver resolves."""
        self.resolver = resolver
        self._busy: set[tuple[Class, str]] = set()
        self._given: dict[tuple[Class, str], Kind | None] = {}

    def of(self, kind: Kind | None, name: str) -> Kind | None:
        """Return what an attribute of a thing of this kind is."""
        match kind:
            case Ext() if name in MANAGERS and kind.name.rpartition(".")[2][:1].isupper():
                return Manager(kind.name)
            case ModuleRef() | Ext():
                return self.resolver.member(kind, name)
            case Inst():
                return self._of_object(kind, name)
            case ClassRef():
                return self._of_class(kind.cls, name)
            case ExtInst():
                if kind.name in REQUESTS and name in OF_REQUEST:
                    return ExtInst(OF_REQUEST[name])
                return ExtMethod(kind, (kind.name,), name)
            case QuerySet():
                return ExtMethod(kind, (QUERYSET,), name)
            case Manager():
                return self._of_manager(kind, name)
            case ExtMethod():
                return ExtMethod(kind, tuple(f"{each}.{kind.name}" for each in kind.classes), name)
            case _:
                pass
        return None

    def property_of(self, kind: Kind | None, name: str) -> Func | None:
        """Return the function that runs when the attribute is read; None if none does."""
        if type(kind) is not Inst:
            return None
        method = self.resolver.method(kind.cls, name)
        return method if method is not None and self.is_property(method) else None

    def is_property(self, func: Func) -> bool:
        """Tell whether a method is read like an attribute."""
        return any(name in PROPERTIES for name, _, _ in self.resolver.decorator_names(func))

    def foreign_key(self, kind: Kind | None, name: str) -> Model | None:
        """Return the model that a foreign key leads to, when reading it runs a query."""
        if type(kind) is not Inst or not kind.queried or is_loaded(kind.related, name):
            return None
        field = has_relation(self.resolver.mro(kind.cls), name)
        if field is None or field_kind(field) not in FOREIGN_KEYS:
            return None
        return self._model(kind.cls, foreign_model(field)) or "?"

    def _of_object(self, kind: Inst, name: str) -> Kind | None:
        cls = kind.cls
        given = self.given(cls, name)
        if given is not None:
            return given
        for each in self.resolver.mro(cls):
            if not isinstance(each, Class):
                continue
            if name in each.methods:
                return self._bound(each.methods[name], kind)
            if name in each.attributes:
                return self._of_field(kind, each, name)
        bases = self.resolver.library_bases(cls)
        if name.endswith("_set") and self.resolver.is_model(cls):
            if is_loaded(kind.related, name):
                return Many(None)
            return Manager(None, may_be_loaded=not kind.queried)
        if name == "request" and bases:
            return ExtInst(REQUEST)
        return ExtMethod(kind, bases, name) if bases else None

    def _bound(self, method: Func, owner: Kind) -> Kind | None:
        kind = self.resolver.decorated(method)
        return bound(kind, owner)

    def _of_field(self, owner: Inst, where: Class, name: str) -> Kind | None:
        cls = owner.cls
        annotation, value, _ = where.attributes[name]
        field = field_kind(value)
        if field in FOREIGN_KEYS:
            model = self._model(cls, foreign_model(value))
            if not isinstance(model, Class):
                return None
            return Inst(model, owner.queried, below(owner.related, name))
        if field in MANY_FIELDS:
            if is_loaded(owner.related, name):
                return Many(None)
            model = self._model(cls, foreign_model(value))
            return Manager(model, may_be_loaded=not owner.queried)
        if field.endswith(FILE_FIELDS) and self._holds_files(where, value):
            return ExtInst(FIELD_FILE)
        found = self.resolver.evaluate(where.module.body, value)
        if found is None or found is NOTHING:
            found = self.resolver.annotation(where.module, annotation) or found
            if isinstance(found, QuerySet) and value is None and self.resolver.is_model(cls):
                # Declared for readers: the rows that point here, which may be loaded.
                if is_loaded(owner.related, name):
                    return Many(None)
                return Manager(found.model, may_be_loaded=not owner.queried)
        return found

    def _holds_files(self, cls: Class, field: Term) -> bool:
        """Tell whether an attribute is a model's field for files, or one derived from it."""
        kind = self.resolver.evaluate(cls.module.body, field[1])
        names = self.resolver.library_bases(kind.cls) if isinstance(kind, ClassRef) else ()
        names = (kind.name,) if isinstance(kind, Ext) else names
        # Forms and serializers have fields of that name too.
        return any(name.startswith("django.db.") and name.endswith(FILE_FIELDS) for name in names)

    def _model(self, cls: Class, term: Term) -> Model | None:
        """Return the model that a relation names: a class, "self", "Model" or "app.Model"."""
        if type(term) is tuple and term[0] == CONSTANT and isinstance(term[1], str):
            if term[1] == "self":
                return cls
            name = term[1].rpartition(".")[2]
            kind = self.resolver.of_module(cls.module, name)
        else:
            kind = self.resolver.evaluate(cls.module.body, term)
        match kind:
            case ClassRef():
                return kind.cls
            case Ext():
                return kind.name
            case _:
                pass
        return None

    def given(self, cls: Class, name: str) -> Kind | None:
        """Return what methods give to an attribute of `self`."""
        key = (cls, name)
        if key in self._given:
            return self._given[key]
        if key in self._busy:
            return None
        self._busy.add(key)
        found: Kind | None = None
        for each in self.resolver.mro(cls):
            if isinstance(each, str):
                continue
            for annotation, value, method in each.given.get(name, ()):
                found = self.resolver.annotation(each.module, annotation)
                if found is None and value is not None:
                    found = self.resolver.evaluate(method, value)
                if found is not None and found is not NOTHING:
                    break
                found = None
            if found is not None:
                break
        self._busy.discard(key)
        self._given[key] = found
        return found

    def _of_class(self, cls: Class, name: str) -> Kind | None:
        for each in self.resolver.mro(cls):
            if isinstance(each, Class):
                if name in each.methods:
                    method = each.methods[name]
                    names = {found for found, _, _ in self.resolver.decorator_names(method)}
                    made = self.resolver.decorated(method)
                    return bound(made, ClassRef(cls)) if "classmethod" in names else made
                if name in each.attributes:
                    return self._with_model(self._of_field(Inst(cls), each, name), cls)
                nested = f"{each.name}.{name}"
                for inner in each.module.classes:
                    if inner.name == nested:
                        return ClassRef(inner)
        if name in MANAGERS and (self.resolver.is_model(cls) or name == "objects"):
            return Manager(cls)
        bases = self.resolver.library_bases(cls)
        return ExtMethod(ClassRef(cls), bases, name) if bases else None

    def _with_model(self, kind: Kind | None, cls: Class) -> Kind | None:
        """Return the manager of a model when a class attribute is one."""
        match kind:
            case Inst() if self.resolver.is_manager(kind.cls):
                return Manager(cls, kind.cls)
            case ExtInst() if kind.name.rpartition(".")[2].endswith("Manager"):
                return Manager(cls)
            case Manager() | QuerySet():
                return Manager(cls, kind.cls if isinstance(kind, Manager) else None)
            case _:
                pass
        return kind

    def _of_manager(self, kind: Manager, name: str) -> Kind | None:
        if kind.cls is not None:
            method = self.resolver.method(kind.cls, name)
            if method is not None:
                return self._bound(method, kind)
        return ExtMethod(kind, (QUERYSET,), name)


def bound(kind: Kind | None, owner: Kind) -> Kind | None:
    """Return a function as a method of its owner, through what decorators made of it."""
    match kind:
        case FuncRef():
            return FuncRef(kind.func, owner, kind.cached)
        case Offload():
            return replace(kind, inner=bound(kind.inner, owner))
        case Enter():
            return Enter(bound(kind.inner, owner))
        case Lent() | LambdaRef():
            return kind
        case _:
            pass
    return kind
