"""Decorated callables that are no plain functions: attributes, binding, comparing, copying and pickling are the callable's own."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
from collections.abc import Callable

import pytest

from tests._recording.recording import Recording
from whyops._recording.tool import observer_of, tool


class Task:
    """A callable object with a life of its own, as task queues and frameworks make them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: list[int] = []

    def __call__(self, x: int) -> int:
        return x + 1

    def delay(self, x: int) -> str:
        self.sent.append(x)
        return "sent"

    def __or__(self, other: object) -> tuple[object, object]:
        return self.name, other

    def __len__(self) -> int:
        return len(self.sent)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


@tool
@functools.lru_cache
def cached(x: int) -> int:
    """Be cached."""
    return x * 2


task = tool(Task("mail"))
shortened = tool(functools.partial(cached, 4))
counted = tool(len)


def test_attributes_are_the_callables_own():
    """They are read, set and deleted there, at any time, and a cache can be cleared."""
    cached(2)
    cached(2)
    assert cached.cache_info().hits >= 1
    cached.cache_clear()
    assert cached.cache_info().currsize == 0
    assert (cached.__name__, cached.__doc__, cached.__module__) == ("cached", "Be cached.", __name__)
    own = Task("own")
    decorated = tool(own)
    assert decorated.delay(3) == "sent"
    decorated.rate = 5
    assert (own.sent, own.rate, decorated.rate) == ([3], 5, 5)
    del decorated.rate
    assert not hasattr(own, "rate")
    assert set(dir(own)) == set(dir(decorated))
    with pytest.raises(AttributeError, match="nothing"):
        decorated.nothing  # noqa: B018  (that it is not there is what is tested)


def test_it_is_of_the_callables_kind():
    """Classes, operators, length, comparisons, hash and text are the same; a signature is found as ever."""
    own = Task("own")
    decorated = tool(own)
    decorated.delay(1)
    assert isinstance(decorated, Task)
    assert isinstance(shortened, functools.partial)
    assert decorated | 1 == ("own", 1)
    assert len(decorated) == 1
    assert decorated == own
    assert hash(decorated) == hash(own)
    assert repr(decorated) == repr(own)
    assert str(inspect.signature(decorated)) == str(inspect.signature(own))
    assert callable(decorated)


def test_calls_are_recorded_and_nothing_else_is():
    """Each call is an event, by whatever name the tool has; what else the callable does is its own affair."""
    recording = Recording()
    with recording.trace("t"):
        assert task(1) == 2
        task.delay(5)
        assert tool(name="long")(functools.partial(cached, 3))() == 6
        assert counted([1, 2]) == 2
    assert [event["metadata"]["tool"] for event in recording.of_type("tool_call_request")] == ["Task", "long", "cached", "len"]


@pytest.mark.parametrize("decorated", [cached, task, shortened, counted], ids=["cache", "object", "partial", "built-in"])
@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))], ids=["copy", "deepcopy", "pickle"]
)
def test_a_copy_is_decorated_too(decorated: Callable[..., object], again: Callable[..., Callable[..., object]]):
    """Copies and pickles hold what the callable holds, and their calls are recorded under the same name."""
    copied = again(decorated)
    assert type(copied) is type(decorated)
    assert observer_of(copied) is not None
    arguments = {"Task": (1,), "partial": (), "len": ([],)}
    recording = Recording()
    with recording.trace("t"):
        copied(*arguments.get(type(copied).__name__, arguments["len"] if decorated is counted else (1,)))
    assert recording.of_type("tool_call_request")[0]["metadata"]["tool"] == {id(task): "Task", id(counted): "len"}.get(
        id(decorated), "cached"
    )


def test_what_is_found_by_name_pickles_by_name():
    """A cached function at module level stays the one that it is; an object is a new one with the same fields."""
    assert pickle.loads(pickle.dumps(cached)) is cached
    assert pickle.loads(pickle.dumps(task)) is not task
    assert pickle.loads(pickle.dumps(task)) == task
    assert copy.copy(cached) is cached
