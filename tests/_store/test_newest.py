"""The store's traces in slices, newest first, and what their lines hold."""

from __future__ import annotations

from pathlib import Path

from whyops._store.newest import MOST_AT_ONCE, NewestFirst
from whyops._store.sink import SqliteSink

from .lines import line


def test_slices_go_through_all(home: Path) -> None:
    """Each slice begins behind the last one, also where traces were active at the same time; more are asked for than one question takes."""
    sink = SqliteSink(home)
    count = MOST_AT_ONCE + 5
    sink.send([line(1, trace=f"t-{number}") for number in range(count)])
    sink.close()
    store = NewestFirst(home)
    first = store.slice(most=MOST_AT_ONCE)
    rest = store.slice(after=first[-1].position, most=MOST_AT_ONCE)
    numbers = [placed.position.trace for placed in [*first, *rest]]
    assert numbers == list(range(count, 0, -1))
    assert [store.summaries_of(numbers)[number].trace_id for number in numbers[:2]] == [f"t-{count - 1}", f"t-{count - 2}"]
    assert len(store.numbers_of([f"t-{number}" for number in range(count)])) == count
    assert len(store.holding(numbers, ["MESSAGE 1"])) == count
    assert store.holding(numbers, ["message 2", "nothing"]) == {}


def test_keys_and_lines(home: Path) -> None:
    """Which events are there is told by their keys; the latest lines come first."""
    sink = SqliteSink(home)
    sink.send([line(1), line(2)])
    sink.close()
    store = NewestFirst(home)
    assert store.stored_keys(1, ["0123456789abcdef-1", "0123456789abcdef-9"]) == {"0123456789abcdef-1"}
    assert store.latest_lines(1) == [line(2)]
    assert NewestFirst(home / "nowhere").slice(most=1) == []
