"""Labels of metrics: few enough that a metrics store survives them."""

from __future__ import annotations

# Each value makes a time series of its own; the rest of them share one.
MOST_VALUES = 200
REST = "other"


class Bounded:
    """Lets the first values through; further ones become "other"."""

    def __init__(self, most: int = MOST_VALUES) -> None:
        self._most = most
        self._seen: set[str] = set()

    def label(self, value: str) -> str:
        """Return the value, or "other"."""
        if value not in self._seen:
            if len(self._seen) >= self._most:
                return REST
            self._seen.add(value)
        return value


class Routes(Bounded):
    """Bounded patterns of the URLconf, with the slash that Django leaves out; "" for none."""

    def of(self, route: str | None) -> str:
        """Return the label of a route."""
        return "" if route is None else self.label(shown_route(route))


def shown_route(route: str) -> str:
    """Return a pattern as people know it: `menu/<int:pk>/` becomes `/menu/<int:pk>/`."""
    return "/" + route.lstrip("/")
