"""How long the sender lets events wait for more to come, where nobody waits for them."""

from __future__ import annotations

from collections.abc import Callable

from .pace import Pace
from .requests import Job, Request, Requests

LOOKS = 10


class Linger:
    """Sleeps until what was recorded is worth a request: a pause came, or a second is over, or there is much.

    A process may end without a word, as most servers do on SIGTERM, and what waits in memory ends with it. So what was recorded before a
    pause is sent within two looks. Each look takes the interpreter from the callers, though: a load has `LOOKS` of them, and then one a
    second, until a second brought nothing. While nothing waits there are none: the first event rings.
    """

    def __init__(self, requests: Requests, clock: Callable[[], float], pace: Pace) -> None:
        self._requests = requests
        self._now = clock
        self._pace = pace
        self._looks = LOOKS

    def sleep(self, *, something_waits: bool, loud_at: int, idle_seconds: float) -> list[Request | Job]:
        """Sleep, and return what was asked for meanwhile. `idle_seconds` bound it while nothing waits and nothing comes."""
        requests = self._requests
        if self._looks and not something_waits:
            began = self._now()
            asked = requests.wait(idle_seconds, loud_at=1)
            if self._now() - began >= self._pace.linger:
                self._looks = LOOKS
            if asked or not requests.unseen:
                return asked
        while self._looks:
            self._looks -= 1
            before = requests.unseen
            asked = requests.wait(self._pace.quiet, loud_at)
            if asked or requests.unseen == before or requests.unseen >= loud_at or not self._looks:
                return asked
        asked = requests.wait(self._pace.linger, loud_at)
        if not asked and not requests.unseen:
            self._looks = LOOKS
        return asked
