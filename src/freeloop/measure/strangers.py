"""How much of the servers' cores other programs used: what a quiet machine would give back."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

_STAT = Path("/proc/stat")
_IDLE, _IOWAIT, _STEAL = 3, 4, 7


def busy_ns(cores: Collection[int]) -> int | None:
    """Return how long these cores have worked so far, for whomever, nanoseconds.

    Includes what the host of a virtual machine took away. The kernel counts in ticks of 10 ms.

    Args:
        cores: Numbers of the cores; empty for all.

    Returns:
        None where the kernel does not tell.
    """
    try:
        lines = _STAT.read_text(encoding="ascii").splitlines()
        tick_ns = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return None
    wanted = {f"cpu{core}" for core in cores} or {"cpu"}
    ticks = 0
    for line in lines:
        name, *counts = line.split()
        if name in wanted:
            numbers = [int(count) for count in counts[: _STEAL + 1]]
            ticks += sum(numbers) - numbers[_IDLE] - numbers[_IOWAIT]
    return ticks * tick_ns


def share_of_strangers(
    before_ns: int | None, after_ns: int | None, *, own_ns: int, wall_s: float, cores: int
) -> float | None:
    """Return the share of the cores' time that was neither the server's nor idle, 0 to 1.

    Args:
        before_ns: `busy_ns` at the start of a stretch.
        after_ns: `busy_ns` at its end.
        own_ns: CPU of the server's process tree over the stretch.
        wall_s: Length of the stretch.
        cores: Cores that the server may use.
    """
    if before_ns is None or after_ns is None or wall_s <= 0:
        return None
    return min(1.0, max(0.0, (after_ns - before_ns - own_ns) / (wall_s * 1e9 * cores)))
