"""Demand: what one request needs of each resource, in milliseconds; read off one trace."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Demand:
    """What one request needs.

    Attributes:
        total_ms: Its duration, alone.
        cpu_ms: CPU of all its threads.
        loop_ms: It held the event loop, working or blocked; 0 for a sync request under WSGI.
        blocked_ms: It held the event loop in a waiting call.
        waiting_ms: It was suspended and used neither loop nor thread.
        thread_held_ms: Threads were reserved for it, summed over threads; intervals on one thread
            count once.
        thread_used_ms: Those threads worked or sat in a call.
        connection_held_ms: Database connections were kept for it, summed.
        connection_used_ms: A query ran on them.
        unexplained_ms: Upper bound of waiting for the interpreter lock.
        hops: Calls handed to a thread.
        backs: Calls from a thread back to the loop.
        threads_started: Threads started for it.
        queries: Queries sent.
        tasks: Tasks that it started.
    """

    total_ms: float
    cpu_ms: float
    loop_ms: float
    blocked_ms: float
    waiting_ms: float
    thread_held_ms: float
    thread_used_ms: float
    connection_held_ms: float
    connection_used_ms: float
    unexplained_ms: float
    hops: int
    backs: int
    threads_started: int
    queries: int
    tasks: int
