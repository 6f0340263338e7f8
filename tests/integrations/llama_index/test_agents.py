"""LlamaIndex's agents and workflows: a run is a trace, with its tools, hand-offs, failures, pauses and cancellations."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import Field
from llama_index.core.instrumentation.dispatcher import instrument_tags
from llama_index.core.llms.callbacks import llm_chat_callback
from llama_index.core.tools import FunctionTool, QueryEngineTool
from llama_index.core.workflow import Context, Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step

import whyops
from tests.integrations.llama_index.scripted import NODES, ScriptedLLM, calls, embedding, in_turn
from whyops._trace.recorded import RecordedTrace
from whyops.integrations.llama_index import _dispatch
from whyops.testing import Captured

# LlamaIndex's agents look at attributes that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


async def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    await asyncio.sleep(0.01)
    return a * b


def divide(a: int, b: int) -> float:
    """Divide two numbers."""
    return a / b


def agent(*replies: Any, tools: Any = (add, multiply, divide), **more: Any) -> FunctionAgent:
    return FunctionAgent(tools=list(tools), llm=ScriptedLLM(script=in_turn(*replies)), **more)


def run(workflow: Workflow, *args: Any, **kwargs: Any) -> Any:
    async def awaited() -> Any:
        return await workflow.run(*args, **kwargs)

    return asyncio.run(awaited())


def types(captured: Captured) -> list[str]:
    return [event["eventType"] for event in captured.events]


def traces(captured: Captured) -> set[str]:
    return {event["traceId"] for event in captured.events}


@pytest.mark.parametrize("streaming", [True, False])
def test_a_run_is_one_trace(*, streaming: bool, captured: Captured) -> None:
    """What the user said, the model's choice, the tool's pair, and the answer; each says which agent and step it belongs to."""
    assert str(run(agent(calls(("add", {"a": 1})), "Three.", streaming=streaming), "What is 1 + 2?")) == "Three."
    assert types(captured) == ["user_message", "llm_response", "tool_call_request", "tool_call_response", "user_message", "llm_response"]
    assert len(traces(captured)) == 1
    asked, chose, request, response, told, answered = captured.events
    assert told["content"] == [{"role": "tool", "content": "3", "tool_call_id": "call-0"}]
    assert asked["content"][-1] == {"role": "user", "content": "What is 1 + 2?"}
    assert [tool["name"] for tool in asked["metadata"]["tools"]] == ["add", "multiply", "divide"]
    assert chose["content"]["toolCalls"][0]["id"] == request["metadata"]["tool_call_id"] == response["metadata"]["tool_call_id"] == "call-0"
    assert request["content"]["toolCalls"] == [{"name": "add", "arguments": {"a": 1, "b": 2}}]
    assert response["content"]["toolResults"] == {"result": 3}
    assert request["spanId"] == response["spanId"]
    assert answered["metadata"]["step"] == "run_agent_step"
    assert {event["metadata"]["agent"] for event in captured.events} == {"Agent"}


def test_parallel_tools_are_so_many_pairs(captured: Captured) -> None:
    """Each with its own span, arguments, result and id."""
    chosen = calls(("add", {"a": 1}), ("multiply", {"a": 3, "b": 4}), ("multiply", {"a": 5, "b": 6}))
    run(agent(chosen, "Done."), "Reckon.")
    responses = {event["metadata"]["tool_call_id"]: event for event in captured.of_type("tool_call_response")}
    assert {name: event["content"]["toolResults"]["result"] for name, event in responses.items()} == {
        "call-0": 3,
        "call-1": 12,
        "call-2": 30,
    }
    assert len({event["spanId"] for event in responses.values()}) == 3
    assert len(traces(captured)) == 1


def test_a_tool_that_raises_is_an_error_and_the_agent_goes_on(captured: Captured) -> None:
    """The error has the span's id, and the response closes the call."""
    assert str(run(agent(calls(("divide", {"a": 1, "b": 0})), "It can't be done."), "What is 1 / 0?")) == "It can't be done."
    request, error, response = captured.events[2:5]
    assert [event["eventType"] for event in (request, error, response)] == ["tool_call_request", "error", "tool_call_response"]
    assert request["spanId"] == error["spanId"] == response["spanId"]
    assert error["content"]["type"] == "ZeroDivisionError"
    assert response["content"]["toolResults"] == {"error": "ZeroDivisionError: division by zero"}


