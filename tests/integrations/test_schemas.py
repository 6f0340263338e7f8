"""Frameworks build the same tool from a decorated function as from the function, and the tool works the same."""

# No `from __future__ import annotations`: LlamaIndex does not read annotations that are text, of any function.

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

import whyops
from whyops.testing import capture


class Address(BaseModel):
    """Where to."""

    street: str
    number: int = 1


def plain(order_id: str, limit: int = 5, *, colour: Literal["red", "blue"] = "red") -> dict[str, Any]:
    """Find an order."""
    return {"order_id": order_id, "limit": limit, "colour": colour}


def described(order_id: Annotated[str, Field(description="The number.")], to: Address | None = None, tags: list[str] | None = None) -> str:
    """Send an order."""
    return f"{order_id} {to} {tags}"


async def asynchronous(order_id: str, limit: int = 5) -> str:
    """Find an order, later."""
    await asyncio.sleep(0)
    return f"{order_id} {limit}"


def generator(count: int) -> Iterator[int]:
    """Count."""
    yield from range(count)


async def async_generator(count: int) -> AsyncIterator[int]:
    """Count, later."""
    for number in range(count):
        yield number


class Shop:
    """Has methods."""

    def method(self, order_id: str) -> str:
        """Find an order."""
        return order_id

    @staticmethod
    def static(order_id: str) -> str:
        """Find an order."""
        return order_id

    @classmethod
    def of_class(cls, order_id: str) -> str:
        """Find an order."""
        return order_id


class DecoratedShop:
    """Has the same methods, decorated in either order."""

    @whyops.tool
    def method(self, order_id: str) -> str:
        """Find an order."""
        return order_id

    @whyops.tool
    @staticmethod
    def static(order_id: str) -> str:
        """Find an order."""
        return order_id

    @classmethod
    @whyops.tool
    def of_class(cls, order_id: str) -> str:
        """Find an order."""
        return order_id


FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    function.__name__: (function, whyops.tool(function)) for function in (plain, described, asynchronous, generator, async_generator)
}
METHODS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "method": (Shop().method, DecoratedShop().method),
    "static": (Shop.static, DecoratedShop.static),
    "of_class": (Shop.of_class, DecoratedShop.of_class),
}
KINDS = FUNCTIONS | METHODS


@pytest.mark.parametrize("kind", KINDS)
def test_langchain_builds_the_same_schema(kind: str) -> None:
    """Name, description and arguments of LangChain's tool are those of the undecorated function's."""
    tools = pytest.importorskip("langchain_core.tools")
    bare, decorated = (tools.StructuredTool.from_function(function) for function in KINDS[kind])
    assert decorated.args_schema.model_json_schema() == bare.args_schema.model_json_schema()
    assert (decorated.name, decorated.description) == (bare.name, bare.description)


@pytest.mark.parametrize("kind", ["plain", "described", "asynchronous"])
def test_langchains_decorator_takes_either_order(kind: str) -> None:
    """Over and under LangChain's own decorator the tool has the same schema, gives the same, and is recorded."""
    tools = pytest.importorskip("langchain_core.tools")
    function, _ = FUNCTIONS[kind]
    bare = tools.tool(function)
    for decorated in (tools.tool(whyops.tool(function)), whyops.tool(tools.tool(function))):
        assert decorated.args_schema.model_json_schema() == bare.args_schema.model_json_schema()
        with capture() as captured, whyops.trace("t"):
            given = asyncio.run(decorated.ainvoke({"order_id": "1"}))
            assert given == asyncio.run(bare.ainvoke({"order_id": "1"}))
            assert captured.tool_names() == [function.__name__]


@pytest.mark.parametrize("kind", KINDS)
def test_llama_index_builds_the_same_schema(kind: str) -> None:
    """Name, description and arguments of LlamaIndex's tool are those of the undecorated function's."""
    tools = pytest.importorskip("llama_index.core.tools")
    bare, decorated = (tools.FunctionTool.from_defaults(function) for function in KINDS[kind])
    assert decorated.metadata.fn_schema.model_json_schema() == bare.metadata.fn_schema.model_json_schema()
    assert (decorated.metadata.name, decorated.metadata.description) == (bare.metadata.name, bare.metadata.description)


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_each_kind_pickles(kind: str) -> None:
    """A decorated function at module level pickles by its name, as the function does."""
    name = f"decorated_{kind}"
    assert pickle.loads(pickle.dumps(globals()[name])) is globals()[name]


@pytest.mark.parametrize("kind", ["static", "of_class"])
def test_methods_pickle(kind: str) -> None:
    """A decorated static or class method pickles too."""
    assert pickle.loads(pickle.dumps(getattr(DecoratedShop, kind)))("1") == "1"


def _at_module_level(kind: str) -> Callable[..., Any]:
    decorated = whyops.tool(FUNCTIONS[kind][0])
    decorated.__qualname__ = f"decorated_{kind}"
    return decorated


decorated_plain = _at_module_level("plain")
decorated_described = _at_module_level("described")
decorated_asynchronous = _at_module_level("asynchronous")
decorated_generator = _at_module_level("generator")
decorated_async_generator = _at_module_level("async_generator")
