"""The wire format and the sink interface: an event is one line of JSON, and a sink is whatever accepts such lines.

Recording writes lines and delivery hands them on; neither knows the other. A line is a complete event as the WhyOps service takes it, in
UTF-8, and ends in a line feed. It contains no other line feed, so a file of lines can be cut and joined without parsing.
"""

# Annotations are not kept as text here: for fields `typing` would compile them, and the first compilation in a process takes long.

from collections.abc import Sequence
from typing import NamedTuple, Protocol

__all__ = ["BatchRefused", "BatchRejected", "Receipt", "Refusal", "RetryLater", "Sink", "TryLater"]


class Refusal(NamedTuple):
    """One event, and why it is not taken. `index` counts within the lines that were sent."""

    index: int  # type: ignore[assignment]  # it hides `tuple.index`, which nobody needs of a pair
    reason: str


class Receipt(NamedTuple):
    """What a sink did with the lines it was given: all of them are settled, and none is to be sent again but the `unsettled` ones.

    `stored` counts events kept, repeats of known ones included; `sampled_out` those taken and not kept, with `sampled_out_reason`;
    `refused` those that are never to be sent again. What became of the `unsettled` ones is not known; if that stays so for one of them
    while others behind it pass, it counts as refused in the end. `accepted` counts those that the other side has taken into a queue,
    without a word of what will become of them.
    """

    stored: int
    sampled_out: int = 0
    sampled_out_reason: str = ""
    refused: Sequence[Refusal] = ()
    unsettled: Sequence[Refusal] = ()
    accepted: int = 0


class RetryLater(Exception):
    """Raised by a sink: nothing is wrong with the lines, send them again after a while.

    `after` is the number of seconds that the other side asked for. `remedy` is a sentence for the user: what to do, if waiting is not
    enough. Failures of one `kind` are logged once, however their texts differ.
    """

    def __init__(self, reason: str, *, after: float | None = None, remedy: str = "", kind: str = "later") -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after
        self.remedy = remedy
        self.kind = kind


class BatchRejected(Exception):
    """Raised by a sink: at least one of the lines is refused, and which one is known by `indexes` or not at all.

    The sender then sends smaller parts until the refused line stands alone. `perhaps_passing` says that the fault may as well lie with
    the other side, so that the same lines may pass later.
    """

    def __init__(self, reason: str, *, indexes: Sequence[int] = (), perhaps_passing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.indexes = indexes
        self.perhaps_passing = perhaps_passing


TryLater = RetryLater
"""The older name."""
BatchRefused = BatchRejected
"""The older name."""


class Sink(Protocol):
    """Takes batches of event lines, never two at a time.

    The calls come from a background thread, not always the same one. A line may come again, with the same `idempotencyKey`, after a
    failure or a crash: a sink that counts must skip the keys it has.
    """

    def send(self, lines: Sequence[bytes]) -> Receipt:
        """Take the lines, in order, and return what became of them. Each ends in a line feed.

        Raises:
            RetryLater: the lines are to be sent again later. Any other exception counts as this one.
            BatchRejected: one of the lines is refused, and the sink cannot settle the others by itself.
        """
        ...

    def close(self) -> None:
        """Let go of connections and files. `send` is not called again."""
        ...
