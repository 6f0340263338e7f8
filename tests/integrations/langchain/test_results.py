"""What tools gave: parts of an MCP server's results, failures that are told and not raised, Commands, answers of `ToolStrategy`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, StructuredTool, ToolException
from langchain_core.tools import tool as langchain_tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, Send
from pydantic import BaseModel

import whyops
from tests.integrations.langchain.parts import Scripted, also_async, ask, calls, only, types
from whyops.integrations.langchain import _results

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PARTS = [{"type": "text", "text": "Sunny.", "id": "lc_1"}, {"type": "text", "text": "Warm.", "id": "lc_2"}]
LONG = "iVBORw0KGgo" * 1000


def as_mcp_adapters_make_it(*, handles: bool = True) -> StructuredTool:
    """Return a tool as MCP adapters do: by a JSON schema, around a function of any arguments that gives parts, or raises."""

    async def call_tool(**arguments: Any) -> tuple[list[dict[str, str]], Any]:
        if arguments["city"] == "nowhere":
            raise ToolException("no such city")
        return PARTS, None

    def told(error: ToolException) -> Any:
        return [{"type": "text", "text": str(error), "id": "lc_3"}]

    return StructuredTool(
        name="weather",
        description="Tell the weather.",
        args_schema=SCHEMA,
        coroutine=call_tool,
        response_format="content_and_artifact",
        handle_tool_error=told if handles else False,
    )


@pytest.mark.parametrize("decorated", [False, True])
@pytest.mark.parametrize("in_agent", [False, True])
def test_arguments_and_text_of_a_tool_of_an_mcp_server(captured, handler, in_agent, decorated):
    """Arguments stand by name, and the text is the result, whether an agent or the program makes the call."""
    tool: Any = as_mcp_adapters_make_it()
    tool = whyops.tool(tool) if decorated else tool
    config: Any = {"callbacks": [handler]}
    if in_agent:
        asyncio.run(create_agent(Scripted(answers=[calls(("weather", {"city": "Kiel"})), "ok"]), [tool]).ainvoke(ask(), config))
    else:
        asyncio.run(tool.ainvoke({"city": "Kiel"}, config))
    gave = only(captured, "tool_call_response")
    assert gave["content"]["toolCalls"] == [{"name": "weather", "arguments": {"city": "Kiel"}}]
    assert gave["content"]["toolResults"] == {"result": "Sunny.\nWarm."}


@pytest.mark.parametrize("in_agent", [False, True])
def test_a_failed_tool_of_an_mcp_server(captured, handler, in_agent):
    """A failure that is told to the model is a failed call, without an error: the run goes on."""
    config: Any = {"callbacks": [handler]}
    tool = as_mcp_adapters_make_it()
    if in_agent:
        asyncio.run(create_agent(Scripted(answers=[calls(("weather", {"city": "nowhere"})), "ok"]), [tool]).ainvoke(ask(), config))
    else:
        asyncio.run(tool.ainvoke({"city": "nowhere"}, config))
    assert only(captured, "tool_call_response")["content"]["toolResults"] == {"error": "no such city"}
    assert captured.of_type("error") == []


@pytest.mark.parametrize("how", also_async("invoke", "ainvoke"))
def test_a_failed_tool_that_is_not_handled(captured, handler, how):
    """A ToolException that goes on is an error, once, and the call failed."""

    @langchain_tool
    def weather(city: str) -> str:
        """Tell the weather."""
        raise ToolException(f"no {city}")

    given: Any = ({"city": "nowhere"}, {"callbacks": [handler]})
    with pytest.raises(ToolException):
        weather.invoke(*given) if how == "invoke" else asyncio.run(weather.ainvoke(*given))
    assert types(captured) == ["tool_call_request", "error", "tool_call_response"]
    assert "no nowhere" in only(captured, "tool_call_response")["content"]["error"]


def test_data_in_a_result_is_told_by_its_length():
    """An image among the parts is a marker; the parts' ids are nothing that a tool gave."""
    parts = [{"type": "text", "text": "A cat.", "id": "lc_1"}, {"type": "image", "base64": LONG, "mime_type": "image/png", "id": "lc_2"}]
    told = [{"type": "text", "text": "A cat."}, {"type": "image", "base64": "[11000 characters]", "mime_type": "image/png"}]
    assert _results.outcome_of(ToolMessage(parts, tool_call_id="1")).result == told
    assert _results.outcome_of(parts).result == told


