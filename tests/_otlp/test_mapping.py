"""Lines as spans: what an engine is to show of a run."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests._otlp.runs import PIXEL, chat, fails, look, mapped, only, read, turn
from tests._recording.recording import Recording
from tests.server.otlp import attributes_of, check, values
from whyops._otlp import mapping as mapping_module
from whyops._otlp.ids import span_id_of
from whyops._otlp.mapping import Mapping
from whyops._recording.blocks import trace_of
from whyops._recording.carried import Carried, own_trace_id
from whyops._recording.trace import Trace
from whyops._recording.trace_writer import TraceWriter

CLIENT, INTERNAL, FAILED = 3, 1, 2


def test_each_turn_is_a_trace_with_its_root_last():
    """One conversation of two traces; each with the question and the answer at its root, which all else hangs under."""
    spans = mapped(chat().lines)
    for span in spans:
        check(span)
    assert [span.name for span in spans].count("invoke_agent tester") == 2
    assert len({span.trace_id for span in spans}) == 2
    for question in ("first", "second"):
        roots = [span for span in spans if not span.parent_span_id and attributes_of(span)["input.value"] == question]
        (root,) = roots
        members = [span for span in spans if span.trace_id == root.trace_id]
        assert members[-1] is root
        assert attributes_of(root) == {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.conversation.id": "chat-1",
            "gen_ai.agent.name": "tester",
            "whyops.trace_id": "chat-1",
            "user.id": "u-1",
            "input.value": question,
            "input.mime_type": "text/plain",
            "output.value": f"Answer to {question}",
            "output.mime_type": "text/plain",
        }
        assert {span.parent_span_id for span in members} <= {b"", *(span.span_id for span in members)}
        assert all(root.start_time_unix_nano <= span.start_time_unix_nano for span in members)
        assert all(span.end_time_unix_nano <= root.end_time_unix_nano for span in members)


def test_a_models_call():
    """Its kind and time, what it was asked with the rounds before, its reasoning, calls, end and tokens, cached ones among the input."""
    recording = Recording()
    turn(recording.trace("t"), "cup?")
    first, second = [span for span in mapped(recording.lines) if span.name == "chat gpt-4o"]
    assert (first.kind, first.end_time_unix_nano - first.start_time_unix_nano) == (CLIENT, 2_500_000)
    told = attributes_of(first)
    asked = [
        {"role": "system", "parts": [{"type": "text", "content": "Be kind."}]},
        {"role": "user", "parts": [{"type": "text", "content": "cup?"}]},
    ]
    call = {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"thing": "cup"}}
    assert json.loads(told["gen_ai.input.messages"]) == asked
    assert json.loads(told["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "reasoning", "content": "Let me see."}, call], "finish_reason": "tool_calls"}
    ]
    assert {name: value for name, value in told.items() if name.startswith(("gen_ai.usage", "gen_ai.re", "gen_ai.pro", "gen_ai.op"))} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o",
        "gen_ai.response.finish_reasons": ["tool_calls"],
        "gen_ai.usage.input_tokens": 20,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.usage.cache_read.input_tokens": 5,
        "gen_ai.usage.cache_creation.input_tokens": 12,
        "gen_ai.usage.cache_write.input_tokens": 12,
    }
    again = json.loads(attributes_of(second)["gen_ai.input.messages"])
    assert again[:2] == asked
    assert again[2] == {"role": "assistant", "parts": [call]}
    results = ['{"found":"cup"}', "ValueError: no 5"]  # of the tools that ran, without what one of them called
    assert again[3:] == [{"role": "tool", "parts": [{"type": "tool_call_response", "id": None, "response": one}]} for one in results]
    assert json.loads(attributes_of(second)["gen_ai.output.messages"])[0]["parts"] == [{"type": "text", "content": "Answer to cup?"}]


def test_a_tools_call():
    """Its arguments and result, its parent; a failed one by its status, with the exception as its event, and no result."""
    recording = Recording()
    with recording.trace("t"):
        fails(5)
    spans = mapped(recording.lines)
    inner, outer = only(spans, "execute_tool look"), only(spans, "execute_tool pay")
    assert inner.parent_span_id == outer.span_id
    told = attributes_of(inner)
    assert (inner.kind, inner.status.code, told["gen_ai.tool.name"]) == (INTERNAL, 0, "look")
    assert told["gen_ai.tool.call.arguments"] == told["input.value"] == '{"thing":"card"}'
    assert told["gen_ai.tool.call.result"] == told["output.value"] == '{"found":"card"}'
    assert told["input.mime_type"] == told["output.mime_type"] == "application/json"
    failed = attributes_of(outer)
    assert (outer.status.code, outer.status.message, failed["error.type"]) == (FAILED, "ValueError: no 5", "ValueError")
    assert "output.value" not in failed
    (event,) = outer.events
    exception = values(event.attributes)
    assert (event.name, exception["exception.type"], exception["exception.message"]) == ("exception", "ValueError", "no 5")
    assert "raise ValueError" in exception["exception.stacktrace"]


@pytest.mark.parametrize("size", [1, 2, 5, 1_000])
def test_the_same_lines_are_the_same_spans_in_any_batches(size: int):
    """Also where each batch is mapped again because its answer was lost, and where it is sent in halves then."""
    lines = chat().lines
    expected = sorted(span.SerializeToString() for span in mapped(lines))
    assert sorted(span.SerializeToString() for span in mapped(lines, size)) == expected
    mapping = Mapping("agent")
    found = []
    for start in range(0, len(lines), size):
        batch = lines[start : start + size]
        mapping.spans(batch)
        half = mapping.spans(batch[: size // 2])
        mapping.settle()
        found += [*half, *mapping.spans(batch[size // 2 :])]
        mapping.settle()
    spans = read([*(span for _, span in found), *mapping.end_all()])
    assert sorted(span.SerializeToString() for span in spans) == expected


def test_an_error_is_told_once():
    """As the exception of its call; or, without a call, as a span of its own; however far it goes up."""
    recording = Recording()
    with recording.trace("t") as trace:
        fails(5)
        trace.error_sync("alone", status=503)
        trace.tool_call_response_sync("other", "s-9", [], {"error": "told in words"})
    for size in (1, 100):
        spans = mapped(recording.lines, size)
        assert Counter(event.name for span in spans for event in span.events) == {"exception": 2}
        alone = only(spans, "error")
        assert (alone.status.code, alone.status.message) == (FAILED, "alone")
        assert alone.start_time_unix_nano == alone.end_time_unix_nano
        assert only(spans, "execute_tool other").status.message == "told in words"
        assert not only(spans, "execute_tool other").events


def test_what_a_killed_process_left_open():
    """A call without an end ends with the last that was told of its turn, and says so; an error without a call's end is not lost."""
    recording = Recording()
    with recording.trace("t") as trace:
        fails(5)
    lines = [line for line in recording.lines if b'"tool_call_response"' not in line or b'"look"' in line]
    recording.lines[:] = []
    spans = mapped(lines)
    failed = only(spans, "execute_tool pay")
    assert (failed.status.message, len(failed.events)) == ("ValueError: no 5", 1)
    lines = [line for line in lines if b'"eventType":"error"' not in line]
    spans = mapped(lines)
    open_one = only(spans, "execute_tool pay")
    assert attributes_of(open_one)["whyops.unanswered"] is True
    assert open_one.end_time_unix_nano == only(spans, "invoke_agent tester").end_time_unix_nano
    assert trace.id == "t"


