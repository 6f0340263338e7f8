"""The shapes that callers pass in and get back.

The names up to `UserMessageMetadata` are those of the published 0.1.1 client, so that its callers can import them from here unchanged.
"""

# Annotations are not kept as text here: `Required` is not seen in them then, and `typing` would have to compile each.

import sys
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypedDict

if sys.version_info >= (3, 11):
    from typing import Required
else:
    from typing_extensions import Required

EventType = Literal[
    "user_message",
    "llm_response",
    "llm_thinking",
    "embedding_request",
    "embedding_response",
    "tool_call_request",
    "tool_call_response",
    "tool_result",
    "error",
]


class MessageItem(TypedDict):
    """One message of a prompt. `content` is text, or a provider's list of content parts."""

    role: str
    content: Any


class ToolCallFunction(TypedDict):
    """What a model asked for. `arguments` is a JSON object, written as a string."""

    name: str
    arguments: str


class ToolCallItem(TypedDict, total=False):
    """One tool call inside a model's answer."""

    id: str
    function: Required[ToolCallFunction]


class ToolCallPair(TypedDict):
    """A tool and the arguments it is called with, by name."""

    name: str
    arguments: dict[str, Any]


class TokenUsage(TypedDict, total=False):
    """Token counts, whole numbers. `promptTokens` does not include the cached ones.

    Writes to a cache have prices by how long they last: give the two counts, or `cacheCreationTokens` where only their sum is known.
    """

    promptTokens: int
    completionTokens: int
    totalTokens: int
    cacheReadTokens: int
    cacheWrite5mTokens: int
    cacheWrite1hTokens: int
    cacheCreationTokens: int


class LLMResponseContent(TypedDict, total=False):
    """The content of an `llm_response` event."""

    content: str | None
    toolCalls: list[ToolCallItem]
    finishReason: str


class LLMThinkingContent(TypedDict, total=False):
    """The content of an `llm_thinking` event."""

    type: Required[Literal["thinking"]]
    thinking: Required[str]
    signature: str


class ErrorContent(TypedDict, total=False):
    """The content of an `error` event."""

    message: Required[str]
    type: str
    status: int
    stack: str


class UserMessageMetadata(TypedDict, total=False):
    """What was sent to the model along with the messages."""

    systemPrompt: str
    tools: list[dict[str, Any]]
    params: dict[str, Any]


class AgentTool(TypedDict, total=False):
    """One tool in an agent's description. Both schemas are JSON, written as strings."""

    name: Required[str]
    description: str
    inputSchema: str
    outputSchema: str


class AgentMetadata(TypedDict, total=False):
    """An agent's description. Changing it makes a new version of the agent on the service."""

    systemPrompt: Required[str]
    description: str
    tools: list[AgentTool]


class AgentInfo(TypedDict):
    """The service's answer to an agent's initialisation."""

    agentId: str
    agentVersionId: str
    status: Literal["created", "existing"]
    versionHash: str


class PlacedEventOptions(TypedDict, total=False):
    """The options of a method that is told the span anyway: those of `EventOptions` but for `span_id`."""

    step_id: int | None
    parent_step_id: int | None
    timestamp: str | datetime | None
    idempotency_key: str | None
    external_user_id: str | None
    call_id: str | None


class EventOptions(PlacedEventOptions, total=False):
    """Options that the nine pairs of methods take by keyword.

    `span_id` pairs a tool request with its response (at most 128 characters). `step_id` and `parent_step_id` are whole numbers from 1;
    left out, the service numbers the steps. `timestamp` is ISO 8601 or a `datetime`; left out, it is now. `idempotency_key` (at most
    128 characters) makes a second event of the same trace with the same key count as a repeat. `external_user_id` stays on the trace
    for all later events. `call_id` is any id that prompt, reasoning, answer and error of one model's call have in common: it tells which
    belong together where several models are asked at once.
    """

    span_id: str | None


class FlushResult(NamedTuple):
    """What became of a client's events, in numbers of events.

    `delivered`: stored, since this process began. `waiting`: recorded, not yet delivered. `rejected`: refused permanently, and kept in a
    file with the reason. `sampled_out`: taken and not stored, by the service's own rules. `dropped`: never recorded, because the outbox
    was full. `not_recorded`: never recorded for another cause, such as a method that was called without an argument that it needs; the
    log names the line. `accepted`: taken into a queue of the service's, which says no more of them.

    With several destinations, as the local store and an OpenTelemetry receiver, an event counts once for each; `destinations` has the
    numbers of each by itself, and `destination` in these is its name: the address of a service or a receiver, or `local`.
    """

    delivered: int = 0
    waiting: int = 0
    rejected: int = 0
    sampled_out: int = 0
    dropped: int = 0
    not_recorded: int = 0
    accepted: int = 0
    destination: str = ""
    destinations: "tuple[FlushResult, ...]" = ()

    @property
    def parked(self) -> int:
        """The older name of `rejected`."""
        return self.rejected
