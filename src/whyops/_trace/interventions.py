"""What became of a chosen tool call on its way: other arguments, another tool, something else told to the model than what it gave."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from .._wire.model_tool_call import ModelToolCall
from .._wire.told import parsed
from .._wire.values import as_mapping, as_sequence
from .step_context import Told

_NOT_CAPTURED = "[not captured"
_BY_A_HUMAN = re.compile(r"(?:Note: )?(?:A|a) human (?:reviewer )?(?:replaced|edited|changed)\b")
"""How a model is told by LangChain's middleware that a human has put another call in place of its own."""


def is_changed(chosen: ModelToolCall, name: str, arguments: object) -> bool:
    """Tell whether a tool ran that was not chosen, or with another value of an argument. One that a default filled in is not changed."""
    return chosen.name != name or not _is_kept(chosen.arguments, arguments)


def is_by_a_human(told: Told | None) -> bool:
    """Tell whether the model was told that a human changed its call."""
    return told is not None and _BY_A_HUMAN.match(text_of(told.value)) is not None


def is_told_of(told: object, result: object, error: str | None) -> bool:
    """Tell whether a model is told what a tool gave, whatever form it is in; of a failure, whether it is told its message."""
    said = text_of(told)
    if said.startswith(_NOT_CAPTURED):
        return True
    if error is not None:
        return error.rpartition(": ")[2].strip() in said
    return parsed(said) == result or any(said.strip() == form.strip() for form in _forms(result))


def text_of(content: object) -> str:
    """Return what a message of a tool's says, as text."""
    parts = [as_mapping(part).get("text", part) for part in as_sequence(content)] or [content]
    return "\n".join(part if isinstance(part, str) else json.dumps(part, ensure_ascii=False, default=str) for part in parts)


def _forms(result: object) -> Iterator[str]:
    """Yield the texts that a result may be told as."""
    yield str(result)
    yield text_of(result)
    for name in ("result", "error"):
        if name in as_mapping(result):
            yield from _forms(as_mapping(result)[name])


def _is_kept(chosen: object, ran: object) -> bool:
    """Tell whether every value that was chosen, and is known to have arrived, arrived as it was."""
    if isinstance(chosen, Mapping) and isinstance(ran, Mapping):
        return all(_is_kept(value, ran[name]) for name, value in chosen.items() if name in ran)
    if isinstance(chosen, list) and isinstance(ran, Sequence) and not isinstance(ran, str):
        return len(chosen) == len(ran) and all(map(_is_kept, chosen, ran))
    if isinstance(chosen, Mapping) or isinstance(ran, Mapping) or ran is None:
        return True  # an object that a tool was handed is in another form than its text
    is_hidden = any(isinstance(value, str) and value.startswith(_NOT_CAPTURED) for value in (chosen, ran))
    return is_hidden or chosen == ran or str(chosen) == str(ran)
