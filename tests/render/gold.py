"""Gold files: outputs that a person has looked at; FREELOOP_RENEW_GOLD=1 writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

GOLD = Path(__file__).parent.parent / "gold"


def check_gold(name: str, text: str) -> None:
    """Compare with the gold file of this name, or renew it when asked to."""
    path = GOLD / name
    if os.environ.get("FREELOOP_RENEW_GOLD") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