def test_a_span_that_was_joined_is_let_go_of():
    """Nothing of a call that has ended is kept, and of what never ends so much at most."""
    mapping = Mapping("agent")
    mapped(chat().lines, mapping=mapping)
    assert all(not turn.requests and not turn.errors and not turn.thoughts for turn in mapping._ended.values())
    recording = Recording()
    trace = recording.trace("t")
    for number in range(20):
        trace.tool_call_request_sync("x", [], span_id=f"s-{number}")
    mapping = Mapping("agent")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("whyops._otlp.turn.MOST_HELD", 5)
        mapping.spans(recording.lines)
    assert len(mapping._turns["t", None].requests) == 5


def test_two_calls_at_once_have_their_own_prompts():
    """Which prompt is whose, the lines say by the call's id: also where the answers come in another order."""
    recording = Recording()
    with (
        recording.trace("t") as trace,
        trace.model_call("m-1", "openai", [{"role": "user", "content": "one"}]) as first,
        trace.model_call("m-2", "openai", [{"role": "user", "content": "two"}]) as second,
    ):
        second.answer("to two")
        first.answer("to one")
    spans = mapped(recording.lines, 1)
    for model, text in (("m-1", "one"), ("m-2", "two")):
        asked = json.loads(attributes_of(only(spans, f"chat {model}"))["gen_ai.input.messages"])
        assert [part["content"] for message in asked for part in message["parts"]] == [text]


