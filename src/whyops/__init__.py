"""See what an AI agent did, and why.

import whyops

@whyops.tool
def search_orders(order_id: str) -> dict: ...

with whyops.trace("session-123", external_user_id="user_12345") as trace:
    trace.user_message_sync([{"role": "user", "content": "Where is order 123?"}])
    search_orders("123")
"""

from importlib import import_module as _import_module

TYPE_CHECKING = False  # as type checkers know it: whoever imports the package alone need not load `typing` for that
if TYPE_CHECKING:
    from ._client import WhyOps
    from ._continued import Continued, continued
    from ._default import configure, trace
    from ._load import load_trace, load_traces
    from ._recording.bind_context import bind_context
    from ._recording.current_trace import current_trace
    from ._recording.model_span import ModelSpan
    from ._recording.sending import headers
    from ._recording.tool import tool
    from ._recording.tool_schemas import describe_tools
    from ._recording.trace import ToolSpan, Trace
    from ._recording.trace import Trace as WhyOpsTrace
    from ._service.proxy import ProxySettings
    from ._trace.recorded import RecordedTrace
    from ._trace.trace_list import TraceList
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


__version__ = "0.2.0"

__all__ = [
    "AgentInfo",
    "AgentMetadata",
    "AgentTool",
    "ConfigurationError",
    "Continued",
    "DeliveryError",
    "ErrorContent",
    "EventOptions",
    "EventType",
    "FlushResult",
    "LLMResponseContent",
    "LLMThinkingContent",
    "MessageItem",
    "ModelSpan",
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
    "continued",
    "current_trace",
    "describe_tools",
    "headers",
    "load_trace",
    "load_traces",
    "strip_signature",
    "tool",
    "trace",
]

_HOMES = {
    "._client": ("WhyOps",),
    "._continued": ("Continued", "continued"),
    "._default": ("configure", "trace"),
    "._load": ("RecordedTrace", "TraceList", "load_trace", "load_traces"),
    "._recording.bind_context": ("bind_context",),
    "._recording.current_trace": ("current_trace",),
    "._recording.model_span": ("ModelSpan",),
    "._recording.sending": ("headers",),
    "._recording.tool": ("tool",),
    "._recording.tool_schemas": ("describe_tools",),
    "._recording.trace": ("ToolSpan", "Trace"),
    "._service.proxy": ("ProxySettings",),
    "._wire.signature": ("strip_signature",),
    ".errors": ("ConfigurationError", "DeliveryError", "ServiceError", "StoreError", "TraceNotFoundError", "WhyOpsError"),
    ".types": (
        "AgentInfo",
        "AgentMetadata",
        "AgentTool",
        "ErrorContent",
        "EventOptions",
        "EventType",
        "FlushResult",
        "LLMResponseContent",
        "LLMThinkingContent",
        "MessageItem",
        "TokenUsage",
        "ToolCallItem",
        "ToolCallPair",
        "UserMessageMetadata",
    ),
}
"""Where each name comes from. A module is loaded when one of its names is used: who only imports the package, as pytest does, waits for
nothing."""
_CORE = (
    "._client",
    "._default",  # it tells a call outside any trace where to find one
    "._recording.bind_context",
    "._recording.current_trace",
    "._recording.trace",
    ".errors",
    ".types",
)
"""What is loaded with the first name: a name of these is there from then on, also where no module can be loaded, as in a finalizer."""
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = ("errors", "events", "testing", "types")


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return _import_module(f".{name}", __name__)
    attribute = "Trace" if name == "WhyOpsTrace" else name
    home = _HOME_OF.get(attribute)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for core in _CORE:
        module = _import_module(core, __name__)
        globals().update({each: getattr(module, each) for each in _HOMES[core]})
    value = globals()[name] = getattr(_import_module(home, __name__), attribute)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
