"""What never ends is forgotten in the end."""

from __future__ import annotations

from tests.racing import quick_switches, together
from whyops.integrations._shared.open_table import OpenTable


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_entry_is_there_until_it_is_taken() -> None:
    """Once."""
    table: OpenTable[str, int] = OpenTable()
    table.add("a", 1)
    assert (table.get("a"), table.touch("a"), table.take("a"), table.take("a")) == (1, 1, 1, None)
    assert (table.get(None), table.touch(None), table.take(None)) == (None, None, None)
    assert len(table) == 0


def test_beyond_the_cap_the_oldest_goes() -> None:
    """And the newest stay."""
    table: OpenTable[str, int] = OpenTable(most=3)
    for number in range(5):
        table.add(str(number), number)
    assert table.values() == [2, 3, 4]


def test_what_shows_no_sign_of_life_expires() -> None:
    """Counted from the last sign."""
    clock = Clock()
    table: OpenTable[str, int] = OpenTable(quiet_seconds=100, clock=clock)
    table.add("still", 1)
    table.add("streaming", 2)
    clock.now = 90
    table.touch("streaming")
    clock.now = 120
    table.add("new", 3)
    assert table.values() == [2, 3]


def test_of_threads_that_add_at_once_the_first_ones_entry_stays() -> None:
    """All get the same one."""
    with quick_switches():
        for _ in range(200):
            table: OpenTable[str, object] = OpenTable()
            kept = together(*[lambda table=table: table.add_if_new("a", object())] * 4)
            assert len(set(map(id, kept))) == 1
            assert table.values() == kept[:1]


def test_an_entry_that_is_taken_does_not_come_back() -> None:
    """Whatever sign of life another thread sees at that moment."""
    with quick_switches():
        for _ in range(500):
            table: OpenTable[str, int] = OpenTable()
            table.add("a", 1)
            together(lambda table=table: table.take("a"), *[lambda table=table: table.touch("a")] * 3)
            assert len(table) == 0
