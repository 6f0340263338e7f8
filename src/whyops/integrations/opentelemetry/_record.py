"""What a span tells → calls of the trace API: where it begins, and where it ends."""

from __future__ import annotations

import functools
from collections.abc import Callable
from weakref import WeakKeyDictionary

from ..._providers.answer import Answer
from ..._providers.messages import begins_a_turn, message_item, prompt_metadata
from ..._recording import context
from ..._recording.expected import Expected, awaiting_span, expect
from ..._recording.model_call import ModelCall, Question
from ..._recording.place import Place
from ..._recording.tool import particular
from ..._recording.trace_writer import TraceWriter
from ..._service.recorded_clients import is_requesting
from ..._wire import exceptions
from ..._wire import write as contents
from .._shared import spoken
from .._shared.origin import Origin
from .._shared.tool_run import Began, ToolRun
from . import _translate
from ._open import Open, OpenSpan, being_raised, is_within
from ._told import Failure, Kind, Model, Span, Tool, said, text

_CALLS = frozenset({"model", "embedding", "tool", "retriever"})
_OF_CLIENTS = frozenset(
    {
        "opentelemetry.util.genai.handler",
        "opentelemetry.instrumentation.openai_v2",
        "opentelemetry.instrumentation.openai.v1",
        "opentelemetry.instrumentation.anthropic",
        "openinference.instrumentation.openai",
        "openinference.instrumentation.anthropic",
    }
)
"""Who makes spans of providers' clients. They tell the messages at the end, and only where they are asked to."""


class Recorder:
    """Records spans, for the traces of `origin`."""

    __slots__ = ("_apart", "_open", "_origin")

    def __init__(self, origin: Origin, spans: Open) -> None:
        self._origin = origin
        self._open = spans
        self._apart: WeakKeyDictionary[Expected, TraceWriter] = WeakKeyDictionary()

    def begin(self, open_: OpenSpan, place: Place, kind: Kind, span: Span, has_token: Callable[[], bool] = bool) -> None:
        """Record what is known where a span begins. `has_token` tells whether the span has told of a first token by then."""
        open_.kind, open_.place = kind, place
        if kind in _CALLS:
            open_.begins_call()
        if kind in {"model", "embedding"}:
            self._begin_model(open_, place, span, has_token)
        elif kind in {"tool", "retriever"}:
            _begin_tool(open_, place, span)
        elif kind == "agent" and self._origin.records_steps(place.trace.recorder):
            open_.tool = ToolRun(place.labelled(spoken.STEP), str(span["name"]), _translate.arguments_of(span))

    def end(self, open_: OpenSpan, place: Place, span: Span, elapsed_ns: int) -> None:
        """Record what a span tells where it ends."""
        kind, failure = open_.kind, _translate.failure_of(span)
        if kind in {"model", "embedding"}:
            self._end_model(open_, place, span, failure, elapsed_ns)
        elif kind in {"tool", "retriever"}:
            _end_tool(open_, place, span, failure, elapsed_ns)
        else:
            self._end_run(open_, place, span, failure)

    # Models

    def _begin_model(self, open_: OpenSpan, place: Place, span: Span, has_token: Callable[[], bool]) -> None:
        embeds = open_.kind == "embedding"
        open_.is_clients = span["scope"] in _OF_CLIENTS
        if is_requesting() or open_.is_in_same_call or not self._origin.llm_events:
            open_.is_left_out = True
            return
        open_.expected = awaiting_span(embeds=embeds) or (self._apart_from(open_, place) if open_.is_clients and not embeds else None)
        if open_.expected is not None:
            open_.is_left_out = True
            return
        open_.model = ModelCall(place, None, None)
        if _translate.tells_tools(span) and not embeds:  # what is offered goes along with the messages, and may be told later
            told = _translate.model_of(span, "model", place.trace.recorder.encode)
            if told.messages and told.tools:
                self._ask(open_, open_.model, told)
        gives_way = open_.is_clients and not open_.is_asked
        is_here = (lambda: not has_token()) if open_.is_unattached else functools.partial(is_within, self._open, open_.id)
        open_.expected = expect(embeds=embeds, is_here=is_here, gives_way=gives_way)
        open_.model.expects(open_.expected)
        if open_.is_unattached:
            self._apart[open_.expected] = place.trace

    def _apart_from(self, client: OpenSpan, place: Place) -> Expected | None:
        """Return a call whose span is current nowhere, and may have been told from another context than it is made in: of the same trace.

        Of any trace, where nothing tells which one the client's span belongs to.
        """
        is_alone = client.around() is None and context.top() is None
        for expected, trace in list(self._apart.items()):
            if (is_alone or trace.is_same_as(place.trace)) and expected.awaits_span and expected.is_here():
                expected.awaits_span = False
                return expected
        return None

    def _ask(self, open_: OpenSpan, model: ModelCall, told: Model) -> None:
        open_.is_asked = True
        model.model, model.provider = told.name, told.provider
        if not told.messages:
            return
        if self._origin.captures_prompts(model.place.trace.recorder):
            model.ask(
                Question(
                    told.messages,
                    said,
                    list,
                    lambda new, with_tools: prompt_metadata(new, told.tools if with_tools else None, told.params),
                    told.tools or None,
                )
            )
        elif begins_a_turn(told.messages):
            model.prompt(told.messages, prompt_metadata(told.messages, told.tools, told.params))

    def _end_model(self, open_: OpenSpan, place: Place, span: Span, failure: Failure | None, elapsed_ns: int) -> None:
        model = None if open_.expected is not None and open_.expected.is_left else open_.model
        if model is None:
            if open_.expected is not None and open_.kind != "embedding":
                open_.expected.close()
            if failure is not None and self._origin.llm_events:
                open_.fails(failure.message)
            elif failure is not None:
                _fail(open_, place, failure)
            return
        model.expect_no_request()
        told = _translate.model_of(span, open_.kind or "model", place.trace.recorder.encode)
        model.took(elapsed_ns)
        if told.inputs is not None:
            model.model, model.provider = told.name, told.provider
            _embed(model, told, failure is None)
        else:
            if not open_.is_asked:
                self._ask(open_, model, told)
            model.model, model.provider = told.name, told.provider
            if told.first_token_s is not None:
                model.token_after(told.first_token_s)
            _answer(model, told.answers, failure)
        if failure is not None:
            _fail_model(open_, model, failure)

    # Agents, chains

    def _end_run(self, open_: OpenSpan, place: Place, span: Span, failure: Failure | None) -> None:
        if open_.tool is not None:
            if failure is None:
                open_.tool.succeed(_translate.words_of(span, place.trace.recorder.encode)[1])
            else:
                open_.tool.report(failure.message)
        if open_.around() is None and not open_.root.has_call:
            asked, output = _translate.words_of(span, place.trace.recorder.encode)
            if asked is not None:
                spoken.asked(place, asked)
            if output is not None:
                spoken.answered(place, str(span["name"]), output)
        if failure is not None:
            _fail(open_, place, failure)


