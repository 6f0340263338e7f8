"""What delivery says about itself: each cause once, then at most once a minute, each with what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .._outbox.destination import Destination
from .._runtime.guard import ERROR, INFO, WARNING, Notices
from ..errors import WhyOpsError
from ..events import TryLater


class Lazy:
    """A text that is made only if it is printed."""

    def __init__(self, text: Callable[[], object]) -> None:
        self._text = text

    def __str__(self) -> str:
        return str(self._text())


class Trouble:
    """The voice of one destination."""

    def __init__(self, notices: Notices, destination: Destination, folder: Path | None, waiting: Callable[[], int]) -> None:
        self._notices = notices
        self._destination = destination
        self._waiting = waiting
        self._place = str(folder) if folder else "memory"

    def postponed(self, later: TryLater, *, again: bool) -> None:
        """Say that events have to wait, and why; how many, if they do so `again`: a script that ends has `left_waiting` to tell that."""
        level = ERROR if later.kind == "key" else WARNING
        self._say(
            later.kind,
            "Events for %s can't be delivered now: %s. %s wait in %s%s",
            self._destination.url,
            later.reason,
            Lazy(lambda: f"{self._waiting()} events") if again else "They",
            self._place,
            f". {later.remedy}" if later.remedy else ", and are sent as soon as they are taken.",
            level=level,
        )

    def recovered(self) -> None:
        """Say that it goes on."""
        self._say("recovered", "Events for %s are delivered again.", self._destination.url, level=INFO)

    def parked(self, reason: str) -> None:
        """Say that an event will never be taken."""
        place = f"It is kept in {self._place}/parked.jsonl" if self._place != "memory" else "It is lost"
        self._say(f"parked:{reason[:40]}", "An event was refused for good: %s. %s; all others go on.", reason, place)

    def sampled_out(self, reason: str) -> None:
        """Say that the service takes events and does not keep them."""
        self._say(
            f"sampled out:{reason[:40]}",
            "The service did not keep some events, by its own rules: %s. Its settings decide that, not this program.",
            reason or "it gives no reason",
            level=INFO,
        )

    def full(self) -> None:
        """Say that there is no room for new events."""
        self._say(
            "full",
            "%s events wait in %s and fill it, so new ones are dropped until some are delivered. `outbox_max_bytes` sets the limit.",
            Lazy(self._waiting),
            self._place,
        )

    def no_file(self, error: Exception) -> None:
        """Say that events can't be written to disk."""
        self._say(
            "no file",
            "Events can't be written to %s (%s), so they wait in memory: what is not delivered before this process ends is lost. "
            "Free or unlock that disk, or choose another place with WHYOPS_HOME.",
            self._place,
            error,
        )

    def no_locks(self) -> None:
        """Say that events wait in memory, where nobody can do anything about it."""
        self._say(
            "no locks",
            "This system has no file locks, so events wait in memory: what is not delivered before this process ends is lost.",
            level=INFO,
        )

    def no_thread(self, error: Exception) -> None:
        """Say that nothing is sent in the background."""
        self._say(
            "no thread",
            "No thread can be started to deliver events (%s), so they wait for a flush, or for the end; another event tries again.",
            error,
        )

    def left_waiting(self, count: int, *, in_memory: int) -> None:
        """Say how the process ends."""
        if in_memory:
            self._say("exit", "%d events could not be delivered to %s before the end, and are lost.", in_memory, self._destination.url)
        if count > in_memory:
            self._say(
                "exit with a file",
                "%s in %s. The next process with the same settings delivers them, or `whyops deliver`.",
                f"{count - in_memory} events wait" if count - in_memory > 1 else "1 event waits",
                self._place,
            )

    def fault(self, error: Exception) -> None:
        """Say that a sink, or something in here, raised what nobody thought of; or, of ours, that the local store can't be used."""
        if isinstance(error, WhyOpsError):
            self._say(f"fault:{error}", "Delivery to %s failed, and is tried again. %s", self._destination.url, error)
            return
        self._say(
            f"fault:{type(error).__name__}",
            "Delivery to %s failed with %s: %s. It is tried again. If the sink is not one of your own, please report this with the version "
            "of whyops.",
            self._destination.url,
            type(error).__name__,
            error,
        )

    def _say(self, kind: str, message: str, *args: object, level: int = WARNING) -> None:
        destination = self._destination
        self._notices.say(f"{destination.url}:{destination.agent_name}:{destination.key_hash}:{kind}", message, *args, level=level)
