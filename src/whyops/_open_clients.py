"""Which clients are open in this process: those that it made, and those that came in pickles from others."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ._config import environment
from ._config.origin import Origin

if TYPE_CHECKING:
    from ._config.settings import Settings


class Client(Protocol):
    """What is asked of a client here."""

    _origin: Origin
    _given: Settings | None

    @property
    def is_open(self) -> bool:
        """Whether it was not closed."""
        ...


C = TypeVar("C", bound=Client)


class OpenClients(Generic[C]):
    """Refers weakly to the clients that are in use. `lock` is held while the default one is chosen or made."""

    def __init__(self) -> None:
        self._instead: ContextVar[C | None] = ContextVar("whyops_client", default=None)
        self._instead_everywhere: list[C] = []
        self._open: weakref.WeakSet[C] = weakref.WeakSet()
        self._arrived: dict[bytes, C] = {}  # by their settings: what comes with the same ones shares a client
        self.renew()

    def renew(self) -> None:
        """Make the lock anew, for a child of which no other thread holds it. Reentrant: a `__del__` may record, and so use a client."""
        self.lock = threading.RLock()

    def instead(self) -> C | None:
        """Return the client that records in place of all others here, if there is one."""
        return self._instead.get() or next(reversed(self._instead_everywhere), None)

    @contextmanager
    def in_place_of_all(self, client: C) -> Iterator[None]:
        """Let a client record in place of all others: in this context, and elsewhere while it is the last that was said to."""
        self._instead_everywhere.append(client)
        token = self._instead.set(client)
        try:
            yield
        finally:
            self._instead_everywhere.remove(client)
            with suppress(ValueError):  # it may be left in another context, as a fixture is: there nothing was set
                self._instead.reset(token)

    def add(self, client: C) -> None:
        """Count a client among the open ones."""
        with self.lock:
            self._open.add(client)
            self.tell_children()

    def made_and_arrived(self) -> tuple[list[C], list[C]]:
        """Return the open clients: those that this process made, and those that came in pickles."""
        arrived = [client for client in list(self._arrived.values()) if client.is_open]
        with self.lock:
            return [client for client in self._open if client.is_open and client not in arrived], arrived

    def of_pickle(self, token: str, settings: bytes, make: Callable[[Origin], C]) -> C:
        """Return the client of a pickle: in the process that made it that very one, elsewhere one with its settings."""
        with self.lock:  # threads that load equal pickles at once get one client
            origin = Origin.of(token)
            if origin is not None:
                same = (client for client in self._open if client._origin is origin)  # noqa: SLF001  (as the protocol says)
                return next(same, None) or make(origin)
            if settings not in self._arrived:
                self._arrived[settings] = make(Origin.unpacked(settings))
            return self._arrived[settings]

    def tell_children(self) -> None:
        """Set the environment so that child processes that are not forked record no more than the open clients here."""
        with self.lock:
            given = [client._given for client in self._open if client.is_open and client._given is not None]  # noqa: SLF001  (as above)
            environment.tell_children(
                without_content=any(each.capture_content is False for each in given),
                redact_keys=[key for each in given for key in each.redact_keys],
                redacts=any(each.redact is not None or each.sink is not None for each in given),
            )
