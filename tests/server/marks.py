"""The marks that the proxy leaves in a model's answer, so that the next request, or the call of a tool, finds its trace."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

_SIGNATURE = re.compile("\u200b((?:[\u200c\u200d]{8})+)\u200e")


def new_trace_id() -> str:
    """Make an id for a request that names no trace."""
    return f"thread_{uuid.uuid4().hex[:16]}"


def sign(trace_id: str) -> str:
    """Write a trace id in invisible characters."""
    bits = "".join(f"{ord(character):08b}" for character in trace_id)
    return "\u200b" + bits.replace("1", "\u200c").replace("0", "\u200d") + "\u200e"


def read_signature(text: str) -> str | None:
    """Give the trace id that is signed into a text, if there is one."""
    found = _SIGNATURE.search(text)
    if found is None:
        return None
    bits = found[1].replace("\u200c", "1").replace("\u200d", "0")
    return "".join(chr(int(bits[at : at + 8], 2)) for at in range(0, len(bits), 8))


def unsigned(text: str) -> str:
    """Give a text without signatures."""
    return _SIGNATURE.sub("", text)


def signed_trace_id(messages: Iterable[Mapping[str, Any]]) -> str | None:
    """Give the trace id in the last of the assistant's texts that is signed."""
    texts = [message.get("content") for message in messages if message.get("role") == "assistant"]
    found = (read_signature(text) for text in reversed(texts) if isinstance(text, str))
    return next((trace_id for trace_id in found if trace_id), None)


def mark_arguments(arguments: str, trace_id: str) -> str:
    """Add the trace id to a tool call's arguments; what is no JSON stays."""
    try:
        return json.dumps({**json.loads(arguments), "_whyops_trace_id": trace_id})
    except (ValueError, TypeError):
        return arguments
