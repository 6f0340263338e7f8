"""Events whose contents are read from their lines when they are asked for, beside events that are read whole."""

from __future__ import annotations

import json

import pytest

from tests._render import real_runs
from tests._render.recordings import conversation
from whyops._wire.objects import recorded_in
from whyops._wire.read import RecordedEvent
from whyops._wire.stored_event import StoredEvent, stored_in

OURS = (
    b'{"traceId":"t","agentName":"a","externalUserId":"u","eventType":"tool_call_response","timestamp":"2026-11-20T10:00:00.000Z",'
    b'"idempotencyKey":"k","spanId":"s","stepId":4,"parentStepId":2,"content":{"toolCalls":[{"name":"n"}],"toolResults":{"error":"no"}},'
    b'"metadata":{"tool":"n"}}\n'
)
OTHERS = {
    "no metadata": b'{"traceId":"t","eventType":"error","content":{"message":"no"}}\n',
    "metadata inside the content": b'{"traceId":"t","content":{"a":1,"metadata":{"b":2}}}\n',
    "metadata inside both": b'{"traceId":"t","content":{"a":1,"metadata":{"b":2}},"metadata":{"c":3}}\n',
    "metadata inside metadata": b'{"traceId":"t","content":1,"metadata":{"a":1,"metadata":{"b":2}}}\n',
    "content inside metadata": b'{"traceId":"t","eventType":"error","metadata":{"a":1,"content":2,"metadata":{}}}\n',
    "both inside something else": b'{"traceId":"t","x":{"a":1,"content":2,"metadata":{"b":3}},"eventType":"error"}\n',
    "something else inside, and metadata": b'{"traceId":"t","x":{"a":1,"content":2,"metadata":{"b":3}},"metadata" :{"c":4}}\n',
    "something unknown before": b'{"x":1,"content":2,"metadata":{"b":3}}\n',
    "something unknown between": b'{"traceId":"t","content":1,"x":2,"metadata":{"b":3}}\n',
    "content twice": b'{"traceId":"t","content":1,"content":2,"metadata":{"b":3}}\n',
    "metadata first": b'{"traceId":"t","metadata":{"b":3},"content":1}\n',
    "metadata that is none": b'{"traceId":"t","content":{"a":1},"metadata":[1]}\n',
    "something behind": b'{"traceId":"t","content":1,"metadata":{"b":3},"idempotencyKey":"k"}\n',
    "quoted": b'{"traceId":"t","content":"\\",\\"metadata\\":{\\"x\\":1}","metadata":{"b":3}}\n',
    "not ASCII": '{"traceId":"ä日","content":{"é":"\\ud800 ü"},"metadata":{"ß":3}}\n'.encode(),
    "an escaped name": OURS.replace(b'"error"', b'"err\\u006fr"'),
    "many digits": b'{"traceId":"t","content":' + b"9" * 5000 + b',"metadata":{"b":"c"}}\n',
    "no object": b'["content",1,"metadata",{}]\n',
    "torn": OURS[:200] + b"\n",
}
RUNS = [conversation(), *map(real_runs.recorded, real_runs.NAMES)]
ASKED = sorted(
    {name for kind in RecordedEvent.__mro__ for name in vars(kind) if name[0] != "_" and name not in ("head", "let_go")}
    | {"content", "fields", "key", "line", "metadata", "raw", "span_id", "type"}
)


def told(event: RecordedEvent) -> dict[str, str]:
    """Return all that an event tells."""
    return {name: repr(getattr(event, name)) for name in ASKED}


def as_stored(events: list[dict[str, object]]) -> list[bytes]:
    """Make lines of events, with their members in our order."""
    order = ("traceId", "agentName", "externalUserId", "eventType", "timestamp", "idempotencyKey", "spanId", "content", "metadata")
    return [json.dumps({name: event[name] for name in order if name in event}, separators=(",", ":")).encode() + b"\n" for event in events]


@pytest.mark.parametrize("lines", [[OURS], *map(as_stored, RUNS), list(OTHERS.values()), *([one] for one in OTHERS.values())])
def test_stored_events_tell_what_whole_ones_tell(lines: list[bytes]) -> None:
    """Whoever wrote their lines, in whatever order they are asked, and when what was read has been let go of."""
    whole, stored = recorded_in(lines), stored_in(lines)
    expected = list(map(told, whole))
    assert list(map(told, stored)) == expected
    for event in stored:
        event.let_go()
    assert list(map(told, stored)) == expected
    assert stored == whole
    assert list(map(repr, stored)) == list(map(repr, whole))


def test_contents_are_left_in_our_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """No line of ours is read whole for what its metadata tells, and one content is read once."""
    lines = [OURS.replace(b'"error":"no"', b'"result":17')] * 50
    reads: list[int] = []
    reader = json.JSONDecoder().raw_decode

    def counted(text: str, start: int) -> tuple[object, int]:
        reads.append(start)
        return reader(text, start)

    monkeypatch.setattr("whyops._wire.stored_event._read_value", counted)
    events = stored_in(lines)
    assert {type(event) for event in events} == {StoredEvent}
    assert {(event.tool, event.failure, event.key, event.span_id) for event in events} == {("n", None, "k", "s")}
    assert all(event.at for event in events)
    assert not reads
    assert events[0].result == 17
    assert events[0].tool_calls
    assert len(reads) == 1
    assert "raw" not in vars(events[0])
