"""Generated async code: an edit touches nothing else, and the second run changes nothing."""

from __future__ import annotations

import io
import tempfile
import tokenize
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from freeloop.fix.edit import placed
from tests.fix.turning import project, settled

FAULTS = st.sampled_from(
    [
        "time.sleep(0)",
        "Dish.objects.get(pk=1)",
        "Dish.objects.filter(pk=1).count()",
        "list(Dish.objects.all())",
        "[each.pk for each in Dish.objects.all()]",
        "get_object_or_404(Dish, pk=1)",
    ]
)
WRAPS = st.sampled_from(
    [
        "{}", "({})", "[{}, 1]", "str({}).upper()", "{} or 1", "not {}", "(lambda: {})()",
        "{{1: {}}}", "f'{{{}}}'", "[{} for _ in 'ab']", "sum(1 for _ in [{}])", "pair({}, *[{}])",
        "({}).__class__", "-len(str({}))", "{} if {} else 2",
    ]
)  # fmt: skip
STATEMENTS = st.sampled_from(
    [
        "{}", "x = {}", "x: object = {}", "x, y = {}, 1", "return {}", "assert {} is not None",
        "if {}: pass", "for x in [{}]: print(x)", "while {} is None: break", "print({}); y = 2",
        "with open('a') as x: y = {}", "yield {}", "del x[{}]", "try: y = {}\n    finally: pass",
    ]
)  # fmt: skip
HEAD = """
import time  # é
from django.shortcuts import get_object_or_404
from shop.models import Dish


async def view(request, x=None):
"""


@st.composite
def bodies(draw: st.DrawFn) -> str:
    lines = []
    for _ in range(draw(st.integers(1, 4))):
        expression = draw(FAULTS)
        for wrap in draw(st.lists(WRAPS, max_size=2)):
            expression = wrap.replace("{}", expression).replace("{{", "{").replace("}}", "}")
        lines.append(f"    {draw(STATEMENTS).replace('{}', expression)}  # kept")
    return HEAD + "\n".join(lines) + "\n"


def code(text: str) -> list[str]:
    read = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in read]


def compiles(text: str) -> bool:
    try:
        compile(text, "views.py", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


@settings(max_examples=40, deadline=None)
@given(bodies().filter(compiles))
def test_edits_of_generated_code_touch_nothing_else(body: str) -> None:
    """It compiles, each token elsewhere stays, and what was left is left again."""
    with tempfile.TemporaryDirectory() as directory:
        at = Path(directory).resolve()
        file = project(at, body)
        outcome = settled(at)
        if str(file) not in outcome.files:
            return
        before, after = (each.decode() for each in outcome.files[str(file)])
        file.write_text(after)
        again = settled(at)

    added = {"await", "async", "asyncio", "aget", "acount", "aget_object_or_404", "row", "for"}
    kept = [each for each in code(before) if each.startswith("#")]
    assert compiles(after)
    assert [each for each in code(after) if each.startswith("#")] == kept
    assert {*code(after)} - {*code(before)} <= added | {"import", "in", "(", ")", "[", "]", ","}
    assert again.files == {}
    assert outcome.refused == []


def test_pieces_alone_make_the_new_text(tmp_path: Path) -> None:
    """What `check` gives away in its JSON is what `--fix` writes."""
    file = project(tmp_path, HEAD + "    return time.sleep(1), Dish.objects.get(pk=1)\n")
    outcome = settled(tmp_path)

    pieces = [piece for each in outcome.written for c in each.changes for piece in c.pieces]

    assert placed(file.read_text(), pieces).encode() == outcome.files[str(file)][1]
