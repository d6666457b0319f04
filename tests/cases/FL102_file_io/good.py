"""Files in threads, in memory, and questions that take microseconds."""

from __future__ import annotations

import asyncio
import bz2
import io
import lzma
import os
import tarfile
import zipfile
from pathlib import Path

from django import forms
from models import Dish

TERMS = Path("terms.txt").read_text() if os.path.exists("terms.txt") else ""


async def in_thread(request):
    return await asyncio.to_thread(Path("terms.txt").read_text)


async def brief(request):
    return os.path.exists("a") and Path("a").is_file()


async def in_memory(request):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "a")
    return buffer.getvalue()


async def asks_what_is_in_memory(request):
    buffer = io.BytesIO(request.body)
    if zipfile.is_zipfile(buffer):
        return tarfile.TarFile.open(fileobj=buffer)
    return lzma.LZMAFile(buffer), bz2.BZ2File(buffer)


class Reader:
    def read_text(self):
        return "text"


async def same_name(request):
    return Reader().read_text()


_terms = None


async def kept(request):
    return TERMS


async def photo(request):
    dish = await Dish.objects.aget(pk=1)
    await asyncio.to_thread(dish.photo.open)
    return dish.photo.url


class Upload(forms.Form):
    photo = forms.FileField()


async def field_of_a_form(request):
    return Upload().photo.open()
