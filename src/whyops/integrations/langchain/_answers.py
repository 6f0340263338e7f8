"""What a model of LangChain's answered → plain values in our form. Pure: nothing here records, and nothing here imports LangChain."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._encoding import Encode
from ..._providers.answer import Answer, is_told_by
from ..._providers.messages import first_of, first_text, kind_of, message_item, shown_content
from ..._providers.server_calls import server_calls
from ..._runtime.safely import safely_or
from ..._wire.signature import strip_signature
from ..._wire.write import known
from ._translate import MODEL, THINKING, calls_of, content_of, said, shown_parts

_FINISH = ("finish_reason", "stop_reason", "stopReason", "done_reason")
_MOST_CITATIONS = 50


def answers_of(result: Any, encode: Encode, answering_tools: Collection[str] = ()) -> list[Answer]:
    """Return the alternatives in an LLMResult. Tokens that are counted for all of them together are on the first.

    `answering_tools` are those whose call is the answer, in the form that was asked for, and calls nothing.
    """
    if result is None:
        return []
    output = getattr(result, "llm_output", None) or {}
    answers = [_answer(generation, output, encode) for alternatives in result.generations for generation in alternatives]
    for index, answer in enumerate(answers):
        if index and any(answer.usage == earlier.usage for earlier in answers[:index]):
            answer.usage = None
        if answering_tools and answer.tool_calls and all(call["function"]["name"] in answering_tools for call in answer.tool_calls):
            answer.more["structured_output"] = True
    return answers


def chosen_in(answers: Iterable[Answer]) -> Iterator[tuple[str, str]]:
    """Yield the ids and the tools of the calls that the answers ask for; a call that is the answer itself asks for nothing."""
    for answer in answers:
        if not answer.more.get("structured_output"):
            yield from ((call["id"], call["function"]["name"]) for call in answer.tool_calls if "id" in call)


def texts_of(result: Any) -> Iterable[object]:
    """Return the texts of the alternatives in an LLMResult."""
    return (getattr(generation, "text", None) for alternatives in result.generations for generation in alternatives)


def partial_answers(chunks: Sequence[Any], encode: Encode) -> list[Answer]:
    """Return the answer that came in these chunks of a stream, or texts of tokens; none where nothing came."""
    if not chunks:
        return []
    text = "".join(str(getattr(chunk, "text", chunk)) for chunk in chunks)
    merged = safely_or(_merged, chunks, None)
    return [Answer(content=strip_signature(text)) if merged is None else _answer(merged, {}, encode)]


def has_content(token: object, chunk: Any) -> bool:
    """Tell whether a chunk of a stream holds something of the answer: text, reasoning, a part, or a piece of a tool's call."""
    message = getattr(chunk, "message", None)
    held = (getattr(message, name, None) for name in ("content", "tool_call_chunks", "additional_kwargs"))
    return bool(token) or any(held)


def _merged(chunks: Sequence[Any]) -> Any:
    first, *rest = chunks
    if not hasattr(first, "message"):
        return None
    return first + rest if rest else first


def _answer(generation: Any, output: Mapping[str, Any], encode: Encode) -> Answer:
    info = getattr(generation, "generation_info", None) or {}
    message = getattr(generation, "message", None)
    told = getattr(message, "response_metadata", None) or {}
    places = (told, info, output)
    answer = Answer(
        finish_reason=first_of(places, _FINISH) or _status(told),
        model=first_of(places, MODEL),
        provider=told.get("model_provider"),
        usage=getattr(message, "usage_metadata", None) or first_of(places, ("token_usage", "usage", "usage_metadata")),
    )
    answer.more = known({"reasoningTokens": _reasoning_tokens(answer.usage)})
    if message is None:
        answer.content = strip_signature(str(getattr(generation, "text", "")))
    else:
        _read_message(answer, message, encode)
    if isinstance(answer.usage, Mapping) and answer.usage.get("total_cost") == 0:  # LangChain's cache says so; nothing was spent
        answer.usage, answer.cached = None, True
    return answer