def test_by_a_span_id_a_callers_own_prompt_is_found():
    """The nine methods take a `span_id`; a prompt and an answer with the same one belong together."""
    recording = Recording()
    trace = recording.trace("t")
    for name in ("one", "two"):
        trace.user_message_sync([{"role": "user", "content": name}], span_id=f"s-{name}")
    for name in ("one", "two"):
        trace.llm_response_sync(f"m-{name}", "openai", "x", span_id=f"s-{name}")
    spans = mapped(recording.lines)
    for name in ("one", "two"):
        assert f'"content":"{name}"' in attributes_of(only(spans, f"chat m-{name}"))["gen_ai.input.messages"]


def test_a_long_conversation_is_told_whole_each_time():
    """Prompts that are recorded as what is new and ids of the rest are put together again, over turns and batches."""
    recording = Recording()
    messages: list[dict[str, object]] = [{"role": "system", "content": "Be kind."}]
    trace = recording.trace("t")
    for number in range(4):
        messages.append({"role": "user", "content": f"question {number}"})
        with trace, trace.model_call("m", "openai", messages) as call:
            call.answer({"choices": [{"message": {"role": "assistant", "content": f"answer {number}"}, "finish_reason": "stop"}]})
        messages.append({"role": "assistant", "content": f"answer {number}"})
    spans = [span for span in mapped(recording.lines, 3) if span.name == "chat m"]
    for number, span in enumerate(spans):
        asked = json.loads(attributes_of(span)["gen_ai.input.messages"])
        assert [message["parts"][0]["content"] for message in asked] == [message["content"] for message in messages[: 2 + 2 * number]]
    assert len(spans) == 4


def test_a_prompt_of_which_a_part_was_forgotten_says_so(monkeypatch: pytest.MonkeyPatch):
    """What is kept of a conversation is bounded; what is not there any more stands as a gap, and no list is out of form."""
    monkeypatch.setattr("whyops._otlp.conversation.MOST_BYTES", 1_500)
    recording = Recording()
    messages: list[dict[str, object]] = []
    for number in range(6):
        messages.append({"role": "user", "content": f"question {number}"})
        with recording.trace("t") as trace, trace.model_call("m", "openai", messages) as call:
            call.answer("well")
    spans = mapped(recording.lines)
    for span in spans:
        check(span)
    last = attributes_of([span for span in spans if span.name == "chat m"][-1])["gen_ai.input.messages"]
    assert "[not recorded here]" in last
    assert "question 5" in last


def test_a_models_call_that_fails():
    """It is the call's span, from the question on, with the prompt and the exception; not one beside it."""
    recording = Recording()

    def fail() -> None:
        with recording.trace("t") as trace, trace.model_call("m", "openai", [{"role": "user", "content": "hi"}], params={"top_p": 0.5}):
            raise TimeoutError("late")

    with pytest.raises(TimeoutError, match="late"):
        fail()
    spans = mapped(recording.lines)
    assert [span.name for span in spans] == ["chat m", "invoke_agent tester"]
    failed = spans[0]
    assert (failed.status.message, len(failed.events), failed.kind) == ("TimeoutError: late", 1, CLIENT)
    assert '"content":"hi"' in attributes_of(failed)["gen_ai.input.messages"]
    assert failed.start_time_unix_nano < failed.end_time_unix_nano
    assert spans[1].status.code == FAILED


def test_an_embedding():
    """It has the texts of its request, and its tokens as input."""
    recording = Recording()
    with recording.trace("t") as trace:
        trace.embedding_request_sync(["tea", "cup"], span_id="s")
        trace.embedding_response_sync("e", "openai", 2, 3, total_tokens=8, latency_ms=4, span_id="s")
        trace.embedding_request_sync(["lost"], span_id="s-2")
    spans = mapped(recording.lines, 1)
    told = attributes_of(only(spans, "embeddings e"))
    assert (told["input.value"], told["gen_ai.usage.input_tokens"], told["gen_ai.operation.name"]) == ('["tea","cup"]', 8, "embeddings")
    assert attributes_of(only(spans, "embeddings"))["input.value"] == "lost"