def test_a_list_of_a_tools_own_is_no_list_of_parts():
    """Dicts that happen to have a type are what the tool gave."""
    own = [{"type": "invoice", "text": "57.70", "id": "1"}]
    assert _results.outcome_of(own).result == own
    assert _results.outcome_of([]).result == []


def test_a_command_says_where_to_and_what_is_updated(captured, handler):
    """And what it tells the model: not the whole history that it hands on."""

    @langchain_tool
    def transfer(call_id: Annotated[str, InjectedToolCallId]) -> Command:
        """Hand over."""
        told = ToolMessage("transferred", tool_call_id=call_id)
        return Command(update={"messages": [*(HumanMessage("long ago") for _ in range(50)), told], "todos": ["a"]})

    agent = create_agent(Scripted(answers=[calls(("transfer", {})), "ok"]), [transfer])
    agent.invoke(ask(), {"callbacks": [handler]})
    assert only(captured, "tool_call_response")["content"]["toolResults"] == {"updated": ["messages", "todos"], "result": "transferred"}


@pytest.mark.parametrize(
    "command, told",
    [
        (Command(goto="bob"), {"goto": "bob"}),
        (Command(goto=["bob", Send("eve", {"much": "state"})], graph=Command.PARENT), {"graph": "__parent__", "goto": ["bob", "eve"]}),
        (Command(update=[("todos", ["a"])]), {"updated": ["todos"]}),
        (Command(update="odd"), {}),
        (Command(resume="yes"), {"resume": "yes"}),
        ([Command(goto="bob")], [{"goto": "bob"}]),
    ],
)
def test_commands(command, told):
    """Each part that a Command has, by its name."""
    assert _results.outcome_of(command).result == told


class Report(BaseModel):
    """A report."""

    sky: int


def test_an_agents_structured_answer(captured, handler):
    """What the agent tells of a form that does not fit, and of one that does, are results of the chosen calls: none is missing."""
    model = Scripted(
        answers=[
            AIMessage("", tool_calls=[{"name": "Report", "args": {"sky": "blue"}, "id": "c1"}]),
            AIMessage("", tool_calls=[{"name": "Report", "args": {"sky": 7}, "id": "c2"}]),
        ]
    )
    create_agent(model, [], response_format=ToolStrategy(Report)).invoke(ask(), {"callbacks": [handler]})
    refused, taken = captured.of_type("tool_result")
    assert "Failed to parse" in refused["content"]["output"]
    assert taken["content"]["output"] == "Returning structured response: sky=7"
    assert [event["metadata"]["tool_call_id"] for event in (refused, taken)] == ["c1", "c2"]
    assert types(captured) == ["user_message", "llm_response", "tool_result", "llm_response", "tool_result"]


def test_a_node_that_asks_and_calls_by_itself_tells_no_result_twice(captured, handler):
    """Where a tool has run, its own events tell the result."""

    @langchain_tool
    def find(order: str) -> str:
        """Find."""
        return order

    def node(state: Any) -> Any:
        said = model.invoke(state["messages"])
        return {"messages": [said, *(find.invoke({**call, "type": "tool_call"}) for call in said.tool_calls)]}

    model = Scripted(answers=[calls(("find", {"order": "1"}))])
    graph = StateGraph(MessagesState)
    graph.add_node("both", node)
    graph.add_edge(START, "both")
    graph.compile().invoke(ask(), {"callbacks": [handler]})
    assert types(captured) == ["user_message", "llm_response", "tool_call_request", "tool_call_response"]
