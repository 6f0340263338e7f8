"""A provider's answer, whole or streamed, of whatever API → answers in our form."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from types import ModuleType

from .._encoding import Encode
from .._encoding.class_fields import name_of
from .._runtime import guard
from .._runtime.safely import Failed, safely, safely_or
from .._wire.usage import reasoning_tokens
from . import anthropic_messages, google, openai_chat, openai_responses
from .answer import Answer
from .objects import at, held_in, plain
from .unit import said, tool_calls, units_of

_APIS: tuple[ModuleType, ...] = (openai_chat, openai_responses, anthropic_messages, google)
_LOOKED_AT = 20
"""So many chunks are looked at for the one that tells which API's stream it is."""


def answers_of(payload: object, encode: Encode) -> list[Answer]:
    """Return the alternatives in an answer of any API, of an unknown one as well as can be. Tokens are counted on the first."""
    read = safely(lambda held: _answers(held, encode), payload)
    if isinstance(read, Failed):
        _say_unknown(payload)
        return [Answer(content=plain(payload))]
    return read


def answers_in(chunks: Sequence[object], encode: Encode) -> list[Answer]:
    """Return the alternatives that the chunks of a stream make up, of any API; none where nothing had come."""
    chunks = [_inner(chunk) for chunk in chunks]
    api = next((api for chunk in islice(chunks, _LOOKED_AT) for api in _APIS if safely(api.is_chunk, chunk) is True), None)
    if api is None:
        return _of_pieces(chunks, encode) if chunks else []
    whole = safely(api.whole, chunks)
    return answers_of({} if isinstance(whole, Failed) else whole, encode)


def _of_pieces(chunks: Sequence[object], encode: Encode) -> list[Answer]:
    """Return the answer of a stream of texts, or of messages with a piece each, as Ollama's; its last chunk tells the rest."""
    texts = [piece for chunk in chunks if isinstance(piece := safely_or(_piece, chunk, None), str)]
    if not texts:
        _say_unknown(chunks[0])
    last = chunks[-1]
    (answer,) = answers_of(last, encode) if texts and not isinstance(last, str) else [Answer()]
    answer.content, answer.said = "".join(texts), None
    return [answer]


def _piece(chunk: object) -> object:
    return chunk if isinstance(chunk, str) else at(at(chunk, "message"), "content")


def says_something(chunk: object) -> bool:
    """Tell whether a chunk of a stream has something of the answer. It raises nothing, whatever a chunk is."""
    return safely(_says_something, chunk) is True


def _says_something(chunk: object) -> bool:
    chunk = _inner(chunk)
    api = next((api for api in _APIS if safely(api.is_chunk, chunk) is True), None)
    return isinstance(chunk, str) if api is None else api.says_something(chunk)


def _inner(chunk: object) -> object:
    """Return the chunk that an event of OpenAI's chat helper is made of; any other chunk as it is."""
    held = held_in(chunk)
    return held["chunk"] if held.get("type") == "chunk" and "chunk" in held else chunk


def _answers(payload: object, encode: Encode) -> list[Answer]:
    if payload is None or isinstance(payload, str):
        return [Answer(content=payload)]
    api = next((api for api in _APIS if api.is_answer(payload)), None)
    if api is None:
        return _of_message(payload, encode)
    found: list[Answer] = api.answers(payload, encode) or [Answer(content="")]
    first = found[0]
    first.usage = at(payload, "usage", "usage_metadata", "usageMetadata")
    if reasoning := reasoning_tokens(first.usage):
        first.more["reasoningTokens"] = reasoning
    for answer in found:
        answer.model = at(payload, "model", "model_version", "modelVersion")
    return found


def _of_message(payload: object, encode: Encode) -> list[Answer]:
    """Read what is an assistant's message itself, or holds one (Ollama's, Cohere's, Bedrock's answers); else as it is."""
    message = plain(at(payload, "message") or at(at(payload, "output"), "message") or payload)
    if not isinstance(message, dict) or not ({"content", "tool_calls"} & message.keys()):
        _say_unknown(payload)
        return [Answer(content=message)]
    unit = units_of({"role": "assistant", **message}, None)[-1]
    answer = Answer(content=unit.content or (None if unit.calls else ""), tool_calls=tool_calls(unit, encode), said=said(unit))
    answer.finish_reason = at(payload, "finish_reason", "stop_reason", "stopReason", "done_reason")
    counted = {"input_tokens": at(payload, "prompt_eval_count"), "output_tokens": at(payload, "eval_count")}
    answer.usage, answer.model = at(payload, "usage") or counted, at(payload, "model")
    return [answer]


def _say_unknown(payload: object) -> None:
    kind = name_of(type(payload))
    guard.notices.say(
        f"answer:{kind}",
        "An answer of type %s is of no API that whyops knows (OpenAI, Anthropic, Google); it is recorded as it is.",
        kind,
    )
