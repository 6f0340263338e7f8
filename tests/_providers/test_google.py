"""Google's `generateContent`, in the wire's names and as the objects of Google's package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests._providers.asking import said
from tests._recording.recording import Recording
from whyops._providers.status import status_of
from whyops._trace.model_calls import ModelCall
from whyops._trace.recorded import RecordedTrace
from whyops._wire.prompt import ModelToolCall
from whyops._wire.used import Usage

Form = Callable[[str, Any], Any]

USAGE = {
    "promptTokenCount": 10,
    "candidatesTokenCount": 5,
    "thoughtsTokenCount": 3,
    "cachedContentTokenCount": 4,
    "totalTokenCount": 18,
}


def _wire(kind: str, value: Any) -> Any:
    """Give what the wire has."""
    return value


def _package(kind: str, value: Any) -> Any:
    """Give the package's own object of it."""
    return getattr(pytest.importorskip("google.genai.types"), kind).model_validate(value)


@pytest.fixture(params=[_wire, _package], ids=["wire", "package"])
def form(request: pytest.FixtureRequest) -> Form:
    made: Form = request.param
    return made


def answer(*parts: dict[str, Any], reason: str = "STOP", **more: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": reason, "index": 0, **more}
    return {"candidates": [candidate], "usageMetadata": USAGE, "modelVersion": "gemini-test-001"}


def calls_in(recording: Recording) -> tuple[ModelCall, ...]:
    return RecordedTrace.from_events(recording.events).model_calls


def test_an_answer_with_all_that_it_tells(form: Form) -> None:
    """Thoughts, text, the counts of the cache and of thoughts; the system instruction and the tools stand in the config."""
    recording = Recording()
    tools = [{"functionDeclarations": [{"name": "find", "description": "Find an order."}, {"name": "count"}]}, {"googleSearch": {}}]
    config = form("GenerateContentConfig", {"systemInstruction": "Be brief.", "temperature": 0.5, "tools": tools})
    contents = form("Content", {"role": "user", "parts": [{"text": "Where is it?"}]})
    with recording.trace("t").model_call("gemini", "google", contents, params={"config": config}) as call:
        call.answer(form("GenerateContentResponse", answer({"text": "Let me see.", "thought": True}, {"text": "In Lübeck."})))
    (recorded,) = calls_in(recording)
    assert recorded.prompt == (said("system", "Be brief."), said("user", "Where is it?"))
    assert (recorded.answer, recorded.thinking, recorded.finish_reason) == ("In Lübeck.", ("Let me see.",), "STOP")
    assert (recorded.usage, recorded.model) == (Usage(prompt=6, completion=8, cache_read=4), "gemini-test-001")
    assert recorded.tools[:2] == ("find", "count")
    assert recorded.tools[2].lower().replace("_", "") == "googlesearch"
    assert recorded.params == {"temperature": 0.5}
    assert recording.only("llm_response")["metadata"]["reasoningTokens"] == 3


def test_functions_are_called_and_told(form: Form) -> None:
    """The content of the answer is handed back as it is; results are a user's content, one message each."""
    recording = Recording()
    trace = recording.trace("t")
    wanted = [{"functionCall": {"name": "find", "args": {"id": 7}}, "thoughtSignature": "c2ln"}, {"functionCall": {"name": "count"}}]
    response = form("GenerateContentResponse", answer({"text": "I look."}, *wanted))
    contents: list[Any] = [form("Content", {"role": "user", "parts": [{"text": "Where is it?"}]})]
    with trace.model_call("gemini", "google", contents) as call:
        call.answer(response)
    contents.append(response["candidates"][0]["content"] if isinstance(response, dict) else response.candidates[0].content)
    results = [
        {"functionResponse": {"name": "find", "response": {"at": "here"}}},
        {"functionResponse": {"name": "count", "response": {"n": 1}}},
    ]
    contents.append(form("Content", {"role": "user", "parts": results}))
    with trace.model_call("gemini", "google", contents) as call:
        call.answer(form("GenerateContentResponse", answer({"text": "Here."})))
    first, second = calls_in(recording)
    asked = (ModelToolCall(None, "find", {"id": 7}), ModelToolCall(None, "count", {}))
    assert (first.tool_calls, first.answer) == (asked, "I look.")
    told = (said("tool", {"at": "here"}, name="find"), said("tool", {"n": 1}, name="count"))
    assert second.prompt == (said("user", "Where is it?"), said("assistant", "I look.", *asked), *told)
    assert [len(event["content"]) for event in recording.of_type("user_message")] == [1, 2]


def test_a_stream_is_put_together(form: Form) -> None:
    """Its chunks are answers; texts go on, thoughts apart from what is said."""
    recording = Recording()
    given = [answer({"text": "Let ", "thought": True}), answer({"text": "me see.", "thought": True}), answer({"text": "In "})]
    given = [{"candidates": [{**one["candidates"][0], "finishReason": None}], "modelVersion": "gemini-test-001"} for one in given]
    given.append(answer({"text": "Lübeck."}, {"functionCall": {"name": "find", "args": {}}}))
    stream = [form("GenerateContentResponse", one) for one in given]
    with recording.trace("t").model_call("gemini", "google", "Where is it?") as call:
        assert list(call.stream(iter(stream))) == stream
    (recorded,) = calls_in(recording)
    assert (recorded.answer, recorded.thinking, recorded.tool_calls) == ("In Lübeck.", ("Let me see.",), (ModelToolCall(None, "find", {}),))
    assert (recorded.usage.total, recorded.finish_reason, recorded.interrupted) == (18, "STOP", None)


def test_what_is_refused_is_marked(form: Form) -> None:
    """An answer that was stopped for safety, and a prompt that was blocked."""
    recording = Recording()
    for given in (answer({"text": "I"}, reason="SAFETY"), {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}):
        with recording.trace("t").model_call("gemini", "google", "Help!") as call:
            call.answer(form("GenerateContentResponse", given))
    events = recording.of_type("llm_response")
    assert [(event["content"]["finishReason"], event["metadata"]["refused"]) for event in events] == [
        ("SAFETY", True),
        ("PROHIBITED_CONTENT", True),
    ]


def test_code_that_google_ran_is_a_call_of_a_tool(form: Form) -> None:
    """With what came of it."""
    recording = Recording()
    code = [{"executableCode": {"language": "PYTHON", "code": "1 + 1"}}, {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}}]
    with recording.trace("t").model_call("gemini", "google", "Add!") as call:
        call.answer(form("GenerateContentResponse", answer(*code, {"text": "Two."})))
    response = recording.only("tool_call_response")["content"]
    assert (response["toolCalls"][0]["arguments"]["code"], response["toolResults"]["output"]) == ("1 + 1", "2")
    assert calls_in(recording)[0].answer == "Two."


def test_texts_and_parts_are_one_content_of_the_users() -> None:
    """As Google's package takes them."""
    recording = Recording()
    image = {"inlineData": {"mimeType": "image/png", "data": "x" * 10_000}}
    with recording.trace("t").model_call("gemini", "google", ["What is it?", image]) as call:
        call.answer("A lamp.")
    (message,) = recording.only("user_message")["content"]
    assert message["role"] == "user"
    assert message["content"][0] == {"text": "What is it?"}
    assert "10000 characters" in str(message["content"][1])


def test_the_status_of_an_error_of_googles_package() -> None:
    """It has another name there; a code of anybody else's is no status."""
    errors = pytest.importorskip("google.genai.errors")
    error = errors.ClientError(429, {"error": {"message": "slow down", "status": "RESOURCE_EXHAUSTED"}})
    assert status_of(error) == 429

    class Other(Exception):
        code = 429

    assert status_of(Other()) is None