def _fail(open_: OpenSpan, place: Place, failure: Failure) -> None:
    """Record what went wrong, unless it was recorded further in."""
    error = being_raised(open_.raised)
    is_told = open_.is_told(failure.message)
    open_.fails(failure.message)
    if is_told:
        if error is not None:
            exceptions.mark(error, place.trace.id)
    elif error is not None:
        place.record_exception(error)
    else:
        _record_failure(place, failure)


def _answer(model: ModelCall, answers: list[Answer], failure: Failure | None) -> None:
    told = answers if failure is None else [answer for answer in answers if not answer.is_empty]
    if told:
        model.answer(told)
    elif failure is None:
        model.leave_unanswered()


def _embed(model: ModelCall, told: Model, is_whole: bool) -> None:  # noqa: FBT001  (one place calls it)
    model.place.record("embedding_request", contents.embedding_request(told.inputs), span_id=model.id)
    if is_whole:
        usage = next((answer.usage for answer in told.answers if isinstance(answer.usage, dict)), {})
        tokens = usage.get("total_tokens", usage.get("input_tokens"))
        parts = contents.embedding_response(told.name, told.provider, len(told.inputs or ()), None, tokens, model.elapsed_ms)
        model.place.record("embedding_response", parts, span_id=model.id)


def _fail_model(open_: OpenSpan, model: ModelCall, failure: Failure) -> None:
    error = being_raised(open_.raised)
    open_.fails(failure.message)
    if error is not None:
        model.fail(error)
    else:
        model.tell_failure(failure.message, failure.kind)


def _begin_tool(open_: OpenSpan, place: Place, span: Span) -> None:
    told = _translate.tool_of(span, open_.kind or "tool", is_over=False)
    if told is not None:
        open_.name = contents.name_or_unknown(told.name) if told.name else ""
    if told is not None and told.arguments is not None:
        open_.tool = _tool_run(place, told, None)
    else:
        recorder = place.trace.recorder
        open_.began = Began(recorder.ids.next(), recorder.clock.stamp(place.trace.moments), recorder.clock.steady_ns())


def _tool_run(place: Place, told: Tool, began: Began | None) -> ToolRun:
    name = contents.name_or_unknown(told.name)
    observer = particular.get(name)
    observers = () if observer is None else (observer,)
    return ToolRun(place, name, told.arguments or {}, observers, told.call_id, began)


def _end_tool(open_: OpenSpan, place: Place, span: Span, failure: Failure | None, elapsed_ns: int) -> None:
    told = _translate.tool_of(span, open_.kind or "tool", is_over=True)
    if failure is not None:
        open_.fails(failure.message)
    if told is None or (open_.is_left_out and open_.claimed in {None, contents.name_or_unknown(told.name)}):
        return
    open_.name = contents.name_or_unknown(told.name)
    run = open_.tool
    if run is None:
        began = open_.began
        if began is not None and began.is_late:
            began = began._replace(started_ns=place.trace.recorder.clock.steady_ns() - elapsed_ns)
        run = open_.tool = _tool_run(place, told, began)
    more = {"tool_call_id": told.call_id} if told.call_id else None
    error = being_raised(open_.raised)
    if failure is not None and error is not None:
        run.fail(error)
    elif failure is not None:
        if not run.call.hides_text:
            _record_failure(place, failure, run.call.span_id)
        run.report(_reported(told, failure), more)
    else:
        run.succeed(told.result, more)
        if told.call_id and text(told.result) and open_.name not in particular:
            run.is_said(said(message_item("tool", told.result, [], {"tool_call_id": told.call_id})))


def _reported(told: Tool, failure: Failure) -> object:
    """Return what went wrong, as the call's result says it: what the tool gave, where the span tells no more than a kind of failure."""
    if failure.kind in {None, failure.message}:
        held = told.result.get("error") if isinstance(told.result, dict) else None
        return failure.message if held is None or failure.kind is None else held
    return f"{failure.kind}: {failure.message}"


def _record_failure(place: Place, failure: Failure, span_id: str | None = None) -> None:
    tells_text = place.trace.recorder.capture_content
    content, _ = contents.error(failure.message, None, failure.stack, tells_text=tells_text)
    place.record("error", ({**content, **contents.known({"type": failure.kind})}, {}), span_id=span_id)  # type: ignore[dict-item]
