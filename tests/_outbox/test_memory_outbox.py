"""The outbox in memory."""

from __future__ import annotations

from tests.racing import quick_switches, together
from whyops._outbox.memory_outbox import MemoryOutbox


def test_the_bound_holds_however_many_threads_append():
    """What threads append at once is counted to the byte: after it is all taken there is exactly as much room as before."""
    line = b"x" * 100
    outbox = MemoryOutbox(max_bytes=100_000)

    def fill() -> int:
        return sum(outbox.append(line) for _ in range(1_000))

    with quick_switches():
        for _ in range(3):
            assert sum(together(*[fill] * 8)) == 1_000
            assert len(outbox) == 1_000
            outbox.acknowledge(outbox.end())
