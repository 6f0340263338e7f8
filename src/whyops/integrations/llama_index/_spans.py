"""LlamaIndex's spans and events, followed from their start to their end, and what is recorded of each.

A span's parent is the one that LlamaIndex names, or what is current in WhyOps' own context variable: both are inherited by tasks, by
threads with a copied context and by the steps of a workflow. A span that is a tool's call, or the first of its trace, is made current for
what runs inside it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from types import AsyncGeneratorType, GeneratorType
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.embeddings.base_sparse import BaseSparseEmbedding
from llama_index.core.instrumentation.events.exception import ExceptionEvent
from llama_index.core.instrumentation.events.llm import (
    LLMChatEndEvent,
    LLMChatInProgressEvent,
    LLMChatStartEvent,
    LLMCompletionEndEvent,
    LLMCompletionInProgressEvent,
    LLMCompletionStartEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.instrumentation.events.retrieval import RetrievalEndEvent, RetrievalStartEvent
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.tools import BaseTool
from llama_index.core.workflow import InputRequiredEvent
from llama_index_instrumentation.base import BaseEvent

from ..._encoding.class_fields import PerType
from ..._recording import context
from ..._recording.place import Place
from ..._recording.tool import Observer
from ..._runtime import guard
from .._shared.open_table import OpenTable
from .._shared.origin import Origin
from .._shared.tool_run import ToolRun
from . import _models, _runs, _tools, _translate, _workflows
from ._model_call import EmbeddingCall, FollowedCall
from ._proxied import is_proxied
from ._span import Span, of_same_instance, place_of
from ._streams import STREAMING, keep_together

_EMBEDS_IMAGES = frozenset({"_aget_image_embedding", "_get_image_embedding"})
_EMBEDS = _EMBEDS_IMAGES | frozenset(
    {
        "aget_query_embedding",
        "aget_text_embedding",
        "aget_text_embedding_batch",
        "get_query_embedding",
        "get_text_embedding",
        "get_text_embedding_batch",
    }
)
_IN_FORM = frozenset({"astream_structured_predict", "astructured_predict", "stream_structured_predict", "structured_predict"})
_CARRIED = "whyops"
_asks_for_form: ContextVar[bool] = ContextVar("whyops_llama_index_asks_for_form", default=False)
"""Whether the next model that is asked here is asked for an answer in a form: one that streams begins when it is read, in no span."""

_MOST_SPANS = 50_000
_SPAN_SECONDS = 7 * 24 * 3600.0
"""A run may wait for a human for days."""


class Spans:
    """What is open, and what begins and ends with it. One for the process, as there is one dispatcher."""

    def __init__(self, origin: Callable[[], Origin | None]) -> None:
        self._origin = origin
        self._spans: OpenTable[str, Span] = OpenTable(_MOST_SPANS, _SPAN_SECONDS)
        self._calls: OpenTable[str, FollowedCall] = OpenTable()
        self.heard: dict[type[BaseEvent], Callable[[Any], None]] = {
            LLMChatStartEvent: lambda event: self._model_asked(event, event.messages),
            LLMCompletionStartEvent: lambda event: self._model_asked(event, event.prompt),
            LLMChatInProgressEvent: self._model_said,
            LLMCompletionInProgressEvent: self._model_said,
            LLMChatEndEvent: self._model_answered,
            LLMCompletionEndEvent: self._model_answered,
            LLMStructuredPredictStartEvent: _form_asked_for,
            ExceptionEvent: self._stream_stopped,
            RetrievalStartEvent: lambda event: self._lookup_began(event, {"query": _translate.query_of(event.str_or_query_bundle)}),
            RetrievalEndEvent: self._nodes_came,
            ReRankStartEvent: lambda event: self._lookup_began(
                event, _translate.ranking_of(event.query, event.nodes, event.top_n, event.model_name)
            ),
            ReRankEndEvent: self._nodes_came,
        }

    def __len__(self) -> int:
        return len(self._spans) + len(self._calls)

    def enter(self, id_: str, bound: inspect.BoundArguments, instance: object, parent_id: str | None) -> None:
        """Take note of a span, and record what begins with it."""
        origin = self._origin()
        if origin is None:
            return
        beneath = context.beneath()
        frame = context.live_of(beneath)
        parent = self._spans.touch(parent_id)
        place = place_of(origin, frame, parent)
        if place is None:
            return
        span = Span(id_, instance, parent, place)
        self._spans.add(id_, span)
        if span.method in _tools.METHODS and isinstance(instance, BaseTool):
            _begin_tool(span, instance, bound)
            return
        if span.method == _workflows.RUN and _workflows.is_run(instance):
            _begin_run(span, bound)
            return
        if instance is not None:
            _begin_query(span, bound, is_outermost=frame is None or not isinstance(frame.owner, Span))
            if span.method in _EMBEDS and isinstance(instance, (BaseEmbedding, BaseSparseEmbedding)):
                _begin_embedding(span, instance, bound)
        elif parent is not None and parent.is_run:
            _begin_step(span, parent, bound, origin)
            span.make_current(beneath)
            return
        if frame is None or frame.trace is not span.place.trace or (frame.labels or {}) != span.place.labels:
            span.make_current(beneath)

    def exit(self, id_: str, result: object) -> None:
        """Record what ends with a span. What streams goes on, and is recorded when it ends."""
        span = self._spans.take(id_)
        if span is None:
            return
        is_plain = _is_plain(type(result))
        if not is_plain:
            keep_together(result)
        span.leave()
        if span.call is not None and not isinstance(result, (GeneratorType, AsyncGeneratorType)):
            self._calls.take(id_)
        if span.embedding is not None:
            span.embedding.answered(result)
        if span.tool is not None:
            _end_tool(span, span.tool, result)
        if not is_plain:
            _runs.record_question(span.place, result)
        if span.query is not None or span.bound is not None:
            _record_what_came_out(span, result)
        if span.tool_call_id is not None and not span.saw_tool:
            _record_refused_call(span, result)
        if span.step is not None:
            span.step.succeed(_runs.outcome_of_step(result))

    def drop(self, id_: str, error: BaseException | None) -> None:
        """Record that a span was left by an exception: once, by the innermost span that is more than a part of another."""
        span = self._spans.take(id_)
        if span is None:
            return
        span.leave()
        call = self._calls.take(id_)
        if error is None:
            return
        _runs.record_question(span.place, _runs.waited_for(error))
        if span.tool is not None:
            span.tool.fail(error)
        elif call is not None:
            call.stopped(error)
        elif span.embedding is not None:
            span.embedding.failed(error)
        elif span.step is not None:
            span.step.fail(error)
        elif not span.part:
            span.place.record_exception(error)

    def hear(self, event: BaseEvent) -> None:
        """Record what one of the events tells that are heard."""
        self.heard[type(event)](event)

    @guard.recording
    def carried(self) -> dict[str, Any]:
        """Return what another process, where a run goes on, has to know of the place where it was started."""
        frame = context.top()
        return {} if frame is None else {_CARRIED: [frame.trace.id, frame.trace.external_user_id, frame.span_id, frame.trace.run_id]}

    def carry_on(self, carried: Mapping[str, Any]) -> None:
        """Be in the place that another process tells of, unless one is current."""
        origin = self._origin()
        if origin is not None and carried.get(_CARRIED) and context.top() is None:
            trace_id, user_id, span_id, *run_id = carried[_CARRIED]
            trace = origin.new_trace(trace_id, user_id)
            if trace is not None:
                context.enter(trace.in_run(*run_id), span_id, self)

    def forget(self) -> None:
        """Keep nothing of what is open; what is current here because of it is so no longer."""
        for span in reversed(self._spans.values()):
            span.leave()
        self._spans.clear()
        self._calls.clear()

    # Models

    def _model_asked(self, event: Any, prompt: object) -> None:
        origin = self._origin()
        if origin is None:
            return
        span = self._spans.get(event.span_id) or _loose_span(origin)
        if span is None or isinstance(span.instance, StructuredLLM):
            return  # a structured one asks the model that it wraps, which tells of itself
        outer = self._outer_call(span, prompt)
        if outer is not None:
            outer.inner = True
            span.call = outer
            return
        who = _models.who_is(event.model_dict, span.instance)
        recorded = origin.llm_events and not is_proxied(span.instance)
        whole = origin.captures_prompts(span.place.trace.recorder)
        span.call = FollowedCall(span.place, *who, prompt, span.instance, span.method, recorded, whole)
        span.call.answers_in_form = _is_for_form()
        above: Span | None = span
        while above is not None:
            if above.method in _IN_FORM:
                span.call.answers_in_form = True
            if above.query is not None and span.call.said is None:
                span.call.said = above.query.said
            above = above.parent
        self._calls.add(event.span_id, span.call)
        span.call.asked(event.additional_kwargs)
        if recorded:
            span.call.expect_request()

    def _outer_call(self, span: Span, prompt: object) -> FollowedCall | None:
        """Return the call that this one is a part of: a model's class may make `achat` of `chat`, and `chat` of `complete`.

        A stream does so when it is first read, after its span's end: then `stream_…` of the same prompt is the work of `astream_…`.
        """
        outer = next((above.call for above in of_same_instance(span) if above.call is not None), None)
        if outer is not None or not span.method.startswith("stream_"):
            return outer
        return next((call for call in self._calls.values() if call.may_become(span.instance, span.method, prompt)), None)

    def _model_said(self, event: Any) -> None:
        call = self._calls.touch(event.span_id)
        if call is not None:
            call.received(event.response)

    def _model_answered(self, event: Any) -> None:
        call = self._calls.take(event.span_id)
        if call is not None:
            call.answered(event.response)

    def _stream_stopped(self, event: ExceptionEvent) -> None:
        call = self._calls.take(event.span_id)
        if call is not None:
            call.stopped(event.exception)

    # Retrieval

    def _lookup_began(self, event: BaseEvent, arguments: Mapping[str, Any]) -> None:
        span = self._spans.get(event.span_id)
        if span is not None and span.tool is None:
            span.leave()
            _begin(span, type(span.instance).__name__, arguments)

    def _nodes_came(self, event: Any) -> None:
        span = self._spans.get(event.span_id)
        if span is not None and span.tool is not None:
            span.leave()
            span.tool.succeed({"nodes": _translate.nodes_of(event.nodes)})


def _loose_span(origin: Origin) -> Span | None:
    """Return a span for a model that is asked in none of LlamaIndex's."""
    place = place_of(origin, context.top(), None)
    return None if place is None else Span("", None, None, place)


