"""The handler for the classic `CallbackManager`."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from llama_index.core.callbacks.base import global_stack_trace_ids
from llama_index.core.callbacks.base_handler import BaseCallbackHandler
from llama_index.core.callbacks.schema import CBEventType, EventPayload
from llama_index_instrumentation.dispatcher import active_instrument_tags

from ..._client import WhyOps
from ..._recording import context
from ..._recording.frames import Frame
from ..._recording.place import Place
from ..._recording.trace_writer import TraceWriter
from ..._runtime import guard
from ..._wire.write import known
from .._shared import spoken
from .._shared.open_table import OpenTable
from .._shared.origin import Origin
from .._shared.tool_run import ToolRun
from . import _models, _runs, _translate, _workflows
from ._dispatch import in_force
from ._model_call import EmbeddingCall, FollowedCall
from ._streams import keep_together

_RUN_ID = "llamaindex.run_id"

Payload = Mapping[str, Any]


@dataclass(slots=True, eq=False)
class _Asked:
    """A model's call that is open, and how deep it stands in others."""

    call: FollowedCall
    depth: int
    outer: _Asked | None


_NO_MARK: Mapping[str, object] = {}

_querying: ContextVar[_runs.Query | None] = ContextVar("whyops_llama_index_querying", default=None)
"""The query that runs here, which hears what its models say."""

_asking: ContextVar[_Asked | None] = ContextVar("whyops_llama_index_asking", default=None)
"""The model call that runs here, so that those that the model's class makes of itself are known as the same."""


