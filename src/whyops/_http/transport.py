"""A way to a server through an `httpx` transport that the user has made."""

from __future__ import annotations

import threading
from contextlib import closing
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from .._runtime.forks import is_child
from .answer import Answer
from .channel import Channel, Deadline, Request, Unreachable

if TYPE_CHECKING:
    import httpx

MOST_HANGING = 4


def open_channel(transport: httpx.BaseTransport | None) -> Channel:
    """Return the way to a server: through the user's transport, if there is one."""
    if transport is not None:
        return OwnTransport(transport)
    try:
        from .connection import KeptConnection  # noqa: PLC0415  (a Python in a browser may lack what it needs)
    except ImportError as error:
        return NoWay(error.name or "")
    return KeptConnection()


class NoWay(Channel):
    """A channel where this Python can make no connection: there is nobody to ask, and it says why."""

    def __init__(self, missing: str) -> None:
        self._missing = missing

    def exchange(self, request: Request) -> Answer:  # noqa: ARG002  (none is sent)
        """Say what is missing."""
        raise Unreachable(
            f"this Python has no {self._missing}, so it can make no connection: load it, if there is such a package, or pass a transport="
        )

    def close(self) -> None:
        """There is nothing to close."""


class OwnTransport(Channel):
    """A channel through a transport of the user's.

    httpx bounds each read, and no exchange: so each has a thread of its own, and one that is over its time is left behind. While
    `MOST_HANGING` hang, nothing more is asked.
    """

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport
        self._hanging: list[threading.Thread] = []
        if is_child():  # the connections in its pool are the parent's; closing ours leaves those alone
            transport.close()

    def exchange(self, request: Request) -> Answer:
        """Return the answer. The transport is called directly, so httpx logs nothing about it."""
        self._hanging = [thread for thread in self._hanging if thread.is_alive()]
        if len(self._hanging) >= MOST_HANGING:
            raise Unreachable(f"{MOST_HANGING} earlier requests hang in the transport that was given")
        results: SimpleQueue[Answer | Exception] = SimpleQueue()
        thread = threading.Thread(target=self._answer, args=(request, results), name="whyops-transport", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # Python 3.12 refuses new threads at the end
            self._answer(request, results)
        try:
            result = results.get(timeout=request.timeout)
        except Empty:
            self._hanging.append(thread)
            raise Unreachable("no answer in time") from None
        if isinstance(result, Exception):
            raise result
        return result

    def close(self) -> None:
        """Leave the transport open: it is its maker's."""

    def _answer(self, request: Request, results: SimpleQueue[Answer | Exception]) -> None:
        try:
            results.put(self._exchange(request))
        except Exception as error:  # noqa: BLE001  (the boundary "whoever waits")
            results.put(error)

    def _exchange(self, request: Request) -> Answer:
        import httpx  # noqa: PLC0415  (whoever made the transport has imported it)

        deadline = Deadline(request.timeout)
        try:
            asked = httpx.Request(
                request.method,
                request.url,
                headers=dict(request.headers),
                content=request.body,
                extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), request.timeout)},
            )
            with closing(self._transport.handle_request(asked)) as response:
                content = _read(response, request.max_answer, deadline)
        except (httpx.TimeoutException, TimeoutError):
            raise Unreachable("no answer in time") from None
        except OSError as error:
            raise Unreachable(f"{type(error).__name__}: {error.strerror or error}") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as error:
            raise Unreachable(type(error).__name__) from None
        return Answer(response.status_code, dict(response.headers), content)


def _read(response: httpx.Response, most: int, deadline: Deadline) -> bytes:
    content = bytearray()
    for block in response.iter_bytes():
        deadline.remaining()
        content += block
        if len(content) > most:
            raise Unreachable("what answers sends more than an answer has")
    return bytes(content)
