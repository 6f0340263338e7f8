"""A value is worked out when it is first asked for, and never again."""

from __future__ import annotations

from whyops._wire.once import once


class Counting:
    """Counts how often it works something out."""

    worked = 0

    @once
    def value(self) -> int:
        """What is worked out."""
        self.worked += 1
        return self.worked


def test_worked_out_once_for_each() -> None:
    """Another object has a value of its own; the class has the description."""
    one, other = Counting(), Counting()
    assert (one.worked, one.value, one.value, one.worked) == (0, 1, 1, 1)
    assert (other.worked, other.value) == (0, 1)
    assert Counting.value.__doc__ == "What is worked out."
