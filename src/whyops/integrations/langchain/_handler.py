"""LangChain's callbacks → the trace API. A skin: what to record is worked out in `_translate`, what is open is kept in `_runs`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from ..._client import WhyOps
from ..._config import environment
from ..._providers.messages import begins_a_turn
from ..._recording import context
from ..._recording.frames import Frame
from ..._recording.model_call import ModelCall
from ..._recording.place import Place
from ..._recording.trace_writer import TraceWriter
from ..._runtime import guard
from ..._runtime.safely import Failed, safely
from ..._service.proxy_addresses import goes_through_proxy
from ..._wire.write import name_or_unknown
from .._shared.origin import Origin
from .._shared.tool_run import ToolRun
from . import _answers, _chains, _results, _translate, _who
from ._frames import BodyFrame, ToolFrame, configured, ending_tool, starting_tool
from ._runs import MOST_HEARD, Run, open_runs, streams

_NO_TRACE_ID = (
    "A LangChain run names a user and no trace: each such run is a trace of its own. To keep a conversation in one, "
    "put thread_id, session_id or whyops_trace_id beside the user."
)


class WhyOpsCallbackHandler(BaseCallbackHandler):
    """Records what LangChain and LangGraph run: prompts, answers, reasoning, tool calls, retrievals, errors.

    Pass it in a config, `{"callbacks": [WhyOpsCallbackHandler()]}`. Make one and use it for all runs and users, in parallel. It never
    raises, never waits, and runs in the thread or event loop that LangChain runs in.

    Args:
        client: Whose events these are; by default those of the trace that is current, else of the default client.
        trace_id: The trace of every run. By default the trace that is current where a root run starts, else what the root's metadata
            names (`whyops_trace_id`, LangGraph's `thread_id`, `session_id`, `conversation_id`), else the root run's id.
        external_user_id: The user. By default the current trace's, else the root's metadata `whyops_user_id` or `user_id`.
        llm_events: False leaves model calls out. Those that go through the WhyOps proxy are left out anyway: it records them.
        capture_prompts: False records a prompt only where a user speaks last in it, and then whole. By default as the client says.
        record_steps: True records each node of a graph, and each task, as a span of its own: input, output, time, error. The service
            counts each span against the 1,000 that it keeps of an agent. By default as the client says, which is False.
    """

    run_inline = True
    raise_error = False

    def __init__(
        self,
        client: WhyOps | None = None,
        *,
        trace_id: object = None,
        external_user_id: object = None,
        llm_events: bool = True,
        capture_prompts: bool | None = None,
        record_steps: bool | None = None,
    ) -> None:
        self._origin = Origin(
            "LangChain",
            client,
            trace_id,
            external_user_id,
            llm_events=llm_events,
            capture_prompts=capture_prompts,
            record_steps=record_steps,
        )

    @property
    def trace_id(self) -> str | None:
        """The trace of every run, if one was asked for."""
        return self._origin.trace_id

    def __copy__(self) -> WhyOpsCallbackHandler:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> WhyOpsCallbackHandler:
        return self

    @property
    def ignore_custom_event(self) -> bool:
        """Whether LangChain need not tell of the application's own events."""
        return True

    # Chains, graphs, nodes

    @guard.recording
    def on_chain_start(
        self,
        serialized: dict[str, Any] | None,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Make the run's trace current for its body, so that tools called in it are found."""
        run = self._starts(run_id, parent_run_id, metadata, kwargs)
        if run is not None:
            recorder = run.place.trace.recorder
            _chains.begin(run, inputs, metadata or {}, kwargs, records_steps=self._origin.records_steps(recorder))
            run.enter(BodyFrame(run.place, run.inner_id, run.id, self, run.beneath, run.exchange))

    @guard.recording
    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Forget the run. Record what it tells a model as the results of calls that no tool ran: rejected, limited, answered by others."""
        run = open_runs.end(run_id, self)
        if run is not None:
            if run.parent is None:
                open_runs.end_left(run.root)
            _record_told(run.place, outputs)
            _chains.end(run, outputs)

    @guard.recording
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Record the error, unless it was recorded further in; of what was cancelled, close the calls whose end nobody tells."""
        run = open_runs.end(run_id, self)
        if run is not None:
            if not isinstance(error, (Exception, GeneratorExit)):
                open_runs.end_inside(run, type(error).__name__)
            elif run.parent is None:
                open_runs.end_left(run.root, closed=isinstance(error, GeneratorExit))
            _chains.fail(run, error)

    # Models

    @guard.recording
    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[Any]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Record the prompt; with `capture_prompts=False`, if a user speaks last in it."""
        asked = [*messages[0]] if len(messages) == 1 else [message for each in messages for message in each]
        self._ask(self._starts(run_id, parent_run_id, metadata, kwargs), serialized, asked, metadata, kwargs)

    @guard.recording
    def on_llm_start(
        self,
        serialized: dict[str, Any],
        prompts: list[Any],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Record a model's prompt, unless its events are not for us to record. Its errors are, all the same."""
        self._ask(self._starts(run_id, parent_run_id, metadata, kwargs), serialized, prompts, metadata, kwargs)

    def _ask(
        self, run: Run | None, serialized: object, prompts: list[Any], metadata: Mapping[str, Any] | None, kwargs: Mapping[str, Any]
    ) -> None:
        if run is not None and run.exchange is not None:
            run.exchange.ask_model(prompts)
        if run is None or not self._origin.llm_events or _is_left_to_the_proxy(serialized):
            return
        params = kwargs.get("invocation_params") or {}
        options = kwargs.get("options") or {}
        model = ModelCall(run.place, *_translate.asked_model(metadata or {}, params, serialized))
        run.begin_model(model, _translate.answering_tools(params, options))
        model.expect_request()
        recorder = run.place.trace.recorder
        if self._origin.captures_prompts(recorder):
            _record_told(run.place, {"messages": prompts})
            model.ask(_translate.question(prompts, params, options, recorder.encode))
            return
        messages = _translate.prompt_messages(prompts, recorder.encode)
        if begins_a_turn(messages):
            model.prompt(messages, _translate.sent_along(messages, params, options))

    def on_llm_new_token(self, token: Any = None, *_: Any, run_id: UUID | None = None, chunk: Any = None, **__: Any) -> None:
        """Note when the first token came, and keep what is there, in case that no more comes.

        It takes any arguments and reads nothing of them, so that it needs no guard: there is one for what it does once a stream.
        """
        run = streams.get(id(run_id))
        if run is not None and run.handler is self and len(heard := run.heard) < MOST_HEARD:
            heard.append(token if chunk is None else chunk)
        else:
            self._hear(token, run_id, chunk)

    @guard.recording
    def _hear(self, token: object, run_id: UUID | None, chunk: object) -> None:
        run = open_runs.own(run_id, self)
        if run is not None:
            run.hear(token, chunk)

    @guard.recording
    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Record the model's reasoning and its answer."""
        run = open_runs.end(run_id, self)
        if run is not None and run.exchange is not None:
            for text in _answers.texts_of(response):
                run.exchange.hear(text)
        if run is not None and run.model is not None:
            answers = _answers.answers_of(response, run.place.trace.recorder.encode, run.answering_tools)
            run.model.answer(answers)
            memory = run.place.trace.prompts()
            for call_id, tool in _answers.chosen_in(answers):
                memory.choose(call_id, tool)

    @guard.recording
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Record what had come of the answer, and the error, if it is one."""
        run = open_runs.end(run_id, self)
        if run is not None:
            if run.model is not None:
                told = _answers.answers_of(kwargs.get("response"), run.place.trace.recorder.encode)
                run.model.answer(run.partial() if all(answer.is_empty for answer in told) else told, error)
            (run.place.record_exception if run.model is None else run.model.fail)(error)

    # Tools

    @guard.recording
    def on_tool_start(
        self,
        serialized: dict[str, Any] | None,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Record the call, and make its span current for the tool's body."""
        run = self._starts(run_id, parent_run_id, metadata, kwargs)
        if run is None:
            return
        observers, call_id = starting_tool()
        name = (serialized or {}).get("name") or kwargs.get("name")
        call_id = kwargs.get("tool_call_id") or call_id
        run.place.trace.prompts().chosen.pop(call_id, None)
        _chains.begin_tool(run)
        run.tool = ToolRun(run.place, name_or_unknown(name), _results.arguments_of(inputs, input_str), observers, call_id)
        run.enter(ToolFrame(run.place, run.id, self, run.beneath, run.tool))

    @guard.recording
    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Record what the tool gave."""
        run = open_runs.end(run_id, self)
        if run is None or run.tool is None:
            return
        is_message = safely(_results.is_tool_message, output) is True
        _chains.end_tool(run, output.content if is_message else output)
        failed, call_id = (False, None) if is_message else ending_tool()
        found = safely(partial(_results.outcome_of, tool_call_id=call_id, failed=failed and call_id is None), output)
        outcome = _results.Outcome(output) if isinstance(found, Failed) else found
        more = {} if outcome.tool_call_id is None else {"tool_call_id": outcome.tool_call_id}
        if outcome.failed:
            run.tool.report(outcome.result, more)
        else:
            run.tool.succeed(outcome.result, more)
        if outcome.said is not None:
            run.tool.is_said(outcome.said)

    @guard.recording
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Record the error and the response that closes the call; an interrupt of LangGraph's closes it as interrupted."""
        run = open_runs.end(run_id, self)
        if run is not None and run.tool is not None:
            _chains.record_questions(run, error)
            run.tool.fail(error)

    # Retrievers

    @guard.recording
    def on_retriever_start(
        self,
        serialized: dict[str, Any] | None,
        query: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Record the query as the call of a tool."""
        run = self._starts(run_id, parent_run_id, metadata, {"tags": kwargs.get("tags")})
        if run is not None:
            name = kwargs.get("name") or (serialized or {}).get("name") or "retriever"
            _chains.begin_tool(run)
            run.tool = ToolRun(run.place, name_or_unknown(name), {"query": query})

    @guard.recording
    def on_retriever_end(self, documents: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Record the documents that were found."""
        run = open_runs.end(run_id, self)
        if run is not None and run.tool is not None:
            run.tool.succeed({"documents": _results.documents_of(documents)})

    @guard.recording
    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Record the error and the response that closes the call."""
        self.on_tool_error(error, run_id=run_id)

    # LangGraph's own; some of its versions tell every handler

    def on_interrupt(self, *_: Any, **__: Any) -> None:
        """Do nothing: the tool's or the node's own callback tells it."""

    def on_resume(self, *_: Any, **__: Any) -> None:
        """Do nothing: what is resumed starts again, and tells it."""

    # Inside

    def _starts(self, run_id: UUID, parent_run_id: UUID | None, metadata: Mapping[str, Any] | None, told: Mapping[str, Any]) -> Run | None:
        """Take note of a run that starts; None where nothing is to be recorded of it, or it was recorded already."""
        metadata = metadata or {}
        parent = open_runs.find(parent_run_id, self)
        if parent is not None and not self._origin.is_ours(parent.place.trace):
            parent = None
        beneath = context.beneath()
        top = context.live_of(beneath)
        trace, span_id = self._inside(parent, top) if parent is not None else self._outside(run_id, metadata)
        if trace is None or not trace.recorder.enabled:
            return None
        name = _who.given_name(told.get("name")) if parent is None else parent.place.labels.get("run_name")
        labels = _who.labels_of(metadata, told.get("tags"), name)
        run = Run(run_id, self, Place(trace, span_id, labels), parent, beneath)
        if parent is None and isinstance(top, BodyFrame):
            run.exchange = top.exchange  # LangChain tells of a fallback as of a run of its own
        return run if open_runs.start(run) else None

    def _inside(self, parent: Run, top: Frame | None) -> tuple[TraceWriter, str | None]:
        """Return the trace and the span around a run inside another: the other's, or those of what was opened in the other's body."""
        trace = parent.place.trace
        if top is not None and parent.has_in_body(top):
            if top.trace is not trace and self.trace_id is None and self._origin.is_ours(top.trace):
                trace = top.trace
            if top.trace.id == trace.id:
                return trace, top.span_id
        return trace, parent.inner_id

    def _outside(self, run_id: UUID, metadata: Mapping[str, Any]) -> tuple[TraceWriter | None, str | None]:
        """Return the trace of a root run, and the span that is current there."""
        if _who.trace_id_of(metadata) is None or _who.user_id_of(metadata) is None:
            metadata = {**configured(_who.TRACE_AND_USER_KEYS), **metadata}
        user_id, trace_id = _who.user_id_of(metadata), _who.trace_id_of(metadata)
        trace = self._origin.trace_under(context.current_writer(), user_id)
        if trace is None:
            if trace_id is None and self.trace_id is None and user_id is not None:
                guard.notices.say("LangChain user without trace", _NO_TRACE_ID, level=guard.INFO)
            trace = self._origin.new_trace(trace_id or str(run_id), user_id)
        return trace, None if trace is None else context.span_id_in(trace)


def _record_told(place: Place, update: Any) -> None:
    """Record the results in a node's output, or in a prompt, of those calls that a model chose and no tool ran."""
    memory = place.trace.prompts()
    for message in _results.told_in(update, memory.chosen) if memory.chosen else ():
        said = _translate.said(message)
        if memory.find(said) is None:
            content = _results.told_content(message)
            place.record_told(message.tool_call_id, content, said if _translate.content_of(message) == content else None)


def _is_left_to_the_proxy(serialized: object) -> bool:
    url = _translate.base_url_of(serialized)
    if url is None and _translate.is_openais(serialized):
        url = environment.text("OPENAI_BASE_URL")
    return url is not None and goes_through_proxy(url)