def test_a_tool_that_the_agent_does_not_have_is_a_failed_call(captured: Captured) -> None:
    """No tool's span tells of it, only the step."""
    run(agent(calls(("fly", {"to": "Rome"})), "I can't."), "Fly!")
    (response,) = captured.of_type("tool_call_response")
    assert response["content"]["toolCalls"] == [{"name": "fly", "arguments": {"to": "Rome"}}]
    assert "not found" in response["content"]["toolResults"]["error"]
    assert response["metadata"]["tool_call_id"] == "call-0"


async def remember(ctx: Context, what: str) -> str:
    """Remember something."""
    await ctx.store.set("what", what)
    return "ok"


remember.__annotations__["ctx"] = Context  # LlamaIndex does not read annotations that are text


def test_the_context_is_no_argument(captured: Captured) -> None:
    """LlamaIndex injects it."""
    run(agent(calls(("remember", {"what": "milk"})), "Done.", tools=[remember]), "Milk!")
    assert captured.of_type("tool_call_request")[0]["content"]["toolCalls"][0]["arguments"] == {"what": "milk"}


@pytest.mark.parametrize("thought", ["", "Thought: I know.\n"])
def test_a_react_agent_speaks_once_for_the_user(thought: str, captured: Captured) -> None:
    """It sends a tool's result back in the user's name, which is no message of the user."""
    replies = ['Thought: I must add.\nAction: add\nAction Input: {"a": 1, "b": 2}', f"{thought or 'Thought: done.'}\nAnswer: 3"]
    react = ReActAgent(tools=[add], llm=ScriptedLLM(script=in_turn(*replies)))
    assert str(run(react, "What is 1 + 2?")) == "3"
    assert types(captured) == ["user_message", "llm_response", "tool_call_request", "tool_call_response", "user_message", "llm_response"]
    assert [step.kind for step in RecordedTrace.from_events(captured.events).walk()] == ["user", "model", "tool", "model"]
    assert len(traces(captured)) == 1


def team() -> AgentWorkflow:
    """Return two agents, of which the first hands over to the second."""
    clerk = agent(calls(("handoff", {"to_agent": "Expert", "reason": "too hard"})), tools=[add], name="Clerk", description="Asks.")
    expert = agent(calls(("add", {"a": 1})), "Three.", tools=[add], name="Expert", description="Knows.")
    clerk.can_handoff_to = ["Expert"]
    return AgentWorkflow(agents=[clerk, expert], root_agent="Clerk")


def test_a_hand_off_is_visible(captured: Captured) -> None:
    """As a tool's call with its reason, and in the agent's name on what follows."""
    assert str(run(team(), "What is 1 + 2?")) == "Three."
    assert captured.tool_names() == ["handoff", "add"]
    handoff, added = captured.of_type("tool_call_request")
    assert handoff["content"]["toolCalls"][0]["arguments"] == {"to_agent": "Expert", "reason": "too hard"}
    assert (handoff["metadata"]["agent"], added["metadata"]["agent"]) == ("Clerk", "Expert")
    assert [event["metadata"]["agent"] for event in captured.of_type("llm_response")] == ["Clerk", "Expert", "Expert"]
    assert len(traces(captured)) == 1


def test_an_agents_tool_may_be_a_query(captured: Captured) -> None:
    """What the query does has the tool's span as its parent, all in the agent's trace."""
    from llama_index.core import VectorStoreIndex  # noqa: PLC0415

    engine = VectorStoreIndex(NODES, embed_model=embedding()).as_query_engine(llm=ScriptedLLM(script=lambda _: "Cats do."))
    tool = QueryEngineTool.from_defaults(engine, name="book", description="A book.")
    before = len(captured.events)
    run(agent(calls(("book", {"input": "Who purrs?"})), "Cats.", tools=[tool]), "Who purrs?")
    events = captured.events[before:]
    book, retrieval = [event for event in events if event["eventType"] == "tool_call_request"]
    assert book["content"]["toolCalls"] == [{"name": "book", "arguments": {"input": "Who purrs?"}}]
    assert retrieval["metadata"]["parentSpanId"] == book["spanId"]
    inner = [event for event in events if event["eventType"] == "llm_response" and event["content"].get("content") == "Cats do."]
    assert [event["metadata"]["parentSpanId"] for event in inner] == [book["spanId"]]
    response = next(event for event in events if event["eventType"] == "tool_call_response" and event["spanId"] == book["spanId"])
    assert response["content"]["toolResults"]["response"] == "Cats do."
    assert len({event["traceId"] for event in events}) == 1


