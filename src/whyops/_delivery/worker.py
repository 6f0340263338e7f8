"""The thread that the sender runs on: it starts with the first event, ends when there is nothing to do, and comes back with the next."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context

from .log import DeliveryLog
from .requests import Requests
from .sender import Sender


class Worker:
    """Gives the sender one thread at a time: one of its own, or where none can be started, that of whoever waits.

    `thread` is the one that has the sender, None while there is none: then the next `wake` starts one. `on_start` is called once it has.
    """

    def __init__(
        self,
        sender: Sender,
        requests: Requests,
        log: DeliveryLog,
        now: Callable[[], float],
        on_start: Callable[[], None] = lambda: None,
    ) -> None:
        self._sender = sender
        self._requests = requests
        self._log = log
        self._now = now
        self._on_start = on_start
        self._making = threading.RLock()
        self._starting: threading.Lock | None = None
        self.thread: threading.Thread | None = None
        self.is_leaving = False

    def wake(self) -> None:
        """Ring, or start the thread. From anywhere, a signal handler and a `__del__` too."""
        if self.thread is not None:
            self._requests.ring()
        else:
            with self._taking(wait=False) as is_free:
                if is_free:
                    self._start()

    def is_running(self) -> bool:
        """Tell whether a thread has the sender."""
        return self.thread is not None

    def attend(self, is_done: Callable[[], bool], seconds: float) -> None:
        """See that somebody is at work: the thread, another one in its place, or else this one, until it is done, for so long at most."""
        if self.thread is None:
            self.wake()
        if self.thread is None and self._takes_place(stands_in=True):
            until = self._now() + seconds
            try:
                Context().run(self._sender.run, until=lambda: is_done() or self._now() >= until)
            finally:
                self.thread = None

    def _takes_place(self, *, stands_in: bool) -> bool:
        """Make this thread the sender's, unless there is one. One that `stands_in` has not listened before, and hangs a bell of its own."""
        with self._taking(wait=not stands_in) as is_free:
            if is_free:
                if stands_in:
                    self._requests.hang_bell()
                self.thread = threading.current_thread()
        return is_free

    @contextmanager
    def _taking(self, *, wait: bool) -> Iterator[bool]:
        """Tell whether the sender has no thread, and let nobody else give it one meanwhile.

        If another is just at that, maybe this very thread further up, it counts as having one, unless `wait` is true.
        """
        if self._starting is None:  # made at first use, when this process has the threads and locks that it will have
            with self._making:
                self._starting = self._starting or threading.Lock()
        if self._starting.acquire(blocking=wait):
            try:
                yield self.thread is None
            finally:
                self._starting.release()
        else:
            yield False

    def _start(self) -> None:
        """Start the thread. It begins in an empty context: what it calls of the user's runs in no trace."""
        try:
            if sys.is_finalizing():
                raise RuntimeError("the interpreter ends")  # noqa: TRY301  (before Python 3.12 a thread would be made, and never begin)
            self._requests.hang_bell()
            self.thread = threading.Thread(target=Context().run, args=(self._run,), name="whyops-sender", daemon=True)
            self.thread.start()
            self._on_start()
        except RuntimeError as error:  # a limit, the end of the interpreter, or one that allows no such threads
            self.thread = None
            if not self.is_leaving:
                self._log.no_thread(error)

    def _run(self) -> None:
        try:
            self._sender.run()
            while self._goes_on():
                self._sender.run()
        finally:
            if self.thread is threading.current_thread():  # a sink has ended it
                self.thread = None

    def _goes_on(self) -> bool:
        """End the thread, unless something came at the last moment and no other thread was started for it."""
        self.thread = None  # from here on the next event starts a thread; what came just before is seen below
        return self._sender.has_work() and self._takes_place(stands_in=False)
