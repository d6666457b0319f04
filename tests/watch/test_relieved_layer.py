"""A layer that relief runs on the loop, because Django's own cannot wait, and that was made to."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.watch.test_worker_life import UVICORN, serving

# The project is loaded after the handler was built, with the first request: relief has looked.
PATCHED = """
import time
from django.http import HttpResponse, request as of_django

_stock = of_django.validate_host

def asks_a_database(host, allowed_hosts):
    time.sleep(0.07)
    return _stock(host, allowed_hosts)

async def view(request):
    of_django.validate_host = asks_a_database
    return HttpResponse("patched")

async def plain(request):
    return HttpResponse("plain")

async def stream(request):
    of_django.validate_host = _stock
    return HttpResponse("as it was")

async def blocks(request):
    time.sleep(0.07)
    return HttpResponse("late")

in_thread = fails = plain
"""


def reports(file: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return [line for line in lines if line["kind"] != "host"]


@pytest.mark.real
@pytest.mark.needs("uvicorn")
def test_it_is_named_beside_the_block_and_a_view_that_blocks_is_not(tmp_path: Path) -> None:
    with serving(tmp_path, UVICORN, views=PATCHED) as served:
        served.ask("/view/")
        served.ask("/plain/")
        served.ask("/stream/")
        served.ask("/blocks/")
        time.sleep(0.5)

    found = reports(tmp_path / "watch.jsonl")
    layers = [each for each in found if each["cause"] == "relieved-layer"]
    in_helper = [each for each in found if "asks_a_database" in str(each["frames"])]
    in_view = [each for each in found if any(name == "blocks" for _, _, name in each["frames"])]
    assert [each["path"] for each in layers] == ["/plain/", "/stream/"]
    assert [each["path"] for each in in_helper] == ["/plain/", "/stream/"]
    for each in layers:
        ((file, _, function),) = each["frames"]
        assert file.endswith("django/middleware/common.py")
        assert (each["kind"], function) == ("hidden", "process_request")
        assert each["started"] in [block["started"] for block in in_helper]
    assert [each["path"] for each in in_view] == ["/blocks/"]


@pytest.mark.real
@pytest.mark.needs("uvicorn")
def test_without_relief_the_same_layer_waits_in_a_thread(tmp_path: Path) -> None:
    with serving(tmp_path, UVICORN, views=PATCHED, FREELOOP_RELIEF="0") as served:
        served.ask("/view/")
        served.ask("/plain/")
        time.sleep(0.5)

    found = reports(tmp_path / "watch.jsonl")
    assert [each for each in found if "asks_a_database" in str(each["frames"])] == []
    assert [each for each in found if each["cause"] == "relieved-layer"] == []