@whyops.tool
def weigh(thing: str) -> int:
    return len(thing)


@whyops.tool
def ship(thing: str) -> dict[str, int]:
    """Ship a thing."""
    return {"grams": weigh(thing)}


@whyops.tool
async def ship_later(thing: str) -> dict[str, int]:
    """Ship a thing, later."""
    return {"grams": await asyncio.to_thread(weigh, thing)}


@pytest.mark.parametrize("function", [ship, ship_later])
def test_a_decorated_function_is_one_span_and_what_it_calls_its_children(function: Any, captured: Captured) -> None:
    """With no `with` block open; in whatever executor or task LlamaIndex runs it."""
    name = function.__name__
    run(agent(calls((name, {"thing": "cat"})), "Done.", tools=[function]), "Ship it!")
    assert captured.tool_names() == [name, "weigh"]
    outer, inner = captured.of_type("tool_call_request")
    assert inner["metadata"]["parentSpanId"] == outer["spanId"]
    assert len(traces(captured)) == 1


class Shop:
    """Has a decorated method."""

    @whyops.tool
    def sell(self, thing: str) -> str:
        """Sell a thing."""
        return thing


def test_a_decorated_method_is_one_span(captured: Captured) -> None:
    """A bound method is the same function."""
    FunctionTool.from_defaults(Shop().sell)(thing="cat")
    assert captured.tool_names() == ["sell"]


@whyops.tool
def count_down(n: int) -> int:
    """Count down."""
    return n if n == 0 else count_down(n - 1)


def test_a_decorated_function_that_calls_itself_has_its_own_calls_inside(captured: Captured) -> None:
    """Only the first call is the tool's own."""
    FunctionTool.from_defaults(count_down)(n=2)
    first, second, third = captured.of_type("tool_call_request")
    assert [event["metadata"].get("parentSpanId") for event in (first, second, third)] == [None, first["spanId"], second["spanId"]]


@whyops.tool(capture_arguments=False, capture_result=False)
def log_in(pin: str) -> str:
    """Log in."""
    return f"secret of {pin}"


def test_what_a_decorated_function_does_not_want_shown_is_not_shown(captured: Captured) -> None:
    """Its wish holds for LlamaIndex's tool around it."""
    FunctionTool.from_defaults(log_in)(pin="1234")
    assert "1234" not in str(captured.events)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_predict_and_call(*, asynchronous: bool, captured: Captured) -> None:
    """The model's choice and the tool's call, whatever number of spans LlamaIndex opens for it."""
    llm = ScriptedLLM(script=in_turn(calls(("add", {"a": 1, "b": 2}))))
    tools = [FunctionTool.from_defaults(add)]
    asked = [ChatMessage(role="user", content="What is 1 + 2?")]
    if asynchronous:
        asyncio.run(llm.apredict_and_call(tools, chat_history=asked))
    else:
        llm.predict_and_call(tools, chat_history=asked)
    assert types(captured) == ["user_message", "llm_response", "tool_call_request", "tool_call_response"]
    assert len(traces(captured)) == 1


def test_predict_and_call_with_a_tool_that_fails(captured: Captured) -> None:
    """One error, however LlamaIndex answers for it."""
    llm = ScriptedLLM(script=in_turn(calls(("divide", {"a": 1, "b": 0}))))
    llm.predict_and_call([FunctionTool.from_defaults(divide)], user_msg="What is 1 / 0?")
    assert types(captured)[2:] == ["tool_call_request", "error", "tool_call_response"]


def spaced(word: str) -> str:
    """Spell a word."""
    return " ".join(word)


class Asked(Event):
    """A word that was asked for."""

    word: str


class Spelling(Workflow):
    """A workflow of the application's own: a model's word, spelt by a tool in a synchronous step."""

    @step
    async def ask(self, ev: StartEvent) -> Asked:
        llm = ScriptedLLM(script=in_turn("cat"))
        return Asked(word=str((await llm.acomplete(ev.get("prompt"))).text))

    @step
    def spell(self, ev: Asked) -> StopEvent:
        if ev.word == "dog":
            raise ValueError("no dogs")
        weigh(ev.word)
        return StopEvent(result=FunctionTool.from_defaults(spaced)(ev.word).raw_output)