class WhyOpsCallbackHandler(BaseCallbackHandler):
    """Records what LlamaIndex tells its callback managers: `Settings.callback_manager = CallbackManager([WhyOpsCallbackHandler()])`.

    Callback managers are not told of tools and of agents' steps; use `instrument()` for those. Where `instrument()` is on, this is
    inactive. One handler may serve all users, in all threads and tasks.

    Args:
        client: Whose events they are; by default the default client's, as it is when an operation begins.
        trace_id: The trace of everything. Left out: the current trace, or one for each root operation.
        external_user_id: The user, for traces that are made here.
        llm_events: False leaves model calls to the proxy.
        capture_prompts: False records a prompt only where a user speaks last in it, and then whole. By default as the client says.
        record_steps: True records queries, syntheses, sub-questions and agents' steps as spans of their own: input, output, time. The
            service counts each span against the 1,000 that it keeps of an agent. By default as the client says, which is False.
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
        capture_prompts: bool | None = None,
        record_steps: bool | None = None,
        event_starts_to_ignore: list[CBEventType] | None = None,
        event_ends_to_ignore: list[CBEventType] | None = None,
    ) -> None:
        super().__init__(event_starts_to_ignore or [], event_ends_to_ignore or [])
        self._origin = Origin(
            "LlamaIndex",
            client,
            trace_id,
            external_user_id,
            llm_events=llm_events,
            capture_prompts=capture_prompts,
            record_steps=record_steps,
        )
        self._runs: OpenTable[str, TraceWriter] = OpenTable()
        self._open: OpenTable[str, Callable[[Payload], None]] = OpenTable()

    @guard.recording
    def start_trace(self, trace_id: str | None = None) -> None:  # noqa: ARG002  (LlamaIndex's signature)
        """Give a root operation its trace."""
        place = self._place()
        if place is not None and context.current_writer() is not place.trace:
            context.enter(place.trace, place.parent_id, self)

    def end_trace(self, trace_id: str | None = None, trace_map: dict[str, list[str]] | None = None) -> None:  # noqa: ARG002  (LlamaIndex's signature)
        """End a root operation. What streams goes on."""
        frame = context.current.get()
        while frame is not None and frame.owner is not self:
            frame = frame.previous
        if frame is not None:
            context.leave(frame)

    def on_event_start(
        self,
        event_type: CBEventType,
        payload: dict[str, Any] | None = None,
        event_id: str = "",
        parent_id: str = "",  # noqa: ARG002  (LlamaIndex's signature)
        **kwargs: Any,  # noqa: ARG002  (LlamaIndex's signature)
    ) -> str:
        """Record what begins."""
        self._begin(event_type, payload or {}, event_id)
        return event_id

    @guard.recording
    def on_event_end(self, event_type: CBEventType, payload: dict[str, Any] | None = None, event_id: str = "", **kwargs: Any) -> None:  # noqa: ARG002  (LlamaIndex's signature)
        """Record what ends."""
        payload = payload or {}
        keep_together(payload.get(EventPayload.RESPONSE))
        end = self._open.take(event_id)
        if end is not None:
            end(payload)

    def _place(self) -> Place | None:
        if in_force.latest() is not None:
            return None
        trace = self._origin.trace_under(context.current_writer()) or self._trace_of_root()
        return None if trace is None else Place(trace, context.span_id_in(trace), _workflows.tags())

    def _trace_of_root(self) -> TraceWriter | None:
        """Return one of its own, or that of the agent's or workflow's run: each model call of such a run is a root operation here."""
        run_id = active_instrument_tags.get().get(_RUN_ID)
        trace = self._runs.touch(run_id) or self._origin.new_trace()
        return trace if trace is None or run_id is None else self._runs.add_if_new(run_id, trace)

    @guard.recording
    def _begin(self, event_type: CBEventType, payload: Payload, event_id: str) -> None:
        place = self._place() if event_type in _HEARD or event_type in _STEPS else None
        if place is None:
            return
        if event_type in _STEPS:
            self._step_began(place, event_type, payload, event_id)
        if event_type is CBEventType.LLM:
            self._model_asked(place, payload, event_id)
        elif event_type is CBEventType.EMBEDDING:
            call = EmbeddingCall(place, _models.who_is(payload.get(EventPayload.SERIALIZED) or {}))
            self._open.add(event_id, functools.partial(_embedded, call))
        elif event_type in _LOOKUPS:
            self._open.add(event_id, _tool_began(place, *_LOOKUPS[event_type](payload)))
        elif (error := _error_in(payload)) is not None:
            place.record_exception(error)

    def _step_began(self, place: Place, event_type: CBEventType, payload: Payload, event_id: str) -> None:
        ends = []
        if event_type is CBEventType.QUERY:
            ends.append(_query_began(place, payload.get(EventPayload.QUERY_STR)))
        if self._origin.records_steps(place.trace.recorder):
            ends.append(_tool_began(place, event_type.value, _shown(payload), spoken.STEP))
        if ends:
            self._open.add(event_id, functools.partial(_all_ended, ends[::-1]))

    def _model_asked(self, place: Place, payload: Payload, event_id: str) -> None:
        prompt = payload[EventPayload.MESSAGES] if EventPayload.MESSAGES in payload else payload.get(EventPayload.PROMPT)
        who = _models.who_is(payload.get(EventPayload.SERIALIZED) or {})
        depth = len(global_stack_trace_ids.get())
        outer = _asking.get()
        if outer is not None and outer.call.is_made_of(who, prompt, deeper=depth > outer.depth):
            outer.call.inner = True
            return
        whole = self._origin.captures_prompts(place.trace.recorder)
        call = FollowedCall(place, *who, prompt, recorded=self._origin.llm_events, captures_prompts=whole)
        querying = _querying.get()
        call.said = None if querying is None else querying.said
        asked = _Asked(call, depth, outer if outer is not None and depth > outer.depth else None)
        _asking.set(asked)
        self._open.add(event_id, functools.partial(_model_answered, asked))
        call.asked(payload.get(EventPayload.ADDITIONAL_KWARGS) or {})
        if call.recorded:
            call.expect_request()


def _error_in(payload: Payload) -> BaseException | None:
    error = payload.get(EventPayload.EXCEPTION)
    return error if isinstance(error, BaseException) else None


def _model_answered(asked: _Asked, payload: Payload) -> None:
    if _asking.get() is asked:
        _asking.set(asked.outer)
    asked.outer = None
    error = _error_in(payload)
    if error is not None:
        asked.call.stopped(error)
    elif payload:
        asked.call.answered(payload[EventPayload.RESPONSE] if EventPayload.RESPONSE in payload else payload.get(EventPayload.COMPLETION))


def _embedded(call: EmbeddingCall, payload: Payload) -> None:
    """Record texts and vectors, both at the end: the texts are not told earlier."""
    error = _error_in(payload)
    if error is not None:
        call.failed(error)
    elif payload:
        call.asked(payload.get(EventPayload.CHUNKS) or [])
        call.answered(payload.get(EventPayload.EMBEDDINGS))


def _query_began(place: Place, query: object) -> Callable[[Payload], None]:
    """Record the question of a query's caller, unless the query is a part of something else; its models are heard from here on."""
    outer = _querying.get()
    if outer is None and place.parent_id is None and isinstance(query, str):
        spoken.asked(place, query)
    querying = _runs.Query("query")
    _querying.set(querying)
    return functools.partial(_query_ended, place, querying, outer)


