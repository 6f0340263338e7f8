"""What tells the WhyOps proxy which trace a request belongs to."""

from __future__ import annotations

from .._runtime import guard
from .trace_writer import TraceWriter


def proxy_headers(trace: TraceWriter) -> dict[str, str]:
    """Return the headers that name a trace and its user. A user's id that no header can hold is left out, which is logged.

    The service reads a header's bytes as Latin-1: UTF-8 arrives garbled, an escaped id is stored with its escapes, and Python's HTTP
    clients refuse text that is not ASCII.
    """
    headers = {"X-Trace-ID": trace.id, "X-Thread-ID": trace.id}
    user = trace.external_user_id
    if user and user.isascii() and user.isprintable() and user.strip() == user:
        headers["X-External-User-Id"] = user
    elif user:
        guard.notices.say(
            "user in a header",
            "A user can't be named to the WhyOps proxy, and model calls through it are recorded without one: an HTTP header holds "
            "printable ASCII without blanks around it, and the id is something else. The events of this process name the user.",
        )
    return headers
