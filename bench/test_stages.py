"""What each stage of recording costs: an event's way from a call's arguments to where it is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import whyops
from whyops._encoding.encoder import Encoder
from whyops._encoding.redaction.redactor import Redactor
from whyops._outbox.batch import Batch
from whyops._outbox.destination import Destination
from whyops._outbox.file_outbox import FileOutbox
from whyops._outbox.memory_outbox import MemoryOutbox
from whyops._recording import context
from whyops._recording.arguments import Arguments
from whyops._recording.frames import Frame
from whyops._recording.ids import Ids
from whyops._recording.recorder import Recorder
from whyops._recording.tool_call import ToolCallWriter
from whyops._recording.trace import Trace, writer_of
from whyops._runtime.clock import CLOCK
from whyops._service.sink import HttpSink
from whyops._store.sink import SqliteSink
from whyops._wire.timestamps import EventClock

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

BATCH = 1000
ROUNDS = 30

RESULT = {
    "order": "order-00017",
    "status": "shipped",
    "items": [{"sku": "SKU-1043", "name": "Desk lamp, brass", "quantity": 2, "price": 39.5}, {"sku": "SKU-2210", "name": "Bulb E14, warm"}],
    "address": {"street": "12 Harbour Road", "city": "Lund"},
    "note": "Leave it with the neighbours if nobody is in; the bell at the side door does not work.",
}
SECRETS = {**RESULT, "note": "Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123456789", "password": "correct horse"}


def search_orders(order: str, limit: int = 10) -> dict[str, Any]:  # noqa: ARG001 - a tool as users write them
    """Return about 300 bytes of JSON."""
    return RESULT


def lines(count: int) -> list[bytes]:
    """Return events as they lie in the outbox, each with a key of its own."""
    event = {
        "traceId": "bench-trace",
        "agentName": "bench",
        "eventType": "tool_call_response",
        "spanId": "s-1",
        "timestamp": "2026-11-23T18:14:05.123456Z",
        "idempotencyKey": "",
        "content": {"toolCalls": [{"name": "search_orders", "arguments": {"order": "order-00017"}}], "toolResults": RESULT},
        "metadata": {"tool": "search_orders", "latencyMs": 1},
    }
    return [json.dumps(event | {"idempotencyKey": f"k-{number}"}, separators=(",", ":")).encode() + b"\n" for number in range(count)]


def open_trace() -> Trace:
    """Return a trace whose events go nowhere."""
    return Trace(Recorder(agent_name="bench", encode=Encoder().encode, record=lambda _: None), "bench-trace")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[FileOutbox]:
    """Make an outbox of files."""
    destination = Destination("http://127.0.0.1", "bench", "0" * 16)
    made = FileOutbox(tmp_path / "outbox", destination, "", nonce=lambda: "0" * 16, max_bytes=1_000_000_000, clock=CLOCK)
    yield made
    made.close()


def test_bind_arguments(benchmark: BenchmarkFixture) -> None:
    """Name a call's arguments, by what is known of its function."""
    benchmark(Arguments(search_orders, None).by_name, ("order-00017",), {"limit": 5})


@pytest.mark.parametrize("value", [{"order": "order-00017", "limit": 5}, RESULT], ids=["arguments", "result of 300 bytes"])
def test_serialise(benchmark: BenchmarkFixture, value: object) -> None:
    """Encode a value of plain types, looking for secrets on the way."""
    benchmark(Encoder().encode, value)


def test_serialise_an_object(benchmark: BenchmarkFixture) -> None:
    """Encode what is not plain: a bounded copy is made first."""
    benchmark(Encoder().encode, {"path": Path("orders"), "result": RESULT})


def test_redact(benchmark: BenchmarkFixture) -> None:
    """Encode a value that holds a secret under its name, and one in a text."""
    benchmark(Encoder().encode, SECRETS)


