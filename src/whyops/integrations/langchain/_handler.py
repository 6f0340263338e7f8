"""LangChain's callbacks → the trace API. A skin: what to record is worked out in `_translate`, what is open is kept in `_runs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from ..._client import WhyOps, default_client
from ..._config import environment
from ..._recording import context
from ..._recording.ids import safe_id
from ..._recording.tool import Observer
from ..._recording.tool_call import ToolCall
from ..._recording.trace import Trace
from ..._runtime import guard
from ..._runtime.safely import Failed, attempt
from ..._service.proxy_addresses import goes_through_proxy
from ..._wire import write as contents
from ..._wire.exceptions import NOT_CAPTURED
from ...errors import ConfigurationError
from . import _frames, _translate
from ._frames import BodyFrame, ToolFrame
from ._runs import Run, open_runs

if TYPE_CHECKING:
    from typing_extensions import Self

    from ...types import EventType


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
    ) -> None:
        self._client = client
        self._trace_id = None if trace_id is None or trace_id == "" else safe_id(trace_id)
        self._external_user_id = external_user_id
        self._llm_events = llm_events

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
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
        run = self._starts(run_id, parent_run_id, metadata)
        if run is not None:
            run.inner_id = run.parent_id
            run.frame = BodyFrame(run.trace, run.inner_id, run.id, self)
            _frames.enter(run.frame)

    @guard.recording
    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Forget the run."""
        run = open_runs.take(run_id, self)
        if run is not None:
            run.close()

    @guard.recording
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Record the error, unless it was recorded further in; of what was cancelled, close the calls whose end nobody tells."""
        run = open_runs.take(run_id, self)
        if run is None:
            return
        run.close()
        if not isinstance(error, (Exception, GeneratorExit)):
            for inside in open_runs.take_inside(run):
                inside.close(type(error).__name__)
        run.trace.record_exception(error, parent_id=run.parent_id)

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
        """Record the prompt, if a user speaks last in it."""
        run = self._model_starts(serialized, run_id, parent_run_id, metadata, kwargs)
        if run is not None:
            asked = [message for each in messages for message in each]
            self._asks(run, _translate.prompt_messages(asked, run.trace.recorder.encode), kwargs)

    @guard.recording
    def on_llm_start(
        self,
        serialized: dict[str, Any],
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Record a completion model's prompt."""
        run = self._model_starts(serialized, run_id, parent_run_id, metadata, kwargs)
        if run is not None:
            self._asks(run, [{"role": "user", "content": prompt} for prompt in prompts], kwargs)

    @guard.recording
    def on_llm_new_token(self, token: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Note when the first token came."""
        run = open_runs.own(run_id, self)
        if run is not None and run.first_token_ns is None:
            run.first_token_ns = run.trace.recorder.clock.steady_ns()

    @guard.recording
    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Record the model's reasoning and its answer."""
        run = open_runs.take(run_id, self)
        if run is not None and run.asked is not None:
            _answers(run, response, {})

    @guard.recording
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Record what had come of the answer, and the error, if it is one."""
        run = open_runs.take(run_id, self)
        if run is None:
            return
        if run.asked is not None and kwargs.get("response") is not None:
            closed_early = isinstance(error, GeneratorExit)
            _answers(run, kwargs["response"], {"closedEarly": True} if closed_early else {"interrupted": type(error).__name__})
        run.trace.record_exception(error, parent_id=run.parent_id)

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
        run = self._starts(run_id, parent_run_id, metadata)
        if run is None:
            return
        observers, call_id = _frames.starting_tool()
        arguments = _arguments(observers, inputs, input_str)
        call_id = kwargs.get("tool_call_id") or call_id
        if call_id:
            run.labels["tool_call_id"] = call_id
        hides_text = any(observer.hides_text for observer in observers)
        _call_begins(run, (serialized or {}).get("name") or kwargs.get("name"), arguments, hides_text=hides_text)
        run.hides_result = not all(observer.captures_result for observer in observers)
        run.expected = tuple(kind for observer in observers for kind in observer.expected)
        run.frame = ToolFrame(run.trace, run.inner_id, run.id, self, observers)
        _frames.enter(run.frame)

    @guard.recording
    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Record what the tool gave."""
        run = open_runs.take(run_id, self)
        if run is None or run.call is None:
            return
        run.close()
        outcome = attempt(_translate.outcome_of, output)
        if isinstance(outcome, Failed):
            outcome = _translate.Outcome(output)
        more = {} if outcome.tool_call_id is None else {"tool_call_id": outcome.tool_call_id}
        if outcome.failed and run.call.hides_text:
            run.call.succeed({"error": NOT_CAPTURED}, more)
        else:
            run.call.succeed(NOT_CAPTURED if run.hides_result else outcome.result, more)

    @guard.recording
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Record the error and the response that closes the call; an interrupt of LangGraph's closes it as interrupted."""
        run = open_runs.take(run_id, self)
        if run is not None and run.call is not None:
            run.close()
            run.call.fail(error, expected=run.expected)

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
        run = self._starts(run_id, parent_run_id, metadata)
        if run is not None:
            _call_begins(run, kwargs.get("name") or (serialized or {}).get("name") or "retriever", {"query": query})

    @guard.recording
    def on_retriever_end(self, documents: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Record the documents that were found."""
        run = open_runs.take(run_id, self)
        if run is not None and run.call is not None:
            run.call.succeed({"documents": _translate.documents_of(documents)})

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

    def _starts(self, run_id: UUID, parent_run_id: UUID | None, metadata: Mapping[str, Any] | None) -> Run | None:
        """Take note of a run that starts; None where nothing is to be recorded of it, or it was recorded already."""
        if open_runs.own(run_id, self) is not None:
            return None
        metadata = metadata or {}
        parent = open_runs.find(parent_run_id, self)
        if parent is not None and self._client is not None and parent.trace.recorder is not self._client._assembled().recorder:  # noqa: SLF001
            parent = None
        trace = self._trace_inside(parent) if parent is not None else self._trace_of_root(run_id, metadata)
        if trace is None or not trace.recorder.enabled:
            return None
        run = Run(run_id, self, trace, parent, parent.root if parent is not None else open_runs.new_root())
        if not open_runs.add(run):
            return None
        run.labels = _translate.labels_of(metadata)
        run.parent_id = _parent_id(run)
        run.started_ns = trace.recorder.clock.steady_ns()
        return run

    def _trace_inside(self, parent: Run) -> Trace:
        """Return the trace of a run inside another: the other's, or that of a block which was opened in the other's body."""
        top = context.top()
        if top is None or top.trace is parent.trace or self._trace_id is not None or not _is_in_body(parent, top):
            return parent.trace
        if self._client is not None and top.trace.recorder is not self._client._assembled().recorder:  # noqa: SLF001
            return parent.trace
        return top.trace

    def _trace_of_root(self, run_id: UUID, metadata: Mapping[str, Any]) -> Trace | None:
        """Return the trace of a root run; None, said once, if no client can be told."""
        current = context.current_trace()
        if current is not None and self._client is not None and current.recorder is not self._client._assembled().recorder:  # noqa: SLF001
            current = None
        user = self._external_user_id or _translate.user_id_of(metadata)
        if current is not None and self._trace_id in (None, current.id):
            if user is not None and (self._external_user_id is not None or current.external_user_id is None):
                current.set_user(user)
            return current
        trace_id = self._trace_id or _translate.trace_id_of(metadata) or str(run_id)
        if current is not None:
            return Trace(current.recorder, trace_id, user or current.external_user_id)
        try:
            return (self._client or default_client()).trace(trace_id, user)
        except ConfigurationError as error:
            guard.notices.say("langchain without a client", "A run of LangChain is not recorded. %s", error)
            return None

    def _model_starts(
        self,
        serialized: object,
        run_id: UUID,
        parent_run_id: UUID | None,
        metadata: Mapping[str, Any] | None,
        more: Mapping[str, Any],
    ) -> Run | None:
        """Take note of a model's run; None where its events are not for us to record. Its errors are, all the same."""
        run = self._starts(run_id, parent_run_id, metadata)
        if run is None or not self._llm_events or _is_left_to_the_proxy(serialized):
            return None
        run.asked = _translate.asked_model(metadata or {}, more.get("invocation_params") or {}, serialized)
        return run

    def _asks(self, run: Run, messages: Sequence[Any], more: Mapping[str, Any]) -> None:
        if _translate.begins_a_turn(messages):
            metadata = _translate.sent_along(messages, more.get("invocation_params") or {}, more.get("options") or {})
            _record(run, "user_message", contents.user_message(messages, metadata), {})


def _is_left_to_the_proxy(serialized: object) -> bool:
    url = _translate.base_url_of(serialized)
    if url is None and _translate.is_openais(serialized):
        url = environment.text("OPENAI_BASE_URL")
    return url is not None and goes_through_proxy(url)


def _parent_id(run: Run) -> str | None:
    """Return the span that a run stands in: the current one, if that is inside its parent, else its parent's."""
    top = context.top()
    parent = run.parent
    if parent is None:
        return run.trace.current_span_id()
    if top is not None and _is_in_body(parent, top) and top.trace.id == run.trace.id:
        return top.span_id
    return parent.inner_id if parent.inner_id is not None else parent.parent_id


def _is_in_body(run: Run, top: context.Frame) -> bool:
    return run.frame is not None and context.holds(top, run.frame)


def _arguments(observers: Sequence[Observer], inputs: object, input_str: object) -> dict[str, object]:
    ignored = {name for observer in observers for name in observer.ignored}
    arguments = {name: value for name, value in _translate.arguments_of(inputs, input_str).items() if name not in ignored}
    if all(observer.captures_arguments for observer in observers):
        return arguments
    return dict.fromkeys(arguments, NOT_CAPTURED)


def _call_begins(run: Run, name: object, arguments: Mapping[str, Any], *, hides_text: bool = False) -> None:
    trace = run.trace
    call = ToolCall(trace, contents.name_of(name), trace.encode_arguments(arguments), run.parent_id, run.labels, hides_text)
    call.begin()
    run.call = call
    run.inner_id = call.span_id


def _answers(run: Run, response: Any, note: Mapping[str, object]) -> None:
    """Record each alternative of an answer: its reasoning first."""
    recorder = run.trace.recorder
    elapsed = recorder.clock.steady_ns() - run.started_ns
    model, provider = run.asked or (None, None)
    more = dict(note)
    if run.first_token_ns is not None:
        more["timeToFirstTokenMs"] = (run.first_token_ns - run.started_ns) / 1_000_000
    for answer in _translate.answers_of(response, recorder.encode):
        for thinking, signature in answer.thinking:
            _record(run, "llm_thinking", contents.llm_thinking(thinking, signature), {})
        parts = contents.llm_response(
            answer.model or model,
            answer.provider or provider,
            answer.content,
            answer.tool_calls,
            answer.finish_reason,
            answer.usage,
            elapsed / 1_000_000,
        )
        _record(run, "llm_response", parts, {**more, "cached": True} if answer.cached else more)


def _record(run: Run, event_type: EventType, parts: contents.Parts, more: Mapping[str, object]) -> None:
    run.trace.record_event(event_type, parts, parent_id=run.parent_id, metadata={**run.labels, **more})
