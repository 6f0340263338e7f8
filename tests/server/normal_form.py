"""The form in which the service keeps contents: what came as a provider's own request or message is reduced to what it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def kept(event: dict[str, Any]) -> Any:
    """Give an event's content as it is stored: message lists are reduced to the texts of the user's messages."""
    content = event.get("content")
    kind = event["eventType"]
    if kind == "user_message":
        return _texts_of_user(content, event.get("metadata", {}))
    if kind in {"tool_result", "tool_call_response"} and isinstance(content, dict) and content.get("role") == "tool":
        return {"tool_call_id": content.get("tool_call_id"), "content": content.get("content")}
    return content


def system_prompt(event: dict[str, Any]) -> str | None:
    """Give the system prompt that is lifted from an event to its trace, or None."""
    messages = _messages(event.get("content"))
    texts = [_text(message.get("content")) for message in messages if message.get("role") in {"system", "developer"}]
    metadata = event.get("metadata", {})
    return next(filter(None, texts), None) or metadata.get("systemPrompt") or None


def _texts_of_user(content: Any, metadata: dict[str, Any]) -> Any:
    messages = _messages(content)
    if isinstance(content, dict) and "model" not in content and metadata.get("provider") != "openai":
        return content
    texts = [_text(message.get("content")) for message in messages if message.get("role") == "user"]
    return "\n".join(filter(None, texts)) or content


def _messages(content: Any) -> Sequence[dict[str, Any]]:
    listed = content.get("messages") if isinstance(content, dict) else content
    return [message for message in listed if isinstance(message, dict)] if isinstance(listed, list) else []


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))
    return content if isinstance(content, str) else ""