def test_a_hand_written_workflow_is_one_trace(captured: Captured) -> None:
    """Models, tools and decorated functions in its steps, each with the step's name."""
    assert run(Spelling(), prompt="A pet!") == "c a t"
    assert len(traces(captured)) == 1
    assert captured.tool_names() == ["Spelling", "weigh", "spaced"]
    assert [event["metadata"].get("step") for event in captured.of_type("llm_response")] == ["ask"]
    started, _, spelt = captured.of_type("tool_call_request")
    assert started["content"]["toolCalls"][0]["arguments"] == {"prompt": "A pet!"}
    assert captured.events[-1]["content"]["toolResults"] == {"result": "c a t"}
    assert {event["metadata"]["parentSpanId"] for event in captured.of_type("llm_response")} == {started["spanId"]}
    assert (spelt["metadata"]["step"], spelt["metadata"]["workflow"]) == ("spell", "Spelling")
    assert spelt["content"]["toolCalls"][0]["arguments"] == {"word": "cat"}


class Failing(Workflow):
    """Fails in its only step."""

    @step
    async def fail(self, ev: StartEvent) -> StopEvent:  # noqa: ARG002  (its type says when it runs)
        raise ValueError("no dogs")


def test_a_failing_step_is_one_error(captured: Captured) -> None:
    """The step's span and the run's are both dropped for it."""
    with pytest.raises(Exception, match="no dogs"):
        run(Failing())
    assert [event["content"]["message"] for event in captured.of_type("error")] == ["no dogs"]


def test_a_run_in_a_trace_belongs_to_it(captured: Captured) -> None:
    """Also where the run is awaited after the block is left: it is the block in which it was started that counts."""

    async def later() -> None:
        with whyops.trace("mine"):
            handler: Awaitable[Any] = agent(calls(("ship", {"thing": "cat"})), "Done.", tools=[ship]).run("Ship it!")
        await handler

    asyncio.run(later())
    assert traces(captured) == {"mine"}
    assert captured.tool_names() == ["ship", "weigh"]


async def confirm(ctx: Context, what: str) -> str:
    """Ask a human."""
    answer = await ctx.wait_for_event(HumanResponseEvent, waiter_event=InputRequiredEvent(prefix=what))
    return str(answer.response)


confirm.__annotations__["ctx"] = Context


def test_waiting_for_a_human_is_no_error(captured: Captured) -> None:
    """The call is left by an exception and made again when the human has answered: interrupted, then answered."""

    async def with_a_human() -> None:
        handler = agent(calls(("confirm", {"what": "Sure?"})), "Done.", tools=[confirm]).run("Do it!")
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                handler.ctx.send_event(HumanResponseEvent(response="yes"))
        await handler

    asyncio.run(with_a_human())
    responses = [event["content"]["toolResults"] for event in captured.of_type("tool_call_response")]
    assert responses[-1] == {"result": "yes"}
    assert all("interrupted" in response for response in responses[:-1])
    assert "error" not in types(captured)
    assert len(traces(captured)) == 1


async def sleep(seconds: float) -> str:
    """Sleep."""
    await asyncio.sleep(seconds)
    return "awake"


async def awaited(handler: Awaitable[Any]) -> None:
    with contextlib.suppress(Exception):  # which one depends on the version
        await handler


@pytest.mark.parametrize("how", ["cancel_run", "cancel"])
def test_a_cancelled_run_is_no_error(how: str, captured: Captured) -> None:
    """The tool that was running is closed as interrupted."""

    async def cancelled() -> None:
        falling_asleep = asyncio.Event()

        async def sleep_long() -> None:
            """Sleep."""
            falling_asleep.set()
            await asyncio.sleep(30)

        handler = agent(calls(("sleep_long", {})), tools=[sleep_long]).run("Sleep!")
        await asyncio.wait_for(falling_asleep.wait(), 10)
        waiting = asyncio.ensure_future(awaited(handler))
        await asyncio.sleep(0)
        if how == "cancel_run":
            await handler.cancel_run()
        else:
            waiting.cancel()
        done, _ = await asyncio.wait([waiting], timeout=10)
        assert done

    asyncio.run(cancelled())
    assert "error" not in types(captured)
    assert "interrupted" in captured.of_type("tool_call_response")[0]["content"]["toolResults"]
    assert len(_dispatch._spans) == 0


