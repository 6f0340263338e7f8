"""What is current, as a chain of frames: each is a trace's block, or a span in it, and knows the one it was entered in."""

from __future__ import annotations

from collections.abc import Mapping

from .trace_writer import TraceWriter


class Frame:
    """One level of what is going on. `owner` is the object that entered it; `is_trace` tells a trace's own block from a span in it.

    `labels` are what a framework's handler has to say of all that is recorded in it.
    """

    __slots__ = ("is_trace", "labels", "over", "owner", "previous", "span_id", "trace")

    def __init__(
        self,
        trace: TraceWriter,
        span_id: str | None,
        owner: object,
        previous: Frame | None,
        is_trace: bool = False,  # noqa: FBT001, FBT002  (a keyword costs each call more)
    ) -> None:
        self.trace: TraceWriter = trace
        self.span_id: str | None = span_id
        self.owner: object = owner
        self.previous: Frame | None = previous
        self.is_trace: bool = is_trace
        self.over: bool = False
        self.labels: Mapping[str, object] | None = None if previous is None else previous.labels

    def is_live(self) -> bool:
        """Tell whether what entered the frame runs here. Frames that are current in some places only override this."""
        return True

    def is_over(self) -> bool:
        """Tell whether the frame will not be live here any more."""
        return self.over

    def claims(self, observer: object) -> bool:  # noqa: ARG002  (for frames of spans that a framework's handler records)
        """Tell whether the call that `observer` sees is the very one that the frame's span stands for, and is recorded already."""
        return False


class Rehung(Frame):
    """The same frame in another chain: what was beneath it has been left, or another context is beneath."""

    __slots__ = ("frame",)

    def __init__(self, frame: Frame, previous: Frame | None) -> None:
        self.frame: Frame = frame.frame if isinstance(frame, Rehung) else frame
        super().__init__(frame.trace, frame.span_id, frame.owner, previous, frame.is_trace)
        self.labels = frame.labels

    def is_live(self) -> bool:
        """Tell so of the frame."""
        return not self.frame.over and self.frame.is_live()

    def is_over(self) -> bool:
        """Tell so of the frame."""
        return self.frame.is_over()

    def claims(self, observer: object) -> bool:
        """Let the frame tell."""
        return self.frame.claims(observer)


class Covered(Frame):
    """Stands between a frame and those that were not live where it was entered: generators that wait for their next step.

    They are no part of what is around the frame (`live` is), and are there again when it is left.
    """

    __slots__ = ("live",)

    def __init__(self, frame: Frame, live: Frame | None) -> None:
        super().__init__(frame.trace, None, None, frame)
        self.live = live
        self.labels = None if live is None else live.labels
        self.over = True  # it is passed over, and left out where nothing is above
