"""The end of the process."""

from __future__ import annotations

import contextlib

from tests.racing import quick_switches, together
from whyops._runtime import exits


class Leaver:
    """Wants nothing at the end."""

    def begin_exit(self) -> None:
        """Do nothing."""

    def finish_exit(self) -> None:
        """Do nothing."""


def test_what_begins_while_the_process_ends_does_no_harm():
    """Other threads may still make their first event: all that was there before is asked to leave."""
    with contextlib.ExitStack() as stack, quick_switches():
        stay = [Leaver() for _ in range(2_000)]
        for leaver in stay:
            exits.before_exit(leaver)
        stack.callback(stay.clear)

        def come() -> None:
            kept = []
            for _ in range(5_000):
                kept.append(Leaver())
                exits.before_exit(kept[-1])

        together(come, come, *[lambda: [exits._at_exit() for _ in range(50)]] * 2)