_is_plain = PerType(lambda kind: not issubclass(kind, (*STREAMING, InputRequiredEvent)))
"""Whether a result of some class neither streams nor asks a human: most don't."""


def _form_asked_for(_event: BaseEvent) -> None:
    _asks_for_form.set(True)


def _is_for_form() -> bool:
    """Tell whether a model that is asked now is asked for an answer in a form; the next one is not."""
    is_for_form = _asks_for_form.get()
    if is_for_form:
        _asks_for_form.set(False)
    return is_for_form


def _begin_run(span: Span, bound: inspect.BoundArguments) -> None:
    """Say whose the events inside a run are; what is asked of an agent, its model is asked."""
    span.is_run = True
    span.place = span.place.labelled(_workflows.labels_of_run(span.instance))
    if not _workflows.is_agents(span.instance):
        span.tool = _runs.started(span.place, span.instance, bound)
        span.place = Place(span.place.trace, span.tool.call.span_id, span.place.labels)


def _begin_query(span: Span, bound: inspect.BoundArguments, *, is_outermost: bool) -> None:
    """Note a query engine and a postprocessor, and record what the application asks of an engine."""
    name = type(span.instance).__name__
    if _runs.is_postprocessing(span.instance, span.method):
        span.bound, span.place = bound, span.place.labelled({"postprocessor": name})
    span.query = _runs.query_of(span.instance, span.method)
    if span.query is not None:
        span.place = span.place.labelled({"query_engine": name})
        if is_outermost and span.parent is None and span.place.parent_id is None:
            _runs.asked(span.place, bound)


