"""The prompt of a model's call → text, message by message, its values cut until all fits."""

from __future__ import annotations

from collections.abc import Iterator

from .._printable import counted, printable
from .._trace.model_calls import ModelCall
from .._trace.recorded import RecordedTrace
from .._wire.prompt import PromptMessage
from .format import arguments_text, content_text, usage_facts

_MOST_OF_AN_ANSWER = 120
_MOST_CALLS = 4


def call_lines(trace: RecordedTrace) -> Iterator[str]:
    """Yield a line for each call of a model: its number from 1, model, who asked, how long the prompt is, tokens, what it answered."""
    for number, call in enumerate(trace.model_calls, 1):
        who = (f" by {call.agent}" if call.agent else "") + (f" in {call.node}" if call.node else "")
        facts = ", ".join([_length(call), *usage_facts(call.usage)])
        yield printable(f"{number}. {call.model}{who}: {facts} → {_answered(call)}")


def prompt_lines(call: ModelCall, number: int, most: int | None = None) -> list[str]:
    """Return the prompt as texts, the first of which tells of the call and each other of a message; contents cut to `most` characters."""
    head = f"Prompt of model call {number}: {call.model}, {_length(call)}"
    offered = f"\nTools offered: {_cut(', '.join(call.tools), most)}" if call.tools else ""
    messages = (_message(message, place, most) for place, message in enumerate(call.prompt or (), 1))
    return [_shown(head + offered), *map(_shown, messages)]


def _length(call: ModelCall) -> str:
    if call.prompt is None:
        return "prompt not recorded"
    missing = f" ({call.missing} not recorded here)" if call.missing else ""
    return f"prompt of {counted(len(call.prompt), 'message')}{missing}"


def _answered(call: ModelCall) -> str:
    if call.error is not None:
        return f"FAILED: {_cut(call.error, _MOST_OF_AN_ANSWER)}"
    requested = ", ".join(tool.name for tool in call.tool_calls)
    text = _cut(" ".join(content_text(call.answer).split()), _MOST_OF_AN_ANSWER)
    return "; ".join(filter(None, (text, f"requests {requested}" if requested else ""))) or call.interrupted or "(no text)"


def _message(message: PromptMessage, place: int, most: int | None) -> str:
    if message.is_missing:
        return f"{place}. (not recorded here)"
    role = " ".join(filter(None, (message.role, message.name, f"for {message.tool_call_id}" if message.tool_call_id else "")))
    calls = [f"requests {call.name}({_cut(arguments_text(call.arguments), most)})" for call in message.tool_calls]
    requests = _cut("\n".join(calls), None if most is None else _MOST_CALLS * most)
    return f"{place}. {role}: " + "\n".join(filter(None, (_cut(content_text(message.content), most), requests)))


def _cut(text: str, most: int | None) -> str:
    return text if most is None or len(text) <= most else f"{text[:most]}…[+{len(text) - most}]"


def _shown(text: str) -> str:
    """Return a text whose lines show themselves and do nothing else; only the first begins at the margin."""
    return "\n   ".join(printable(line) for line in text.split("\n"))
