"""Messages, results and metadata in the forms that providers and versions give them, without a model."""

from __future__ import annotations

import inspect
import itertools
import json
import uuid
from typing import Annotated, Any, Optional, Union

import pytest
from langchain_core.callbacks import AsyncCallbackManagerForToolRun, Callbacks
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, ChatMessage, FunctionMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import InjectedToolArg
from langgraph.graph import StateGraph  # noqa: F401  (LangGraph's classes are told where they are loaded)
from langgraph.prebuilt import ToolRuntime
from langgraph.store.base import BaseStore

from whyops._encoding.encoder import Encoder
from whyops._providers.answer import Answer
from whyops._providers.messages import begins_a_turn
from whyops._recording import arguments
from whyops._wire.usage import token_usage
from whyops.integrations.langchain import _answers, _results, _who
from whyops.integrations.langchain import _translate as translate
from whyops.integrations.langchain._injected import is_injected

encode = Encoder().encode


def answer(message: AIMessage, **output: Any) -> Answer:
    (one,) = _answers.answers_of(LLMResult(generations=[[ChatGeneration(message=message)]], llm_output=output or None), encode)
    return one


@pytest.mark.parametrize(
    "content, extra, thinking",
    [
        ([{"type": "thinking", "thinking": "A", "signature": "s"}, {"type": "text", "text": "."}], {}, [("A", "s")]),
        ([{"type": "reasoning", "reasoning": "A", "extras": {"signature": "s"}}], {}, [("A", "s")]),
        (
            [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "A"}, {"type": "summary_text", "text": "B"}]}],
            {},
            [("A", None), ("B", None)],
        ),
        ([{"type": "reasoning", "content": [{"type": "reasoning_text", "text": "A"}]}], {}, [("A", None)]),
        ([{"type": "reasoning_content", "reasoning_content": {"text": "A", "signature": "s"}}], {}, [("A", "s")]),
        (
            [{"type": "redacted_thinking", "data": "x"}, {"type": "reasoning", "summary": []}],
            {},
            [("[redacted by the provider: 1 characters]", None)],
        ),
        ("text", {"reasoning_content": "A"}, [("A", None)]),
        ("text", {"reasoning": {"summary": [{"type": "summary_text", "text": "A"}]}}, [("A", None)]),
        ("text", {"reasoning": 7}, []),
        ("text", {}, []),
    ],
)
def test_reasoning_in_each_providers_form(content, extra, thinking):
    """Anthropic's, LangChain's, OpenAI's, Bedrock's and DeepSeek's reasoning: text and, where there is one, signature."""
    assert answer(AIMessage(content, additional_kwargs=extra)).thinking == thinking


def test_google_style_answers():
    """Gemini's finish reason, model and tokens, cached ones apart."""
    usage: Any = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, "input_token_details": {"cache_read": 4}}
    told = {"finish_reason": "STOP", "model_name": "gemini-2.5-flash", "model_provider": "google_genai"}
    content = [{"type": "thinking", "thinking": "Hm.", "signature": "s"}, "Plain ", {"type": "text", "text": "text."}]
    found = answer(AIMessage(content, usage_metadata=usage, response_metadata=told))
    assert (found.content, found.finish_reason, found.model, found.provider) == ("Plain text.", "STOP", "gemini-2.5-flash", "google_genai")
    assert token_usage(found.usage) == {"promptTokens": 6, "completionTokens": 5, "totalTokens": 15, "cacheReadTokens": 4}


def test_anthropics_cache_writes_are_counted():
    """What was written to the cache by lifetime counts as written, and not as prompt."""
    details: Any = {"cache_read": 60, "cache_creation": 0, "ephemeral_5m_input_tokens": 7, "ephemeral_1h_input_tokens": 3}
    usage: Any = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120, "input_token_details": details}
    counts = token_usage(answer(AIMessage("", usage_metadata=usage)).usage)
    assert counts == {
        "promptTokens": 30,
        "completionTokens": 20,
        "totalTokens": 120,
        "cacheReadTokens": 60,
        "cacheWrite5mTokens": 7,
        "cacheWrite1hTokens": 3,
    }


def test_tool_calls_whose_arguments_are_no_json():
    """A call that LangChain could not read is recorded with the text that came."""
    message = AIMessage(
        "", invalid_tool_calls=[{"name": "f", "args": '{"half', "id": "1", "error": "no JSON", "type": "invalid_tool_call"}]
    )
    assert answer(message).tool_calls == [{"id": "1", "function": {"name": "f", "arguments": '{"half'}}]


def test_older_function_calls():
    """OpenAI's first form of a tool call is one too."""
    message = AIMessage("", additional_kwargs={"function_call": {"name": "f", "arguments": '{"a": 1}'}})
    assert answer(message).tool_calls == [{"function": {"name": "f", "arguments": '{"a": 1}'}}]


