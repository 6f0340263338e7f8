"""LlamaIndex's tools, called in each of the ways it has: one pair for a call, however many spans tell of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from llama_index.core.bridge.pydantic import BaseModel, Field
from llama_index.core.tools import AsyncBaseTool, BaseTool, FunctionTool, ToolMetadata, ToolOutput, adapt_to_async_tool
from llama_index.core.tools.calling import acall_tool, call_tool

import whyops
from whyops.testing import Captured


class Word(BaseModel):
    """The parameters of `Shout`."""

    word: str


class Shout(BaseTool):
    """A plain tool, of the application's own, with one parameter."""

    metadata = ToolMetadata(name="shout", description="Shout.", fn_schema=Word)

    def __call__(self, input: str) -> ToolOutput:  # noqa: A002  (LlamaIndex's name)
        if input == "fail":
            raise ValueError("too loud")
        return ToolOutput(content=input.upper(), tool_name="shout", raw_input={"input": input}, raw_output=input.upper())


class Whisper(AsyncBaseTool):
    """A tool whose `acall` is its `call`."""

    metadata = ToolMetadata(name="whisper", description="Whisper.")

    def call(self, input: str, *words: str) -> ToolOutput:  # noqa: A002
        text = " ".join([input, *words]).lower()
        return ToolOutput(content=text, tool_name="whisper", raw_input={"input": input}, raw_output=text)

    async def acall(self, input: str, *words: str) -> ToolOutput:  # noqa: A002
        return self.call(input, *words)


class Failing(AsyncBaseTool):
    """Reports its failure instead of raising it."""

    metadata = ToolMetadata(name="failing", description="Fail.", fn_schema=None)

    def call(self, input: str) -> ToolOutput:  # noqa: A002
        return ToolOutput(content="no such word", tool_name="failing", raw_input={"input": input}, raw_output=None, is_error=True)

    async def acall(self, input: str) -> ToolOutput:  # noqa: A002
        return self.call(input)


def add(a: int, b: int = Field(default=2), *, c: int = 0) -> int:
    """Add."""
    return a + b + c


def plus() -> FunctionTool:
    return FunctionTool.from_defaults(add, partial_params={"c": 1})


def of_the_only_call(captured: Captured) -> tuple[dict[str, Any], Any]:
    """Return arguments and results of the one call that there was."""
    assert [event["eventType"] for event in captured.events] == ["tool_call_request", "tool_call_response"]
    request, response = captured.events
    assert request["spanId"] == response["spanId"]
    return request["content"]["toolCalls"][0]["arguments"], response["content"]["toolResults"]


@pytest.mark.parametrize("way", ["__call__", "call", "acall", "call_tool", "acall_tool"])
def test_a_function_tools_call(way: str, captured: Captured) -> None:
    """With defaults, and with what the tool adds, by name."""
    tool = plus()
    if way == "call_tool":
        call_tool(tool, {"a": 1})
    elif way == "acall_tool":
        asyncio.run(acall_tool(tool, {"a": 1}))
    elif way == "acall":
        asyncio.run(tool.acall(a=1))
    else:
        getattr(tool, way)(1)
    assert of_the_only_call(captured) == ({"a": 1, "b": 2, "c": 1}, {"result": 4})


@pytest.mark.parametrize("way", ["__call__", "adapted", "call_tool", "acall_tool"])
def test_a_plain_tools_call(way: str, captured: Captured) -> None:
    """Up to three spans on two objects; what is given by position has the name that the model knows, if there is one."""
    tool = Shout()
    if way == "adapted":
        asyncio.run(adapt_to_async_tool(tool).acall("hey"))
    elif way == "call_tool":
        call_tool(tool, {"word": "hey"})
    elif way == "acall_tool":
        asyncio.run(acall_tool(tool, {"word": "hey"}))
    else:
        tool("hey")
    assert of_the_only_call(captured) == ({"input": "hey"}, {"result": "HEY"})


@pytest.mark.parametrize("way", ["__call__", "call", "acall"])
def test_a_tool_whose_async_call_is_its_sync_one(way: str, captured: Captured) -> None:
    """One handing down is one call."""
    tool = Whisper()
    asyncio.run(tool.acall("HEY", "YOU")) if way == "acall" else getattr(tool, way)("HEY", "YOU")
    assert of_the_only_call(captured)[1] == {"result": "hey you"}


def test_a_reported_failure_is_a_failure(captured: Captured) -> None:
    """Nothing was raised, so there is no error of its own."""
    Failing()("x")
    assert of_the_only_call(captured) == ({"input": "x"}, {"error": "no such word"})


def test_an_exception_that_the_decorator_expects_is_a_result(captured: Captured) -> None:
    """What `@whyops.tool(expected=…)` says of a function holds where LlamaIndex tells of its calls."""

    @whyops.tool(expected=LookupError)
    def find(order: str) -> str:
        raise KeyError(order)

    with pytest.raises(KeyError):
        FunctionTool.from_defaults(find).call("7")
    assert of_the_only_call(captured) == ({"order": "7"}, {"raised": "KeyError: '7'"})


