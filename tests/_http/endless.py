"""Answers without an end, as a strict server pours them: `pour(*ENDLESS[name], pause=…)`."""

from __future__ import annotations

_HEAD = b"HTTP/1.1 201 Created\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

ENDLESS = {
    "nothing at all": (b"", b""),
    "a status line": (b"HTTP/1.1 201 ", b"C"),
    "a header": (_HEAD + b"X: ", b"x"),
    "headers": (_HEAD, b"X: y\r\n"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "other answers before the answer": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "a body of known length": (_HEAD + b"Content-Length: 100000000\r\n\r\n", b" "),
    "a body until the end": (_HEAD + b"\r\n", b" "),
    "the size of a chunk": (_CHUNKED, b"0"),
    "what is said of a chunk": (_CHUNKED + b"1;x=", b"x"),
    "chunks": (_CHUNKED, b"1\r\n \r\n"),
    "a trailer": (_CHUNKED + b"2\r\n[]\r\n0\r\nX: ", b"x"),
    "trailers": (_CHUNKED + b"2\r\n[]\r\n0\r\n", b"X: y\r\n"),
}
"""What comes at first, and what follows without an end."""
