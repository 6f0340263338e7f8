"""Steps that repeat themselves → the first and the last of them, and how many there are between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._trace.steps import Step
from .step_text import StepText

_LONGEST_ROUND = 3
_LEAST_ROUNDS = 4

Shape = tuple[object, ...]
"""What makes a step like another: what it is, by name, and what is inside it."""


@dataclass(frozen=True)
class Folded:
    """So many rounds that are like those around them, of these steps each, by name; `steps` is how many there are in all."""

    rounds: int
    names: tuple[str, ...]
    steps: int


def folded(steps: Sequence[Step], said: Mapping[int, StepText], labels: Mapping[int, str]) -> Iterator[Step | Folded]:
    """Yield the steps beside each other; of four or more rounds of like steps, only the first and the last.

    `said` describes each step, and `labels` says who acts from there on, both by the step's `id()`. What a user says, failed, is open
    or was interfered with is like nothing else.
    """
    shapes = [_shape(step, said, labels) for step in steps]
    place = 0
    while place < len(steps):
        length, rounds = max(((size, _rounds(shapes, place, size)) for size in range(1, _LONGEST_ROUND + 1)), key=_covered)
        if rounds < _LEAST_ROUNDS:
            yield steps[place]
            place += 1
            continue
        end = place + length * rounds
        hidden = steps[place + length : end - length]
        yield from steps[place : place + length]
        names = tuple(said[id(inner)].label for step in hidden[:length] for inner in step.walk())
        yield Folded(rounds - 2, names, sum(1 for step in hidden for _ in step.walk()))
        yield from steps[end - length : end]
        place = end


def _covered(found: tuple[int, int]) -> int:
    """Return how many steps rounds take: as few steps as possible make a round."""
    length, rounds = found
    return length * rounds if rounds >= _LEAST_ROUNDS else 0


def _rounds(shapes: Sequence[Shape], place: int, length: int) -> int:
    first = shapes[place : place + length]
    rounds = 1
    while len(first) == length and shapes[place + rounds * length : place + (rounds + 1) * length] == first:
        rounds += 1
    return rounds


def _shape(step: Step, said: Mapping[int, StepText], labels: Mapping[int, str]) -> Shape:
    own = said[id(step)]
    if own.matters or own.interventions or id(step) in labels:
        return (id(step),)
    return (own.kind, own.name, step.context.attempt, *(_shape(child, said, labels) for child in step.children))
