"""Each prompt, put together again from what was recorded, is message by message what the model itself was given."""

from __future__ import annotations

import asyncio
import copy
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage, trim_messages
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableParallel
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from pydantic import PrivateAttr

import whyops
from tests.acceptance.test_read_back import KEY
from tests.integrations.langchain.parts import Scripted, Streaming, ask, calls, hands_config_on, only, types
from tests.server import StrictServer
from whyops._recording import prompts
from whyops._recording.trace import writer_of
from whyops._trace.recorded import RecordedTrace
from whyops._wire.prompt import ModelToolCall, PromptMessage
from whyops.integrations.langchain import WhyOpsCallbackHandler
from whyops.testing import Captured, capture

ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant", "system": "system", "tool": "tool"}


class Keeping(Scripted):
    """Keeps what it was given, as it was then."""

    _given: list[list[PromptMessage]] = PrivateAttr(default_factory=list)

    @property
    def given(self) -> list[list[PromptMessage]]:
        return self._given

    def _next(self, messages: list[BaseMessage]) -> AIMessage:
        self._given.append([plain(message) for message in messages])
        return super()._next(messages)


class StreamingKeeping(Streaming, Keeping):
    """The same, streamed."""


def plain(message: BaseMessage) -> PromptMessage:
    wanted = tuple(ModelToolCall(call["id"], call["name"], call["args"]) for call in getattr(message, "tool_calls", ()))
    content = copy.deepcopy(message.content)
    return PromptMessage(ROLES[message.type], content, wanted, getattr(message, "tool_call_id", None), message.name)


def rebuilt(captured: Captured) -> list[list[PromptMessage]]:
    return [list(call.prompt or ()) for call in recorded(captured).model_calls]


def recorded(captured: Captured) -> RecordedTrace:
    (trace_id,) = {event["traceId"] for event in captured.events}
    return RecordedTrace.from_events(captured.events, trace_id)


def new_messages(captured: Captured) -> list[list[str]]:
    """Return the roles of the messages in each prompt's event."""
    return [[message["role"] for message in event["content"]] for event in captured.of_type("user_message")]


@tool
def find(order: str) -> str:
    """Find an order."""
    return f"order {order} has shipped"


@tool
def failing(order: str) -> str:
    """Fail."""
    raise ValueError(f"no {order}")


@tool
def nameless(order: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> Any:
    """Answer in a message of its own, without a name."""
    return ToolMessage(f"order {order}", tool_call_id=tool_call_id, artifact={"left": 3})


Run = Callable[[Keeping, Any], Any]


def plain_turns(model: Keeping, config: Any) -> None:
    said: list[BaseMessage] = [SystemMessage("Help.")]
    for text in ("Hello", "Hello", "And now?"):
        said.append(HumanMessage(text))
        said.append(model.invoke(said, config))


def tool_loop(model: Keeping, config: Any) -> None:
    model.answers[:] = [calls(("find", {"order": "1"})), calls(("find", {"order": "2"}), ("find", {"order": "3"})), "All have."]
    create_agent(model, [find], system_prompt="Look.").invoke(ask(), config)


def remembered_turns(model: Keeping, config: Any) -> None:
    model.answers[:] = [calls(("find", {"order": "1"})), "It has.", "Bye."]
    agent = create_agent(model, [find], system_prompt="Look.", checkpointer=InMemorySaver())
    for text in ("Where is it?", "Thanks"):
        agent.invoke(ask(text), {**config, "configurable": {"thread_id": "t"}})


def named_agent(model: Keeping, config: Any) -> None:
    model.answers[:] = [calls(("find", {"order": "1"})), "It has.", "Bye."]
    agent = create_agent(model, [find], name="clerk")
    state = agent.invoke(ask(), config)
    agent.invoke({"messages": [*state["messages"], HumanMessage("Thanks")]}, config)


def own_messages(model: Keeping, config: Any) -> None:
    asked = AIMessage("", tool_calls=[{"name": "nameless", "args": {"order": "1"}, "id": "1"}], name="clerk")
    model.answers[:] = [asked, AIMessage("Done.", name="clerk"), "Bye."]
    said: list[BaseMessage] = [HumanMessage("Hello", name="ada"), model.invoke([HumanMessage("Hello", name="ada")], config)]
    said.append(nameless.invoke({**asked.tool_calls[0], "type": "tool_call"}, config))
    said.append(model.invoke(said, config))
    model.invoke([*said, HumanMessage("Thanks")], config)


def failed_tool(model: Keeping, config: Any) -> None:
    model.answers[:] = [calls(("failing", {"order": "1"})), "It failed."]
    asked = model.invoke("Find 1", config)
    model.invoke([HumanMessage("Find 1"), asked, ToolMessage("Error: no 1", tool_call_id="call-failing-0", status="error")], config)


def changed_system_prompt(model: Keeping, config: Any) -> None:
    question = HumanMessage("Hello")
    answer = model.invoke([SystemMessage("Be short."), question], config)
    model.invoke([SystemMessage("Be long."), question, answer, HumanMessage("More")], config)


def trimmed(model: Keeping, config: Any) -> None:
    said: list[BaseMessage] = [SystemMessage("Help.")]
    for number in range(5):
        said.append(HumanMessage(f"Question {number}"))
        window = trim_messages(said, max_tokens=4, token_counter=len, include_system=True)
        said.append(model.invoke(window, config))


def summarised(model: Keeping, config: Any) -> None:
    def shortened(state: MessagesState) -> Any:
        answer = model.invoke(state["messages"], config)
        return {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES), SystemMessage("Ada asked for lamps."), answer]}

    graph: Any = StateGraph(MessagesState).add_node("model", shortened).add_edge(START, "model").compile()
    state = graph.invoke(ask("Lamps?"), config)
    graph.invoke({"messages": [*state["messages"], HumanMessage("How many?")]}, config)


