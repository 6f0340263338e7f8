"""Tools and retrievers: one span for one call, with its arguments, its result and its place."""

# ruff: noqa: ARG002  (LangChain says what a retriever's method takes)

from __future__ import annotations

import asyncio
import copy
import functools
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import pytest
from langchain_core.callbacks import CallbackManagerForRetrieverRun, dispatch_custom_event
from langchain_core.documents import Document
from langchain_core.messages import ToolMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.tools import BaseTool, InjectedToolCallId, StructuredTool, Tool, ToolException
from langchain_core.tools import tool as langchain_tool
from langgraph.prebuilt import InjectedState, InjectedStore, ToolRuntime
from pydantic import BaseModel, ValidationError

import whyops
from tests.integrations.langchain.parts import only, tool_spans, types
from whyops._recording import context
from whyops.integrations.langchain import WhyOpsCallbackHandler
from whyops.integrations.langchain._runs import open_runs
from whyops.testing import capture

State = Annotated[dict, InjectedState]


@whyops.tool
def helper(number: int) -> int:
    return number + 1


@langchain_tool
def find(order: str, *, loud: bool = False) -> dict[str, Any]:
    """Find an order."""
    return {"order": order, "loud": loud}


@langchain_tool
async def find_async(order: str) -> dict[str, Any]:
    """Find an order."""
    return {"order": order}


@langchain_tool
def broken(order: str) -> str:
    """Fail."""
    raise ValueError(f"no order {order}")


def as_call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_call", "id": "call-1", "name": name, "args": arguments}


def test_a_tool_is_a_pair_with_one_span_id(captured, handler):
    """Request and response share a span id; arguments are structured, and the result is what the tool gave."""
    find.invoke({"order": "1"}, {"callbacks": [handler]})
    asked, gave = captured.events
    assert (asked["eventType"], gave["eventType"]) == ("tool_call_request", "tool_call_response")
    assert asked["spanId"] == gave["spanId"]
    assert asked["content"] == {"name": "find", "toolCalls": [{"name": "find", "arguments": {"order": "1"}}]}
    assert gave["content"]["toolResults"] == {"order": "1", "loud": False}
    assert gave["metadata"]["tool"] == "find"
    assert gave["metadata"]["latencyMs"] >= 0


@pytest.mark.parametrize("how", ["sync", "async", "sync tool in async code"])
def test_a_tool_call_of_a_model(captured, handler, how):
    """Called with a model's tool call, a tool gives a ToolMessage: its content is the result, and the call's id is in the metadata."""
    call = as_call("find", order="1")
    if how == "sync":
        result = find.invoke(call, {"callbacks": [handler]})
    else:
        result = asyncio.run((find_async if how == "async" else find).ainvoke(call, {"callbacks": [handler]}))
    assert isinstance(result, ToolMessage)
    asked, gave = captured.events
    assert asked["content"]["toolCalls"][0]["arguments"] == {"order": "1"}
    assert gave["content"]["toolResults"] == {"result": result.content}
    assert asked["metadata"]["tool_call_id"] == gave["metadata"]["tool_call_id"] == "call-1"


def test_the_proxys_argument_is_none_of_the_tools(captured, handler):
    """`_whyops_trace_id`, which the proxy adds to a model's tool calls, is not recorded."""
    find.invoke(as_call("find", order="1", _whyops_trace_id="t"), {"callbacks": [handler]})
    assert only(captured, "tool_call_request")["content"]["toolCalls"][0]["arguments"] == {"order": "1"}


def test_a_tool_that_takes_a_text(captured, handler):
    """A tool that is called with a text has it as its one argument."""
    Tool("shout", lambda text: text.upper(), "Shouts.").invoke("hey", {"callbacks": [handler]})
    assert only(captured, "tool_call_request")["content"]["toolCalls"][0]["arguments"] == {"input": "hey"}
    assert only(captured, "tool_call_response")["content"]["toolResults"] == {"result": "HEY"}