def _read_message(answer: Answer, message: Any, encode: Encode) -> None:
    plain_content = content = content_of(message)
    answer.tool_calls = calls_of(message, encode)
    extra = getattr(message, "additional_kwargs", None)
    parts = message.content if isinstance(message.content, list) else []
    if parts or extra:
        content = _read_parts(answer, message, parts, extra or {})
    answer.content = content or (None if answer.tool_calls or answer.server_calls else "")
    message_said = said(message)
    if is_told_by(answer, message_item(message_said.role, plain_content, answer.tool_calls, {})):
        answer.said = message_said


def _read_parts(answer: Answer, message: Any, parts: list[Any], extra: Mapping[str, Any]) -> object:
    """Read what an answer's message holds besides a text and tool calls. Returns what is its content then."""
    answer.server_calls, rest = server_calls([*parts, *(extra.get("tool_outputs") or ())])
    answer.thinking = _thinking(message)
    refusal = first_text(extra, ("refusal",)) or _refusal_in(rest)
    plain = [{"type": "text", "text": part["refusal"]} if kind_of(part) == "refusal" and "refusal" in part else part for part in rest]
    citations = [each for part in rest if isinstance(part, dict) for each in part.get("citations") or part.get("annotations") or ()]
    answer.more |= known(
        {
            "refused": True if refusal else None,
            "citations": shown_content(citations[:_MOST_CITATIONS]) if citations else None,
        }
    )
    return (shown_parts(plain) if parts else content_of(message)) or refusal or _audio(extra)


def _refusal_in(parts: Iterable[Any]) -> str | None:
    return next((part["refusal"] for part in parts if kind_of(part) == "refusal" and part.get("refusal")), None)


def _audio(extra: Mapping[str, Any]) -> object:
    """Return a spoken answer: what was said, and the sound as a marker."""
    audio = extra.get("audio")
    if not isinstance(audio, dict):
        return None
    return first_text(audio, ("transcript",)) or [{"type": "audio", **{name: shown_content(each, name) for name, each in audio.items()}}]


def _status(told: Mapping[str, Any]) -> object:
    """Return why an answer of OpenAI's Responses API ended."""
    details = told.get("incomplete_details")
    return (details.get("reason") if isinstance(details, dict) else None) or told.get("status")


def _reasoning_tokens(usage: object) -> int | None:
    """Return how many of the answer's tokens went into reasoning, where that is told and is not none."""
    if not isinstance(usage, Mapping):
        return None
    details = usage.get("output_token_details") or usage.get("completion_tokens_details") or usage.get("output_tokens_details")
    count = first_of((details,), ("reasoning", "reasoning_tokens")) if isinstance(details, Mapping) else None
    return count if isinstance(count, int) else None


def _thinking(message: Any) -> list[tuple[str, object]]:
    """Return each block of reasoning and its signature, in Anthropic's, OpenAI's, Google's, Bedrock's or LangChain's own form."""
    content = getattr(message, "content", None)
    parts = [part for part in content if kind_of(part) in THINKING] if isinstance(content, list) else []
    extra = getattr(message, "additional_kwargs", None) or {}
    beside = (extra.get("reasoning_content"), extra.get("reasoning"))
    found = [thought for part in parts for thought in _thoughts(part)]
    if found or not any(beside):
        return found
    return [thought for part in beside for thought in _thoughts({"reasoning": part} if isinstance(part, str) else part)]


def _thoughts(part: object) -> list[tuple[str, object]]:
    if not isinstance(part, dict):
        return []
    if kind_of(part) == "redacted_thinking":
        return [(f"[redacted by the provider: {len(str(part.get('data', '')))} characters]", None)]
    nested = part.get("reasoning_content")
    held = nested if isinstance(nested, dict) else part
    extras = held.get("extras")
    signature = held.get("signature") or (extras.get("signature") if isinstance(extras, dict) else None)
    text = first_text(held, ("thinking", "reasoning", "text", "reasoning_content"))
    if text is not None:
        return [(strip_signature(text), signature)]
    pieces = [piece for name in ("summary", "content") for piece in held.get(name) or () if isinstance(piece, dict)]
    return [(text, signature) for piece in pieces if (text := first_text(piece, ("text",))) is not None]
