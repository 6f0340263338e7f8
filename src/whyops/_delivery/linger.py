"""How long the sender lets events wait for more to come, where nobody waits for them."""

from __future__ import annotations

from collections.abc import Callable

from .requests import Inbox, Job, Request

LINGER_SECONDS = 1.0
QUIET_SECONDS = 0.1
LOOKS = 10


class Linger:
    """Sleeps until what was recorded is worth a request: a pause came, or a second is over, or there is much.

    A process may end without a word, as most servers do on SIGTERM, and what waits in memory ends with it. So what was recorded before a
    pause is sent within two looks. Each look takes the interpreter from the callers, though: a load has `LOOKS` of them, and then one a
    second, until a second brought nothing. While nothing waits there are none: the first event rings.
    """

    def __init__(self, inbox: Inbox, clock: Callable[[], float]) -> None:
        self._inbox = inbox
        self._now = clock
        self._looks = LOOKS

    def sleep(self, *, something_waits: bool, loud_at: int, idle_seconds: float) -> list[Request | Job]:
        """Sleep, and return what was asked for meanwhile. `idle_seconds` bound it while nothing waits and nothing comes."""
        inbox = self._inbox
        if self._looks and not something_waits:
            began = self._now()
            asked = inbox.wait(idle_seconds, loud_at=1)
            if self._now() - began >= LINGER_SECONDS:
                self._looks = LOOKS
            if asked or not inbox.unseen:
                return asked
        while self._looks:
            self._looks -= 1
            before = inbox.unseen
            asked = inbox.wait(QUIET_SECONDS, loud_at)
            if asked or inbox.unseen == before or inbox.unseen >= loud_at or not self._looks:
                return asked
        asked = inbox.wait(LINGER_SECONDS, loud_at)
        if not asked and not inbox.unseen:
            self._looks = LOOKS
        return asked