def mutated_in_place(model: Keeping, config: Any) -> None:
    first = HumanMessage([{"type": "text", "text": "One"}, {"type": "image_url", "image_url": {"url": "https://x.org/1.png"}}])
    answer = model.invoke([first], config)
    first.content[1]["image_url"]["url"] = "https://x.org/2.png"  # type: ignore[index]
    model.invoke([first, answer, HumanMessage("Now?")], config)
    answer.content = "I never said so."
    model.invoke([first, answer, HumanMessage("And now?")], config)


def prefill(model: Keeping, config: Any) -> None:
    question = HumanMessage("A list, in JSON.")
    model.invoke([question, AIMessage("[")], config)
    model.invoke([question, AIMessage("{")], config)


def few_shot(model: Keeping, config: Any) -> None:
    examples = [("human", "2+2"), ("ai", "4"), ("human", "2+2"), ("ai", "4"), ("human", "{sum}")]
    chain = ChatPromptTemplate.from_messages(examples) | model
    for sum_ in ("3+3", "2+2"):
        chain.invoke({"sum": sum_}, config)


def parallel(model: Keeping, config: Any) -> None:
    chain = ChatPromptTemplate.from_messages([("system", "Say {word}."), ("human", "Now")])
    branches = {str(number): (lambda _, number=number: {"word": str(number)}) | chain | model for number in range(4)}
    RunnableParallel(branches).invoke({}, {**config, "max_concurrency": 1})


def retried(model: Keeping, config: Any) -> None:
    model.answers[:] = [ValueError("busy"), ValueError("busy"), "At last."]
    asked = [SystemMessage("Help."), HumanMessage("Hello")]
    model.with_retry(retry_if_exception_type=(ValueError,), wait_exponential_jitter=False, stop_after_attempt=3).invoke(asked, config)


def fallback(model: Keeping, config: Any) -> None:
    model.answers[:] = [ValueError("down"), "Here."]
    model.with_fallbacks([model]).invoke([HumanMessage("Hello")], config)


def over_the_cap(model: Keeping, config: Any) -> None:
    said: list[BaseMessage] = []
    for number in range(12):
        said.append(HumanMessage(f"Question {number}"))
        said.append(model.invoke(said[-6:] if number > 8 else said, config))


def changed_tools(model: Keeping, config: Any) -> None:
    question = HumanMessage("Hello")
    for tools in ([find], [find, failing], [find]):
        model.bind_tools(tools).invoke([question], config)


def streamed_loop(model: Keeping, config: Any) -> None:
    model.answers[:] = [calls(("find", {"order": "1"})), "It has.", "Bye."]
    agent: Any = create_agent(model, [find], system_prompt="Look.", checkpointer=InMemorySaver())
    for text in ("Where is it?", "Thanks"):
        list(agent.stream(ask(text), {**config, "configurable": {"thread_id": "t"}}, stream_mode="messages"))


