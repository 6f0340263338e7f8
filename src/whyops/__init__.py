"""See what an AI agent did, and why.

import whyops

@whyops.tool
def search_orders(order_id: str) -> dict: ...

with whyops.trace("session-123", external_user_id="user_12345") as trace:
    trace.user_message_sync([{"role": "user", "content": "Where is order 123?"}])
    search_orders("123")
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from ._client import WhyOps
from ._default import configure, trace
from ._recording.bind_context import bind_context
from ._recording.trace import ToolSpan, Trace, current_trace
from ._wire.signature import strip_signature
from .errors import ConfigurationError, DeliveryError, ServiceError, StoreError, TraceNotFoundError, WhyOpsError
from .types import (
    AgentInfo,
    AgentMetadata,
    AgentTool,
    ErrorContent,
    EventOptions,
    EventType,
    FlushResult,
    LLMResponseContent,
    LLMThinkingContent,
    MessageItem,
    TokenUsage,
    ToolCallItem,
    ToolCallPair,
    UserMessageMetadata,
)

if TYPE_CHECKING:
    from ._load import load_trace, load_traces
    from ._recording.tool import tool
    from ._recording.tool_schemas import describe_tools
    from ._service.proxy import ProxySettings
    from ._trace.recorded import RecordedTrace
    from ._trace.trace_list import TraceList

WhyOpsTrace = Trace

__version__ = "0.2.0"

__all__ = [
    "AgentInfo",
    "AgentMetadata",
    "AgentTool",
    "ConfigurationError",
    "DeliveryError",
    "ErrorContent",
    "EventOptions",
    "EventType",
    "FlushResult",
    "LLMResponseContent",
    "LLMThinkingContent",
    "MessageItem",
    "ProxySettings",
    "RecordedTrace",
    "ServiceError",
    "StoreError",
    "TokenUsage",
    "ToolCallItem",
    "ToolCallPair",
    "ToolSpan",
    "Trace",
    "TraceList",
    "TraceNotFoundError",
    "UserMessageMetadata",
    "WhyOps",
    "WhyOpsError",
    "WhyOpsTrace",
    "bind_context",
    "configure",
    "current_trace",
    "describe_tools",
    "load_trace",
    "load_traces",
    "strip_signature",
    "tool",
    "trace",
]

_IMPORTED_WHEN_USED = {
    "ProxySettings": "._service.proxy",
    "RecordedTrace": "._load",
    "TraceList": "._load",
    "describe_tools": "._recording.tool_schemas",
    "load_trace": "._load",
    "load_traces": "._load",
    "tool": "._recording.tool",
}


def __getattr__(name: str) -> object:
    module = _IMPORTED_WHEN_USED.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(_import_module(module, __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