def test_an_answer_that_is_a_picture():
    """Parts that are no text are kept, long data told by its length."""
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 5000}}
    assert answer(AIMessage([picture])).content == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,[5000 characters]"}}]


def test_an_answer_that_only_calls_tools_has_no_text():
    """No text is None beside tool calls, and the empty text that it is without them."""
    assert answer(AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "1"}])).content is None
    assert answer(AIMessage("")).content == ""


def test_tokens_in_other_places():
    """A completion's tokens come from the output as a whole or from its generation's info."""
    generation = Generation(text="x", generation_info={"usage_metadata": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}})
    (found,) = _answers.answers_of(LLMResult(generations=[[generation]]), encode)
    assert token_usage(found.usage) == {"promptTokens": 1, "completionTokens": 2, "totalTokens": 3}
    assert token_usage(answer(AIMessage("x"), token_usage={"prompt_tokens": 1, "completion_tokens": 2}).usage) == {
        "promptTokens": 1,
        "completionTokens": 2,
        "totalTokens": 3,
    }


def test_a_stream_that_was_cut_before_its_first_chunk_has_no_answer():
    """LangChain hands on an empty list then."""
    assert _answers.answers_of(LLMResult(generations=[[]]), encode) == []


def test_roles_of_all_kinds_of_messages():
    """Each of LangChain's messages has one of the four roles, and a message of a role of its own keeps it."""
    messages = [
        SystemMessage("a"),
        HumanMessage("b"),
        AIMessage("c"),
        ToolMessage("d", tool_call_id="1"),
        FunctionMessage(content="e", name="f"),
        ChatMessage(role="user", content="f"),
        ChatMessage(role="critic", content="g"),
    ]
    assert [message["role"] for message in translate.prompt_messages(messages, encode)] == [
        "system",
        "user",
        "assistant",
        "tool",
        "tool",
        "user",
        "critic",
    ]


def test_the_thinking_of_earlier_answers_is_not_repeated():
    """An assistant's earlier message shows its text and tool calls; its reasoning was recorded when it was made."""
    content = [
        {"type": "thinking", "thinking": "Hm."},
        {"type": "text", "text": "A"},
        {"type": "tool_use", "id": "1", "name": "f", "input": {}},
    ]
    message = AIMessage(content, tool_calls=[{"name": "f", "args": {}, "id": "1"}])
    (item,) = translate.prompt_messages([message], encode)
    assert item["content"] == "A"
    assert json.dumps(item).count('"f"') == 1


@pytest.mark.parametrize(
    "roles, begins",
    [
        (["user"], True),
        (["system", "user"], True),
        (["user", "system"], True),
        (["system"], True),
        (["user", "assistant", "tool"], False),
        (["user", "assistant", "tool", "system"], False),
        (["user", "assistant"], False),
        ([], False),
    ],
)
def test_where_a_user_speaks_last(roles, begins):
    """A prompt that ends in a user's words begins a turn; one that ends in a tool's result goes on with it."""
    assert begins_a_turn([{"role": role, "content": ""} for role in roles]) is begins


def test_documents():
    """Content, metadata and score of documents; what is no document stays what it is."""
    assert _results.documents_of([Document("a", metadata={"relevance_score": 0.5}), "b"]) == [
        {"content": "a", "metadata": {"relevance_score": 0.5}, "score": 0.5},
        "b",
    ]
    assert _results.documents_of(None) == []


def test_messages_and_documents_in_a_result_are_their_contents():
    """In a tool's result, at any depth that is looked at, messages and documents are shown by what they say."""
    nested: Any = [[[[[[HumanMessage("deep")]]]]]]
    result = _results.outcome_of({"messages": (HumanMessage("a"),), "found": [Document("b")], "nested": nested}).result
    assert result["messages"] == [{"role": "user", "content": "a"}]
    assert result["found"] == [{"content": "b"}]
    assert isinstance(result["nested"][0][0][0][0][0][0], HumanMessage)


def test_ids_in_metadata_are_ids():
    """A value of a kind that is no id is passed over."""
    assert _who.trace_id_of({"thread_id": {"a": 1}, "session_id": "", "conversation_id": 7}) == 7
    assert _who.user_id_of({}) is None


def test_names_of_models_that_do_not_say():
    """Where metadata says nothing, the call's parameters and the model's own fields do."""
    assert translate.asked_model({}, {"model": "m", "_type": "acme-chat"}, None) == ("m", "acme-chat")
    assert translate.asked_model({}, {}, {"kwargs": {"model_name": "m"}}) == ("m", None)
    assert translate.base_url_of({"kwargs": {"openai_api_base": "http://x/v1"}}) == "http://x/v1"
    assert translate.base_url_of({"kwargs": None}) is None