def test_what_receivers_cannot_take_is_cut_or_text():
    """Deep values, long ids, broken characters, odd messages: nothing of it is out of form, and the whole id is there."""
    deep: object = "bottom"
    for _ in range(25):
        deep = {"in": [deep]}
    recording = Recording()
    with recording.trace("x" * 128) as trace:
        trace.user_message_sync([{"role": "user", "content": [{"type": "text", "text": "see"}, PIXEL]}, {"content": None}])  # type: ignore[list-item]
        trace.llm_response_sync("m", "p", tool_calls=[{"name": "look", "arguments": deep}])  # type: ignore[typeddict-item]
        trace.tool_call_response_sync("look", "s", [{"name": "look", "arguments": {"a": deep}}], {"result": "\ud800"})
    lines = [line.replace(b'"' + b"x" * 128 + b'"', b'"' + b"x" * 300 + b'"') for line in recording.lines]
    spans = mapped(lines)
    for span in spans:
        check(span)
        told = attributes_of(span)
        assert (told["gen_ai.conversation.id"], told["whyops.trace_id"]) == ("x" * 200, "x" * 300)
    assert "bottom" in attributes_of(only(spans, "execute_tool look"))["input.value"]
    assert '"content":"see"' in attributes_of(only(spans, "chat m"))["gen_ai.input.messages"]
    assert attributes_of(only(spans, "invoke_agent tester"))["input.value"] == "see"


def test_lines_that_name_no_turn_are_one_trace():
    """Those of older versions, and of other clients: the trace's own id is the trace's, where it has OpenTelemetry's form."""
    recording = Recording()
    trace = recording.trace("0af7651916cd43dd8448eb211c80319c")
    trace.user_message_sync([{"role": "user", "content": "hi"}])
    trace.llm_response_sync("m", "p", "well")
    spans = mapped(recording.lines)
    assert {span.trace_id.hex() for span in spans} == {"0af7651916cd43dd8448eb211c80319c"}
    assert attributes_of(spans[-1])["output.value"] == "well"


def test_a_turn_ends_with_the_next_one_or_when_all_is_quiet():
    """Its root is sent once it is sure what to say; what comes late adds to it, and it is sent again as the same span."""
    mapping = Mapping("agent")
    recording = Recording()
    trace = recording.trace("chat-1", "u-1")
    turn(trace, "first")
    mapping.spans(recording.lines)
    mapping.settle()
    assert mapping.ended() == []
    turn(trace, "second")
    mapping.spans(recording.lines[11:])
    mapping.settle()
    (root,) = mapping.ended()
    mapping.forget_ended()
    assert (root.attributes["input.value"], root.parent_id) == ("first", None)
    assert mapping.ended() == []
    mapping._latest += mapping_module.QUIET_MICROSECONDS + 1_000_000
    (quiet,) = mapping.ended()
    assert quiet.attributes["input.value"] == "second"
    mapping.forget_ended()
    mapping.spans(recording.lines[10:11])
    mapping.settle()
    (again,) = mapping.end_all()
    assert (again.span_id, again.attributes["input.value"]) == (root.span_id, "first")


def test_a_line_that_is_none_makes_no_span():
    """Torn lines, and events that nobody knows, hold nothing up."""
    assert mapped([b"{", b"[]\n", b'{"traceId":7}\n', b'{"eventType":"llm_response"}\n']) == []
    spans = mapped([b'{"traceId":"t","eventType":"llm_response"}\n', b'{"traceId":"t","eventType":"news"}\n'])
    assert [span.name for span in spans] == ["chat unknown", "invoke_agent agent"]


def test_ids_are_derived():
    """Nothing is drawn: the same span in any process."""
    recording = Recording()
    with recording.trace("t"):
        look("cup")
    span_id = recording.only("tool_call_response")["spanId"]
    assert only(mapped(recording.lines), "execute_tool look").span_id == span_id_of("t", span_id)
    assert span_id_of("t", "00f067aa0ba902b7").hex() == "00f067aa0ba902b7"
    assert span_id_of("t", "s") != span_id_of("other", "s")


def test_what_another_agent_did_is_in_the_tree_of_the_one_that_asked():
    """One trace and one root, the asking agent's; the ids of both sides fit together, and each span names its own agent."""
    asking, asked = Recording(agent_name="asking"), Recording(agent_name="asked")
    with asking.trace("t"), asking.trace("t").tool_span("delegate") as span:
        told = Carried("t", span.span_id, "asking", str(turn_of(asking)))
        writer = TraceWriter(asked.recorder, own_trace_id(told, "asked"), None, None, told.run_id)
        writer.sent_from = told.span_id
        writer.came_from(told.trace_id)
        with trace_of(Trace, writer):
            look("cup")
    spans = [*mapped(asking.lines), *mapped(asked.lines)]
    root, outer, inner = (only(spans, name) for name in ("invoke_agent asking", "execute_tool delegate", "execute_tool look"))
    assert len(spans) == 3
    assert (outer.parent_span_id, inner.parent_span_id) == (root.span_id, outer.span_id)
    assert len({span.trace_id for span in spans}) == 1
    held = attributes_of(inner)
    assert (held["gen_ai.agent.name"], held["gen_ai.conversation.id"], held["whyops.trace_id"]) == ("asked", "t", writer.id)


