"""The `freeloop` command: its group, its exit codes, and how errors reach people."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Never

import click

from freeloop import __version__
from freeloop.cli import exit_codes
from freeloop.errors import FreeloopError, Interrupted, install_command

BENCH_EXTRA = frozenset({"numpy", "psutil", "scipy", "websockets"})


class Door(click.Group):
    """A group that ends with freeloop's exit codes and loads a face only when it is called."""

    faces = ("check", "trace", "bench", "watch", "relief", "doctor")

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the faces in the order of their use."""
        return list(self.faces)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one face, so that `freeloop --help` stays quick."""
        if cmd_name == "check":
            from freeloop.cli.check import check_command

            return check_command
        if cmd_name == "trace":
            from freeloop.cli.trace import trace_command

            return trace_command
        if cmd_name == "bench":
            from freeloop.cli.bench import bench_command

            return bench_command
        if cmd_name == "watch":
            from freeloop.cli.watch import watch_command

            return watch_command
        if cmd_name == "doctor":
            from freeloop.cli.doctor import doctor_command

            return doctor_command
        if cmd_name == "relief":
            from freeloop.cli.relief import relief_command

            return relief_command
        return None


def run(arguments: Sequence[str] | None = None, program: str = "freeloop") -> Never:
    """Run the command and end the process with an exit code of the contract.

    Args:
        arguments: Without the program's name; those of the process if None.
        program: Name shown in help and usage.
    """
    sys.exit(exit_code(arguments, program))


def exit_code(arguments: Sequence[str] | None, program: str) -> int:
    """Run the command and turn every way of ending into an exit code of the contract."""
    _raise_on_signals()
    try:
        outcome = main.main(arguments, program, standalone_mode=False)
    except click.ClickException as wrong:
        wrong.show()
        return exit_codes.WRONG_USE
    except FreeloopError as error:
        _show(error)
        return exit_codes.WRONG_USE
    except (Interrupted, KeyboardInterrupt, click.Abort):
        click.echo("freeloop: interrupted; everything it started is stopped", err=True)
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package in BENCH_EXTRA:
            _show(_missing_extra(package))
            return exit_codes.WRONG_USE
        _show_our_fault(missing)
        return exit_codes.OUR_FAULT
    except Exception as fault:
        _show_our_fault(fault)
        return exit_codes.OUR_FAULT
    return outcome if isinstance(outcome, int) else 0


def _raise_on_signals() -> None:
    """Make SIGINT and SIGTERM raise Interrupted once; later ones are ignored while cleaning up."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted

    try:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, interrupt)
    except ValueError:
        # Not the main thread (called from someone's tests): their handlers stay.
        return


def _missing_extra(package: str) -> FreeloopError:
    return FreeloopError(
        "missing-extra",
        what=f"bench needs {package}, which is not installed beside freeloop",
        where=f"interpreter {sys.executable}",
        mend=install_command(sys.executable, "'freeloop[bench]'"),
    )


def _show(error: FreeloopError) -> None:
    from rich.console import Console

    from freeloop.render.terminal import show_error

    show_error(error, Console(stderr=True))


def _show_our_fault(fault: Exception) -> None:
    import traceback

    traceback.print_exception(fault)
    click.echo(
        "\nfreeloop: this is a fault of freeloop, not of your project; please report it with the"
        " lines above",
        err=True,
    )


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="freeloop")
def main() -> None:
    """When async helps in Django, and when it does not: measured, with the cause."""