def test_a_run_that_takes_too_long_is_an_error(captured: Captured) -> None:
    """That one is: nobody wanted it. The tool is interrupted, and the run failed."""
    with pytest.raises(Exception, match=r"(?i)timed? ?out"):
        run(agent(calls(("sleep", {"seconds": 30})), tools=[sleep], timeout=0.2), "Sleep!")
    assert len(captured.of_type("error")) == 1
    assert len(traces(captured)) == 1


@whyops.tool
def look_up(word: str) -> str:
    return weigh_word(word)


@whyops.tool
def weigh_word(word: str) -> str:
    raise LookupError(word)


class Reading(Workflow):
    """A workflow whose second step calls a decorated function, which calls another that fails."""

    @step
    async def begin(self, ev: StartEvent) -> Asked:
        return Asked(word=ev.word)

    @step
    async def read(self, ev: Asked) -> StopEvent:
        with contextlib.suppress(LookupError):
            look_up(ev.word)
        with instrument_tags({"team": "books", "llamaindex.run_id": "x"}):
            ScriptedLLM(script=in_turn("A word.")).chat([ChatMessage(role="user", content=ev.word)])
        raise ValueError(ev.word)


@pytest.mark.parametrize("in_a_block", [True, False])
def test_who_it_was_is_said_of_calls_within_and_of_errors(*, in_a_block: bool, captured: Captured) -> None:
    """Workflow and step on a decorated function's events, on those of one that it calls, and on errors; the application's tags as well."""
    with contextlib.suppress(ValueError), whyops.trace("t") if in_a_block else contextlib.nullcontext():
        run(Reading(), word="cat")
    about = [event for event in captured.events if event["metadata"].get("step") == "read"]
    assert [event["eventType"] for event in about] == [
        "tool_call_request",
        "tool_call_request",
        "error",
        "tool_call_response",
        "tool_call_response",
        "user_message",
        "llm_response",
        "error",
    ]
    assert {event["metadata"]["workflow"] for event in about} == {"Reading"}
    assert [event["metadata"].get("tags") for event in about[-3:]] == [{"team": "books"}] * 2 + [None]
    assert len(traces(captured)) == 1


def test_a_failing_tools_error_says_whose_it_was(captured: Captured) -> None:
    """The agent, the step and the id of the call that the model chose."""
    run(agent(calls(("divide", {"a": 1, "b": 0})), "No.", name="Clerk"), "What is 1 / 0?")
    (error,) = captured.of_type("error")
    assert {name: error["metadata"][name] for name in ("agent", "step", "tool_call_id")} == {
        "agent": "Clerk",
        "step": "call_tool",
        "tool_call_id": "call-0",
    }


def test_tags_are_those_of_the_run(captured: Captured) -> None:
    """Also where the run is awaited after the block of its tags."""

    async def tagged() -> None:
        with instrument_tags({"tenant": 7}):
            handler = agent(calls(("add", {"a": 1})), "Three.").run("What is 1 + 2?")
        await handler

    asyncio.run(tagged())
    assert {event["metadata"]["tags"]["tenant"] for event in captured.events} == {7}


class Slow(ScriptedLLM):
    """Takes its time once two words are said."""

    said: Any = Field(default=None, exclude=True)

    @llm_chat_callback()
    async def astream_chat(self, messages: Any, **_: Any) -> Any:
        chunks = self._chunks(self._reply(messages))

        async def slowly() -> Any:
            for i, chunk in enumerate(chunks):
                yield chunk
                if i == 1:
                    self.said.set()
                    await asyncio.sleep(0 if self.breaks_after else 30)

        return slowly()


@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_what_came_of_an_agents_stream_is_kept(how: str, captured: Captured) -> None:
    """Where the run is cancelled, or the stream breaks: an answer that is marked, with its agent and step."""

    async def left() -> None:
        breaks_after = 2 if how == "failed" else None
        llm = Slow(script=in_turn("One two three"), breaks_after=breaks_after, said=asyncio.Event())
        handler = FunctionAgent(name="Clerk", tools=[add], llm=llm).run("Count!")
        await llm.said.wait()
        if how == "cancelled":
            await handler.cancel_run()
        await asyncio.gather(handler, return_exceptions=True)

    asyncio.run(left())
    (answered,) = captured.of_type("llm_response")
    assert answered["content"]["content"] == "One two"
    assert answered["metadata"]["interrupted"] == ("ConnectionError" if how == "failed" else "CancelledError")
    assert (answered["metadata"]["agent"], answered["metadata"]["step"]) == ("Clerk", "run_agent_step")
    assert len(captured.of_type("error")) == (1 if how == "failed" else 0)
