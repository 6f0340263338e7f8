"""OpenAI's older completions: a text goes on."""

from __future__ import annotations

from typing import Any

from .openai_form import error, event, knows_key, pieces

__all__ = ["answer", "error", "knows_key", "problem", "stream"]


def problem(body: dict[str, Any]) -> str | None:
    """Return what is wrong with a request, if anything is."""
    if not isinstance(body.get("model"), str):
        return "you must provide a model parameter"
    return None if isinstance(body.get("prompt"), (str, list)) else "prompt is a string or an array"


def answer(text: str) -> dict[str, Any]:
    """Give a whole answer."""
    usage = {"prompt_tokens": 4, "completion_tokens": 3, "total_tokens": 7}
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": "length"}
    return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "gpt-instruct", "choices": [choice], "usage": usage}


def stream(whole: dict[str, Any], body: dict[str, Any]) -> list[bytes]:
    """Give the events of a stream."""
    (choice,) = whole["choices"]
    told = {name: value for name, value in whole.items() if name != "usage"}
    events = [event({**told, "choices": [{**choice, "text": piece, "finish_reason": None}]}) for piece in pieces(choice["text"])]
    return [*events, event({**told, "choices": [{**choice, "text": ""}]}), b"data: [DONE]\n\n"]
