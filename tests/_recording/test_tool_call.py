"""One tool call from its request to its response."""

from tests._recording.recording import Recording
from whyops._recording.tool_call import ToolCallWriter


def begun(recording: Recording) -> ToolCallWriter:
    trace = recording.writer("t")
    call = ToolCallWriter(trace, "x", trace.encode_arguments({}))
    call.begin()
    return call


def test_a_call_ends_once():
    """Ending a call twice, in whatever way, records one response."""
    recording = Recording()
    call = begun(recording)
    call.succeed({"first": True})
    call.fail(ValueError("late"))
    call.interrupt("late")
    assert recording.only("tool_call_response")["content"]["toolResults"] == {"first": True}
    assert not recording.of_type("error")


def test_a_call_that_begins_again_is_another():
    """Each time it begins it has an id of its own, for its request and its response."""
    recording = Recording()
    call = begun(recording)
    call.succeed(1)
    call.begin()
    call.succeed(2)
    requests, responses = recording.of_type("tool_call_request"), recording.of_type("tool_call_response")
    assert [event["spanId"] for event in requests] == [event["spanId"] for event in responses]
    assert len({event["spanId"] for event in requests}) == 2
    assert [event["content"]["toolResults"] for event in responses] == [{"result": 1}, {"result": 2}]
