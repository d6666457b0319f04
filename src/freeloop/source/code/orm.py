"""What Django's ORM does with a name: which calls run a query, which only build one.

The names follow Django's own convention (an `a` in front is the async twin), so that the few
sets below hold for every version; whether a method blocks, and its twin, is asked of
`freeloop.knowledge` where it has a row.
"""

from __future__ import annotations

from freeloop.source.code.index import Class
from freeloop.source.code.terms import ATTRIBUTE, CALL, Term

QUERYSET = "django.db.models.query.QuerySet"
MODEL = "django.db.models.base.Model"
MODEL_NAMES = frozenset(
    {
        MODEL,
        "django.db.models.Model",
        "django.contrib.gis.db.models.Model",
        "django.db.models.base.Model",
    }
)
MANAGER_NAMES = frozenset(
    {
        "django.db.models.Manager",
        "django.db.models.manager.Manager",
        "django.db.models.manager.BaseManager",
        "django.contrib.auth.models.UserManager",
        "django.contrib.auth.models.BaseUserManager",
        "django.contrib.auth.base_user.BaseUserManager",
        QUERYSET,
        "django.db.models.QuerySet",
    }
)
# Builds a query and runs none.
LAZY = frozenset(
    [
        "all",
        "filter",
        "exclude",
        "annotate",
        "alias",
        "order_by",
        "reverse",
        "distinct",
        "values",
        "values_list",
        "dates",
        "datetimes",
        "none",
        "union",
        "intersection",
        "difference",
        "select_related",
        "prefetch_related",
        "extra",
        "defer",
        "only",
        "using",
        "select_for_update",
        "raw",
        "complex_filter",
        "get_queryset",
        "as_manager",
        "from_queryset",
        "db_manager",
    ]
)
# Runs a query and gives one row.
ONE_ROW = frozenset(
    ["get", "first", "last", "earliest", "latest", "create", "get_or_create", "update_or_create"]
)
# Runs a query and gives something else.
RUNS = ONE_ROW | frozenset(
    [
        "count",
        "exists",
        "aggregate",
        "bulk_create",
        "bulk_update",
        "update",
        "delete",
        "in_bulk",
        "explain",
        "contains",
        "create_user",
        "create_superuser",
    ]
)
# Of related managers only.
RELATED_RUNS = frozenset({"add", "remove", "set", "clear"})
# Of model instances.
INSTANCE_RUNS = frozenset({"save", "delete", "refresh_from_db", "full_clean", "validate_unique"})
FOREIGN_KEYS = frozenset({"ForeignKey", "OneToOneField", "ParentalKey"})
MANY_FIELDS = frozenset({"ManyToManyField", "GenericRelation", "ParentalManyToManyField"})
# Functions that run a query with their first argument, beside what knowledge tells.
SHORTCUTS = {
    "django.shortcuts.get_object_or_404": "django.shortcuts.aget_object_or_404",
    "django.shortcuts.get_list_or_404": "django.shortcuts.aget_list_or_404",
}


def twin_of(method: str) -> str:
    """Return the name of the async twin of a method that runs a query."""
    return f"a{method}"


def field_kind(term: Term) -> str:
    """Return the class name of a model field as written, "ForeignKey"; "" for anything else."""
    if type(term) is not tuple or term[0] != CALL:
        return ""
    callee = term[1]
    if type(callee) is tuple and callee[0] == ATTRIBUTE:
        return str(callee[2])
    return callee if type(callee) is str else ""


def foreign_model(term: Term) -> Term:
    """Return what a relation field points to, as written: a name, a text or a lambda."""
    if term[2]:
        return term[2][0]
    return next((value for name, value in term[3] if name == "to"), None)


def related_name(term: Term) -> str:
    """Return `related_name` of a relation field; "" if there is none."""
    for name, value in term[3]:
        if name == "related_name" and type(value) is tuple and isinstance(value[1], str):
            return value[1]
    return ""


def is_loaded(related: frozenset[str], name: str) -> bool:
    """Tell whether a relation is among those that a query loaded, "guest" by "guest__address"."""
    return any(path in ("*", name) or path.startswith(f"{name}__") for path in related)


def below(related: frozenset[str], name: str) -> frozenset[str]:
    """Return the relations that were loaded of what a relation leads to."""
    start = f"{name}__"
    return frozenset(path.removeprefix(start) for path in related if path.startswith(start)) | (
        related & {"*"}
    )


def has_relation(classes: list[Class | str], name: str) -> Term:
    """Return the relation field of that name among a class and its bases; None without one."""
    for cls in classes:
        if isinstance(cls, Class) and name in cls.attributes:
            value = cls.attributes[name][1]
            return value if field_kind(value) in FOREIGN_KEYS | MANY_FIELDS else None
    return None