@pytest.mark.parametrize(
    "annotation, injected",
    [
        (Annotated[str, InjectedToolArg], True),
        (Annotated[str, InjectedToolArg()], True),
        (Optional[Annotated[str, InjectedToolArg]], True),  # noqa: UP045  (both ways to write it)
        (ToolRuntime, True),
        (ToolRuntime[Any, Any], True),
        (RunnableConfig, True),
        (RunnableConfig | None, True),
        (Union[RunnableConfig, None], True),  # noqa: UP007  (so)
        (Callbacks, True),
        (AsyncCallbackManagerForToolRun, True),
        (BaseStore, True),
        ("ToolRuntime[Context, State]", True),
        ("Annotated[Any, InjectedState('messages')]", True),
        ("RunnableConfig | None", True),
        (str, False),
        (dict[str, Any], False),
        (Annotated[str, "a note"], False),
        ("Runtimes", False),
        ("dict[str, Any]", False),
    ],
    ids=itertools.count(),
)
def test_what_is_injected_is_told_by_its_annotation(annotation, injected):
    """The kinds of parameters that LangChain and LangGraph fill in, as objects and as text."""
    parameter = inspect.Parameter("x", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation)
    assert any(rule(parameter) for rule in arguments.hidden_parameters) is injected


def test_what_langchain_hands_over_by_name():
    """Without an annotation, `callbacks` and `run_manager` are LangChain's."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert [is_injected(inspect.Parameter(name, kind)) for name in ("callbacks", "run_manager", "query")] == [True, True, False]


def a_chosen_call() -> AIMessage:
    return AIMessage("Let me look.", tool_calls=[{"name": "look_up", "args": {"n": 1, "where": ["a"]}, "id": "call-1"}])


@pytest.mark.parametrize(
    "change",
    [
        lambda message: setattr(message, "content", "Let me think."),
        lambda message: setattr(message, "name", "clerk"),
        lambda message: message.tool_calls[0]["args"]["where"].append("b"),
        lambda message: message.tool_calls[0]["args"].update(n=True),
        lambda message: message.tool_calls.clear(),
        lambda message: message.invalid_tool_calls.append({"name": "x", "args": "{", "id": "call-2", "error": None}),
    ],
    ids=["content", "name", "argument", "type", "no calls", "invalid call"],
)
def test_a_message_that_was_changed_in_place_has_another_seal(change):
    """Whatever of it is read; one that was not has the same, and is taken apart once."""
    message = a_chosen_call()
    before = translate.seal(message)
    assert before is not None
    assert before == translate.seal(message)
    change(message)
    assert translate.seal(message) != before


@pytest.mark.parametrize(
    "message",
    [
        HumanMessage([{"type": "text", "text": "Hello"}]),
        AIMessage("", additional_kwargs={"function_call": {"name": "x", "arguments": "{}"}}),
        AIMessage("", role="user"),
        AIMessage("", tool_calls=[{"name": "x", "args": {"n": object()}, "id": "call-1"}]),
        "Hello",
    ],
)
def test_a_message_whose_changes_are_not_seen_has_no_seal(message):
    """Parts, older calls, members that its class does not declare, values of the application's own classes: taken apart each time."""
    assert translate.seal(message) is None


def test_a_prompt_that_comes_again_is_not_taken_apart_again(captured, handler, monkeypatch):
    """Of a growing prompt only what is new is, also where it is another list of the same messages; an answer was, when it was given."""
    taken: list[Any] = []
    monkeypatch.setattr(translate, "said", lambda message, said=translate.said: taken.append(message) or said(message))
    prompt: list[Any] = [SystemMessage("Help."), HumanMessage("Where is it?")]
    for answer in (a_chosen_call(), AIMessage("There.")):
        run_id = uuid.uuid4()
        handler.on_chat_model_start({}, [prompt], run_id=run_id, metadata={"thread_id": "t"})
        handler.on_llm_end(LLMResult(generations=[[ChatGeneration(message=answer)]]), run_id=run_id)
        prompt = [*prompt, answer, HumanMessage("And now?")]
    assert taken == [*prompt[:2], prompt[3]]
    assert [len(event["content"]) for event in captured.events if event["eventType"] == "user_message"] == [2, 1]


def test_an_answer_that_was_changed_since_is_told_as_it_is_now(captured, handler):
    """As where a human edits a call before it runs: the next prompt holds another message than the model gave, and it is recorded."""
    answer, prompt = a_chosen_call(), HumanMessage("Where is it?")
    for messages in ([prompt], [prompt, answer, HumanMessage("And now?")]):
        run_id = uuid.uuid4()
        handler.on_chat_model_start({}, [messages], run_id=run_id, metadata={"thread_id": "t"})
        handler.on_llm_end(LLMResult(generations=[[ChatGeneration(message=answer)]]), run_id=run_id)
        answer.tool_calls[0]["args"]["n"] = 2
    told = [event["content"] for event in captured.events if event["eventType"] == "user_message"]
    assert [len(messages) for messages in told] == [1, 2]
    assert '"n": 2' in told[1][0]["tool_calls"][0]["function"]["arguments"]
