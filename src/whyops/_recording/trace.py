"""A trace: the nine pairs of methods, and the block that makes it current."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from json.encoder import encode_basestring_ascii as quote
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .._encoding import Encoded
from .._encoding.redaction.place import REDACTED
from .._runtime import guard
from .._runtime.safely import Failed, safely
from .._wire import exceptions, withheld
from .._wire import write as contents
from . import context
from .async_twin import twin
from .blocks import Blocks
from .event_writer import EventWriter
from .ids import clip, readable_user_id
from .options import id_of, is_given, note_odd, note_unknown, step_fields, timestamp
from .recorder import Recorder
from .tool_call import ToolCall, text_is_hidden_here
from .tool_span import ToolSpan

if TYPE_CHECKING:
    from ..types import (
        EventOptions,
        EventType,
        MessageItem,
        PlacedEventOptions,
        TokenUsage,
        ToolCallItem,
        ToolCallPair,
        UserMessageMetadata,
    )

    if sys.version_info >= (3, 11):
        from typing import Self, Unpack
    else:
        from typing_extensions import Self, Unpack


def _new_span_id(trace: Trace) -> str:
    return trace.recorder.ids.next()


class Trace:
    """What one agent run did, under one id. Make it with `whyops.trace(…)` or `sdk.trace(…)`.

    Use it plain, with `with`, or with `async with`; a block makes it current, so that `@whyops.tool` and the frameworks' handlers record
    under it. The same object may be entered again, and by many tasks and threads at once. Each of the nine pairs of methods records one
    event and returns at once: `NAME_sync(…)` for synchronous code, `await NAME(…)` for asynchronous. They never raise. The event is
    recorded by the call; a forgotten `await` loses nothing.

    It pickles, with its client's settings: what is recorded in it elsewhere is under the span that is current where it is pickled. In a
    thread that has none, as that in which a pool of processes pickles, nobody knows the span: `bind_context` takes it along.
    """

    def __init__(
        self,
        recorder: Recorder,
        id: object = None,  # noqa: A002  (the public name)
        external_user_id: object = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.recorder: Recorder = recorder
        self._sent_from: str | None = None
        self.id: str = (id_of("trace", "id", id) if is_given(id) else None) or recorder.ids.next()
        self.external_user_id: str | None = None
        self.writer: EventWriter = EventWriter(recorder, self.id)
        self._blocks = Blocks()
        self.set_user(external_user_id)
        if metadata is not None:
            self._set_metadata(metadata)

    def __repr__(self) -> str:
        return f"<whyops.Trace {self.id!r}>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        metadata = json.loads(self.recorder.encode(self.writer.metadata)[0]) if self.writer.metadata else None
        return _arrived, (type(self), self.recorder, self.id, self.external_user_id, metadata, self.current_span_id())

    # The block

    def __enter__(self) -> Self:
        self._blocks.enter(self, self.current_span_id(), self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        outermost = self._left(error)
        if outermost and self.recorder.at_trace_end is not None:
            self.recorder.at_trace_end.wait()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        outermost = self._left(error)
        if outermost and self.recorder.at_trace_end is not None:
            await self.recorder.at_trace_end.wait_async()

    if not TYPE_CHECKING:  # type checkers say so anyhow

        def __call__(self, *_: object) -> None:
            raise TypeError(
                "A trace can't be called, nor be a decorator. In the function write `with whyops.trace(…):` with the id, user and metadata "
                "of that call; or decorate it with @whyops.trace, without parentheses, for a new trace per call."
            )

    def headers(self) -> dict[str, str]:
        """Return the two headers that tell the WhyOps proxy which trace a request belongs to."""
        return {"X-Trace-ID": self.id, "X-Thread-ID": self.id}

    def tool_span(self, name: str, arguments: Mapping[str, Any] | None = None) -> ToolSpan:
        """Return a context manager that records one tool call: set `span.result` inside. For what no decorator can wrap.

        The request is recorded where the block begins; a call that raises is recorded as failed, and the exception goes on.
        """
        encoded = self.encode_arguments({} if arguments is None else arguments)
        return ToolSpan(ToolCall(self, contents.name_of(name), encoded, self.current_span_id()))

    # The nine pairs

    @guard.recording
    def user_message_sync(
        self, messages: Sequence[MessageItem], *, metadata: UserMessageMetadata | None = None, **options: Unpack[EventOptions]
    ) -> None:
        """Record the messages that a model is asked with: `[{"role", "content"}, …]`."""
        self._record("user_message", contents.user_message(messages, metadata), options, messages=messages)

    @twin
    def user_message(
        self, messages: Sequence[MessageItem], *, metadata: UserMessageMetadata | None = None, **options: Unpack[EventOptions]
    ) -> None:
        """Record the messages that a model is asked with: `[{"role", "content"}, …]`."""
        self.user_message_sync(messages, metadata=metadata, **options)

    @guard.recording
    def llm_response_sync(
        self,
        model: str,
        provider: str,
        content: str | None = None,
        *,
        tool_calls: Sequence[ToolCallItem] | None = None,
        finish_reason: str | None = None,
        usage: TokenUsage | object | None = None,
        latency_ms: float | None = None,
        **options: Unpack[EventOptions],
    ) -> None:
        """Record a model's answer. `usage` also takes the usage objects of OpenAI, Anthropic, Google and LangChain as they are."""
        parts = contents.llm_response(model, provider, content, tool_calls, finish_reason, usage, latency_ms)
        self._record("llm_response", parts, options, usage=usage, latency_ms=latency_ms, tool_calls=tool_calls)

    @twin
    def llm_response(
        self,
        model: str,
        provider: str,
        content: str | None = None,
        *,
        tool_calls: Sequence[ToolCallItem] | None = None,
        finish_reason: str | None = None,
        usage: TokenUsage | object | None = None,
        latency_ms: float | None = None,
        **options: Unpack[EventOptions],
    ) -> None:
        """Record a model's answer. `usage` also takes the usage objects of OpenAI, Anthropic, Google and LangChain as they are."""
        self.llm_response_sync(
            model,
            provider,
            content,
            tool_calls=tool_calls,
            finish_reason=finish_reason,
            usage=usage,
            latency_ms=latency_ms,
            **options,
        )

    @guard.recording
    def llm_thinking_sync(self, thinking: str, *, signature: str | None = None, **options: Unpack[EventOptions]) -> None:
        """Record one block of a model's reasoning."""
        self._record("llm_thinking", contents.llm_thinking(thinking, signature), options)

    @twin
    def llm_thinking(self, thinking: str, *, signature: str | None = None, **options: Unpack[EventOptions]) -> None:
        """Record one block of a model's reasoning."""
        self.llm_thinking_sync(thinking, signature=signature, **options)

    @guard.recording
    def embedding_request_sync(self, inputs: Sequence[str], **options: Unpack[EventOptions]) -> None:
        """Record the texts that are to be embedded."""
        self._record("embedding_request", contents.embedding_request(inputs), options, inputs=inputs)

    @twin
    def embedding_request(self, inputs: Sequence[str], **options: Unpack[EventOptions]) -> None:
        """Record the texts that are to be embedded."""
        self.embedding_request_sync(inputs, **options)

    @guard.recording
    def embedding_response_sync(
        self,
        model: str,
        provider: str,
        embedding_count: int,
        first_embedding_dimensions: int,
        *,
        total_tokens: int | None = None,
        latency_ms: float | None = None,
        **options: Unpack[EventOptions],
    ) -> None:
        """Record that vectors came back: how many, and of how many dimensions. The vectors are not recorded."""
        parts = contents.embedding_response(model, provider, embedding_count, first_embedding_dimensions, total_tokens, latency_ms)
        given = {"embedding_count": embedding_count, "first_embedding_dimensions": first_embedding_dimensions}
        self._record("embedding_response", parts, options, total_tokens=total_tokens, latency_ms=latency_ms, **given)

    @twin
    def embedding_response(
        self,
        model: str,
        provider: str,
        embedding_count: int,
        first_embedding_dimensions: int,
        *,
        total_tokens: int | None = None,
        latency_ms: float | None = None,
        **options: Unpack[EventOptions],
    ) -> None:
        """Record that vectors came back: how many, and of how many dimensions. The vectors are not recorded."""
        self.embedding_response_sync(
            model, provider, embedding_count, first_embedding_dimensions, total_tokens=total_tokens, latency_ms=latency_ms, **options
        )

    @guard.recording_else(_new_span_id)
    def tool_call_request_sync(
        self,
        tool: str,
        tool_calls: Sequence[ToolCallPair],
        *,
        latency_ms: float | None = None,
        requested_at: str | datetime | None = None,
        **options: Unpack[EventOptions],
    ) -> str:
        """Record that tools are about to run, and return the span id to give to `tool_call_response`."""
        span_id = self._span_id(options)
        self._tool_call_request(span_id, tool, tool_calls, latency_ms, requested_at, options)
        return span_id

    @twin
    def tool_call_request(
        self,
        tool: str,
        tool_calls: Sequence[ToolCallPair],
        *,
        latency_ms: float | None = None,
        requested_at: str | datetime | None = None,
        **options: Unpack[EventOptions],
    ) -> str:
        """Record that tools are about to run, and return the span id to give to `tool_call_response`."""
        return self.tool_call_request_sync(tool, tool_calls, latency_ms=latency_ms, requested_at=requested_at, **options)

    @guard.recording
    def tool_call_response_sync(
        self,
        tool: str,
        span_id: str,
        tool_calls: Sequence[ToolCallPair],
        tool_results: Mapping[str, Any],
        *,
        latency_ms: float | None = None,
        responded_at: str | datetime | None = None,
        **options: Unpack[PlacedEventOptions],
    ) -> None:
        """Record what tools gave, under the span id of their request. `tool_results["error"]` marks a failure."""
        parts = contents.tool_call_response(tool, tool_calls, tool_results, latency_ms, responded_at)
        given = {"tool_calls": tool_calls, "latency_ms": latency_ms, "responded_at": responded_at}
        self._record("tool_call_response", parts, {**options, "span_id": span_id}, **given)

    @twin
    def tool_call_response(
        self,
        tool: str,
        span_id: str,
        tool_calls: Sequence[ToolCallPair],
        tool_results: Mapping[str, Any],
        *,
        latency_ms: float | None = None,
        responded_at: str | datetime | None = None,
        **options: Unpack[PlacedEventOptions],
    ) -> None:
        """Record what tools gave, under the span id of their request. `tool_results["error"]` marks a failure."""
        self.tool_call_response_sync(tool, span_id, tool_calls, tool_results, latency_ms=latency_ms, responded_at=responded_at, **options)

    @guard.recording
    def tool_result_sync(self, tool_name: str, output: Mapping[str, Any], **options: Unpack[EventOptions]) -> None:
        """Record a tool's result that has no request to go with."""
        self._record("tool_result", contents.tool_result(tool_name, output), options)

    @twin
    def tool_result(self, tool_name: str, output: Mapping[str, Any], **options: Unpack[EventOptions]) -> None:
        """Record a tool's result that has no request to go with."""
        self.tool_result_sync(tool_name, output, **options)

    @guard.recording
    def error_sync(
        self, message: str | BaseException, *, status: int | None = None, stack: str | None = None, **options: Unpack[EventOptions]
    ) -> None:
        """Record that something went wrong. An exception may stand for the message: its type and stack are recorded with it."""
        self._record("error", contents.error(message, status, stack, tells_text=self._tells_errors()), options, status=status)

    @twin
    def error(
        self, message: str | BaseException, *, status: int | None = None, stack: str | None = None, **options: Unpack[EventOptions]
    ) -> None:
        """Record that something went wrong. An exception may stand for the message: its type and stack are recorded with it."""
        self.error_sync(message, status=status, stack=stack, **options)

    # What spans and the frameworks' handlers use

    def current_span_id(self) -> str | None:
        """Return the span that runs here, if it is one of this trace; else the one that the trace was sent from to this process."""
        top = context.top()
        return top.span_id if top is not None and self._is_same_as(top.trace) else self._sent_from

    def encode_arguments(self, arguments: Mapping[str, Any]) -> Encoded:
        """Encode arguments by name; where contents are not captured, each becomes a marker of its size."""
        recorder = self.recorder
        if not recorder.enabled:
            return "{}", 0, 0
        if type(arguments) is dict and recorder.capture_content:
            return recorder.encode(arguments)
        named = arguments if isinstance(arguments, dict) else safely(dict, arguments)
        if isinstance(named, Failed):
            named = {"arguments": arguments}
        return recorder.encode(named if recorder.capture_content else withheld.arguments(named, recorder.shown))

    def record_exception(
        self, error: BaseException, *, span_id: str | None = None, parent_id: str | None = None, hides_text: bool | None = None
    ) -> None:
        """Record `error` once for this trace, however many spans and blocks it passes through; not what is no error.

        `hides_text` says whether its text is left out; if nobody says so, the call around decides.
        """
        if not exceptions.is_error(error) or exceptions.is_marked(error, self.id):
            return
        exceptions.mark(error, self.id)
        tells_text = self._tells_errors() if hides_text is None else self.recorder.capture_content and not hides_text
        content, _ = contents.error(error, None, None, tells_text=tells_text)
        self.writer.write("error", self.recorder.encode(content), span_id, parent_id)

    @guard.recording
    def record_event(
        self,
        event_type: EventType,
        parts: contents.Parts,
        *,
        span_id: str | None = None,
        parent_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Record an event whose place in the run the caller knows, instead of the place that is current here.

        `parts` come from one of the functions of `contents`; `metadata` is added to theirs.
        """
        content, own = self._fitted(event_type, parts)
        if metadata and not self.recorder.capture_content:
            metadata = withheld.labels(metadata, self.recorder.shown)
        merged = {**own, **metadata} if metadata else own
        self.writer.write(event_type, self.recorder.encode(content), span_id, parent_id, merged)

    # Inside

    def _tells_errors(self) -> bool:
        return self.recorder.capture_content and not text_is_hidden_here()

    def _fitted(self, event_type: EventType, parts: contents.Parts) -> contents.Parts:
        """Leave out what is not to be recorded, and cut those names that the service bounds.

        Secrets come out before the cut: what stands in their place may be longer than they were.
        """
        content, metadata = parts
        if not self.recorder.capture_content:
            shown = self.recorder.shown
            content, metadata = withheld.content(event_type, content, shown), withheld.metadata(event_type, metadata, shown)
        for held, limits in ((metadata, contents.METADATA_LIMITS), (content, contents.CONTENT_LIMITS)):
            if type(held) is dict:
                for name, limit in limits:
                    value = held.get(name)
                    if type(value) is str and len(value) > limit // 4:
                        encoded, _, redactions = self.recorder.encode(value)
                        held[name] = clip(json.loads(encoded), limit - len(REDACTED) if redactions else limit)
        return content, metadata

    def _is_same_as(self, other: Trace) -> bool:
        return other is self or (other.id == self.id and other.recorder is self.recorder)

    def _left(self, error: BaseException | None) -> bool:
        outermost = self._blocks.leave(error)
        if error is not None and exceptions.is_error(error):  # where the garbage collector closes a generator, nothing looks at the context
            self._record_leaving(error)
        return outermost

    @guard.recording
    def _record_leaving(self, error: BaseException) -> None:
        self.record_exception(error, parent_id=self.current_span_id())

    @guard.recording
    def _tool_call_request(
        self, span_id: str, tool: object, tool_calls: object, latency_ms: object, requested_at: object, options: EventOptions
    ) -> None:
        parts = contents.tool_call_request(tool, tool_calls, latency_ms, requested_at)
        given = {"tool_calls": tool_calls, "latency_ms": latency_ms, "requested_at": requested_at}
        self._record("tool_call_request", parts, {**options, "span_id": span_id}, **given)

    def _span_id(self, options: EventOptions) -> str:
        given = options.get("span_id")
        return (id_of("tool_call_request", "span_id", given) if is_given(given) else None) or self.recorder.ids.next()

    def _record(self, event_type: EventType, parts: contents.Parts, options: EventOptions, **given: object) -> None:
        """Record an event of one of the nine pairs. `given` are those arguments that may not be readable into `parts`."""
        note_unknown(event_type, options)
        note_odd(event_type, *parts, given)
        content, metadata = self._fitted(event_type, parts)
        if "external_user_id" in options:
            self.set_user(options["external_user_id"])
        span_id, key = options.get("span_id"), options.get("idempotency_key")
        self.writer.write(
            event_type,
            self.recorder.encode(content),
            span_id=id_of(event_type, "span_id", span_id) if is_given(span_id) else None,
            parent_id=self.current_span_id(),
            metadata=metadata,
            fields=step_fields(event_type, options),
            key=quote(safe_key) if is_given(key) and (safe_key := id_of(event_type, "idempotency_key", key)) else None,
            timestamp=timestamp(event_type, options.get("timestamp")),
        )

    @guard.recording
    def set_user(self, external_user_id: object) -> None:
        if is_given(external_user_id) and (user := id_of("trace", "external_user_id", external_user_id, readable_user_id)):
            self.external_user_id = user
            self.writer.set_user(self.external_user_id)

    @guard.recording
    def _set_metadata(self, metadata: Mapping[str, Any]) -> None:
        given = contents.storable_metadata(metadata)
        own = {key: value for key, value in given.items() if key not in contents.OWN_METADATA}
        self.writer.metadata = own if self.recorder.capture_content else withheld.arguments(own, self.recorder.shown)
        for name in contents.OWN_METADATA & given.keys():
            guard.notices.say(
                f"metadata:{name}",
                "%r is left out of a trace's metadata: it is a name that events have of their own. Choose another, such as %r.",
                name,
                f"my_{name}",
            )


def _arrived(
    kind: type[Trace], recorder: Recorder, trace_id: str, user: str | None, metadata: dict[str, Any] | None, span_id: str | None
) -> Trace:
    """Return a trace out of a pickle: what is recorded in it are children of the span that it was sent from."""
    trace = kind(recorder, trace_id, user, metadata)
    trace._sent_from = span_id  # noqa: SLF001  (one of this file)
    return trace


def loop_is_running() -> bool:
    """Tell whether asyncio runs here, without importing it."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
