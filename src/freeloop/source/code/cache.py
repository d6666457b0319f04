"""Summaries from the last run: a file whose content is the same is not parsed again."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import marshal
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from freeloop import __version__
from freeloop.source.code.files import CodeFile
from freeloop.source.code.summary import Kept, digest_of, summarise

# Grows when terms or summaries change their shape.
FORMAT = 1
VARIABLE = "FREELOOP_CACHE"


def read_all(files: Sequence[CodeFile], cache: Path | None) -> dict[str, Kept]:
    """Return the summary of each file by its path, parsed or from the cache.

    Args:
        files: To read.
        cache: File of the cache, `cache_file`; None to parse everything.
    """
    known = _load(cache)
    found: dict[str, Kept] = {}
    changed = False
    with without_collection():
        for file in files:
            content = _content(file.path)
            digest = digest_of(content)
            before = known.get(file.path)
            if before is not None and before[0] == digest and before[1] == file.package:
                found[file.path] = Kept(digest, before[2], before[3])
            else:
                found[file.path] = summarise(content, file.package, digest)
                changed = True
    if cache is not None and (changed or len(known) != len(found)):
        _save(cache, {file.path: (file.package, found[file.path]) for file in files})
    return found


def cache_file(root: Path) -> Path:
    """Return where the summaries of a project are kept: the user's cache, never the project."""
    base = os.environ.get(VARIABLE) or os.environ.get("XDG_CACHE_HOME")
    home = Path(base) if base else Path.home() / ".cache"
    name = hashlib.blake2b(str(root).encode(), digest_size=8).hexdigest()
    return home / "freeloop" / f"check-{name}"


def _stamp() -> bytes:
    versions = f"{FORMAT} {__version__} {sys.version} {marshal.version}"
    return hashlib.blake2b(versions.encode(), digest_size=16).digest()


def _load(cache: Path | None) -> dict[str, tuple[bytes, str, int, bytes]]:
    """Return what was kept; nothing when the file is absent, damaged, or of another version."""
    if cache is None:
        return {}
    try:
        content = cache.read_bytes()
    except OSError:
        return {}
    stamp, digest, packed = content[:16], content[16:32], content[32:]
    # marshal trusts its input: it only ever gets what was written whole.
    if stamp != _stamp() or digest_of(packed) != digest:
        return {}
    with without_collection():
        known: dict[str, tuple[bytes, str, int, bytes]] = marshal.loads(packed)
    return known


def _save(cache: Path, kept: dict[str, tuple[str, Kept]]) -> None:
    plain = {
        path: (each.digest, package, each.flags, each.packed)
        for path, (package, each) in kept.items()
    }
    packed = marshal.dumps(plain)
    # A cache that cannot be written costs time, not truth.
    with contextlib.suppress(OSError):
        cache.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=cache.parent, prefix=cache.name)
        with os.fdopen(handle, "wb") as file:
            file.write(_stamp() + digest_of(packed) + packed)
        Path(temporary).replace(cache)


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - hot
            return file.read()
    except OSError as error:
        # Reading goes on; the file is reported as one that could not be parsed.
        return f"0x cannot be read: {error.strerror}".encode()


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Syntax trees hold no cycles, and looking for some among millions of nodes costs a third."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