def test_search_for_secrets(benchmark: BenchmarkFixture) -> None:
    """Look through the JSON of a result for traces of secrets; there are none."""
    benchmark(Redactor().may_hold, json.dumps(RESULT, separators=(",", ":")))


def test_both_lines(benchmark: BenchmarkFixture) -> None:
    """Make the request's and the response's line of a call whose values are encoded: ids, keys, times, latency."""
    trace = writer_of(open_trace())
    arguments, result = trace.recorder.encode({"order": "order-00017", "limit": 5}), trace.recorder.encode(RESULT)

    def record() -> None:
        call = ToolCallWriter(trace, "search_orders", arguments)
        call.begin()
        call.succeed_encoded(result)

    benchmark(record)


def test_stamp(benchmark: BenchmarkFixture) -> None:
    """Make the two things that each event has of its own: a time and a key."""
    clock, ids = EventClock(), Ids()

    def stamp() -> tuple[str, str]:
        return clock.text(clock.wall_ns()), ids.next()

    benchmark(stamp)


def test_make_current(benchmark: BenchmarkFixture) -> None:
    """Make a span current for the calls inside, and put back what was."""
    trace, owner = writer_of(open_trace()), object()

    def enter_and_leave() -> None:
        frame = Frame(trace, "span", owner, context.beneath())
        context.current.set(frame)
        context.leave(frame)

    benchmark(enter_and_leave)


def test_append_to_file(benchmark: BenchmarkFixture, outbox: FileOutbox) -> None:
    """Write a line to the outbox file."""
    (line,) = lines(1)
    benchmark.pedantic(outbox.append, args=(line,), rounds=10 * ROUNDS, iterations=100, warmup_rounds=1)


def test_append_to_memory(benchmark: BenchmarkFixture) -> None:
    """Keep a line in memory instead."""
    (line,) = lines(1)
    memory = MemoryOutbox(1_000_000_000)
    benchmark.pedantic(memory.append, args=(line,), rounds=10 * ROUNDS, iterations=100, warmup_rounds=1)


def test_batch(benchmark: BenchmarkFixture, outbox: FileOutbox) -> None:
    """Read a batch of 1,000 events back from the file."""
    for line in lines(BATCH):
        outbox.append(line)

    def read() -> int:
        return Batch().extend(outbox.shelves(), BATCH, 1_000_000)

    benchmark(read)


def test_send(benchmark: BenchmarkFixture) -> None:
    """Post a batch of 1,000 events and read what became of each, without a network."""
    batch = lines(BATCH)
    answers = json.dumps([{"id": "3f0e8c1a-7b52-4c6e-9f43-0d6c1b9a2e55", "status": "saved", "stepId": 1, "spanId": "s-1"}] * BATCH)
    sink = HttpSink(
        analyse_base_url="http://127.0.0.1/api",
        proxy_base_url="http://127.0.0.1",
        api_key="whyops_bench",
        agent_name="bench",
        agent_metadata=None,
        transport=httpx.MockTransport(lambda _: httpx.Response(201, text=answers)),
    )
    benchmark(sink.send, batch)


def test_store(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Put a batch of 1,000 new events into the local store."""
    sink = SqliteSink(tmp_path)
    batch, rounds = lines(BATCH), iter(range(10_000))

    def renamed() -> tuple[tuple[list[bytes]], dict[str, Any]]:
        number = next(rounds)
        return ([line.replace(b'"k-', b'"%d-' % number) for line in batch],), {}

    benchmark.pedantic(sink.send, setup=renamed, rounds=10)
    sink.close()


@pytest.mark.parametrize("recorded", [False, True], ids=["bare", "recorded"])
def test_whole_call(benchmark: BenchmarkFixture, recorded: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Call a tool whose events go nowhere: all stages of capture together."""
    tool: Callable[..., object] = whyops.tool(search_orders) if recorded else search_orders
    with open_trace():
        benchmark.pedantic(tool, args=("order-00017",), kwargs={"limit": 5}, rounds=10 * ROUNDS, iterations=20, warmup_rounds=1)
