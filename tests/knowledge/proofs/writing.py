"""Proofs as a data file: the same proofs give the same text, so that a diff shows what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

HEAD = (
    "# Derived by scripts/derive_blocking.py from runs of the library below; do not edit by hand."
)


def data_file(library: str, version: str, proved: Mapping[str, Any]) -> str:
    """Return the text of a data file; `proved` is a `Proved` as a dictionary."""
    lines = [HEAD, "format = 1", f"library = {text(library)}", f"version = {text(version)}"]
    for name, row in sorted(proved["rows"].items()):
        lines += ["", "[[call]]", f"name = {text(name)}", f"kind = {text(row['kind'])}"]
        lines.append(f"reaches = {text(row['primitive'])}")
        if row["twin"]:
            lines.append(f"twin = {text(row['twin'])}")
        if row["in_memory"]:
            lines.append("in_memory = true")
        if row["guarded"]:
            lines.append("guarded = true")
        if row["chain"]:
            lines.append(f"chain = {texts(row['chain'])}")
        lines.append(f"proof = {text(row['proof'])}")
    for table in ("aliases", "bases", "returns", "harmless"):
        lines += ["", f"[{table}]"]
        for name, value in sorted(proved[table].items()):
            said = text(value) if isinstance(value, str) else texts(value)
            lines.append(f"{text(name)} = {said}")
    return "\n".join(lines) + "\n"


def part(proved: Mapping[str, Any], package: str) -> dict[str, Any]:
    """Return the rows of one package, by which a data file is called."""
    return {
        table: {name: row for name, row in rows.items() if name.partition(".")[0] == package}
        for table, rows in proved.items()
    }


def text(value: str) -> str:
    """Return a text as TOML writes it."""
    return json.dumps(value, ensure_ascii=False)


def texts(values: list[str]) -> str:
    """Return a list of texts as TOML writes it."""
    return f"[{', '.join(text(value) for value in values)}]"