def async_loop(model: Keeping, config: Any) -> None:
    model.answers[:] = [calls(("find", {"order": "1"}), ("find", {"order": "2"})), "They have."]
    asyncio.run(create_agent(model, [find], system_prompt="Look.").ainvoke(ask(), config))


RUNS: Sequence[Run] = (
    streamed_loop,
    pytest.param(async_loop, marks=hands_config_on),  # type: ignore[arg-type]
    plain_turns,
    tool_loop,
    remembered_turns,
    named_agent,
    own_messages,
    failed_tool,
    changed_system_prompt,
    trimmed,
    summarised,
    mutated_in_place,
    prefill,
    few_shot,
    parallel,
    retried,
    fallback,
    over_the_cap,
    changed_tools,
)


def answers() -> list[Any]:
    return [f"Answer {number}." for number in range(20)]


@pytest.fixture(params=RUNS, ids=lambda run: run.__name__)
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give each of the runs; one has more messages than are remembered."""
    if request.param is over_the_cap:
        monkeypatch.setattr(prompts, "MOST_MESSAGES", 8)
    found: Run = request.param
    return found


@pytest.mark.parametrize("kind", [Keeping, StreamingKeeping])
def test_prompts_are_rebuilt(captured: Captured, handler: WhyOpsCallbackHandler, run: Run, kind: type[Keeping]) -> None:
    """In order, with nothing missing; what the models themselves kept is what counts."""
    model = kind(answers=answers())
    with whyops.trace("t"):
        run(model, {"callbacks": [handler]})
    assert model.given
    assert rebuilt(captured) == model.given
    assert all(call.missing == 0 for call in recorded(captured).model_calls)


def test_prompts_are_rebuilt_from_the_service(home: Path, handler: WhyOpsCallbackHandler, run: Run) -> None:
    """The service reduces a prompt's content to the users' texts; what rebuilds it is in the metadata."""
    model = Keeping(answers=answers())
    with StrictServer() as server:
        sdk = whyops.configure(api_key=KEY, agent_name="agent", analyse_base_url=server.url, proxy_base_url=server.proxy_url)
        with whyops.trace("t"):
            run(model, {"callbacks": [handler]})
        assert sdk.flush_sync().waiting == 0
        calls_ = whyops.load_trace("t").model_calls
        sdk.close_sync()
    assert [list(call.prompt or ()) for call in calls_] == model.given


def test_nothing_is_recorded_twice(captured: Captured, handler: WhyOpsCallbackHandler) -> None:
    """In a loop, an answer and a tool's result are told by their ids, beside the next answer; the offered tools by the first prompt's."""
    with whyops.trace("t"):
        tool_loop(Keeping(), {"callbacks": [handler]})
    assert Counter(types(captured)) == {"user_message": 1, "llm_response": 3, "tool_call_request": 3, "tool_call_response": 3}
    text = json.dumps(captured.events)
    assert [text.count(told) for told in ("order 1 has shipped", "order 3 has shipped", "Look.")] == [1, 1, 2]  # and as `systemPrompt`
    assert only(captured, "user_message")["metadata"]["tools"] == [{"name": "find"}]
    assert [call.tools for call in recorded(captured).model_calls] == [("find",)] * 3
    assert [step.kind for step in recorded(captured).walk()] == ["user", "model", "tool", "model", "tool", "tool", "model"]


def test_what_was_seen_is_not_encoded_again(captured: Captured, handler: WhyOpsCallbackHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call costs what is new in it, however long its prompt is."""
    model = Keeping(answers=answers())
    said: list[BaseMessage] = [
        SystemMessage("x" * 100_000),
        AIMessage("", tool_calls=[{"name": "find", "args": {"y": "y" * 100_000}, "id": "1"}]),
    ]
    with whyops.trace("t") as trace:
        recorder = writer_of(trace).recorder
        sizes: list[int] = []
        encode = recorder.encode

        def counted(value: object) -> Any:
            encoded = encode(value)
            sizes.append(len(encoded[0]))
            return encoded

        monkeypatch.setattr(recorder, "encode", counted)
        for number in range(10):
            said.append(HumanMessage(f"Question {number}"))
            said.append(model.invoke(said, {"callbacks": [handler]}))
            assert sum(sizes) > 200_000 if number == 0 else sum(sizes) < 1_000
            sizes.clear()
    assert rebuilt(captured) == model.given
    assert len(json.dumps(captured.events[2:])) < 20_000