def test_an_artifact_stands_beside_the_content(captured, handler):
    """What a tool gives besides what the model sees is recorded too."""

    @langchain_tool(response_format="content_and_artifact")
    def search(query: str) -> tuple[str, list[Document]]:
        """Search."""
        return f"1 found for {query}", [Document("page", metadata={"source": "a"})]

    search.invoke(as_call("search", query="x"), {"callbacks": [handler]})
    assert only(captured, "tool_call_response")["content"]["toolResults"] == {
        "result": "1 found for x",
        "artifact": [{"content": "page", "metadata": {"source": "a"}}],
    }


def test_a_tool_that_raises(captured, handler):
    """One `error` with the span's id, one response that tells it, and the exception goes on, also through the chain and the trace."""
    with pytest.raises(ValueError, match="no order 1"), whyops.trace("t"):
        RunnableLambda(lambda order: broken.invoke({"order": order})).invoke("1", {"callbacks": [handler]})
    assert types(captured) == ["tool_call_request", "error", "tool_call_response"]
    asked, error, gave = captured.events
    assert asked["spanId"] == error["spanId"] == gave["spanId"]
    assert error["content"]["message"] == "no order 1"
    assert gave["content"]["toolResults"] == {"error": "ValueError: no order 1"}


def test_wrong_arguments(captured, handler):
    """Arguments that the schema refuses are recorded as they came, and the refusal as the tool's error."""
    with pytest.raises(ValidationError):
        find.invoke({"number": 1}, {"callbacks": [handler]})
    assert types(captured) == ["tool_call_request", "error", "tool_call_response"]
    assert captured.events[0]["content"]["toolCalls"][0]["arguments"] == {"number": 1}


def test_a_failure_that_the_tool_handles_is_a_failure(captured, handler):
    """A ToolMessage with the status `error` closes the call as failed, and is no exception."""

    def refuse(order: str) -> str:
        raise ToolException(f"not {order}")

    refusing = StructuredTool.from_function(refuse, description="Refuse.", handle_tool_error=True)
    refusing.invoke(as_call("refuse", order="1"), {"callbacks": [handler]})
    assert types(captured) == ["tool_call_request", "tool_call_response"]
    assert captured.events[1]["content"]["toolResults"] == {"error": "not 1"}


def test_calls_in_a_tools_body_are_its_children(captured, handler):
    """`@whyops.tool` functions and LangChain's tools, called in a tool's body, name its span as their parent: sync, async, in threads."""

    @langchain_tool
    def outer(order: str) -> str:
        """Call others."""
        helper(1)
        find.invoke({"order": order})
        with ThreadPoolExecutor(1) as pool:
            pool.submit(whyops.bind_context(helper), 2).result()
        return order

    @langchain_tool
    async def outer_async(order: str) -> str:
        """Call others."""
        helper(1)
        await find_async.ainvoke({"order": order})
        await asyncio.gather(asyncio.to_thread(helper, 2), asyncio.create_task(find_async.ainvoke({"order": "task"})))
        return order

    async def main() -> None:
        await outer_async.ainvoke({"order": "2"}, {"callbacks": [handler]})
        await outer.ainvoke({"order": "3"}, {"callbacks": [handler]})
        assert context.top() is None

    outer.invoke({"order": "1"}, {"callbacks": [handler]})
    assert context.current.get() is None
    asyncio.run(main())
    spans = tool_spans(captured)
    roots = [*spans["outer"], *spans["outer_async"]]
    for event in captured.of_type("tool_call_request"):
        parent = event["metadata"].get("parentSpanId")
        assert (parent is None) == (event["spanId"] in roots)
        assert parent is None or parent in roots
    assert len({event["traceId"] for event in captured.events}) == 3


