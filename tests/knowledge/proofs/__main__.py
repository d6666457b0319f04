"""Prove the exercises of one file in a process of its own: `python -m tests.knowledge.proofs NAME`.

Prints what they show as JSON. Django's exercises configure Django, and no process can do that
twice.
"""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import asdict

from tests.knowledge.proofs.exercises import read
from tests.knowledge.proofs.prove import prove


def main(name: str) -> None:
    """Print the proofs of a file."""
    warnings.simplefilter("ignore")  # of the libraries, about how one line uses them
    sys.stdout.write(json.dumps(asdict(prove(read(name)))))


if __name__ == "__main__":
    main(sys.argv[1])
