"""What the tests of whole processes run first: `subject` delivers to the server, or as the environment says."""

from __future__ import annotations

import itertools
import os
import sys  # noqa: F401  (for the code that runs behind this)
import threading
from pathlib import Path

from tests._delivery.parts import QUICK, line
from whyops._delivery.delivery import Delivery
from whyops._outbox.destination import Destination
from whyops._runtime import forks
from whyops._service.sink import HttpSink

_nonce = [os.urandom(8).hex()]
forks.in_child(lambda: _nonce.__setitem__(0, os.urandom(8).hex()))

URL = os.environ["TEST_URL"]
HOME = Path(os.environ["TEST_HOME"]) if os.environ.get("TEST_HOME") else None


def make_sink() -> HttpSink:
    return HttpSink(analyse_base_url=URL, proxy_base_url=URL, api_key="whyops_test", agent_name="agent", agent_metadata=None)


subject = Delivery(
    Destination("http://service.test", "agent", "0123456789ab"),
    make_sink,
    home=HOME,
    pace=QUICK._replace(idle=float(os.environ.get("TEST_IDLE", QUICK.idle)), linger=float(os.environ.get("TEST_LINGER", QUICK.linger))),
    process_nonce=lambda: _nonce[0],
    exit_timeout=float(os.environ["TEST_EXIT_TIMEOUT"]) if "TEST_EXIT_TIMEOUT" in os.environ else None,
)
_numbers = itertools.count()


def record(count: int = 1, name: str = "") -> None:
    """Record events, and say so once they are: what is said was recorded."""
    for _ in range(count):
        key = f"{name or _nonce[0]}-{next(_numbers)}"
        subject.record(line(key, trace=f"thread {threading.get_ident()} of {_nonce[0]}"))
        os.write(1, f"{key}\n".encode())