def _query_ended(place: Place, querying: _runs.Query, outer: _runs.Query | None, payload: Payload) -> None:
    """Record the answer, if no model gave it and it is not a part of something else."""
    if _querying.get() is querying:
        _querying.set(outer)
    if outer is not None:
        outer.said.extend(querying.said)
    if outer is None and place.parent_id is None:
        querying.answered(place, payload.get(EventPayload.RESPONSE))


def _all_ended(ends: Sequence[Callable[[Payload], None]], payload: Payload) -> None:
    for end in ends:
        end(payload)


def _tool_began(place: Place, name: str, arguments: Mapping[str, Any], mark: Mapping[str, object] = _NO_MARK) -> Callable[[Payload], None]:
    tool = ToolRun(place.labelled(mark) if mark else place, name, arguments)
    frame = Frame(place.trace, tool.call.span_id, tool.call, context.beneath())
    frame.labels = place.labels
    return functools.partial(_tool_ended, tool, context.Stay(frame))


def _tool_ended(tool: ToolRun, stay: context.Stay, payload: Payload) -> None:
    stay.leave()
    error = _error_in(payload)
    if error is not None:
        tool.fail(error)
    elif EventPayload.NODES in payload:
        tool.succeed({"nodes": _translate.nodes_of(payload[EventPayload.NODES])})
    elif EventPayload.RESPONSE in payload:
        tool.succeed(_translate.result_of(payload[EventPayload.RESPONSE]))
    elif payload:
        tool.succeed(payload.get(EventPayload.FUNCTION_OUTPUT))
    else:
        tool.call.interrupt("left without a result")  # by an exception that an inner event told of, or cancelled


def _shown(payload: Payload) -> dict[str, object]:
    """Return what a step is told to begin with, by name."""
    return {str(getattr(name, "value", name)): _translate.result_of(value) for name, value in payload.items()}


def _retrieval(payload: Payload) -> tuple[str, Mapping[str, Any]]:
    return "retrieve", {"query": payload.get(EventPayload.QUERY_STR)}


def _ranking(payload: Payload) -> tuple[str, Mapping[str, Any]]:
    top_n, model = payload.get(EventPayload.TOP_K), payload.get(EventPayload.MODEL_NAME)
    return "rerank", known(_translate.ranking_of(payload.get(EventPayload.QUERY_STR), payload.get(EventPayload.NODES), top_n, model))


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
_STEPS = {CBEventType.QUERY, CBEventType.SYNTHESIZE, CBEventType.SUB_QUESTION, CBEventType.TREE, CBEventType.AGENT_STEP}
_HEARD = {CBEventType.LLM, CBEventType.EMBEDDING, CBEventType.EXCEPTION, *_LOOKUPS}
