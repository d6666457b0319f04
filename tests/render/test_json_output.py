from __future__ import annotations

import json

import pytest

from freeloop.model.codec import decode_run
from freeloop.render.json_output import dump_run
from tests.render.sample_runs import BY_NAME


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_the_text_is_json_that_reads_back_as_the_same_run(name: str) -> None:
    """The file is the run: it can be drawn and judged again."""
    text = dump_run(BY_NAME[name])

    assert text.endswith("}\n")
    assert decode_run(json.loads(text)) == BY_NAME[name]
