"""What agent frameworks inject is told by what it is, and is no argument. Classes stand in here for those of frameworks, by name."""

from __future__ import annotations

import inspect
import itertools
import sys
import typing
from types import SimpleNamespace, new_class
from typing import Annotated, Any, Generic, Optional, TypeVar, Union

import pytest

from tests._recording.recording import Recording
from whyops._encoding.encoder import Encoder
from whyops._encoding.injected import is_injected, is_injected_class
from whyops._recording.tool import tool

D = TypeVar("D")


def of_framework(module: str, name: str, *bases: Any) -> type:
    """Make a class that says of itself what a framework's class does, and holds more than anybody wants to see."""

    def init(self: Any) -> None:
        self.history = ["a long history"] * 1_000
        self.deps = {"diagnosis": "flu"}

    return new_class(name, bases, exec_body=lambda namespace: namespace.update({"__module__": module, "__init__": init}))


RunContext = of_framework("pydantic_ai._run_context", "RunContext", Generic[D])
Wrapper = of_framework("agents.run_context", "RunContextWrapper", Generic[D])
ToolContext = of_framework("agents.tool_context", "ToolContext", Wrapper)
FRAMEWORKS = [
    RunContext,
    Wrapper,
    ToolContext,
    of_framework("fastmcp.server.context", "Context"),
    of_framework("google.adk.tools.tool_context", "ToolContext", of_framework("google.adk.agents.readonly_context", "ReadonlyContext")),
    of_framework("google.adk.agents.invocation_context", "InvocationContext"),
    of_framework("agno.run.base", "RunContext"),
    of_framework("strands.types.tools", "ToolContext"),
    of_framework("langgraph.prebuilt.tool_node", "ToolRuntime"),
    of_framework("langgraph.store.memory", "InMemoryStore", of_framework("langgraph.store.base", "BaseStore")),
    of_framework(
        "langchain_core.callbacks.manager", "CallbackManager", of_framework("langchain_core.callbacks.base", "BaseCallbackManager")
    ),
    of_framework("workflows.context.context", "Context"),
    of_framework("mcp.server.fastmcp.server", "Context"),
    of_framework("my.own.app", "Context", of_framework("pydantic_ai._run_context", "RunContext")),
]
OTHERS = [
    of_framework("my.own.app", "RunContext"),
    of_framework("my.own.app", "Context"),
    of_framework("pydantic_ai.messages", "ModelRequest"),
    of_framework("agents_of_mine", "RunContextWrapper"),
    dict,
    str,
    SimpleNamespace,
]


@pytest.mark.parametrize("kind", FRAMEWORKS, ids=str)
def test_an_injected_value_is_not_looked_into(kind):
    """Whatever a parameter is annotated with, and however deep the value stands: its type is what is recorded of it."""
    assert is_injected_class(kind)
    encoded, cuts, _ = Encoder().encode({"ctx": kind(), "deep": [{"a": (kind(),)}], "order": 1})
    assert "flu" not in encoded
    assert "history" not in encoded
    assert len(encoded) < 300
    assert f"<{kind.__module__}.{kind.__name__}>" in encoded
    assert cuts == 0


@pytest.mark.parametrize("kind", OTHERS, ids=str)
def test_a_programs_own_class_of_such_a_name_is_a_value(kind):
    """The package that defines the class counts too."""
    assert not is_injected_class(kind)


@pytest.mark.parametrize(
    "annotation, injected",
    [
        (RunContext, True),
        (RunContext[int], True),
        (Wrapper[Any] | None, True),
        (Optional[ToolContext], True),  # noqa: UP045  (both ways to write it)
        (Union[int, RunContext[int]], True),  # noqa: UP007  (so)
        (Annotated[RunContext[int], "a note"], True),
        (Annotated[int, of_framework("langchain_core.tools.base", "InjectedToolArg")], True),
        (Annotated[int, of_framework("langchain_core.tools.base", "InjectedToolArg")()], True),
        (Optional["RunContext[int]"], True),
        ("RunContextWrapper[Any]", True),
        ("typing.Optional[ToolRuntime]", True),
        (Annotated[str, "what the RunContext is for"], False),
        (list[RunContext], False),
        (int, False),
        (Any, False),
        (inspect.Parameter.empty, False),
        ("Context", False),
        ("RunContexts", False),
        ("dict[str, Any]", False),
    ],
    ids=itertools.count(),
)
def test_an_injected_parameter_is_told_by_its_annotation(annotation, injected):
    """By the class, whatever stands around it; by text only where the name can be no other's."""
    parameter = inspect.Parameter("x", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation)
    assert is_injected(parameter) is injected


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type` statements are new in 3.12")
def test_an_alias_is_told_by_what_it_stands_for():
    """Also one whose meaning can't be worked out."""
    TypeAliasType = typing.TypeAliasType  # type: ignore[attr-defined]  # noqa: N806  (a class)
    namespace: dict[str, Any] = {"RunContext": RunContext}
    exec("type Ctx = RunContext[int]\ntype Gone = Missing", namespace)
    assert isinstance(namespace["Ctx"], TypeAliasType)
    for annotation, injected in ((namespace["Ctx"], True), (namespace["Ctx"] | None, True), (namespace["Gone"], False)):
        parameter = inspect.Parameter("x", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation)
        assert is_injected(parameter) is injected


Ctx = RunContext[dict]


def test_a_tool_records_what_was_chosen_and_no_more():
    """Annotated as it is, through an alias or not at all; the function gets its context."""
    recording = Recording()

    @tool
    def annotated(ctx: RunContext[dict], order: str) -> str:
        return ctx.deps["diagnosis"] + order

    @tool
    def with_alias(ctx: Ctx, order: str) -> str:
        return ctx.deps["diagnosis"] + order

    @tool
    def bare(ctx, order):
        return ctx.deps["diagnosis"] + order

    with recording.trace("t"):
        assert {call(RunContext(), "x1") for call in (annotated, with_alias, bare)} == {"flux1"}
    arguments = [event["content"]["toolCalls"][0]["arguments"] for event in recording.of_type("tool_call_request")]
    marker = "<pydantic_ai._run_context.RunContext>"
    assert arguments[0] == {"order": "x1"}
    assert arguments[1] in ({"order": "x1"}, {"ctx": marker, "order": "x1"})  # told by its text only where a framework is loaded
    assert arguments[2] == {"ctx": marker, "order": "x1"}
