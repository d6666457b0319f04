"""`python -m freeloop` is the same as the console script."""

from __future__ import annotations

from freeloop.cli.main import run

if __name__ == "__main__":
    run()
