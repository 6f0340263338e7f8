"""What it costs the sender to make spans of lines, beside what nobody can do without: reading the JSON and writing the protobuf."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Theirs

from tests._otlp.runs import turn
from tests._recording.recording import Recording
from whyops._otlp.mapping import Mapping
from whyops._otlp.request import bodies
from whyops._otlp.span import Span, Value

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

BATCH = 500
ROUNDS = 20


def chats(count: int) -> list[bytes]:
    """Return the lines of so many chats of three turns, eleven lines each."""
    recording = Recording()
    for number in range(count):
        trace = recording.trace(f"chat-{number}", "u-1")
        for question in range(3):
            turn(trace, f"question {question} {'of some length ' * 10}")
    return recording.lines


def mapped(lines: list[bytes]) -> list[Span]:
    """Make the spans of all lines, in batches, and the requests that bring them."""
    mapping, spans = Mapping("bench"), []
    for start in range(0, len(lines), BATCH):
        made = [span for _, span in mapping.spans(lines[start : start + BATCH])]
        mapping.settle()
        spans += [*made, *mapping.ended()]
        mapping.forget_ended()
        list(bodies(made))
    return spans


def _set(held: AnyValue, value: Value) -> None:
    if isinstance(value, (str, bytes)):
        held.string_value = value  # type: ignore[assignment]  # it takes UTF-8, too
    elif isinstance(value, bool):
        held.bool_value = value
    elif isinstance(value, int):
        held.int_value = value
    elif isinstance(value, float):
        held.double_value = value
    else:
        for one in value:
            held.array_value.values.add(string_value=one)


def written(span: Span) -> bytes:
    """Write a span with OpenTelemetry's own classes, which are compiled."""
    theirs = Theirs(trace_id=span.trace_id, span_id=span.span_id, parent_span_id=span.parent_id or b"", name=span.name)
    theirs.start_time_unix_nano, theirs.end_time_unix_nano = span.start * 1000, span.end * 1000
    for name, value in {**(span.common.attributes if span.common else {}), **span.attributes}.items():
        _set(theirs.attributes.add(key=name).value, value)
    return bytes(theirs.SerializeToString())


def test_lines_to_requests(benchmark: BenchmarkFixture) -> None:
    """Divide by 660 for a line."""
    lines = chats(20)
    assert len(benchmark.pedantic(mapped, (lines,), rounds=ROUNDS, warmup_rounds=2)) == 340


def test_floor(benchmark: BenchmarkFixture) -> None:
    """What nobody does without: each line read by `json.loads`, and the same spans written by OpenTelemetry's compiled protobuf."""
    lines = chats(20)
    spans = mapped(lines)

    def floor() -> int:
        return len([json.loads(line) for line in lines]) + len([written(span) for span in spans])

    assert benchmark.pedantic(floor, rounds=ROUNDS, warmup_rounds=2) == 1_000
