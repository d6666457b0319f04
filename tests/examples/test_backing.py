"""The entry point starts what is needed, passes the exit code on, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.examples.cafe import CAFE, PATIENCE_S, backing

pytestmark = pytest.mark.real

# Tells what it was given, then waits for a signal and ends in its own way.
OBEDIENT = """
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
signal.signal(signal.SIGINT, lambda *_: sys.exit(8))
print(os.environ["CAFE_UPSTREAM"], flush=True)
signal.pause()
"""
COUNT_DISHES = """
import django
django.setup()
from kitchen.models import MenuItem
print(MenuItem.objects.count(), MenuItem.objects.db)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for temporary files, open on the way: PostgreSQL may run as another account."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("code", [0, 5])
def test_the_exit_code_of_the_command_is_passed_on(place: Path, code: int) -> None:
    """Continuous integration looks at nothing else."""
    process = backing("--", sys.executable, "-c", f"raise SystemExit({code})", env=_in(place))

    assert process.wait(PATIENCE_S) == code
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 7), (signal.SIGINT, 8)])
def test_a_signal_reaches_the_command_and_everything_ends(
    place: Path, signum: int, code: int
) -> None:
    """The command decides how it ends; supplier and database end after it."""
    with backing(
        "--", sys.executable, "-c", OBEDIENT, env=_in(place), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().decode().strip()
        assert httpx.get(f"{address}/wait?ms=0").status_code == 200

        process.send_signal(signum)

        assert process.wait(PATIENCE_S) == code
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/wait?ms=0")
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("options", [[], ["--postgres"]], ids=["sqlite", "postgres"])
@pytest.mark.parametrize("delay_s", [0.2, 0.5])
def test_a_signal_while_setting_up_leaves_nothing_behind(
    place: Path, options: list[str], delay_s: float
) -> None:
    """Impatient people press Ctrl-C before the command has started."""
    process = backing(*options, "--", sys.executable, "-c", "", env=_in(place))
    time.sleep(delay_s)

    process.send_signal(signal.SIGTERM)

    # Ended by the signal itself (before any handler), by us, or just finished.
    assert process.wait(PATIENCE_S) in {-signal.SIGTERM, 128 + signal.SIGTERM, 0}
    assert list(place.iterdir()) == []


def test_a_command_that_does_not_exist_is_a_clear_error(place: Path) -> None:
    """A typing error deserves a sentence, not a traceback."""
    process = backing("--", "no-such-cook", env=_in(place), stderr=subprocess.PIPE)
    _, errors = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 2
    assert errors.decode().startswith("backing: cannot run no-such-cook")
    assert list(place.iterdir()) == []


def test_a_given_database_is_used_and_filled_only_once(place: Path) -> None:
    """CAFE_DATABASE_URL wins over every other PostgreSQL, and seeding twice changes nothing."""
    inner = [str(CAFE / "backing.py"), "--postgres", "--", sys.executable, "-c", COUNT_DISHES]
    process = backing(
        "--postgres", "--", sys.executable, *inner, env=_in(place), stdout=subprocess.PIPE
    )
    counted, _ = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0
    assert counted.split() == [b"50", b"default"]


def test_the_wheel_serves_where_no_server_is_installed(place: Path) -> None:
    """Continuous integration and laptops need not have PostgreSQL."""
    script = (
        "import backing, pathlib, shutil\n"
        "backing.DEBIAN = pathlib.Path('/nowhere')\n"
        "backing.shutil.which = lambda program: None\n"
        "with backing.postgres() as address:\n"
        "    import psycopg\n"
        "    with psycopg.connect(address) as connection:\n"
        "        print(connection.execute('SELECT 6 * 7').fetchone()[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=CAFE,
        env=_in(place),
        stdout=subprocess.PIPE,
        check=True,
        timeout=PATIENCE_S,
    )

    assert done.stdout.strip() == b"42"


def _in(folder: Path) -> dict[str, str]:
    """Return an environment whose temporary files go to one folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CAFE_")}
    return {**kept, "TMPDIR": str(folder)}
