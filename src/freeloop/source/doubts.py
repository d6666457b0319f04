"""What a user must know before trusting a verdict: the project is not set up as it is deployed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from freeloop.source.facts import Facts

# What makes uvicorn as quick as it can be; without them another server would be measured.
UVICORN_PARTS = ("uvloop", "httptools")


def doubts(facts: Facts, servers: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each thing that makes the measured project differ from a deployed one.

    Args:
        facts: What the project says about itself.
        servers: Those that take part, with their interface: {"uvicorn": "asgi"}.
    """
    if facts.debug:
        yield (
            "DEBUG = True in the project's settings: every query is recorded, which production"
            " does not do; bench with settings in which it is False"
        )
    absent = absent_parts(facts)
    if "uvicorn" in servers and absent:
        yield (
            f"uvicorn ran without {' and '.join(absent)}, slower than it could be;"
            " freeloop doctor shows the command that installs them"
        )
    for interface in sorted(set(servers.values())):
        failure = facts.asgi_failure if interface == "asgi" else facts.wsgi_failure
        if failure:
            yield (
                f"Django's own {interface.upper()} application was served, the project's cannot be:"
                f" {failure}"
            )


def absent_parts(facts: Facts) -> tuple[str, ...]:
    """Return the parts of uvicorn that the project's interpreter lacks."""
    return tuple(name for name in UVICORN_PARTS if name not in facts.packages)
