"""Summaries from the last run: a file whose content is the same is not parsed again."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import marshal
import os
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from freeloop import __version__
from freeloop.source.code.files import CodeFile
from freeloop.source.code.summary import Kept, digest_of, summarise, unreadable

# Grows when terms or summaries change their shape.
FORMAT = 9
VARIABLE = "FREELOOP_CACHE"
UNSURE_NS = 2_000_000_000
# Files of the cache: after one edit, one of them is written again.
SHARDS = 16

# Of a file: size, time of its last change, package, and the parts of `Kept`.
type Row = tuple[int, int, str, bytes, int, bytes, tuple[str, ...]]


def read_all(
    files: Sequence[CodeFile],
    cache: Path | None,
    overlay: Mapping[str, bytes] | None = None,
) -> dict[str, Kept]:
    """Return the summary of each file by its path, parsed or from the cache.

    Args:
        files: To read.
        cache: Directory of the cache, `cache_of`; None to parse everything.
        overlay: Content of files by path, in place of that on the disk; not kept.
    """
    shards = [_load(cache, number) for number in range(SHARDS)]
    found: dict[str, Kept] = {}
    rows: list[dict[str, Row]] = [{} for _ in range(SHARDS)]
    with without_collection():
        for file in files:
            if overlay and file.path in overlay:
                content = overlay[file.path]
                found[file.path] = summarise(content, file.package, digest_of(content))
                continue
            number = zlib.crc32(file.path.encode()) % SHARDS
            known, written_ns = shards[number]
            before = known.get(file.path)
            row = _read(file, before if before and before[2] == file.package else None, written_ns)
            rows[number][file.path] = row
            found[file.path] = Kept(*row[3:])
        for number, (known, _) in enumerate(shards):
            if cache is not None and not overlay and rows[number] != known:
                _save(cache / str(number), rows[number])
    return found


def _read(file: CodeFile, before: Row | None, written_ns: int) -> Row:
    """Return what is kept of a file; parsed again only when its content is another."""
    try:
        stat = os.stat(file.path)  # noqa: PTH116 - hot
        # As git does: a file that changed at about the time of the cache is read, because a later
        # change within the clock's step would leave no trace.
        settled = stat.st_mtime_ns < written_ns - UNSURE_NS
        if before is not None and settled and before[:2] == (stat.st_size, stat.st_mtime_ns):
            return before
        with open(file.path, "rb") as opened:  # noqa: PTH123 - hot
            content = opened.read()
    except OSError as error:
        kept = unreadable(b"", None, f"cannot be read: {error.strerror}")
        return (0, 0, file.package, *_parts(kept))
    digest = digest_of(content)
    if before is not None and before[3] == digest:
        return (stat.st_size, stat.st_mtime_ns, *before[2:])
    kept = summarise(content, file.package, digest)
    return (stat.st_size, stat.st_mtime_ns, file.package, *_parts(kept))


def _parts(kept: Kept) -> tuple[bytes, int, bytes, tuple[str, ...]]:
    return kept.digest, kept.flags, kept.packed, kept.bases


def cache_of(root: Path) -> Path:
    """Return where the summaries of a project are kept: the user's cache, never the project."""
    base = os.environ.get(VARIABLE) or os.environ.get("XDG_CACHE_HOME")
    home = Path(base) if base else Path.home() / ".cache"
    name = hashlib.blake2b(str(root).encode(), digest_size=8).hexdigest()
    return home / "freeloop" / f"check-{name}"


def _stamp() -> bytes:
    versions = f"{FORMAT} {__version__} {sys.version} {marshal.version}"
    return hashlib.blake2b(versions.encode(), digest_size=16).digest()


def _load(cache: Path | None, number: int) -> tuple[dict[str, Row], int]:
    """Return what was kept, and when; nothing from a file that is damaged or of another version."""
    if cache is None:
        return {}, 0
    shard = cache / str(number)
    try:
        content = shard.read_bytes()
        written_ns = shard.stat().st_mtime_ns
    except OSError:
        return {}, 0
    stamp, check, packed = content[:16], content[16:20], memoryview(content)[20:]
    # marshal trusts its input: it only ever gets what was written whole.
    if stamp != _stamp() or zlib.crc32(packed).to_bytes(4) != check:
        return {}, 0
    with without_collection():
        known: dict[str, Row] = marshal.loads(packed)
    return known, written_ns


def _save(shard: Path, rows: dict[str, Row]) -> None:
    packed = marshal.dumps(rows)
    # A cache that cannot be written costs time, not truth.
    with contextlib.suppress(OSError):
        shard.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=shard.parent, prefix=shard.name)
        with os.fdopen(handle, "wb") as file:
            file.write(_stamp() + zlib.crc32(packed).to_bytes(4))
            file.write(packed)
        Path(temporary).replace(shard)


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
