"""Rate-limited log messages about one destination: each cause once, then at most once a minute, each with what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .._outbox.destination import Destination
from .._runtime.guard import ERROR, INFO, WARNING, Notices
from ..errors import WhyOpsError
from ..events import RetryLater


class Lazy:
    """A text that is made only if it is printed."""

    def __init__(self, text: Callable[[], object]) -> None:
        self._text = text

    def __str__(self) -> str:
        return str(self._text())


class DeliveryLog:
    """Logs what happens to one destination's events."""

    def __init__(self, notices: Notices, destination: Destination, folder: Path | None, waiting: Callable[[], int]) -> None:
        self._notices = notices
        self._destination = destination
        self._waiting = waiting
        self._place = str(folder) if folder else "memory"

    def postponed(self, later: RetryLater, *, again: bool) -> None:
        """Log that events are queued, and why; how many, if they are so `again`: a script that ends has `left_waiting` for that."""
        self._say(
            later.kind,
            "Could not send events to %s (%s). %s queued in %s%s",
            self._destination.name(),
            later.reason,
            Lazy(lambda: f"{self._waiting()} events are") if again else "They are",
            self._place,
            f". {later.remedy}" if later.remedy else " and will be retried.",
            level=ERROR if later.kind == "key" else WARNING,
        )

    def recovered(self) -> None:
        """Log that an outage is over."""
        self._say("recovered", "Events for %s are delivered again.", self._destination.name(), level=INFO)

    def rejected(self, reason: str) -> None:
        """Log that an event will never be accepted."""
        place = f"It is kept in {self._place}/parked.jsonl" if self._place != "memory" else "It is lost"
        self._say(f"rejected:{reason[:40]}", "Event rejected permanently: %s. %s; all others are sent.", reason, place)

    def accepted(self) -> None:
        """Log that what becomes of events can't be known."""
        self._say(
            "accepted",
            "The service takes events into a queue, and does not answer what becomes of them: they count as accepted, not as delivered.",
            level=INFO,
        )

    def sampled_out(self, reason: str) -> None:
        """Log that the service accepts events and does not keep them."""
        self._say(
            f"sampled out:{reason[:40]}",
            "The service did not keep some events, by its own rules: %s. Its settings decide that, not this program.",
            reason or "it gives no reason",
            level=INFO,
        )

    def full(self) -> None:
        """Log that there is no room for new events."""
        self._say(
            "full",
            "The outbox is full (%s events in %s): new ones are dropped until some are delivered. `outbox_max_bytes` sets the limit.",
            Lazy(self._waiting),
            self._place,
        )

    def in_memory(self, error: OSError | None) -> None:
        """Log that events are not written to disk; without an `error`, because nothing here can lock files."""
        if error is None:
            self._say(
                "no locks",
                "This system has no file locks, so events wait in memory: what is not delivered before this process ends is lost.",
                level=INFO,
            )
        else:
            self._say(
                "no file",
                "Could not write events to %s (%s). They wait in memory: what is not delivered before this process ends is lost. "
                "Free or unlock that disk, or choose another place with WHYOPS_HOME.",
                self._place,
                error,
            )

    def no_thread(self, error: Exception) -> None:
        """Log that nothing is sent in the background."""
        self._say("no thread", "Could not start the delivery thread (%s); retrying on the next event.", error)

    def left_waiting(self, count: int, *, in_memory: int) -> None:
        """Log what the end of the process leaves."""
        if in_memory:
            self._say("exit", "%d events could not be delivered to %s before the end, and are lost.", in_memory, self._destination.name())
        if count > in_memory:
            self._say(
                "exit with a file",
                "%s in %s. The next process with the same settings delivers them, or `whyops deliver`.",
                f"{count - in_memory} events wait" if count - in_memory > 1 else "1 event waits",
                self._place,
            )

    def fault(self, error: Exception) -> None:
        """Log that a sink, or this package, raised what was not expected; or, an error of ours, that the local store can't be used."""
        if isinstance(error, WhyOpsError):
            self._say(f"fault:{error}", "Delivery to %s failed and will be retried. %s", self._destination.name(), error)
        else:
            self._say(
                f"fault:{type(error).__name__}",
                "Delivery to %s failed with %s: %s. It will be retried. If the sink is not one of your own, please report this with the "
                "version of whyops.",
                self._destination.name(),
                type(error).__name__,
                error,
            )

    def _say(self, kind: str, message: str, *args: object, level: int = WARNING) -> None:
        self._notices.say(":".join((*self._destination, kind)), message, *args, level=level)
