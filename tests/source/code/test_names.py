"""Names are followed across files: re-exports, stars, relative imports, attributes, types."""

from __future__ import annotations

from pathlib import Path

import pytest

from freeloop.source.code.project import deep_calls, read_code
from freeloop.source.code.summary import UNREADABLE, summarise
from tests.source.code.conftest import Write

SLOW = "import time\nclass Slow:\n    def wait(self): time.sleep(1)\ndef wait(): time.sleep(1)\n"


@pytest.mark.parametrize(
    "view",
    [
        "from shop.slow import wait\nasync def view(request): wait()",
        "import shop.slow\nasync def view(request): shop.slow.wait()",
        "import shop.slow as s\nasync def view(request): s.wait()",
        "from shop import wait_again\nasync def view(request): wait_again()",
        "from shop.stars import *\nasync def view(request): wait()",
        "from .slow import wait as w\nasync def view(request): w()",
        "from . import slow\nasync def view(request): slow.wait()",
        "from .slow import Slow\nasync def view(request): Slow().wait()",
        "from .slow import Slow\nkept = Slow()\nasync def view(request): kept.wait()",
        "from .slow import Slow\nkept: Slow = None\nasync def view(request): kept.wait()",
        "from .slow import Slow\nasync def view(request, s: Slow | None): s.wait()",
        "from .slow import Slow\nasync def view(request, s: 'Slow'): s.wait()",
        "from .slow import Slow\ndef make() -> Slow: ...\nasync def view(request): make().wait()",
        "from .slow import Slow\ndef make(): return Slow()\nasync def view(request): make().wait()",
        "from .slow import Slow\nclass Sub(Slow):\n    pass\nasync def view(request): Sub().wait()",
        ("from .slow import Slow\nclass Sub(Slow):\n    def wait(self): super().wait()\n"
         "async def view(request): Sub().wait()"),
        ("from .slow import Slow\nclass A:\n    def __init__(self): self.s = Slow()\n"
         "    async def view(self, request): self.s.wait()"),
        ("from .slow import Slow\nclass A:\n    s = Slow()\n"
         "    async def view(self, request): self.s.wait()"),
        "from .slow import Slow\nasync def view(request):\n    for s in [Slow(), Slow()]: s.wait()",
        "from .slow import Slow\nasync def view(request):\n    with Slow() as s: s.wait()",
        "from .slow import Slow\nasync def view(request):\n    if (s := Slow()): s.wait()",
        "from .slow import wait\nasync def view(request): inner(wait)\ndef inner(f): f()",
        "from .slow import Slow\nasync def view(request): inner(Slow())\ndef inner(s): s.wait()",
        "from .slow import wait\nasync def view(request):\n    f = wait\n    f()",
        "from .slow import wait\nasync def view(request):\n    (lambda: wait())()",
        ("from .slow import wait\nclass A:\n    @classmethod\n    def go(cls): cls.stop()\n"
         "    @staticmethod\n    def stop(): wait()\nasync def view(request): A.go()"),
        ("from .slow import wait\nclass A:\n    def __call__(self): wait()\n"
         "async def view(request): A()()"),
        ("import asyncio\nfrom .slow import wait\n"
         "async def view(request): asyncio.get_running_loop().call_soon(wait)"),
    ],
)  # fmt: skip
def test_a_blocking_call_is_found_behind_a_name(write: Write, view: str) -> None:
    """Each way of naming a thing is one that projects use."""
    graph = write(
        shop="from shop.slow import wait as wait_again\n",
        shop__slow=SLOW,
        shop__stars="from shop.slow import *\n",
        shop__views=view,
    )
    (graph.here / "shop.py").unlink()
    (graph.here / "shop" / "__init__.py").write_text("from shop.slow import wait as wait_again\n")
    graph = write()

    assert [cause.subject for _, cause in graph.loop_causes] == ["time.sleep"]


@pytest.mark.parametrize(
    "code",
    [
        "def f(:\n",
        "x = (yield)\n",
        "class A(A): pass\nasync def v(r): A().go()\n",
        "from views import *\nasync def v(r): anything()\n",
        "a = b\nb = a\nasync def v(r): a()\n",
        "class A(B): pass\nclass B(A): pass\nasync def v(r): A().x.y()\n",
        "async def v(r): v(r); v.v; v[0]; v(v)(v)\n",
        "def f(x=f): return f(f)\nasync def v(r): f(v)\n",
        "class A:\n    x = A\n    def __init__(self): self.y = self.y\nasync def v(r): A().y.x\n",
        "match x:\n    case [1, *y]: pass\nasync def v(r):\n    match r:\n        case {}: v(r)\n",
        "async def v(r):\n    del r.x\n    global y\n    y = 1\n    [a, *b] = r\n",
        "type X = int\nasync def v[T](r: T) -> T: return await r\n",
    ],
)
def test_odd_code_is_read_without_a_crash(write: Write, code: str) -> None:
    """Names that lead in circles, code that is half written, new syntax."""
    graph = write(views=code)

    assert list(graph.loop_causes) == []


@pytest.mark.parametrize("terms", [500, 900, 5000])
def test_a_long_sum_is_read_or_named_as_unread(tmp_path: Path, terms: int) -> None:
    """Generated code holds sums of thousands of terms; each is a level of nesting."""
    (tmp_path / "pyproject.toml").touch()
    long = " + ".join(["part"] * terms)
    (tmp_path / "made.py").write_text(f"x = {long}\nasync def v(r):\n    return {long}\n")

    with deep_calls():
        code = read_code(tmp_path, (), settings=None, use_cache=False)
        functions = list(code.graph.loop_functions())

    assert len(functions) + len(code.unread) == 1
    assert (len(functions) == 1) or terms > 900


def test_code_beside_the_site_is_read_and_imports_what_it_imports(tmp_path: Path) -> None:
    """A bot often lies beside the directory of manage.py, and uses its models."""
    files = {
        "pyproject.toml": "",
        "src/site/manage.py": "",
        "src/site/shop/__init__.py": "",
        "src/site/shop/work.py": "import time\ndef slow(): time.sleep(1)\n",
        "src/bot/run.py": "from shop.work import slow\nfrom bot.more import less\n"
        "async def handle(): slow(); less()\n",
        "src/bot/more.py": "import time\ndef less(): time.sleep(2)\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    code = read_code(tmp_path, (), settings=None, use_cache=False)

    assert code.root == tmp_path / "src" / "site"
    assert {site.func.name for site, _ in code.graph.loop_causes} == {"slow", "less"}


@pytest.mark.parametrize("types", ["ValueError, shop.Sold", "KeyError, ValueError, OSError"])
def test_exceptions_without_brackets_are_read_by_older_pythons(types: str) -> None:
    """Python 3.14 lets `except A, B:` stand, and a project is not unreadable for it."""
    text = f"def f():\n    try:\n        pass\n    except {types}:\n        pass\n" * 2

    assert not summarise(text.encode(), "", b"").flags & UNREADABLE
