"""Traces of the local store → OpenTelemetry spans, to a receiver that takes OTLP."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NamedTuple

from .._config import defaults
from .._config.otlp import headers_given, shown_address, traces_address
from .._otlp.sink import OtlpSink
from .._printable import counted
from .._runtime.clock import CLOCK
from .._store.reader import StoreReader
from ..errors import WhyOpsError
from ..events import BatchRejected, RetryLater
from ._command import Context
from ._local import absorb_local
from ._progress import Progress
from ._selection import selected_ids

_BATCH_LINES = 500


class _Sent(NamedTuple):
    events: int = 0
    rejected: int = 0

    def __add__(self, other: object) -> _Sent:
        return _Sent(self.events + other.events, self.rejected + other.rejected) if isinstance(other, _Sent) else NotImplemented


def push_spans(arguments: argparse.Namespace, context: Context) -> int:
    """Send whole traces: sent again, they are the same spans. Exit code 1 if a span was rejected.

    Raises:
        WhyOpsError: The receiver can't be reached, or takes no spans.
    """
    address = traces_address(arguments.otlp)
    if arguments.as_agent is not None:
        raise WhyOpsError("--as-agent is for the service: spans name the agent that the events were recorded for.")
    absorb_local(context.home)
    reader = StoreReader(context.home)
    chosen = [list(reader.lines(trace_id)) for trace_id in selected_ids(arguments, reader)]
    total, sent = sum(map(len, chosen)), _Sent()
    with Progress("events", total) as progress:
        for lines in chosen:
            sink = OtlpSink(address, headers_given(), defaults.AGENT_NAME)
            try:
                for start in range(0, len(lines), _BATCH_LINES):
                    sink.hurry(CLOCK.monotonic() + arguments.timeout)
                    sent += _send(sink, lines[start : start + _BATCH_LINES])
                    progress.show(sent.events + sent.rejected)
            except RetryLater as later:
                remedy = f" {later.remedy}" if later.remedy else ""
                raise WhyOpsError(f"Could not send to {shown_address(address)}: {later.reason}.{remedy}") from None
            finally:
                sink.close()
            if sink.unsent:
                raise WhyOpsError(f"Could not send all to {shown_address(address)}: run this again.")
    rejected = f", {sent.rejected:,} rejected" if sent.rejected else ""
    context.print(f"{counted(sent.events, 'event')} sent as spans to {shown_address(address)}{rejected}.")
    return 1 if sent.rejected else 0


def _send(sink: OtlpSink, lines: Sequence[bytes]) -> _Sent:
    """Send a batch; one that is refused in halves, so that the others arrive."""
    try:
        return _Sent(sink.send(lines).stored)
    except BatchRejected:
        if len(lines) == 1:
            return _Sent(0, 1)
    half = len(lines) // 2
    return _send(sink, lines[:half]) + _send(sink, lines[half:])
