"""A trace → a test of its agent: replayed, with what it did said as assertions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from .._trace.recorded import RecordedTrace
from .._trace.steps import ToolCall, UserMessage
from .format import content_text

_NO_NAME = re.compile(r"[^A-Za-z0-9]+")
_MOST_OF_A_NAME = 50
_MOST_CHARACTERS = 80
_MOST_ARGUMENTS = 4


def render_test(trace: RecordedTrace) -> str:
    """Return the test as a Python file that a developer completes: the line that runs the agent is theirs."""
    asked = next((content_text(step.asked.content) for step in trace.walk() if isinstance(step, UserMessage)), "")
    name = _NO_NAME.sub("_", trace.trace_id).strip("_").lower()[:_MOST_OF_A_NAME] or "trace"
    lines = [
        f"# What trace {_literal(trace.trace_id)} did, as a test. Put your agent in place of `agent`.",
        "from whyops.testing import record, replay",
        "",
        "",
        f"def test_{name}():",
        f"    with replay({_literal(trace.trace_id)}) as again, record() as run:",
        f"        agent({_literal(asked)})  # its tools give what they gave; again.chat_model(), again.llm() or again.base_url answer",
        *(f"    {line}" for line in _assertions(trace)),
    ]
    return "\n".join(lines) + "\n"


def _assertions(trace: RecordedTrace) -> Iterator[str]:
    names = list(dict.fromkeys(call.name for call in trace.calls))
    if not names:
        yield "run.calls().never()"
    times = Counter(call.name for call in trace.calls)
    for name in names:
        first = next(call for call in trace.calls if call.name == name)
        told = f".failing({_literal(first.error.partition(':')[0])})" if first.error is not None else ""
        yield f"run.calls({_literal(name)}).times({times[name]}){_with_arguments(first)}{told}"
    if len(names) > 1:
        yield f"run.called_in_order({', '.join(map(_literal, names))})"
    yield f"run.called_only({', '.join(map(_literal, names))})" if names else "run.no_errors()"
    if names and not trace.totals.errors:
        yield "run.no_errors()"


def _with_arguments(call: ToolCall) -> str:
    """Return what is said of a call's plain arguments; the others are for the developer to say."""
    arguments = call.arguments if isinstance(call.arguments, Mapping) else {}
    plain = {name: value for name, value in arguments.items() if name.isidentifier() and _is_plain(value)}
    if not plain or call.truncated or call.redacted:
        return ""
    shown = list(plain.items())[:_MOST_ARGUMENTS]
    return f".with_arguments({', '.join(f'{name}={_literal(value)}' for name, value in shown)})"


def _is_plain(value: object) -> bool:
    return isinstance(value, (bool, int, float)) or value is None or (isinstance(value, str) and len(value) <= _MOST_CHARACTERS)


def _literal(value: object) -> str:
    """Return a value as Python writes it, in one line of ASCII where it is no letter: what was recorded stays a text."""
    text = repr(value)
    return text if text.isprintable() else ascii(value)
