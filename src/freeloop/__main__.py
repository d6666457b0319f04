"""`python -m freeloop` is the same as the console script."""

from __future__ import annotations

from freeloop.cli.main import main

if __name__ == "__main__":
    main(prog_name="freeloop")