def _begin_step(span: Span, run: Span, bound: inspect.BoundArguments, origin: Origin) -> None:
    """Note the agent and the step, and the tool call that a step was given to make."""
    event, kind = _workflows.given(bound)
    if kind.may_name_agent:
        run.agent = _workflows.agent_of(event) or run.agent
    if kind.is_call:
        span.tool_call_id = event.tool_id  # only there is the id under which the model asked for it
    span.place = span.place.labelled({"step": span.method, "agent": run.agent} if run.agent else {"step": span.method})
    if origin.records_steps(span.place.trace.recorder):
        span.step = _runs.step_begun(span.place, span.method, event)
        span.place = Place(span.place.trace, span.step.call.span_id, span.place.labels)
    if kind.is_reply:
        _runs.record_reply(span.place, event)
    for reply in _workflows.replies():
        _runs.record_reply_once(span.place, reply, run.replies)


# Tools


def _begin_tool(span: Span, tool: BaseTool, bound: inspect.BoundArguments) -> None:
    above = span.parent
    is_inside = False
    if above is not None:
        above.saw_tool = True
        is_inside = isinstance(above.instance, BaseTool) and _tools.is_inside(tool, span.method, above.instance, above.method)
    if is_inside or not _tools.is_the_apps(tool):  # the same call, handed down; or a model's, which LlamaIndex tries again where it fails
        span.part = True
        return
    call_id = above.tool_call_id if above is not None else None
    _begin(span, _tools.tool_name(tool), _tools.arguments_of(tool, bound), _tools.observers_of(tool), call_id)


