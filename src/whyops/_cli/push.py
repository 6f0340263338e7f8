"""`whyops push`: traces of the local store → the service, each event once."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from .._config import defaults
from .._delivery.delivery import Delivery
from .._printable import counted
from .._store.push_marks import Pushed, StoredLine
from .._store.reader import StoreReader
from .._store.row import decode
from ..errors import ConfigurationError, WhyOpsError
from ..types import FlushResult
from ._command import Command, Context
from ._local import NOBODY, absorb_local
from ._progress import GRACE_SECONDS, Progress
from ._selection import add_selection, chosen_ids, is_given
from ._service import Service, the_service

USUAL_SECONDS = 60.0
CLOSE_SECONDS = 1.0
_PART_LINES = 500
_PART_BYTES = 4_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument(
        "traces", nargs="*", metavar="ID", help="traces' ids, beginnings of them, or 'last'; or choose with the words below"
    )
    parser.add_argument("--as-agent", metavar="NAME", help="send them as this agent's, whatever they were recorded as")
    parser.add_argument("--again", action="store_true", help="also what was sent before; the service skips what it has")
    parser.add_argument("--timeout", type=float, default=USUAL_SECONDS, metavar="S", help="seconds that a part may take (default: 60)")
    add_selection(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Send what was not sent yet. Exit code 1 if anything is left, or was refused."""
    if not arguments.traces and not is_given(arguments):
        raise WhyOpsError("Say which traces: their ids, or --since, --user, … as `whyops push --help` lists them.")
    service = the_service(context.home)
    absorb_local(context.home)
    work = list(_work(arguments, context, service))
    total = sum(len(one.lines) for one in work)
    if not total:
        print("All of it was sent before; --again sends it once more.", file=sys.stderr)
        return 0
    sent = _Sent()
    with Progress("events", total) as progress:
        for one in work:
            if not _send(one, arguments.timeout, progress, sent):
                break
    for delivery in {id(one.delivery): one.delivery for one in work}.values():
        delivery.wait(delivery.close(CLOSE_SECONDS, may_give_up=True), CLOSE_SECONDS, delivery.counts)
    return _told(context, sent, total)


@dataclass(frozen=True)
class _Work:
    """One trace's part of the work: its lines of one agent, and how to send and to remember them."""

    trace_id: str
    lines: Sequence[StoredLine]
    delivery: Delivery
    pushed: Pushed


@dataclass
class _Sent:
    """What became of the events so far."""

    settled: int = 0
    delivered: int = 0
    sampled_out: int = 0
    refused: int = 0


def _work(arguments: argparse.Namespace, context: Context, service: Service) -> Iterator[_Work]:
    reader = StoreReader(context.home)
    deliveries: dict[str, Delivery] = {}
    for trace_id in chosen_ids(arguments, reader):
        agent_name = arguments.as_agent or _agent_of(reader.events(trace_id), service)
        destination = service.destination(agent_name)
        if agent_name not in deliveries:
            make_sink = partial(service.sink, agent_name)
            deliveries[agent_name] = Delivery(destination, make_sink, home=context.home, process_nonce=lambda: NOBODY)
        pushed = Pushed(context.home, destination.folder(context.home).name)
        lines = [(number, _line(line, agent_name, number)) for number, line in pushed.pending(trace_id, again=arguments.again)]
        if lines:
            yield _Work(trace_id, lines, deliveries[agent_name], pushed)


def _agent_of(events: Sequence[dict[str, object]], service: Service) -> str:
    """Return the agent that a trace is sent as: the one that it was recorded as, or that of the settings if it was nobody's."""
    recorded = next((name for event in events if isinstance(name := event.get("agentName"), str) and name), None)
    if recorded is not None and recorded != defaults.AGENT_NAME:
        return recorded
    if service.settings.agent_name is None:
        raise ConfigurationError(
            "These traces were recorded without an agent's name, and the service allows few agents: say --as-agent NAME, or set "
            "WHYOPS_AGENT_NAME."
        )
    return service.settings.agent_name


def _line(line: bytes, agent_name: str, number: int) -> bytes:
    """Return the line as it is sent. A key of its own is kept; without one it gets one that is the same each time."""
    event = decode(line) or {}
    key = event.get("idempotencyKey")
    if event.get("agentName") == agent_name and isinstance(key, str) and key:
        return line if line.endswith(b"\n") else line + b"\n"
    if not isinstance(key, str) or not key:
        key = f"push-{hashlib.sha256(b'%d:' % number + line).hexdigest()[:32]}"
    return json.dumps({**event, "agentName": agent_name, "idempotencyKey": key}, separators=(",", ":")).encode() + b"\n"


def _send(work: _Work, timeout: float, progress: Progress, sent: _Sent) -> bool:
    """Send a trace part by part, and remember each part when it is settled. Returns whether all of it is."""
    for part in _parts(work.lines):
        result = _send_part(part, work.delivery, timeout, progress, sent)
        if result.waiting:
            return False
        sent.settled += len(part)
        work.pushed.mark(work.trace_id, part[-1][0])
    return True


def _send_part(part: Sequence[StoredLine], delivery: Delivery, timeout: float, progress: Progress, sent: _Sent) -> FlushResult:
    before = delivery.counts()
    for _, line in part:
        delivery.record(line)
    done = lambda: sent.settled + _settled(delivery.counts()) - _settled(before)  # noqa: E731
    result = progress.wait(delivery.flush(timeout, may_give_up=True), timeout + GRACE_SECONDS, delivery.counts, done, delivery.attend)
    sent.delivered += result.delivered - before.delivered
    sent.sampled_out += result.sampled_out - before.sampled_out
    sent.refused += result.parked - before.parked
    return result


def _parts(lines: Sequence[StoredLine]) -> Iterator[list[StoredLine]]:
    part: list[StoredLine] = []
    size = 0
    for one in lines:
        if part and (len(part) >= _PART_LINES or size + len(one[1]) > _PART_BYTES):
            yield part
            part, size = [], 0
        part.append(one)
        size += len(one[1])
    yield part


def _settled(counts: FlushResult) -> int:
    return counts.delivered + counts.parked + counts.sampled_out


def _told(context: Context, sent: _Sent, total: int) -> int:
    parts = [f"{counted(sent.delivered, 'event')} delivered"]
    if sent.sampled_out:
        parts.append(f"{sent.sampled_out:,} sampled out by the service (`whyops doctor` tells which share it keeps)")
    if sent.refused:
        parts.append(f"{sent.refused:,} refused for good (`whyops status` tells why)")
    left = total - sent.settled
    if left:
        parts.append(f"{left:,} not sent: run this again to go on")
    context.terminal.write(", ".join(parts) + ".\n")
    return 1 if left or sent.refused else 0


COMMAND = Command(
    name="push",
    summary="send traces of the local store to the service",
    description="Send recorded traces to the service that WHYOPS_API_KEY is for. What was sent is remembered: interrupted, it goes on "
    "where it was, and each event arrives once.",
    epilog="Examples: whyops push last; whyops push --since 7d --errors",
    run=run,
    add_arguments=add_arguments,
)
