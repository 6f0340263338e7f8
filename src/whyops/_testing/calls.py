"""Some of a run's tool calls, and what a test says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, overload

from .._printable import counted
from .._render.format import arguments_text, value_text
from .._trace.recorded import RecordedTrace
from .._trace.steps import ToolCall
from .failure import fail


class Calls(Sequence[ToolCall]):
    """Tool calls of a run, in order. A method either fails with an `AssertionError` that shows the run, or returns those calls it is about.

    So they can be chained: `run.calls("search_orders").once().with_arguments(order_id="123")`.
    """

    def __init__(self, trace: RecordedTrace, calls: Sequence[ToolCall], what: str, name: str | None = None) -> None:
        self._trace = trace
        self._calls = tuple(calls)
        self._what = what
        self._name = name

    @overload
    def __getitem__(self, place: int, /) -> ToolCall: ...
    @overload
    def __getitem__(self, place: slice, /) -> Sequence[ToolCall]: ...
    def __getitem__(self, place: int | slice, /) -> ToolCall | Sequence[ToolCall]:
        return self._calls[place]

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[ToolCall]:
        return iter(self._calls)

    def __repr__(self) -> str:
        return f"<{self._what}: {counted(len(self), 'call')}>"

    def once(self) -> Calls:
        """There is one call."""
        __tracebackhide__ = True
        return self.times(1)

    def times(self, number: int) -> Calls:
        """There are so many calls."""
        __tracebackhide__ = True
        return self._check(len(self) == number, _times(number))

    def at_least(self, number: int) -> Calls:
        """There are so many calls or more."""
        __tracebackhide__ = True
        return self._check(len(self) >= number, f"at least {_times(number)}")

    def at_most(self, number: int) -> Calls:
        """There are so many calls or fewer."""
        __tracebackhide__ = True
        return self._check(len(self) <= number, f"at most {_times(number)}")

    def never(self) -> Calls:
        """There is no call."""
        __tracebackhide__ = True
        return self._check(not self._calls, "never")

    def with_arguments(self, **included: object) -> Calls:
        """At least one call has these among its arguments. A mapping may have more members; `pytest.approx` and `mock.ANY` work."""
        __tracebackhide__ = True
        found = [call for call in self._calls if _includes(call.arguments, included)]
        return self._narrowed(found, f"with {arguments_text(included)}", f"was not called with {arguments_text(included)}")

    def returning(self, result: object) -> Calls:
        """At least one call gave this result; a mapping may have more members."""
        __tracebackhide__ = True
        found = [call for call in self._calls if call.is_finished and call.error is None and _includes(call.result, result)]
        return self._narrowed(found, f"that returned {value_text(result)}", f"did not return {value_text(result)}")

    def failing(self, text: str = "") -> Calls:
        """At least one call failed, with an error whose type or text has `text` in it."""
        __tracebackhide__ = True
        found = [call for call in self._calls if call.error is not None and text in call.error]
        told = f" with {text!r}" if text else ""
        return self._narrowed(found, f"that failed{told}", f"did not fail{told}")

    def succeeding(self) -> Calls:
        """Each call came to a result."""
        __tracebackhide__ = True
        bad = [call for call in self._calls if call.error is not None or not call.is_finished or call.interrupted]
        if bad or not self._calls:
            fail(f"{self._what} did not succeed, in {counted(len(bad), 'call')} of {len(self)}.", self._trace, bad)
        return self

    def before(self, name: str) -> Calls:
        """At least one call ended before the first call of another tool began."""
        __tracebackhide__ = True
        others = self._others(name)
        return self._narrowed(
            [call for call in self._calls if _is_before(call, others[0])], f"before {name}", f"was not called before {name}"
        )

    def after(self, name: str) -> Calls:
        """At least one call began after the first call of another tool had ended."""
        __tracebackhide__ = True
        others = self._others(name)
        return self._narrowed(
            [call for call in self._calls if _is_before(others[0], call)], f"after {name}", f"was not called after {name}"
        )

    def after_an_error(self, name: str | None = None) -> Calls:
        """At least one call began after another one had failed: one of the tool `name`, if it is given."""
        __tracebackhide__ = True
        failed = [call for call in self._trace.calls if call.error is not None and name in (None, call.name)]
        found = [call for call in self._calls if any(_is_before(other, call) for other in failed)]
        told = f"an error of {name}" if name else "an error"
        return self._narrowed(found, f"after {told}", f"was not called after {told}")

    def _others(self, name: str) -> list[ToolCall]:
        __tracebackhide__ = True
        found = [call for call in self._trace.calls if name in call.names]
        if not found:
            fail(f"{name} was never called.{nearest(name, self._trace)}", self._trace)
        return found

    def _check(self, holds: bool, wanted: str) -> Calls:  # noqa: FBT001  (a condition is what it is about)
        __tracebackhide__ = True
        if not holds:
            told = f"called {_times(len(self))}" if self._calls else "never called"
            near = nearest(self._name, self._trace) if self._name and not self._calls else ""
            fail(f"{self._what} was {told}; expected: {wanted}.{near}", self._trace, self._calls)
        return self

    def _narrowed(self, found: Sequence[ToolCall], what: str, sentence: str) -> Calls:
        __tracebackhide__ = True
        if not found:
            near = nearest(self._name, self._trace) if self._name and not self._calls else ""
            fail(f"{self._what} {sentence}.{near}", self._trace, self._calls)
        return Calls(self._trace, found, f"{self._what} {what}", self._name)


def nearest(name: str, trace: RecordedTrace) -> str:
    """Return which tools were called instead of one that was not."""
    names = list(dict.fromkeys(called for call in trace.calls for called in call.names))
    near = get_close_matches(name, names, 1)
    if near:
        return f" Did you mean {near[0]}?"
    return f" Called were: {', '.join(names)}." if names else " No tool was called."


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _includes(actual: object, expected: Any) -> bool:
    """Tell whether a value is the expected one; a mapping may have more members, at any depth."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return all(name in actual and _includes(actual[name], value) for name, value in expected.items())
    if isinstance(expected, (list, tuple)) and isinstance(actual, (list, tuple)):
        return len(expected) == len(actual) and all(map(_includes, actual, expected))
    return bool(expected == actual)


def _is_before(one: ToolCall, other: ToolCall) -> bool:
    """Tell whether a call had ended when another began."""
    if one is other or one.started_at is None or other.started_at is None:
        return False
    ended = [event.at for event in one.events[1:] if event.at is not None]
    return bool(ended) and max(ended) <= other.started_at
