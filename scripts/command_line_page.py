"""Write the commands and options into docs/reference/command-line.md, from the commands themselves.

Usage: python scripts/command_line_page.py
"""

from __future__ import annotations

from pathlib import Path

import click

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "command-line.md"
# All below this line is generated.
MARK = "<!-- commands -->\n"


def described(option: click.Parameter) -> str:
    """Return one row of a table: how it is typed, and what it does."""
    if isinstance(option, click.Option):
        names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
        text = option.help or ""
        value = (
            "" if option.is_flag else f" {option.make_metavar(click.Context(click.Command('')))}"
        )
    else:
        names, text, value = f"`{option.human_readable_name}`", "what is measured", ""
    plain = " ".join(f"{text}".split()).replace("|", "\\|")
    return f"| {names}{value.replace('|', chr(92) + '|')} | {plain} |"


def command_section(name: str, command: click.Command) -> str:
    """Return the section of one command, those of a group below it."""
    summary = " ".join((command.help or "").split())
    shown = [option for option in command.params if not getattr(option, "hidden", False)]
    parts = [f"### `{name}`", summary]
    if shown:
        rows = "\n".join(described(option) for option in shown)
        parts.append(f"| option | meaning |\n|---|---|\n{rows}")
    if isinstance(command, click.Group):
        context = click.Context(command)
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None:
                parts.append(command_section(f"{name} {inner}", found))
    return "\n\n".join(part for part in parts if part)


def page(text: str, command: click.Command) -> str:
    """Return the page with its generated part renewed."""
    head, mark, _ = text.partition(MARK)
    return f"{head}{mark}\n{command_section('freeloop', command)}\n"


def main() -> None:
    """Renew the page in place."""
    from freeloop.cli.main import main as command

    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), command), encoding="utf-8")


if __name__ == "__main__":
    main()
