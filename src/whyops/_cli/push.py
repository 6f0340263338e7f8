"""`whyops push`: traces of the local store → the service, each event once."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from .._config import defaults
from .._delivery.delivery import Delivery
from .._store.groups import groups
from .._store.push_marks import Pushed, StoredLine
from .._store.reader import EVERYTHING, StoreReader
from .._wire.line import rewritten
from .._wire.read import RecordedEvent, decode
from ..errors import ConfigurationError, WhyOpsError
from ._command import Command, Context
from ._local import absorb_local
from ._progress import Progress
from ._push_spans import push_spans
from ._selection import add_selection, selected_ids, selection_of
from ._sending import add_timeout, delivery_to, result_text, settled, wait_for
from ._service import Service, required_service

CLOSE_SECONDS = 1.0
_BATCH_LINES = 500
_BATCH_BYTES = 4_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "traces", nargs="*", metavar="ID", help="trace ids, prefixes of them, or 'last'; or select traces with the options below"
    )
    parser.add_argument("--as-agent", metavar="NAME", help="send the traces as this agent's, whatever they were recorded as")
    parser.add_argument(
        "--otlp",
        metavar="URL",
        help="send them as OpenTelemetry spans to a collector or an engine, such as http://localhost:4318, with the headers in "
        "OTEL_EXPORTER_OTLP_HEADERS; no key is needed, and sent again they are the same spans",
    )
    parser.add_argument("--again", action="store_true", help="also send what was sent before; the service skips what it has")
    add_timeout(parser, "for each batch")
    add_selection(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Send what was not sent yet. Exit code 1 if anything is left, or was rejected."""
    if not arguments.traces and selection_of(arguments) == EVERYTHING:
        raise WhyOpsError("No traces selected: give their ids, or --since, --user or another option that `whyops push --help` lists.")
    if arguments.otlp is not None:
        return push_spans(arguments, context)
    service = required_service(context.home)
    absorb_local(context.home)
    pending = list(_pending(arguments, context, service))
    total = sum(len(one.lines) for one in pending)
    if not total:
        context.note("Everything was sent before; --again sends it once more.")
        return 0
    deliveries = list({id(one.delivery): one.delivery for one in pending}.values())
    left = total - _send(pending, deliveries, arguments.timeout, total)
    counts = [delivery.counts() for delivery in deliveries]
    for delivery in deliveries:
        delivery.wait(delivery.close(CLOSE_SECONDS, may_give_up=True), CLOSE_SECONDS, delivery.counts)
    context.print(result_text(left, *counts))
    return 1 if left or any(one.rejected for one in counts) else 0


@dataclass(frozen=True)
class _Pending:
    """The lines of one trace that were not sent yet, the delivery that sends them, and the marks of what was sent."""

    trace_id: str
    lines: Sequence[StoredLine]
    delivery: Delivery
    pushed: Pushed


def _pending(arguments: argparse.Namespace, context: Context, service: Service) -> Iterator[_Pending]:
    reader = StoreReader(context.home)
    deliveries: dict[str, Delivery] = {}
    for trace_id in selected_ids(arguments, reader):
        agent_name = arguments.as_agent or _agent_of(reader.events(trace_id), service)
        destination = service.destination(agent_name)
        if agent_name not in deliveries:
            deliveries[agent_name] = delivery_to(destination, partial(service.sink, agent_name), context.home)
        pushed = Pushed(context.home, destination.folder(context.home).name)
        lines = [(number, _line(line, agent_name, number)) for number, line in pushed.pending(trace_id, again=arguments.again)]
        if lines:
            yield _Pending(trace_id, lines, deliveries[agent_name], pushed)


def _agent_of(events: Sequence[dict[str, object]], service: Service) -> str:
    """Return the agent that a trace is sent as: the one that it was recorded as, or that of the settings if none was given."""
    recorded = next((name for event in events if (name := RecordedEvent(event).agent_name)), None)
    if recorded is not None and recorded != defaults.AGENT_NAME:
        return recorded
    if service.settings.agent_name is None:
        raise ConfigurationError(
            "These traces were recorded without an agent name, and the service allows few agents: pass --as-agent NAME, or set "
            "WHYOPS_AGENT_NAME."
        )
    return service.settings.agent_name


def _line(line: bytes, agent_name: str, number: int) -> bytes:
    """Return the line as it is sent. A key of its own is kept; without one it gets one that is the same each time."""
    event = RecordedEvent(decode(line) or {})
    if event.agent_name == agent_name and event.key is not None:
        return line if line.endswith(b"\n") else line + b"\n"
    return rewritten(event.raw, agent_name, event.key or f"push-{hashlib.sha256(b'%d:' % number + line).hexdigest()[:32]}")


def _send(pending: Sequence[_Pending], deliveries: Sequence[Delivery], timeout: float, total: int) -> int:
    """Send batch by batch, and mark each when it is settled, so that an interrupted push can be resumed. Returns the number sent."""
    sent = 0
    with Progress("events", total) as progress:
        for one in pending:
            for batch in groups(one.lines, lambda numbered: len(numbered[1]), _BATCH_LINES, _BATCH_BYTES):
                for _, line in batch:
                    one.delivery.record(line)
                flushed = one.delivery.flush(timeout, may_give_up=True)
                if wait_for(flushed, one.delivery, timeout, progress, lambda: settled(*(each.counts() for each in deliveries))).waiting:
                    return sent
                sent += len(batch)
                one.pushed.mark(one.trace_id, batch[-1][0])
    return sent


COMMAND = Command(
    name="push",
    summary="send traces of the local store to the service",
    description="Send recorded traces to the service, with the key in WHYOPS_API_KEY. Resumable: run it again after an interruption; "
    "no event is duplicated.",
    epilog="Examples: whyops push last; whyops push --since 7d --errors; whyops push --otlp http://localhost:6006 last",
    run=run,
    add_arguments=add_arguments,
)
