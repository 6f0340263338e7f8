"""OpenAI's chat completions, which many providers speak, and the completions before them: an answer, and the chunks of a stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._encoding import Encode
from .answer import Answer
from .messages import first_text, shown_content
from .objects import at, held_in, listed, plain
from .unit import said, tool_calls, units_of

_SAID = ("content", "tool_calls", "refusal", "function_call", "reasoning_content", "reasoning", "audio")
_REASONING = ("reasoning_content", "reasoning")
_TEXTS = frozenset({"text", "content", "refusal", *_REASONING})
_MOST_CITATIONS = 50


def is_answer(payload: object) -> bool:
    """Tell whether this is an answer of this API."""
    return isinstance(at(payload, "choices"), (list, tuple))


def answers(payload: object, encode: Encode) -> list[Answer]:
    """Return the alternatives that were given."""
    return [_answer(plain(choice), encode) for choice in listed(payload, "choices")]


def _answer(choice: Mapping[str, Any], encode: Encode) -> Answer:
    message = choice.get("message")
    if not isinstance(message, dict):
        return Answer(content=choice.get("text"), finish_reason=choice.get("finish_reason"))
    unit = units_of({"role": "assistant", **message}, None)[-1]
    answer = Answer(
        content=unit.content or (None if unit.calls else ""), tool_calls=tool_calls(unit, encode), finish_reason=choice.get("finish_reason")
    )
    if (reasoning := first_text(message, _REASONING)) is not None:
        answer.thinking.append((reasoning, None))
    answer.said = said(unit)
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        answer.more["refused"] = True
    if annotations := message.get("annotations"):
        answer.more["citations"] = shown_content(annotations[:_MOST_CITATIONS])
    return answer


def is_chunk(chunk: object) -> bool:
    """Tell whether this is a chunk of a stream of this API."""
    return is_answer(chunk)


def says_something(chunk: object) -> bool:
    """Tell whether a chunk has something of the answer."""
    return any(_says(choice) for choice in listed(chunk, "choices"))


def _says(choice: object) -> bool:
    delta = at(choice, "delta")
    return bool(at(choice, "text")) if delta is None else any(at(delta, name) for name in _SAID)


def whole(chunks: Iterable[object]) -> dict[str, Any]:
    """Return the answer that the chunks of a stream make up."""
    choices: dict[object, _Choice] = {}
    told: dict[str, Any] = {}
    for chunk in chunks:
        held = held_in(chunk)
        for name in ("model", "usage"):
            if (value := held.get(name)) is not None and (value or name not in told):
                told[name] = value
        for choice in held.get("choices") or ():
            given = held_in(choice)
            index = given.get("index") or 0
            if index not in choices:
                choices[index] = _Choice()
            choices[index].add(given)
    return {**told, "choices": [choice.whole() for choice in choices.values()]}


class _Choice:
    """One of the alternatives of a stream, put together from its deltas."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}
        self._calls: list[dict[str, Any]] = []
        self._at: dict[object, dict[str, Any]] = {}
        self._finish_reason: object = None
        self._is_chat = False

    def add(self, choice: Mapping[str, Any]) -> None:
        """Add what a chunk says of this alternative."""
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        delta = choice.get("delta")
        self._is_chat = self._is_chat or delta is not None
        for name, piece in (choice if delta is None else held_in(delta)).items():
            if not piece:
                continue
            if name in _TEXTS and isinstance(piece, str):
                self._texts.setdefault(name, []).append(piece)
            elif name == "tool_calls":
                for call in piece:
                    self._add_call(call)
            elif name == "function_call":
                self._add_call({"index": 0, "function": piece})
            elif name == "audio" and (transcript := at(piece, "transcript")):
                self._texts.setdefault("transcript", []).append(transcript)

    def _add_call(self, call: object) -> None:
        index, id_ = at(call, "index"), at(call, "id")
        known = self._at.get(index) if index is not None else self._calls[-1] if self._calls and not id_ else None
        if known is None or (id_ and known["id"] and id_ != known["id"]):  # some providers give each call the same index
            known = {"id": id_, "name": None, "pieces": []}
            self._calls.append(known)
            self._at[index] = known
        function = at(call, "function") or at(call, "custom")
        known["id"] = known["id"] or id_
        known["name"] = known["name"] or at(function, "name")
        piece = at(function, "arguments", "input")
        if piece is not None:
            known["pieces"].append(piece)

    def whole(self) -> dict[str, Any]:
        """Return the alternative as a whole answer has it."""
        texts = {name: "".join(pieces) for name, pieces in self._texts.items()}
        if not self._is_chat:
            return {"text": texts.get("text"), "finish_reason": self._finish_reason}
        if "transcript" in texts:
            texts.setdefault("content", texts.pop("transcript"))
        calls = [{"id": call["id"], "function": {"name": call["name"], "arguments": joined(call["pieces"])}} for call in self._calls]
        return {"message": {**texts, "tool_calls": calls} if calls else texts, "finish_reason": self._finish_reason}


def joined(pieces: Sequence[object]) -> object:
    """Return the arguments of a call that came in pieces: of text, unless a provider sends an object at once."""
    return "".join(pieces) if all(isinstance(piece, str) for piece in pieces) else pieces[-1]  # type: ignore[arg-type]  # told just here
