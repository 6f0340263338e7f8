"""The sinks of a sender: made when they are first needed, on its thread."""

from __future__ import annotations

from collections.abc import Callable

from .._runtime.forks import forks_wait
from ..events import Sink


class Sinks:
    """The sink, and another one for lines that were recorded under a description of the agent with another hash than `metadata_hash`."""

    def __init__(self, make: Callable[[], Sink], make_for_orphans: Callable[[], Sink], metadata_hash: str) -> None:
        self.metadata_hash = metadata_hash
        self._makers = {False: make, True: make_for_orphans}
        self._open: dict[bool, Sink] = {}
        self._deadline: float | None = None

    def open(self, *, foreign: bool = False) -> Sink:
        """Return the sink, or the one for lines of another description."""
        if foreign not in self._open:
            with forks_wait():
                self._open[foreign] = self._makers[foreign]()
            self.hurry(self._deadline)
        return self._open[foreign]

    def hurry(self, deadline: float | None) -> None:
        """Let no request of theirs last beyond this moment (monotonic), if they can be told; None takes the limit away."""
        self._deadline = deadline
        for sink in self._open.values():
            if (hurry := getattr(sink, "hurry", None)) is not None:
                hurry(deadline)

    def has_left(self) -> bool:
        """Tell whether one of them holds something back that it would send after a while without lines."""
        return any(getattr(sink, "has_left", False) for sink in self._open.values())

    def rest(self) -> None:
        """Tell them that no line came for a while, if they can be told."""
        for sink in self._open.values():
            if (rest := getattr(sink, "rest", None)) is not None:
                rest()

    def close(self) -> None:
        """Close those that are open; the next batch opens new ones."""
        sinks, self._open = self._open, {}
        for sink in sinks.values():
            sink.close()
