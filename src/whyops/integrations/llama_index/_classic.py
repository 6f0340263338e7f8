"""The handler for the classic `CallbackManager`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from llama_index.core.callbacks.base import global_stack_trace_ids
from llama_index.core.callbacks.base_handler import BaseCallbackHandler
from llama_index.core.callbacks.schema import CBEventType, EventPayload
from llama_index_instrumentation.dispatcher import active_instrument_tags

from ..._client import WhyOps
from ..._recording import context
from ..._recording.tool_call import ToolCall
from ..._recording.trace import Trace
from ..._runtime import guard
from . import _translate as translate
from ._dispatch import is_instrumented
from ._model_call import EmbeddingCall, ModelCall, Named, Place
from ._open import Open
from ._origin import Origin
from ._streams import keep_together

_RUN_ID = "llamaindex.run_id"

Payload = Mapping[str, Any]


class _Root:
    """Owns the frame of a root operation."""

    __slots__ = ("handler",)

    def __init__(self, handler: object) -> None:
        self.handler = handler


class _Begun:
    """An event that has begun: a model's call with how deep it stands, an embedding model's, or a lookup or tool."""

    __slots__ = ("depth", "embedding", "model", "outer", "stay", "tool")

    def __init__(
        self,
        *,
        model: ModelCall | None = None,
        embedding: EmbeddingCall | None = None,
        tool: ToolCall | None = None,
        stay: context.Stay | None = None,
        depth: int = 0,
        outer: _Begun | None = None,
    ) -> None:
        self.model = model
        self.embedding = embedding
        self.tool = tool
        self.stay = stay
        self.depth = depth
        self.outer = outer


_asking: ContextVar[_Begun | None] = ContextVar("whyops_llama_index_asking", default=None)
"""The model call that runs here, so that those that the model's class makes of itself are known as the same."""


