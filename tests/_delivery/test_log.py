"""What delivery says about itself."""

from __future__ import annotations

from pathlib import Path

from tests._delivery.parts import HERE, HandClock
from whyops._delivery.log import Trouble
from whyops._runtime.guard import Notices
from whyops.events import TryLater


def test_an_outage_is_told_without_a_number_until_it_lasts(caplog):
    """A script that ends is told at its end how many events wait, once; a program that goes on is told each minute."""
    clock = HandClock()
    trouble = Trouble(Notices(lambda: clock.now), HERE, Path("/folder"), lambda: 1234)
    trouble.postponed(TryLater("it can't be reached"), again=False)
    clock.now += 61
    trouble.postponed(TryLater("it can't be reached"), again=True)
    trouble.postponed(TryLater("the service refuses the API key", remedy="Check it.", kind="key"), again=True)
    first, second, third = (record.message for record in caplog.records)
    assert first.endswith("it can't be reached. They wait in /folder, and are sent as soon as they are taken.")
    assert second.endswith("it can't be reached. 1234 events wait in /folder, and are sent as soon as they are taken.")
    assert third.endswith("the service refuses the API key. 1234 events wait in /folder. Check it.")
