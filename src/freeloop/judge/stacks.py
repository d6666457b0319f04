"""Which functions of the project a task was in at a time, read off its line steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from freeloop.model.trace import Step, Trace


@dataclass(frozen=True, slots=True)
class Standing:
    """One function call and the line that it stood in.

    Attributes:
        frame: Tells calls of one function apart.
        place: Index in `Trace.places` of its line.
        visit: Counts the lines that it has run and the calls that came back: two waits of one
            visit belong together.
    """

    frame: int
    place: int
    visit: int


def stacks_at(trace: Trace, lane: int, times_ns: Sequence[int]) -> list[tuple[Standing, ...]]:
    """Return the calls around what a lane did at each time, outermost first.

    Args:
        trace: With steps; without any, all stacks are empty.
        lane: A task.
        times_ns: Sorted.
    """
    steps = [step for step in trace.steps if step.lane == lane]
    stack: list[Standing] = []
    found: list[tuple[Standing, ...]] = []
    done = 0
    for at_ns in times_ns:
        while done < len(steps) and steps[done].at_ns <= at_ns:
            stack = _after(stack, steps[done])
            done += 1
        found.append(tuple(stack))
    return found


def _after(stack: list[Standing], step: Step) -> list[Standing]:
    index = next((at for at, each in enumerate(stack) if each.frame == step.frame), len(stack))
    known = stack[index] if index < len(stack) else None
    match step.event:
        case "call" | "line":
            # Whoever runs a line is innermost: what it had called is over.
            visit = known.visit + 1 if known else 0
            return [*stack[:index], Standing(step.frame, step.place, visit)]
        case "return" | "raise":
            left = stack[:index]
            if known is not None and left:
                # Whoever called it goes on: in the same line too, as in a comprehension.
                left[-1] = replace(left[-1], visit=left[-1].visit + 1)
            return left
        case _:
            return stack
