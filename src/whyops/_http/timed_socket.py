"""A socket on which a whole exchange ends by one moment, and an answer by one size.

A socket's own time-out is for each single call: a server that sends a byte now and then is never late.
"""

from __future__ import annotations

import io
import socket
import ssl

from .channel import Deadline

_BLOCK = 1 << 16


class TooLong(Exception):
    """More came than an answer may have."""


class TimedSocket:
    """As much of a socket as `http.client` uses. `socket` may be replaced by one that speaks TLS over it.

    All is done by the `deadline`, and no more than `allowed` bytes come in from now on: both may be set anew.
    """

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self.socket = connected
        self.deadline = deadline
        self.allowed = 0
        self._is_over = False
        self._file = _File(_Incoming(self))

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        rest = memoryview(data)
        while rest:
            self.socket.settimeout(self.deadline.remaining())
            rest = rest[self.socket.send(rest[:_BLOCK]) :]

    def receive_into(self, buffer: memoryview) -> int:
        """Receive as much as there is and fits; 0 is the end.

        Raises:
            TooLong: it is more than is allowed.
        """
        if self._is_over:
            return 0
        self.socket.settimeout(self.deadline.remaining())
        size = self.socket.recv_into(buffer)
        self.allowed -= size
        if self.allowed < 0:
            raise TooLong
        return size

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what comes in as a file, from here on."""
        self._is_over = False
        self._file = _File(_Incoming(self))
        return self._file

    def has_more(self) -> bool:
        """Tell whether more has come than was read of the file."""
        self._is_over = True  # a look into the file must not wait for more
        return bool(self._file.peek(1))

    def is_quiet(self) -> bool:
        """Tell whether nothing comes in, not even the end. What does is lost."""
        self.socket.settimeout(0)
        try:
            self.socket.recv(1)
        except OSError as error:
            return isinstance(error, (BlockingIOError, ssl.SSLWantReadError))
        return False

    def close(self) -> None:
        """Leave the socket open: whoever has read an answer's head closes this, and its body comes through it."""


class _Incoming(io.RawIOBase):
    def __init__(self, timed: TimedSocket) -> None:
        self._timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # `Buffer` has a name from Python 3.12 on
        return self._timed.receive_into(buffer)


class _File(io.BufferedReader):
    def close(self) -> None:
        """Stay open: what was read ahead is asked for after an answer's end."""


def connect(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Return a connection to the first of a host's addresses that takes one. None of them gets the time of those behind it.

    The look-up of the addresses is the system's, and keeps the system's own limits.
    """
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    trouble = OSError("the host has no address")
    for index, (family, kind, protocol, _, address) in enumerate(addresses):
        connected = socket.socket(family, kind, protocol)
        try:
            connected.settimeout(deadline.remaining() / (len(addresses) - index))
            connected.connect(address)
        except OSError as error:
            connected.close()
            trouble = error
        else:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connected
    raise trouble