def test_what_agents_in_a_row_did_is_one_tree():
    """Each keeps a trace of its own, and knows of the one that asked for it and of the first; so does another process of an agent."""
    one, two, three = (Recording(agent_name=name) for name in ("one", "two", "three"))
    with one.trace("t"), one.trace("t").tool_span("first") as span:
        run_id = str(turn_of(one))
    for agent, name, parents in ((two, "second", ("t", None)), (two, "second too", ("t", None)), (three, "third", ("t of two", "t"))):
        writer = TraceWriter(agent.recorder, f"t of {agent.recorder.agent_name}", None, None, run_id)
        writer.sent_from = span.span_id
        writer.came_from(*parents)
        with trace_of(Trace, writer) as trace, trace.tool_span(name) as span:
            pass
    spans = [span for agent in (one, two, three) for span in mapped(agent.lines)]
    path = [
        only(spans, name) for name in ("invoke_agent one", *(f"execute_tool {name}" for name in ("first", "second", "second too", "third")))
    ]
    assert len(spans) == len(path)
    assert [span.parent_span_id for span in path[1:]] == [span.span_id for span in path[:-1]]
    assert len({span.trace_id for span in spans}) == 1


def turn_of(recording: Recording) -> object:
    return recording.events[-1]["metadata"]["runId"]


def test_what_a_model_was_asked_with():
    """The tools that it was offered, also where an earlier prompt tells them, and the parameters that the conventions name."""
    recording = Recording()
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    params = {"temperature": 0.5, "stop": "END", "n": 2, "seed": True, "stream": True, "max_completion_tokens": 9}
    messages = [{"role": "user", "content": "hi"}]
    usage = {"prompt_tokens": 3, "completion_tokens": 7, "completion_tokens_details": {"reasoning_tokens": 4}}
    said = {"choices": [{"message": {"role": "assistant", "content": "well"}, "finish_reason": "stop"}], "usage": usage, "model": "m-1"}
    with recording.trace("t") as trace:
        for _ in range(2):
            with trace.model_call("m", "openai", messages, tools=tools, params=params) as call:
                call.answer(said)
            messages = [*messages, {"role": "assistant", "content": "well"}, {"role": "user", "content": "again"}]
    assert "toolsFrom" in recording.events[2]["metadata"]
    for span in mapped(recording.lines):
        check(span)
    chats = [attributes_of(span) for span in mapped(recording.lines) if span.kind == CLIENT]
    for told in chats:
        assert json.loads(told["gen_ai.tool.definitions"]) == [{"type": "function", "name": "look", "parameters": {"type": "object"}}]
        assert {name: value for name, value in told.items() if name.startswith(("gen_ai.request", "gen_ai.response", "gen_ai.usage"))} == {
            "gen_ai.request.model": "m-1",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.stop_sequences": ["END"],
            "gen_ai.request.choice.count": 2,
            "gen_ai.request.max_tokens": 9,
            "gen_ai.response.model": "m-1",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.usage.reasoning.output_tokens": 4,
        }
        assert told["gen_ai.output.messages"] == told["output.value"]
    assert len(chats) == 2


@pytest.mark.parametrize(
    "result, expected",
    [
        ({"found": "cup", "at": 1}, '{"found":"cup","at":1}'),
        ({"result": 1, "more": 2}, '{"result":1,"more":2}'),
        ("cup", "cup"),
        ([1], "[1]"),
    ],
)
def test_a_result_that_a_prompt_quotes_is_whole(result: dict[str, object], expected: str):
    """A dict, too, whatever is in it; a failure's text."""
    recording = Recording()
    with recording.trace("t") as trace:
        trace.user_message_sync([{"role": "user", "content": "hi"}])
        trace.tool_call_response_sync("look", "s", [{"name": "look", "arguments": {}}], result)
        trace.llm_response_sync("m", "openai", "well")
    key = recording.events[1]["idempotencyKey"]
    asked = json.loads(recording.lines[0])
    asked["idempotencyKey"], asked["metadata"] = "other", {**asked["metadata"], "promptIds": [0, key], "callId": "c"}
    answer = json.loads(recording.lines[2])
    answer["metadata"]["callId"] = "c"
    lines = [*recording.lines[:2], *(json.dumps(event).encode() for event in (asked, answer))]
    (span,) = [span for span in mapped(lines) if span.name == "chat m"]
    said = json.loads(attributes_of(span)["gen_ai.input.messages"])[1]
    assert said == {"role": "tool", "parts": [{"type": "tool_call_response", "id": None, "response": expected}]}
