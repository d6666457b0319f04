"""The exercises of a file: one line of code each, and what it needs around it.

    library = "requests"
    stubs = ["web"]                     # a name in the code: port, or address of PostgreSQL
    setup = "import requests"           # once

    [[exercise]]
    run = "requests.get(url)"           # an expression; what it calls is what is proved
    before = "..."                      # before each run; a run warms up, the next one is recorded
    name = "botocore.client.BaseClient.*"       # where no rule finds it
    twin = "httpx.AsyncClient.get"      # where no rule finds it
    in_memory = "load(BytesIO())"       # the same, and proved to be harmless

`[[instance]]` names a global object and its class: the code is proved to give an object of that.
`[[harmless]]` is a method that is meant by no "Class.*": it reaches nothing.
`[[returns]]` has lines that need not block: the class of what they return is what is learned.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freeloop.knowledge.blocking import Kind

FOLDER = Path(__file__).parent / "exercises"


@dataclass(frozen=True, slots=True)
class Exercise:
    """One line that blocks.

    Attributes:
        run: The expression; its id too.
        before: Statements that make ready what the run uses up.
        name: Where no rule finds it; "Class.*" for any method that the class is asked for.
        twin: What async code awaits in its place; "" to look for one.
        in_memory: The same with a file in memory, which reaches nothing that blocks; "" if none.
    """

    run: str
    before: str = ""
    name: str = ""
    twin: str = ""
    in_memory: str = ""


@dataclass(frozen=True, slots=True)
class ExerciseFile:
    """The exercises of one library.

    Attributes:
        name: Of the file, and of the data file that it makes.
        library: Distribution, "python" for the standard library.
        packages: Top-level packages whose functions get rows; the standard library has its own.
        net_is: What a wait for its sockets is; that of a database's driver is "db".
        stubs: Names of the servers it talks to.
        setup: Statements, run once.
        exercises: Each blocks.
        instances: Name of a global object, its class, and an expression for it.
        harmless: Expressions that reach nothing that blocks.
        returns: Expressions whose result has a class worth knowing.
    """

    name: str
    library: str
    packages: tuple[str, ...]
    net_is: Kind
    stubs: tuple[str, ...]
    setup: str
    exercises: tuple[Exercise, ...]
    instances: tuple[tuple[str, str, str], ...]
    harmless: tuple[str, ...]
    returns: tuple[str, ...]


def names() -> tuple[str, ...]:
    """Return the names of all files."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def read(name: str) -> ExerciseFile:
    """Return the exercises of a file."""
    data: dict[str, Any] = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    return ExerciseFile(
        name,
        data["library"],
        tuple(data.get("packages", [])),
        Kind(data.get("net_is", Kind.NET)),
        tuple(data.get("stubs", [])),
        data.get("setup", ""),
        tuple(Exercise(**each) for each in data.get("exercise", [])),
        tuple((each["name"], each["of"], each["run"]) for each in data.get("instance", [])),
        tuple(each["run"] for each in data.get("harmless", [])),
        tuple(each["run"] for each in data.get("returns", [])),
    )
