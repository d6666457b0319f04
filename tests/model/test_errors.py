"""What an error tells people to type."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from freeloop.errors import install_command


def test_a_command_that_installs_can_be_pasted(tmp_path: Path) -> None:
    """Paths with blanks are quoted; an environment without pip, as uv makes it, gets uv's."""
    bare = tmp_path / "a b"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    python = bare / "bin" / "python"
    assert install_command(python, "a", "b") == f"uv pip install --python '{python}' a b"

    (next(bare.glob("lib/python*/site-packages")) / "pip").mkdir()
    assert install_command(python, "gunicorn") == f"'{python}' -m pip install gunicorn"
    assert install_command("/usr/bin/python3", "a") == "/usr/bin/python3 -m pip install a"
