"""Bytes as OpenTelemetry's own classes read them, and write them."""

from __future__ import annotations

import math

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Theirs

from tests.server.otlp import values
from whyops._otlp import protobuf
from whyops._otlp.request import bodies
from whyops._otlp.span import CLIENT, Span, SpanEvent, span_bytes


def span(name: str = "a", agent: str = "tester", **attributes: object) -> Span:
    """Make a span."""
    return Span(agent, b"t" * 16, b"s" * 8, b"p" * 8, name, CLIENT, 1_000, 2_500, dict(attributes))  # type: ignore[arg-type]


def test_each_field_is_where_it_belongs():
    """Ids, name, kind, times in nanoseconds, status, events and links; and nothing that the classes don't know."""
    made = span("näme")
    made.failure = "no"
    made.events = (SpanEvent("exception", 1_700, {"exception.type": "E"}),)
    made.links = ((b"l" * 16, b"m" * 8),)
    read = Theirs.FromString(span_bytes(made))
    assert (read.trace_id, read.span_id, read.parent_span_id, read.name, read.kind) == (b"t" * 16, b"s" * 8, b"p" * 8, "näme", CLIENT)
    assert (read.start_time_unix_nano, read.end_time_unix_nano) == (1_000_000, 2_500_000)
    assert (read.status.code, read.status.message) == (2, "no")
    (event,), (link,) = read.events, read.links
    assert (event.name, event.time_unix_nano, values(event.attributes)) == ("exception", 1_700_000, {"exception.type": "E"})
    assert (link.trace_id, link.span_id) == (b"l" * 16, b"m" * 8)
    assert len(read.SerializeToString()) == len(span_bytes(made))


@pytest.mark.parametrize(
    "value", ["", "text", "ä" * 200, 0, 1, 127, 128, 2**40, -1, -(2**62), 2**63 - 1, 1.5, -0.25, math.inf, True, False, ("a", "b")]
)
def test_each_value_is_what_it_was(value: object):
    """Texts, whole numbers of either sign, fractions, truth values, lists of texts."""
    (found,) = Theirs.FromString(span_bytes(span(x=value))).attributes
    held = values([found])["x"]
    assert (tuple(held) if isinstance(value, tuple) else held) == value
    assert type(held) is (list if isinstance(value, tuple) else type(value))


def test_what_does_not_fit_is_the_nearest_that_does():
    """A number beyond 64 bits, half a character, a time before 1970: no request is spoilt by them."""
    made = span(big=2**70, half="a\ud800")
    made.start = -5
    read = Theirs.FromString(span_bytes(made))
    assert values(read.attributes) == {"big": 2**63 - 1, "half": "a?"}
    assert read.start_time_unix_nano == 0


def test_requests_are_bounded_and_hold_each_span_once():
    """As many as fit into one, in order; one that is too large goes alone; without spans there is no request. Agents are resources."""
    spans = [span(f"{number}", f"agent-{number % 2}", x="y" * 1_000) for number in range(10)]
    spans[4].attributes["x"] = "z" * 9_000
    found = list(bodies(spans, 3_500))
    assert [list(body.places) for body in found] == [[0, 1, 2], [3], [4], [5, 6, 7], [8, 9]]
    read = ExportTraceServiceRequest.FromString(found[0].content)
    by_agent = {
        values(group.resource.attributes)["service.name"]: [one.name for one in group.scope_spans[0].spans] for group in read.resource_spans
    }
    assert by_agent == {"agent-0": ["0", "2"], "agent-1": ["1"]}
    assert read.resource_spans[0].scope_spans[0].scope.name == "whyops"
    assert list(bodies([])) == []


def test_messages_are_read_and_what_is_none_is_told():
    """An answer's fields; bytes that end too early, or that are something else, are malformed."""
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans, answer.partial_success.error_message = 300, "no"
    ((number, body),) = protobuf.fields(answer.SerializeToString())
    assert isinstance(body, bytes)
    assert (number, dict(protobuf.fields(body))) == (1, {1: 300, 2: b"no"})
    fixed = protobuf.fixed(1, 7) + b"\x15\x01\x00\x00\x00"
    assert [place for place, _ in protobuf.fields(fixed)] == [1, 2]
    for broken in (b"\x0a\x05ab", b"\x0a", b"\x80", b"\x0b", b"\xff" * 11, b"\x09\x01"):
        with pytest.raises(protobuf.Malformed):
            list(protobuf.fields(broken))
