"""Whether one await can feed the next, by the names in the source; a doubt says no."""

from __future__ import annotations

import textwrap

import pytest

from freeloop.judge.feeds import may_be_independent
from freeloop.model.trace import Origin, Place, Trace
from tests.judge.programs import environment, recorded


def independent(body: str, text: str = "") -> bool:
    """Return the answer for the lines marked `# 1` and `# 2`; one mark `# 12` is both."""
    source = "async def view(request):\n" + textwrap.indent(textwrap.dedent(body), "    ")
    lines = source.splitlines()
    one = next(at for at, line in enumerate(lines, 1) if line.endswith(("# 1", "# 12")))
    two = next(at for at, line in enumerate(lines, 1) if line.endswith(("# 2", "# 12")))
    trace = Trace(
        environment(),
        recorded(),
        (),
        tuple(Place("views.py", line, "view", Origin.PROJECT) for line in (one, two)),
        (),
        sources={"views.py": source},
    )
    return may_be_independent(trace, (0, text), (1, text))


@pytest.mark.parametrize(
    "body",
    [
        """
        price = await price_of(request)  # 1
        stock = await stock_of(request)  # 2
        return price, stock
        """,
        """
        price = await price_of(request)  # 1
        shown = price * 2
        return shown, await stock_of(request)  # 2
        """,
        """
        orders = []
        for dish in menu:
            order = await cook(dish)  # 12
            orders.append(order)
        """,
        """
        answer = await client.get(first)  # 1
        if debug:
            log(answer)
        other = await client.get(second)  # 2
        """,
        """
        orders = [await cook(dish) for dish in menu]  # 12
        """,
    ],
    ids=["names", "between", "loop", "branch", "comprehension"],
)
def test_awaits_that_no_name_joins_may_be_independent(body: str) -> None:
    assert independent(body)


@pytest.mark.parametrize(
    "body",
    [
        """
        user = await find(request)  # 1
        orders = await orders_of(user)  # 2
        """,
        """
        user = await find(request)  # 1
        key = user.pk
        orders = await orders_of(key)  # 2
        """,
        """
        user = await find(request)  # 1
        if user is None:
            user = await make(request)  # 2
        """,
        """
        allowed = await may(request)  # 1
        if not allowed:
            return None
        answer = await work(request)  # 2
        """,
        """
        await order.asave()  # 1
        answer = await bill(request)  # 2
        """,
        """
        page = 1
        while page:
            page = await fetch(page)  # 12
        """,
        """
        page = 1
        for _ in range(3):
            page = await fetch(page)  # 12
        """,
        """
        cart.owner = await find(request)  # 1
        total = await total_of(cart)  # 2
        """,
        """
        known = await cached(request)  # 1
        answer = known or await work(request)  # 2
        """,
        """
        for course in menu:
            dish = await cook(course)  # 12
            yield dish
        """,
        """
        async with session.get(url) as answer:  # 1
            text = await answer.text()  # 2
        """,
    ],
    ids=[
        *("argument", "over another name", "branch", "early return", "effect", "while"),
        *("loop", "attribute", "short cut", "generator", "context"),
    ],
)
def test_an_await_that_a_name_or_a_doubt_joins_to_the_next_is_not_independent(body: str) -> None:
    assert not independent(body)


def test_sleeps_have_no_effect_whose_order_could_matter() -> None:
    body = """
        await asyncio.sleep(1)  # 1
        await asyncio.sleep(2)  # 2
        """

    assert independent(body, "asyncio.sleep")
    assert not independent(body)
