"""The rungs of one file refuse an edit that does more, or less, than it says."""

from __future__ import annotations

import ast

import pytest

from freeloop.fix.change import Change, Made, Refused, awaited
from freeloop.fix.edit import Piece
from freeloop.fix.source import Source
from freeloop.fix.trial import tried

TEXT = "async def view():\n    x = get(a)\n    y = 2\n"


def source_of(text: str = TEXT) -> tuple[Source, ast.Call]:
    source = Source("/a.py", "a.py", text.encode())
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    return source, next(call for call in calls if not isinstance(call.func, ast.Call))


def test_an_edit_that_says_what_it_does_passes() -> None:
    source, call = source_of()

    assert tried(source, [awaited(source, call, "aget")]) == (
        b"async def view():\n    x = await aget(a)\n    y = 2\n"
    )


def test_an_edit_that_does_not_compile_is_refused() -> None:
    """`await` outside of an async function parses, and does not compile."""
    source, call = source_of("x = get(a)\n")

    with pytest.raises(Refused, match="would not compile"):
        tried(source, [awaited(source, call, "aget")])


def test_an_edit_that_changes_another_node_is_refused() -> None:
    """One character too many, and another statement means something else."""
    source, call = source_of()
    good = awaited(source, call, "aget")
    two = TEXT.index("2")
    greedy = Change(source, call, (*good.pieces, Piece(two, two + 1, "3")), good.do, good.undo)

    with pytest.raises(Refused, match="more of the code"):
        tried(source, [greedy])


def test_an_edit_that_loses_something_is_refused() -> None:
    """What cannot be taken back has dropped a part of the old code."""
    source, call = source_of()
    good = awaited(source, call, "aget")

    def undo(node: ast.AST) -> Made:
        return ast.parse("get()", mode="eval").body

    with pytest.raises(Refused, match="taken back"):
        tried(source, [Change(source, call, good.pieces, good.do, undo)])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = get(a).b", "x = (await aget(a)).b"),
        ("x = (get(a)).b", "x = (await aget(a)).b"),
        ("x = get(a)[0]", "x = (await aget(a))[0]"),
        ("x = get(a)(1)", "x = (await aget(a))(1)"),
        ("x = get(a) ** 2", "x = await aget(a) ** 2"),
        ("x = -get(a)", "x = -await aget(a)"),
        ("x = not get(a)", "x = not await aget(a)"),
        ("x = [*get(a)]", "x = [*await aget(a)]"),
        ("x = f'{get(a)!r:>{3}}'", "x = f'{await aget(a)!r:>{3}}'"),
        ("x = 1 if get(a) else 2", "x = 1 if await aget(a) else 2"),
        ("get(a).b += 1", "(await aget(a)).b += 1"),
        ("x = o.get(a,).b", "x = (await o.aget(a,)).b"),
    ],
)
def test_an_await_binds_as_the_call_did(before: str, after: str) -> None:
    """Parentheses where the await would take in more, and nowhere else."""
    source, call = source_of(f"async def view():\n    {before}\n")

    new = tried(source, [awaited(source, call, "aget")])

    assert new.decode() == f"async def view():\n    {after}\n"


def test_a_text_that_prints_its_own_code_is_refused() -> None:
    """`f"{get()=}"` shows the code itself: it would show another one."""
    source, call = source_of("async def view():\n    x = f'{get(a)=}'\n")

    with pytest.raises(Refused, match="more of the code"):
        tried(source, [awaited(source, call, "aget")])