class WhyOpsCallbackHandler(BaseCallbackHandler):
    """Records what LlamaIndex tells its callback managers: `Settings.callback_manager = CallbackManager([WhyOpsCallbackHandler()])`.

    Callback managers are not told of tools and of agents' steps; use `instrument()` for those. Where `instrument()` is on, this stands
    down. One handler may serve all users, in all threads and tasks.

    Args:
        client: Whose events they are; by default the default client's, as it is when an operation begins.
        trace_id: The trace of everything. Left out: the current trace, or one for each root operation.
        external_user_id: The user, for traces that are made here.
        llm_events: False leaves model calls to the proxy.
        event_starts_to_ignore: LlamaIndex's event types whose starts are not looked at.
        event_ends_to_ignore: Those whose ends are not looked at.
    """

    def __init__(
        self,
        client: WhyOps | None = None,
        *,
        trace_id: str | None = None,
        external_user_id: str | None = None,
        llm_events: bool = True,
        event_starts_to_ignore: list[CBEventType] | None = None,
        event_ends_to_ignore: list[CBEventType] | None = None,
    ) -> None:
        super().__init__(event_starts_to_ignore or [], event_ends_to_ignore or [])
        self._origin = Origin(client, trace_id, external_user_id, llm_events=llm_events)
        self._runs: Open[Trace] = Open()
        self._open: Open[_Begun] = Open()

    def start_trace(self, trace_id: str | None = None) -> None:  # noqa: ARG002  (LlamaIndex's signature)
        """Give a root operation its trace."""
        self._enter_root()

    def end_trace(self, trace_id: str | None = None, trace_map: dict[str, list[str]] | None = None) -> None:  # noqa: ARG002  (LlamaIndex's signature)
        """End a root operation. What streams goes on."""
        frame = context.current.get()
        while frame is not None:
            if isinstance(frame.owner, _Root) and frame.owner.handler is self:
                context.leave(frame)
                return
            frame = frame.previous

    def on_event_start(
        self,
        event_type: CBEventType,
        payload: dict[str, Any] | None = None,
        event_id: str = "",
        parent_id: str = "",  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> str:
        """Record what begins."""
        self._begin(event_type, payload or {}, event_id)
        return event_id

    def on_event_end(self, event_type: CBEventType, payload: dict[str, Any] | None = None, event_id: str = "", **kwargs: Any) -> None:  # noqa: ARG002  (LlamaIndex's signature)
        """Record what ends."""
        self._end(payload or {}, event_id)

    @guard.recording
    def _enter_root(self) -> None:
        if is_instrumented():
            return
        frame = context.top()
        place = self._place()
        if place is not None and (frame is None or frame.trace is not place.trace):
            context.enter(place.trace, place.parent_id, _Root(self))

    def _place(self) -> Place | None:
        frame = context.top()
        trace = self._origin.trace_under(frame)
        if trace is not None:
            return Place(trace, frame.span_id if frame is not None and frame.trace is trace else None, {})
        trace = self._trace_of_run() or self._origin.new_trace()
        return None if trace is None else Place(trace, None, {})

    def _trace_of_run(self) -> Trace | None:
        """Return the trace of the agent's or workflow's run that this belongs to: each of its model calls is a root operation here."""
        run_id = active_instrument_tags.get().get(_RUN_ID)
        if run_id is None:
            return None
        trace = self._runs.touch(run_id)
        if trace is not None:
            return trace
        trace = self._origin.new_trace()
        return None if trace is None else self._runs.add_if_new(run_id, trace)

    @guard.recording
    def _begin(self, event_type: CBEventType, payload: Payload, event_id: str) -> None:
        place = None if is_instrumented() or event_type not in _HEARD else self._place()
        if place is None:
            return
        if event_type is CBEventType.LLM:
            self._model_asked(place, payload, event_id)
        elif event_type is CBEventType.EMBEDDING:
            who = Named(payload.get(EventPayload.SERIALIZED) or {}, None)
            self._open.add(event_id, _Begun(embedding=EmbeddingCall(place, who)))
        elif event_type in _LOOKUPS:
            self._tool_began(place, *_LOOKUPS[event_type](payload), event_id)
        else:
            _record_exception(payload, place)

    @guard.recording
    def _end(self, payload: Payload, event_id: str) -> None:
        keep_together(payload.get(EventPayload.RESPONSE))
        begun = self._open.take(event_id)
        if begun is None:
            return
        if begun.model is not None:
            _model_answered(begun, begun.model, payload)
        elif begun.embedding is not None:
            _embedded(begun.embedding, payload)
        elif begun.tool is not None:
            if begun.stay is not None:
                begun.stay.leave()
            _tool_ended(begun.tool, payload)

    def _model_asked(self, place: Place, payload: Payload, event_id: str) -> None:
        prompt = payload[EventPayload.MESSAGES] if EventPayload.MESSAGES in payload else payload.get(EventPayload.PROMPT)
        who = Named(payload.get(EventPayload.SERIALIZED) or {}, None)
        depth = len(global_stack_trace_ids.get())
        outer = _asking.get()
        if outer is not None and outer.model is not None and outer.model.is_made_of(who, prompt, deeper=depth > outer.depth):
            outer.model.inner = True
            return
        call = ModelCall(place, who, prompt, recorded=self._origin.llm_events)
        begun = _Begun(model=call, depth=depth, outer=outer if outer is not None and depth > outer.depth else None)
        _asking.set(begun)
        self._open.add(event_id, begun)
        call.asked(payload.get(EventPayload.ADDITIONAL_KWARGS) or {})

    def _tool_began(self, place: Place, name: str, arguments: Mapping[str, Any], event_id: str) -> None:
        tool = ToolCall(place.trace, name, place.trace.encode_arguments(arguments), parent_id=place.parent_id)
        tool.begin()
        stay = context.Stay(context.Frame(place.trace, tool.span_id, tool, context.beneath()))
        self._open.add(event_id, _Begun(tool=tool, stay=stay))


def _model_answered(begun: _Begun, call: ModelCall, payload: Payload) -> None:
    if _asking.get() is begun:
        _asking.set(begun.outer)
    begun.outer = None
    error = payload.get(EventPayload.EXCEPTION)
    if isinstance(error, BaseException):
        call.stopped(error)
    elif payload:
        call.answered(payload[EventPayload.RESPONSE] if EventPayload.RESPONSE in payload else payload.get(EventPayload.COMPLETION))


def _embedded(call: EmbeddingCall, payload: Payload) -> None:
    """Record texts and vectors, both at the end: the texts are not told earlier."""
    error = payload.get(EventPayload.EXCEPTION)
    if isinstance(error, BaseException):
        call.failed(error)
    elif payload:
        call.asked(payload.get(EventPayload.CHUNKS) or [])
        call.answered(payload.get(EventPayload.EMBEDDINGS))


def _tool_ended(tool: ToolCall, payload: Payload) -> None:
    error = payload.get(EventPayload.EXCEPTION)
    if isinstance(error, BaseException):
        tool.fail(error)
    elif EventPayload.NODES in payload:
        tool.succeed({"nodes": translate.nodes_of(payload[EventPayload.NODES])})
    elif payload:
        tool.succeed(payload.get(EventPayload.FUNCTION_OUTPUT))
    else:
        tool.interrupt("left without a result")  # by an exception that an inner event told of, or cancelled


def _record_exception(payload: Payload, place: Place) -> None:
    error = payload.get(EventPayload.EXCEPTION)
    if isinstance(error, BaseException):
        place.trace.record_exception(error, parent_id=place.parent_id)


def _retrieval(payload: Payload) -> tuple[str, Mapping[str, Any]]:
    return "retrieve", {"query": payload.get(EventPayload.QUERY_STR)}


def _ranking(payload: Payload) -> tuple[str, Mapping[str, Any]]:
    arguments = {
        "query": payload.get(EventPayload.QUERY_STR),
        "nodes": translate.ranked(payload.get(EventPayload.NODES)),
        "top_n": payload.get(EventPayload.TOP_K),
        "model": payload.get(EventPayload.MODEL_NAME),
    }
    return "rerank", {name: value for name, value in arguments.items() if value is not None}


def _function_call(payload: Payload) -> tuple[str, Mapping[str, Any]]:
    """Return a tool's name and arguments, which come as JSON text."""
    given = payload.get(EventPayload.FUNCTION_CALL)
    try:
        arguments = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        arguments = given
    name = getattr(payload.get(EventPayload.TOOL), "name", None)
    return str(name or "function_call"), arguments if isinstance(arguments, dict) else {"input": arguments}


_LOOKUPS = {CBEventType.RETRIEVE: _retrieval, CBEventType.RERANKING: _ranking, CBEventType.FUNCTION_CALL: _function_call}
_HEARD = {CBEventType.LLM, CBEventType.EMBEDDING, CBEventType.EXCEPTION, *_LOOKUPS}
