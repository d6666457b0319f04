"""Files on the event loop."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from models import Dish


async def reads(request):
    return Path("terms.txt").read_text()  # FL102


async def opens(request):
    with open("terms.txt") as file:  # FL102
        return file.read()


async def joined(request):
    folder = Path("a")
    return (folder / "b" / "c.txt").read_bytes()  # FL102


async def deep(request):
    return copy_all()


def copy_all():
    shutil.copytree("a", "b")  # FL102


class Store:
    def __init__(self, root: Path):
        self.root = root

    def keep(self, text):
        (self.root / "kept").write_text(text)  # FL102


async def keeps(request):
    Store(Path("a")).keep("text")


async def temporary(request):
    return tempfile.NamedTemporaryFile()  # FL102


async def photo(request):
    dish = await Dish.objects.aget(pk=1)
    with dish.photo.open() as file:  # FL102
        return file.name


async def scan(request):
    dish = await Dish.objects.aget(pk=1)
    dish.recipe.save("recipe.pdf", request.body, save=False)  # FL102
