"""OpenAI's embeddings."""

from __future__ import annotations

import base64
import struct
from typing import Any

from .openai_form import error, knows_key

__all__ = ["answer", "error", "knows_key", "problem", "stream"]


def problem(body: dict[str, Any]) -> str | None:
    """Return what is wrong with a request, if anything is."""
    if not isinstance(body.get("model"), str):
        return "you must provide a model parameter"
    given = body.get("input")
    return None if given and isinstance(given, (str, list)) else "'$.input' is invalid."


def answer(vectors: list[list[float]], *, in_base64: bool) -> dict[str, Any]:
    """Give a whole answer; OpenAI's client asks for base64, unless its user says otherwise."""
    given = [base64.b64encode(struct.pack(f"<{len(one)}f", *one)).decode() if in_base64 else one for one in vectors]
    data = [{"object": "embedding", "index": index, "embedding": one} for index, one in enumerate(given)]
    return {"object": "list", "data": data, "model": "text-embedding-3-small", "usage": {"prompt_tokens": 6, "total_tokens": 6}}


def stream(whole: dict[str, Any], body: dict[str, Any]) -> list[bytes]:
    """Fail: embeddings are not streamed."""
    raise AssertionError(body)
