"""What every test may rely on: loud needs, and a session that leaves nothing behind."""

from __future__ import annotations

pytest_plugins = ["pytester", "tests.needs", "tests.leftovers"]