def test_a_deeper_parent_is_the_nearest_span(captured, handler):
    """A LangChain tool that a `@whyops.tool` function calls, in another LangChain tool's body, is that function's child."""

    @whyops.tool
    def middle(order: str) -> dict[str, Any]:
        return find.invoke({"order": order})

    @langchain_tool
    def outer(order: str) -> dict[str, Any]:
        """Call the middle."""
        return middle(order)

    outer.invoke({"order": "1"}, {"callbacks": [handler]})
    spans = tool_spans(captured)
    parents = {event["metadata"]["tool"]: event["metadata"].get("parentSpanId") for event in captured.of_type("tool_call_request")}
    assert parents == {"outer": None, "middle": spans["outer"][0], "find": spans["middle"][0]}


def test_a_function_that_a_chain_calls_is_in_its_trace(captured, handler):
    """A `@whyops.tool` function that is called in a chain's step, with no trace block open, is recorded in the run's trace."""
    steps = RunnableLambda(helper) | RunnableLambda(helper)
    run_id = uuid.uuid4()
    assert steps.invoke(1, {"callbacks": [handler], "run_id": run_id}) == 3
    assert [event["traceId"] for event in captured.events] == [str(run_id)] * 4


def test_nothing_is_current_for_who_reads_a_stream(captured, handler):
    """Between two chunks the consumer's own calls are its own, sync and async: they are not the run's."""

    def pieces(text: str):
        yield text
        yield text

    async def pieces_async(text: str):
        yield text
        yield text

    async def main() -> None:
        async for _ in RunnableLambda(pieces_async).astream("x", {"callbacks": [handler], "run_id": uuid.uuid4()}):
            assert context.top() is None

    for _ in RunnableLambda(pieces).stream("x", {"callbacks": [handler], "run_id": uuid.uuid4()}):
        assert context.top() is None
    asyncio.run(main())
    assert captured.events == []


def test_a_cancelled_tool_leaves_nothing_current(captured, handler):
    """In the task that goes on, a cancelled tool's span is not current, whether LangChain tells of its end (as 1.8 does) or does not."""

    @langchain_tool
    async def slow(order: str) -> str:
        """Wait."""
        await asyncio.sleep(30)
        return order

    run_id = uuid.uuid4()

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(slow.ainvoke({"order": "1"}, {"callbacks": [handler], "run_id": run_id}), 0.05)
        assert context.top() is None

    asyncio.run(main())
    left_open = open_runs.end(run_id, handler)
    if left_open is not None:
        assert types(captured) == ["tool_call_request"]
        left_open.close("test")
    else:
        assert types(captured) == ["tool_call_request", "tool_call_response"]
        assert captured.events[1]["content"]["toolResults"] == {"interrupted": "CancelledError"}


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_what_stops_the_program_leaves_nothing_current(captured, handler, error):
    """A tool that is left by an exception which LangChain does not catch is not current in its caller."""

    @langchain_tool
    def stops(order: str) -> str:
        """Stop."""
        raise error

    run_id = uuid.uuid4()
    with pytest.raises(error):
        stops.invoke({"order": "1"}, {"callbacks": [handler], "run_id": run_id})
    assert context.top() is None
    left_open = open_runs.end(run_id, handler)
    if left_open is not None:
        left_open.close("SystemExit")
    gave = only(captured, "tool_call_response")
    assert gave["metadata"]["interrupted"] == error.__name__


def test_a_cancelled_chain_closes_the_calls_in_it(captured, handler):
    """LangChain tells a chain of its cancellation, and not the tool in it: the tool's call is closed as interrupted, and no error."""

    @langchain_tool
    async def slow(order: str) -> str:
        """Wait."""
        await asyncio.sleep(30)
        return order

    async def main() -> None:
        task = asyncio.create_task(RunnableLambda(slow.ainvoke).ainvoke({"order": "1"}, {"callbacks": [handler]}))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert types(captured) == ["tool_call_request", "tool_call_response"]
    assert captured.events[1]["metadata"]["interrupted"] == "CancelledError"


