"""What delivery says about itself."""

from __future__ import annotations

from pathlib import Path

from tests._delivery.parts import HERE, HandClock
from whyops._delivery.log import DeliveryLog
from whyops._runtime.guard import Notices
from whyops.events import RetryLater


def test_an_outage_is_told_without_a_number_until_it_lasts(caplog):
    """A script that ends is told at its end how many events wait, once; a program that goes on is told each minute."""
    clock = HandClock()
    log = DeliveryLog(Notices(lambda: clock.now), HERE, Path("/folder"), lambda: 1234)
    log.postponed(RetryLater("it can't be reached"), again=False)
    clock.now += 61
    log.postponed(RetryLater("it can't be reached"), again=True)
    log.postponed(RetryLater("the service refuses the API key", remedy="Check it.", kind="key"), again=True)
    first, second, third = (record.message for record in caplog.records)
    assert first.endswith("(it can't be reached). They are queued in /folder and will be retried.")
    assert second.endswith("(it can't be reached). 1234 events are queued in /folder and will be retried.")
    assert third.endswith("(the service refuses the API key). 1234 events are queued in /folder. Check it.")