def test_a_failing_call_that_asks_nothing_new_tells_its_prompt(captured: Captured, handler: WhyOpsCallbackHandler) -> None:
    """Beside its error."""
    model = Keeping(answers=[calls(("find", {"order": "1"})), ValueError("down")])
    with whyops.trace("t"), pytest.raises(ValueError, match="down"):
        create_agent(model, [find]).invoke(ask(), {"callbacks": [handler]})
    assert rebuilt(captured) == model.given
    assert [call.error for call in recorded(captured).model_calls] == [None, "ValueError: down"]


def test_parallel_calls_are_their_pairs(captured: Captured, handler: WhyOpsCallbackHandler) -> None:
    """Prompt and answer have one id, whichever comes first."""
    model = Keeping(reply=lambda messages: f"answer to {messages[-1].content}")
    with whyops.trace("t"):
        RunnableParallel({name: (lambda _, name=name: name) | model for name in "abcdef"}).invoke({}, {"callbacks": [handler]})
    pairs = {(call.prompt[-1].content, call.answer) for call in recorded(captured).model_calls if call.prompt}
    assert pairs == {(name, f"answer to {name}") for name in "abcdef"}


@pytest.mark.parametrize("how", ["client", "handler", "environment"])
def test_prompts_may_be_left_out(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a prompt is recorded whole, where a user speaks last in it, and nothing is told by ids."""
    if how == "environment":
        monkeypatch.setenv("WHYOPS_CAPTURE_PROMPTS", "0")
    handler = WhyOpsCallbackHandler(capture_prompts=False if how == "handler" else None)
    with capture(capture_prompts=False if how == "client" else None) as captured, whyops.trace("t"):
        plain_turns(Keeping(answers=answers()), {"callbacks": [handler]})
        tool_loop(Keeping(), {"callbacks": [handler]})
    asked = captured.of_type("user_message")
    assert [len(event["content"]) for event in asked] == [2, 4, 6, 2]
    assert not any({"promptIds", "toolsFrom"} & event["metadata"].keys() for event in captured.events)
    assert [call.prompt is not None for call in recorded(captured).model_calls] == [True] * 4 + [False] * 2


def test_the_handlers_word_goes_before_the_clients() -> None:
    """It may ask for what the client leaves out."""
    with capture(capture_prompts=False) as captured, whyops.trace("t"):
        tool_loop(Keeping(), {"callbacks": [WhyOpsCallbackHandler(capture_prompts=True)]})
    assert all(call.prompt for call in recorded(captured).model_calls)


def test_without_contents_the_form_of_a_prompt_stays() -> None:
    """Roles and places, and no text, name or argument of any message."""
    with capture(capture_content=False) as captured, whyops.trace("t"):
        named_agent(Keeping(), {"callbacks": [WhyOpsCallbackHandler()]})
    roles = [[message.role for message in call.prompt or ()] for call in recorded(captured).model_calls]
    assert roles == [["user"], ["user", "assistant", "tool"], ["user", "assistant", "tool", "assistant", "user"]]
    assert not [
        word for word in ("Hello", "Thanks", "shipped", "It has", "clerk") if word in json.dumps([e["content"] for e in captured.events])
    ]


def test_secrets_are_not_in_a_rebuilt_prompt(captured: Captured, handler: WhyOpsCallbackHandler) -> None:
    """Each message is redacted where it is recorded; so is a name that it gets later."""
    secret = "sk-proj-" + "a1B2c3D4e5F6" * 4
    model = Keeping(answers=["Hi.", "Bye."])
    with whyops.trace("t"):
        answer = model.invoke([HumanMessage(f"My key is {secret}")], {"callbacks": [handler]})
        answer.name = secret
        model.invoke([HumanMessage(f"My key is {secret}"), answer, HumanMessage("Bye")], {"callbacks": [handler]})
    assert secret not in json.dumps(captured.events)
    assert [len(prompt) for prompt in rebuilt(captured)] == [1, 3]


def test_what_cannot_be_looked_into_is_recorded_each_time(captured: Captured, handler: WhyOpsCallbackHandler) -> None:
    """Nobody can tell whether it has changed."""
    odd = HumanMessage([{"type": "media", "data": bytearray(3)}])
    model = Keeping(answers=answers())
    with whyops.trace("t"):
        for _ in range(2):
            model.invoke([SystemMessage("Help."), odd], {"callbacks": [handler]})
    assert new_messages(captured) == [["system", "user"], ["user"]]
    assert [len(prompt) for prompt in rebuilt(captured)] == [2, 2]