def _begin(
    span: Span, name: str, arguments: Mapping[str, Any], observers: Sequence[Observer] = (), tool_call_id: str | None = None
) -> ToolRun:
    """Record a request, and be current until the response."""
    span.tool = ToolRun(span.place, name, arguments, observers, tool_call_id)
    span.place = Place(span.place.trace, span.tool.call.span_id, span.place.labels)
    span.make_current(context.beneath())
    return span.tool


def _end_tool(span: Span, tool: ToolRun, result: object) -> None:
    """Record the response: of a lookup that gave no end of its own (a reranker without nodes), and of a tool."""
    if span.is_run:
        tool.call.interrupt("left without a result") if result is None else tool.succeed(_runs.result_of(result))
    elif not isinstance(span.instance, BaseTool):
        tool.succeed({"nodes": _translate.nodes_of(result)})
    else:
        failure, outcome = _tools.outcome_of(result)
        if failure is not None:
            tool.report(failure)
            return
        tool.succeed(outcome)
        if (said := _tools.said_of(result, tool.tool_call_id)) is not None:
            tool.is_said(said)


def _record_what_came_out(span: Span, result: object) -> None:
    """Record what nothing else tells: an engine's own answer, and nodes that were dropped."""
    if span.query is not None and (span.parent is None or span.parent.tool is None):
        span.query.answered(span.place, result)
    if span.bound is not None:
        if span.tool is None and not span.saw_tool and (span.parent is None or span.parent.bound is None):
            _runs.record_postprocessing(span.place, span.instance, span.bound, result)
        if span.parent is not None and span.parent.bound is not None:
            span.parent.saw_tool = span.saw_tool or span.tool is not None


def _record_refused_call(span: Span, result: object) -> None:
    """Record the call of a tool that the agent does not have: there is no tool's span, only the step that was to call it."""
    refused = _workflows.refused_call(result)
    if refused is not None:
        tool = _begin(span, refused.tool_name, refused.tool_kwargs, tool_call_id=refused.tool_id)
        span.leave()
        tool.report(refused.tool_output.content)


# Embeddings


def _begin_embedding(span: Span, model: BaseEmbedding | BaseSparseEmbedding, bound: inspect.BoundArguments) -> None:
    """Record the texts of an embedding call, unless the model's class makes it of another of its own, or the proxy sees it."""
    if is_proxied(model) or any(above.embedding is not None for above in of_same_instance(span)):
        return
    who = _models.who_is({"model_name": model.model_name, "class_name": model.class_name()}, model)
    span.embedding = EmbeddingCall(span.place, who)
    inputs = _translate.images_of if span.method in _EMBEDS_IMAGES else _translate.texts_of
    span.embedding.asked(inputs(bound.arguments))
