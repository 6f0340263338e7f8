"""When the sender looks at what was recorded, where nobody waits for it."""

from __future__ import annotations

import itertools
from collections import deque

import pytest

from tests._delivery.parts import HandClock
from whyops._delivery.linger import LOOKS, Linger
from whyops._delivery.pace import PACE
from whyops._delivery.requests import Job, Request, Requests

MUCH = 1_000_000


class Played(Requests):
    """Requests in which a recording is played: events of one byte come at `times`, while whoever waits for them sleeps."""

    def __init__(self, times: list[float]) -> None:
        super().__init__()
        self.hand = HandClock()
        self.hand.now = 0.0
        self.wakings: list[float] = []
        self._times = deque(times)

    def wait(self, seconds: float, loud_at: int) -> list[Request | Job]:
        until = self.hand.now + seconds
        while self.unseen < loud_at and self._times and self._times[0] <= until:
            self.hand.now = self._times.popleft()
            self.unseen += 1
        if self.unseen < loud_at:
            self.hand.now = until
        self.wakings.append(self.hand.now)
        return []


def played(times: list[float], seconds: float, loud_at: int = MUCH) -> tuple[Played, list[tuple[float, int]]]:
    """Play a recording; return the requests, and when how much was sent."""
    requests = Played(times)
    linger = Linger(requests, requests.hand.clock().monotonic, PACE)
    sent: list[tuple[float, int]] = []
    while requests.hand.now < seconds:
        linger.sleep(something_waits=False, loud_at=loud_at, idle_seconds=PACE.idle)
        if requests.unseen:
            sent.append((requests.hand.now, requests.unseen))
        requests.unseen = 0
    return requests, sent


@pytest.mark.parametrize("length", [0.0, 0.05, 0.3, 0.7])
@pytest.mark.parametrize("start", [0.0, 5.0, 25.0])
def test_what_comes_before_a_pause_is_sent_in_it(start: float, length: float) -> None:
    """Two tenths of a second after the last event at the latest, all of it in one request, with few looks."""
    times = [start + index / 50 for index in range(int(length * 50) + 1)]
    requests, sent = played(times, start + 2)
    ((at, count),) = sent
    assert count == len(times)
    assert PACE.quiet - 1e-9 <= at - times[-1] <= 2 * PACE.quiet + 1e-9
    assert len([waking for waking in requests.wakings if waking >= start]) <= length / PACE.quiet + 4


@pytest.mark.parametrize("pace", [0.001, 0.05, 0.09, 0.15, 0.25, 0.5, 0.9])
def test_a_load_is_looked_at_once_a_second(pace: float) -> None:
    """At whatever pace its events come: after a first second the sender wakes once in each, and sends once."""
    requests, sent = played([index * pace for index in range(int(60 / pace))], 60)
    after = 15.0
    assert len([waking for waking in requests.wakings if waking >= after]) <= 60 - after + 1
    assert len([at for at, _ in sent if at >= after]) <= 60 - after + 1
    assert len(requests.wakings) <= 60 + 2 * LOOKS
    assert max(later - earlier for (earlier, _), (later, _) in itertools.pairwise(sent)) <= PACE.linger + pace + 1e-9


def test_after_a_load_pauses_are_used_again() -> None:
    """Once a second has brought nothing."""
    load = [index / 100 for index in range(500)]
    _, sent = played([*load, 8.0], 10)
    assert sent[-1][1] == 1
    assert sent[-1][0] - 8.0 <= 2 * PACE.quiet + 1e-9


def test_nothing_wakes_it_while_nothing_comes() -> None:
    """It sleeps until it ends."""
    requests, sent = played([], 3 * PACE.idle)
    assert (len(requests.wakings), sent) == (3, [])


def test_much_is_sent_without_delay() -> None:
    """As soon as there is enough for a request of its own."""
    _, sent = played([index / 1000 for index in range(1000)], 2, loud_at=100)
    assert sent[0] == (pytest.approx(0.099), 100)
    assert len(sent) >= 9


def test_what_comes_before_the_bell_is_hung_is_seen() -> None:
    """Between the last look at the outbox and the sleep."""
    requests = Requests()
    requests.unseen = 1
    assert requests.wait(60, loud_at=1) == []
