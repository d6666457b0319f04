"""The menu: fifty dishes, as plain rows for the database, the template and the export."""

from __future__ import annotations

from typing import TypedDict


class Dish(TypedDict):
    id: int
    name: str
    price_cents: int


_STYLES = ("plain", "spicy", "toasted", "chilled", "grandmother's")
_DISHES = (
    "lentil soup", "beetroot salad", "cheese tart", "mushroom risotto", "potato dumplings",
    "pumpkin curry", "walnut bread", "apple cake", "rice pudding", "pear sorbet",
)  # fmt: skip

MENU: tuple[Dish, ...] = tuple(
    Dish(id=number, name=f"{style} {dish}", price_cents=350 + 15 * number)
    for number, (style, dish) in enumerate(
        ((style, dish) for dish in _DISHES for style in _STYLES), start=1
    )
)
