"""What is certain about the request that a view is given."""

from __future__ import annotations

import ast

from freeloop.fix.names import How
from freeloop.fix.recipe import Spot


def doubt_of_request(spot: Spot, node: ast.expr) -> str:
    """Return why an expression may not be the request that Django gave to a view.

    Only an async view of the URLconf that nothing decorates gets it for certain: frameworks and
    decorators pass on requests of their own.
    """
    func = spot.func
    entry = next((each for each in spot.graph.entries if each.func is func), None)
    if entry is None or entry.what != "async view":
        return f"whether {ast.unparse(node)} is Django's request is decided by the caller"
    if func.decorators or (func.cls is not None and func.cls.decorators):
        return f"a decorator of {func.last_name} may give it another request"
    if func.cls is not None:
        others = [each for each in spot.graph.bases(func.cls) if isinstance(each, str)]
        if not others or not all(each.startswith("django.") for each in others):
            return f"{func.cls.last_name} may make a request of its own"
        is_own = isinstance(node, ast.Attribute) and ast.unparse(node) == "self.request"
        if is_own:
            return ""
    place = 0 if func.cls is None else 1
    names = [name for name, _ in func.parameters]
    if not isinstance(node, ast.Name) or names[place : place + 1] != [node.id]:
        return f"whether {ast.unparse(node)} is Django's request was only read"
    binding = spot.proof.only_binding(node.id, node)
    if binding is None or binding.how is not How.PARAMETER:
        return f"{node.id} is set anew"
    return ""