class Fussy(BaseTool):
    """Takes its parameter by keyword only."""

    metadata = ToolMetadata(name="fussy", description="Fuss.", fn_schema=Word)

    def __call__(self, *args: str, word: str = "") -> ToolOutput:  # type: ignore[override]
        if args:
            raise TypeError("by keyword, please")
        return ToolOutput(content=word, tool_name="fussy", raw_input={"word": word}, raw_output=word)


def test_a_tool_that_is_tried_again_was_called_twice(captured: Captured) -> None:
    """LlamaIndex tries by keyword what failed by position: both calls happened, with the same arguments by name."""
    assert call_tool(Fussy(), {"word": "x"}).content == "x"
    assert [event["content"]["toolCalls"][0]["arguments"] for event in captured.of_type("tool_call_request")] == [{"word": "x"}] * 2
    first, second = [event["content"]["toolResults"] for event in captured.of_type("tool_call_response")]
    assert (first, second) == ({"error": "TypeError: by keyword, please"}, {"result": "x"})


class Decorated(AsyncBaseTool):
    """Carries `@whyops.tool` on its own method."""

    metadata = ToolMetadata(name="decorated", description="Decorated.")

    @whyops.tool
    def call(self, input: str) -> ToolOutput:  # noqa: A002
        return ToolOutput(content=input, tool_name="decorated", raw_input={"input": input}, raw_output=input)

    async def acall(self, input: str) -> ToolOutput:  # noqa: A002
        return self.call(input)


@pytest.mark.parametrize("way", ["__call__", "call", "acall"])
def test_a_decorated_method_of_a_tool_is_one_span(way: str, captured: Captured) -> None:
    """Whoever calls it."""
    tool = Decorated()
    asyncio.run(tool.acall("x")) if way == "acall" else getattr(tool, way)("x")
    assert of_the_only_call(captured) == ({"input": "x"}, {"result": "x"})


def test_the_proxys_argument_is_not_recorded(captured: Captured) -> None:
    """And a decorated function does not get to see it."""
    FunctionTool.from_defaults(whyops.tool(add), name="add")(a=1, b=1, c=1, _whyops_trace_id="t")
    assert of_the_only_call(captured) == ({"a": 1, "b": 1, "c": 1}, {"result": 3})


def search(query: str, **filters: Any) -> str:
    """Search."""
    return f"{query} {filters}"


def test_arguments_that_a_function_takes_as_keywords_stand_with_the_others(captured: Captured) -> None:
    """As the model gave them, not one level deeper."""
    FunctionTool.from_defaults(search)(query="q", year=2024)
    (request,) = captured.of_type("tool_call_request")
    assert request["content"]["toolCalls"][0]["arguments"] == {"query": "q", "year": 2024}


class TextContent(BaseModel):
    """As MCP has it."""

    type: str = "text"
    text: str


class ImageContent(BaseModel):
    """As MCP has it."""

    type: str = "image"
    data: str
    mimeType: str = "image/png"  # noqa: N815  (MCP's name)


class CallToolResult(BaseModel):
    """What a server's tool answers, in the form of MCP's own package."""

    content: list[Any]
    structuredContent: Any = None  # noqa: N815  (MCP's name)
    isError: bool = False  # noqa: N815  (MCP's name)


TEXT = TextContent(text="sunny in Bern")
ANSWERS = [
    (CallToolResult(content=[TEXT], structuredContent={"result": "sunny in Bern"}), {"result": "sunny in Bern"}),
    (CallToolResult(content=[TEXT, TextContent(text="22 °C")]), {"result": "sunny in Bern\n22 °C"}),
    (CallToolResult(content=[], structuredContent={"celsius": 22}), {"celsius": 22}),
    (
        CallToolResult(content=[TEXT, ImageContent(data="A" * 5000)]),
        {"result": ["sunny in Bern", {"type": "image", "data": "[5000 characters]", "mimeType": "image/png"}]},
    ),
    (CallToolResult(content=[TextContent(text="no such town")], isError=True), {"error": "no such town"}),
    (CallToolResult(content=[], isError=True), {"error": "The tool reports an error."}),
]


@pytest.mark.parametrize("answer, expected", ANSWERS)
def test_an_mcp_servers_answer_is_what_is_in_its_envelope(answer: CallToolResult, expected: Any, captured: Captured) -> None:
    """A tool made as LlamaIndex makes them of a server's: its arguments by name, its text, and a failure as one."""

    async def fn(**_kwargs: Any) -> CallToolResult:
        return answer

    tool = FunctionTool.from_defaults(async_fn=fn, tool_metadata=ToolMetadata(name="weather", description="Weather.", fn_schema=Word))
    asyncio.run(tool.acall(city="Bern"))
    (response,) = captured.of_type("tool_call_response")
    assert response["content"]["toolCalls"] == [{"name": "weather", "arguments": {"city": "Bern"}}]
    assert response["content"]["toolResults"] == expected
