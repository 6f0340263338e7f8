"""What never ends is forgotten in the end."""

from __future__ import annotations

from whyops.integrations.llama_index._open import Open


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_entry_is_there_until_it_is_taken() -> None:
    """Once."""
    table: Open[int] = Open()
    table.add("a", 1)
    assert (table.get("a"), table.touch("a"), table.take("a"), table.take("a")) == (1, 1, 1, None)
    assert (table.get(None), table.touch(None), table.take(None)) == (None, None, None)
    assert len(table) == 0


def test_beyond_the_cap_the_oldest_goes() -> None:
    """And the newest stay."""
    table: Open[int] = Open(most=3)
    for number in range(5):
        table.add(str(number), number)
    assert table.values() == [2, 3, 4]


def test_what_shows_no_sign_of_life_expires() -> None:
    """Counted from the last sign."""
    clock = Clock()
    table: Open[int] = Open(idle_seconds=100, clock=clock)
    table.add("still", 1)
    table.add("streaming", 2)
    clock.now = 90
    table.touch("streaming")
    clock.now = 120
    table.add("new", 3)
    assert table.values() == [2, 3]
