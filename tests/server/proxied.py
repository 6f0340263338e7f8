"""What the proxy records of a model call that goes through it: the provider's own request and answer, hardly changed.

Its events have no key and, but for Anthropic's, two spans for a request and its answer. OpenAI's counts include the cached tokens.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .answer import Answer
from .marks import mark_arguments, unsigned
from .model import CHAT_USAGE, EMBEDDINGS_USAGE, MESSAGES_USAGE, RESPONSES_USAGE, Turn

Event = dict[str, Any]

_PARAMETERS = {"temperature": "temperature", "max_tokens": "maxTokens", "top_p": "topP"}


@dataclass(frozen=True)
class Call:
    """A model call: what was asked of whom, for which agent and user. `slug` is the provider's, where the model's name began with one."""

    path: str
    turn: Turn
    agent_name: str
    user_id: str | None
    slug: str | None
    span_id: str

    @property
    def is_anthropics(self) -> bool:
        """Tell whether this is a call of Anthropic's messages, whose events have one span."""
        return self.path == "/v1/messages"

    @property
    def is_embedding(self) -> bool:
        """Tell whether texts are embedded."""
        return self.path == "/v1/embeddings"

    def asked(self) -> Event:
        """Give the event of the request."""
        body = self.turn.body
        if self.is_embedding:
            return self._event("embedding_request", {"input": body["input"]}, {**self._called(), "params": {}}, user_id=None)
        given = body.get("messages", body.get("input"))
        metadata: Mapping[str, Any] = {**self._called(), "systemPrompt": self._system_prompt(given), "tools": body.get("tools")}
        parameters = {name: body.get(asked) for asked, name in _PARAMETERS.items()}
        metadata = {**metadata, **parameters} if self.is_anthropics else {**metadata, "params": _known(parameters)}
        content = [_without_signature(message) for message in given] if isinstance(given, list) else given
        return self._event("tool_result" if self._tells_results(given) else "user_message", content, metadata, self.user_id)

    def answered(self, answer: Answer) -> Event:
        """Give the event of the answer, an error among them."""
        if answer.status != 200:
            return self._failed(answer)
        latency = {"latencyMs": 2}
        if self.is_embedding:
            count = len(self.turn.body["input"]) if isinstance(self.turn.body["input"], list) else 1
            content = {"object": "list", "embeddingCount": count, "firstEmbeddingDimensions": 2, "encodingFormat": "float"}
            return self._event("embedding_response", content, {**self._called(), "usage": EMBEDDINGS_USAGE, **latency}, self.user_id)
        metadata = {**self._called(answers=True), "usage": self._usage(), **latency}
        if self.is_anthropics:
            metadata |= {"systemPrompt": self.turn.body.get("system"), "tools": self.turn.body.get("tools")}
        user_id = None if self.turn.streams and not self.is_anthropics else self.user_id
        return self._event("llm_response", self._said(), metadata, user_id)

    def _failed(self, answer: Answer) -> Event:
        is_text = self.turn.streams or self.is_embedding
        content = {"error": json.dumps(answer.body), "status": answer.status} if is_text else answer.body
        called = {"provider": "anthropic", "model": self.turn.body["model"]} if self.is_anthropics else {}
        return self._event("error", content, {**called, "latencyMs": 2}, self.user_id, str(uuid.uuid4()))

    def _said(self) -> dict[str, Any]:
        turn = self.turn
        marks = not turn.streams and not self.is_anthropics
        arguments = mark_arguments(turn.arguments, turn.trace_id) if marks else turn.arguments
        call = {"id": "call_1", "type": "function", "function": {"name": turn.tool, "arguments": arguments}}
        if self.is_anthropics:
            reason = "tool_use" if turn.tool else "end_turn"
        elif self.path == "/v1/responses":
            reason = "completed"
        else:
            reason = "tool_calls" if turn.tool else "stop"
        none = [] if turn.streams and not self.is_anthropics else None
        text = turn.text if turn.streams else turn.text or None
        return _known({"content": text, "toolCalls": [call] if turn.tool else none, "finishReason": reason})

    def _usage(self) -> dict[str, Any] | None:
        """Give the counts as the proxy names them; a streamed chat has them only where its client asks for them."""
        if self.is_anthropics:
            lifetimes = MESSAGES_USAGE["cache_creation"]
            return {
                "promptTokens": 3,
                "completionTokens": 2,
                "totalTokens": 17,
                "cacheWrite5mTokens": lifetimes["ephemeral_5m_input_tokens"],
                "cacheWrite1hTokens": lifetimes["ephemeral_1h_input_tokens"],
                "cacheCreationTokens": 5,
                "cacheReadTokens": 7,
            }
        if self.path == "/v1/responses":
            counts, cached = RESPONSES_USAGE, RESPONSES_USAGE["input_tokens_details"]
        else:
            counts, cached = CHAT_USAGE, CHAT_USAGE["prompt_tokens_details"]
            if self.turn.streams and not (self.turn.body.get("stream_options") or {}).get("include_usage"):
                return None
        prompt, completion = list(counts.values())[:2]
        told = {"promptTokens": prompt, "completionTokens": completion, "totalTokens": counts["total_tokens"]}
        return {**told, "cacheReadTokens": cached["cached_tokens"]}

    def _called(self, *, answers: bool = False) -> dict[str, Any]:
        """Give what names model and provider; Anthropic's answers name the provider itself."""
        own = "anthropic" if self.is_anthropics else "openai"
        if answers and self.is_anthropics:
            return {"model": self.turn.body["model"], "provider": own}
        return {"model": self.turn.body["model"], "provider": "custom" if self.slug else own, "providerSlug": self.slug}

    def _system_prompt(self, given: object) -> object:
        named = self.turn.body.get("system", self.turn.body.get("instructions"))
        listed = given if isinstance(given, list) else []
        return named or next((message["content"] for message in listed if message.get("role") in ("system", "developer")), None)

    def _tells_results(self, given: object) -> bool:
        """Tell whether the request brings a model what tools gave: its last message does."""
        last = next((one for one in reversed(given if isinstance(given, list) else []) if one.get("role") != "system"), {})
        if self.is_anthropics:
            return isinstance(last.get("content"), list) and any(part.get("type") == "tool_result" for part in last["content"])
        return last.get("role") in ("tool", "function") or last.get("type") == "function_call_output"

    def _event(
        self, event_type: str, content: object, metadata: Mapping[str, Any], user_id: str | None, span_id: str | None = None
    ) -> Event:
        is_first = event_type in ("user_message", "tool_result", "embedding_request")
        event = {
            "eventType": event_type,
            "traceId": self.turn.trace_id,
            "spanId": span_id or (self.span_id if is_first or self.is_anthropics else str(uuid.uuid4())),
            "agentName": self.agent_name,
            "externalUserId": user_id,
            "timestamp": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "content": content,
            "metadata": _known(metadata),
        }
        return {name: value for name, value in event.items() if value is not None}


def _without_signature(message: Mapping[str, Any]) -> Mapping[str, Any]:
    content = message.get("content")
    return {**message, "content": unsigned(content)} if isinstance(content, str) else message


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def slug_and_model(name: str, providers: Sequence[str]) -> tuple[str | None, str]:
    """Split `provider-slug/model`; a slug that the account doesn't have names no provider, and is taken off all the same."""
    slug, slash, model = name.partition("/")
    return (slug if slug in providers else None, model) if slash else (None, name)
