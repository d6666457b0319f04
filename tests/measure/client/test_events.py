from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeloop.measure.client.events import EventEnds

STREAMS = {
    "line feeds": (b"data: 1\n\ndata: 2\ndata: 3\n\n\n\ndata: 4\n\n", 3),
    "both": (b"data: 1\r\n\r\nid: 7\r\ndata: 2\r\n\r\n", 2),
    "carriage returns": (b"data: 1\r\rdata: 2\r\r", 2),
    "mixed": (b"data: 1\n\r\ndata: 2\r\n\n", 2),
    "unfinished": (b"data: 1\n\ndata: 2\n", 1),
    "only ends": (b"\n\n\r\n\r\n", 0),
}


@given(data=st.data())
@pytest.mark.parametrize("name", STREAMS)
def test_events_are_counted_once_however_the_stream_is_cut(name: str, data: st.DataObject) -> None:
    """A blank line may be spread over two packets, and CR LF must not count as two ends."""
    raw, events = STREAMS[name]
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=8).map(sorted))
    ends = EventEnds()

    counted = [ends.feed(raw[a:b]) for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]

    assert sum(counted) == events