class Order(BaseModel):
    """Something with `model_copy` that is no tool."""

    number: int


class Shop(BaseTool):
    """A tool that is a class of its own, decorated where it runs."""

    name: str = "shop"
    description: str = "Sell."

    @whyops.tool
    def _run(self, order: str) -> int:
        return helper(int(order))


def decorated_tools() -> dict[str, BaseTool]:
    """Return tools around decorated functions, however they are made."""

    def plain(order: str) -> int:
        """Find an order."""
        return helper(int(order))

    async def plain_async(order: str) -> int:
        """Find an order."""
        return helper(int(order))

    def loud(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    class Desk:
        @whyops.tool
        def plain(self, order: str) -> int:
            """Find an order."""
            return helper(int(order))

    return {
        "inside": langchain_tool(whyops.tool(plain)),
        "inside, async": langchain_tool(whyops.tool(plain_async)),
        "outside": whyops.tool(langchain_tool(plain)),
        "outside, async": whyops.tool(langchain_tool(plain_async)),
        "both": whyops.tool(langchain_tool(whyops.tool(plain))),
        "under another decorator": langchain_tool(loud(whyops.tool(plain))),
        "both functions": StructuredTool.from_function(whyops.tool(plain), whyops.tool(plain_async)),
        "a method": StructuredTool.from_function(Desk().plain),
        "a tool of one text": Tool("plain", whyops.tool(plain), "Find."),
        "a class": Shop(),
    }


@pytest.mark.parametrize(
    "kind, call",
    [(kind, call) for kind in decorated_tools() for call in ("invoke", "ainvoke") if call == "ainvoke" or not kind.endswith("async")],
)
def test_a_decorated_tool_is_one_span(captured, handler, kind, call):
    """A LangChain tool whose function carries `@whyops.tool` is one span, in whatever order decorated; its helpers are its children."""
    tool = decorated_tools()[kind]
    if call == "invoke":
        assert tool.invoke({"order": "1"}, {"callbacks": [handler]}) == 2
    else:
        assert asyncio.run(tool.ainvoke({"order": "1"}, {"callbacks": [handler]})) == 2
    spans = tool_spans(captured)
    assert {name: len(ids) for name, ids in spans.items()} == {tool.name: 1, "helper": 1}
    (asked,) = [event for event in captured.of_type("tool_call_request") if event["metadata"]["tool"] == "helper"]
    assert asked["metadata"]["parentSpanId"] == spans[tool.name][0]


def test_an_exception_that_the_decorator_expects_is_a_result(captured, handler):
    """What `@whyops.tool(expected=…)` says of a function holds where LangChain's handler records its calls."""

    @langchain_tool
    @whyops.tool(expected=LookupError)
    def find(order: str) -> str:
        """Find an order."""
        raise KeyError(order)

    with pytest.raises(KeyError), whyops.trace("t"):
        find.invoke({"order": "7"}, {"callbacks": [handler]})
    (response,) = captured.of_type("tool_call_response")
    assert response["content"]["toolResults"] == {"raised": "KeyError: '7'"}
    assert not captured.of_type("error")


OWN_NAMES = {"a class": "_run", "both functions": "plain_async"}
"""What the decorated function of a tool is called, where that is not the tool's name."""


@pytest.mark.parametrize("kind", decorated_tools())
def test_a_decorated_tool_is_recorded_without_a_handler_too(captured, kind):
    """Where no handler is, the decorator records the call by itself, also of a tool object that it was put over."""
    tool = decorated_tools()[kind]
    with whyops.trace("t"):
        assert asyncio.run(tool.ainvoke({"order": "1"})) == 2
    assert set(tool_spans(captured)) == {OWN_NAMES.get(kind, tool.name), "helper"}


def test_a_decorated_tool_object_stays_a_tool():
    """`@whyops.tool` over a tool object gives a tool object: same class, name, description and schema, the first one unchanged."""
    decorated = whyops.tool(find)
    assert type(decorated) is type(find)
    assert (decorated.name, decorated.description, decorated.args) == (find.name, find.description, find.args)
    assert decorated is not find
    assert find.func is not decorated.func
    with pytest.raises(TypeError, match="takes a function"):
        whyops.tool(Order(number=1))


def test_a_decorated_function_that_calls_itself(captured, handler):
    """Only the tool's own call is the tool's span; the calls that its function makes of itself are spans of their own."""

    @whyops.tool
    def countdown(number: int) -> int:
        """Count down."""
        return number if number == 0 else countdown(number - 1)

    langchain_tool(countdown).invoke({"number": 2}, {"callbacks": [handler]})
    assert len(tool_spans(captured)["countdown"]) == 3


def test_an_undecorated_tool_that_calls_a_decorated_function_twice(captured, handler):
    """Another decorated function is never taken for the tool's own, first call or not."""
    twice = StructuredTool.from_function(lambda number: helper(number) + helper(number), name="twice", description="Twice.")
    twice.invoke({"number": 1}, {"callbacks": [handler]})
    spans = tool_spans(captured)
    assert (len(spans["twice"]), len(spans["helper"])) == (1, 2)


def test_what_a_decorator_was_told_to_leave_out_is_left_out(captured, handler):
    """`capture_arguments=False` and `capture_result=False` hold under a LangChain tool too."""

    @langchain_tool
    @whyops.tool(capture_arguments=False, capture_result=False)
    def charge(card: str) -> str:
        """Charge a card."""
        return f"charged {card}"

    charge.invoke({"card": "4111"}, {"callbacks": [handler]})
    assert "4111" not in str(captured.events)
    assert only(captured, "tool_call_request")["content"]["toolCalls"][0]["arguments"] == {"card": "[not captured]"}


@whyops.tool
def greedy(
    order: str,
    state: Annotated[dict, InjectedState],
    store: Annotated[Any, InjectedStore()],
    call_id: Annotated[str, InjectedToolCallId],
    runtime: ToolRuntime,
    config: RunnableConfig,
    alias: State,
    optional: ToolRuntime | None = None,
    callbacks: Any = None,
    run_manager: CallbackManagerForRetrieverRun | None = None,
) -> str:
    """Take all there is."""
    return order


def test_injected_arguments_are_left_out(captured):
    """What LangGraph and LangChain inject is no argument of a `@whyops.tool` function: told by its annotation, here all text."""
    assert isinstance(greedy.__annotations__["state"], str)
    with whyops.trace("t"):
        greedy("1", *["secret"] * 6, optional="secret", callbacks=["x"], run_manager="secret")
    assert only(captured, "tool_call_request")["content"]["toolCalls"][0]["arguments"] == {"order": "1", "callbacks": ["x"]}


def test_injected_arguments_are_told_by_what_is_written_where_nothing_can_be_looked_up(captured):
    """An annotation that names what is not there at run time is read as text; names of the caller's own are no injected ones."""

    @whyops.tool
    def local(order: str, state: "Annotated[Missing, InjectedState]", box: "Missing", callbacks=None) -> str:  # noqa: F821, UP037
        return order

    with whyops.trace("t"):
        local("1", "secret", "kept")
    assert only(captured, "tool_call_request")["content"]["toolCalls"][0]["arguments"] == {"order": "1", "box": "kept"}


class Shelf(BaseRetriever):
    """Finds the same documents always, unless it is told to fail."""

    fails: bool = False

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        if self.fails:
            raise ValueError("no shelf")
        return [Document("first", id="1", metadata={"score": 0.9, "page": 2}), Document("second")]


def test_a_retriever_is_a_tool_pair(captured, handler):
    """The query is the argument; the documents are the result, with content, metadata and score."""
    Shelf().invoke("what", {"callbacks": [handler]})
    asyncio.run(Shelf().ainvoke("what", {"callbacks": [handler]}))
    assert types(captured) == ["tool_call_request", "tool_call_response"] * 2
    asked, gave = captured.events[:2]
    assert asked["content"] == {"name": "Shelf", "toolCalls": [{"name": "Shelf", "arguments": {"query": "what"}}]}
    assert gave["spanId"] == asked["spanId"]
    assert gave["content"]["toolResults"] == {
        "documents": [
            {"id": "1", "content": "first", "metadata": {"score": 0.9, "page": 2}, "score": 0.9},
            {"content": "second"},
        ]
    }


def test_a_retriever_that_raises(captured, handler):
    """An error with the span's id, and the closing response."""
    with pytest.raises(ValueError, match="no shelf"):
        Shelf(fails=True).invoke("what", {"callbacks": [handler]})
    assert types(captured) == ["tool_call_request", "error", "tool_call_response"]
    assert len({event["spanId"] for event in captured.events}) == 1


class Hostile:
    """Raises whatever is asked of it."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise RuntimeError("bool")


ODD = {
    "hostile": Hostile(),
    "lock": threading.Lock(),
    "iterator": iter([1]),
    "bytes": b"\xff",
    "nan": float("nan"),
    "nested": {1: Hostile()},
}


@pytest.mark.parametrize("kind", ODD)
def test_no_result_breaks_the_run(captured, handler, kind):
    """Whatever a tool gives, the app gets it, and the call is recorded."""

    def give(order: str) -> Any:
        return ODD[kind]

    tool = StructuredTool.from_function(give, description="Give.")
    assert tool.invoke({"order": "1"}, {"callbacks": [handler]}) is ODD[kind]
    assert types(captured) == ["tool_call_request", "tool_call_response"]


def test_an_event_that_comes_twice_is_recorded_once(captured, handler):
    """LangChain hands a handler that is both bound and passed each event twice, with one run id."""
    bound = RunnableLambda(lambda order: find.invoke({"order": order})).with_config(callbacks=[handler])
    bound.invoke("1", {"callbacks": [handler]})
    assert types(captured) == ["tool_call_request", "tool_call_response"]


def test_two_handlers_of_one_client_record_once(captured, handler):
    """Another handler for the same events adds nothing."""
    find.invoke({"order": "1"}, {"callbacks": [handler, WhyOpsCallbackHandler()]})
    assert types(captured) == ["tool_call_request", "tool_call_response"]


def test_two_handlers_of_two_clients_record_for_each():
    """Each client gets the run, with its own span, when each has a handler."""
    with capture("one") as one, capture("other") as other:
        handlers = [WhyOpsCallbackHandler(one.client), WhyOpsCallbackHandler(other.client)]
        find.invoke({"order": "1"}, {"callbacks": handlers})
        assert types(one) == types(other) == ["tool_call_request", "tool_call_response"]


def test_a_handler_can_be_copied(handler):
    """Configs are copied, deeply too; a handler stays the one that it is."""
    assert copy.deepcopy({"callbacks": [handler]})["callbacks"][0] is handler
    assert copy.copy(handler) is handler


def test_a_config_that_a_thread_is_given_by_hand(captured, handler):
    """A thread that was started in a run and given its config records in the same trace."""

    def start(order: str, config: RunnableConfig) -> str:
        thread = threading.Thread(target=find.invoke, args=({"order": order}, config))
        thread.start()
        thread.join()
        return order

    run_id = uuid.uuid4()
    RunnableLambda(start).invoke("1", {"callbacks": [handler], "run_id": run_id})
    assert [event["traceId"] for event in captured.events] == [str(run_id)] * 2


def test_errors_that_come_twice_are_recorded_once(captured, handler):
    """The second telling of an end finds no run: of a tool, a retriever, a chain."""

    def fail(order: str) -> Any:
        return broken.with_config(callbacks=[handler]).invoke({"order": order}, {"callbacks": [handler]})

    with pytest.raises(ValueError, match="no order"):
        RunnableLambda(fail).with_config(callbacks=[handler]).invoke("1", {"callbacks": [handler]})
    with pytest.raises(ValueError, match="no shelf"):
        Shelf(fails=True).with_config(callbacks=[handler]).invoke("1", {"callbacks": [handler]})
    Shelf().with_config(callbacks=[handler]).invoke("1", {"callbacks": [handler]})
    assert types(captured) == ["tool_call_request", "error", "tool_call_response"] * 2 + ["tool_call_request", "tool_call_response"]


class Moody(BaseModel):
    """A result that cannot be looked at."""

    number: int = 1

    @property
    def type(self) -> str:
        raise RuntimeError("not now")


def test_a_result_that_cannot_be_looked_at_is_recorded_as_far_as_it_can(captured, handler):
    """What raises when it is translated is left to the serializer, and the call is closed."""
    StructuredTool.from_function(lambda number: Moody(number=number), name="give", description="Give.").invoke(
        {"number": 1}, {"callbacks": [handler]}
    )
    assert only(captured, "tool_call_response")["content"]["toolResults"]["result"]["number"] == 1


def test_events_that_langchain_need_not_send(captured, handler):
    """The application's own events are none of ours, nor are LangGraph's notices of what other callbacks tell."""

    def say(text: str) -> str:
        dispatch_custom_event("noticed", {"text": text})
        return text

    assert RunnableLambda(say).invoke("x", {"callbacks": [handler]}) == "x"
    handler.on_interrupt(object())
    handler.on_resume(object())
    assert types(captured) == ["user_message", "tool_result"]  # of the run itself


def test_a_handler_of_another_client_below_a_run_records_for_its_own():
    """A handler with a client of its own, in a run that another client records, makes no trace of that other client's."""
    with capture("one") as one, capture("other") as other:
        inner = find.model_copy(update={"callbacks": [WhyOpsCallbackHandler(other.client)]})
        RunnableLambda(lambda order: inner.invoke({"order": order})).invoke("1", {"callbacks": [WhyOpsCallbackHandler(one.client)]})
        assert types(one) == types(other) == ["tool_call_request", "tool_call_response"]
        assert {event["agentName"] for event in other.events} == {"other"}


def test_where_no_client_can_be_told_the_run_goes_on_and_it_is_said_once(caplog, handler):
    """With two clients open and none chosen nothing is recorded; the log says what to do."""
    with whyops.WhyOps(agent_name="one", outbox="memory"), whyops.WhyOps(agent_name="two", outbox="memory"):
        assert find.invoke({"order": "1"}, {"callbacks": [handler]})["order"] == "1"
    (said,) = [record.getMessage() for record in caplog.records if record.name == "whyops" and record.levelname == "WARNING"]
    assert "2 clients are open and none is the default" in said
    caplog.clear()


def test_callbacks_that_are_called_by_hand(captured, handler):
    """A start that no tool of LangChain's tells, and from however deep a stack, is recorded all the same."""

    def start(depth: int) -> None:
        if depth:
            start(depth - 1)
            return
        run_id = uuid.uuid4()
        handler.on_tool_start({"name": "by-hand"}, "text", run_id=run_id)
        handler.on_tool_end("done", run_id=run_id)
        handler.on_tool_end("done", run_id=run_id)
        handler.on_tool_error(ValueError(), run_id=run_id)

    start(20)
    run_id = uuid.uuid4()
    for target, argument in ((handler.on_tool_start, {"name": "in-a-thread"}), (handler.on_tool_end, "done")):
        arguments = (argument, "text") if target == handler.on_tool_start else (argument,)
        thread = threading.Thread(target=target, args=arguments, kwargs={"run_id": run_id})
        thread.start()
        thread.join()
    handler.on_llm_error(ValueError(), run_id=run_id)
    assert types(captured) == ["tool_call_request", "tool_call_response"] * 2
