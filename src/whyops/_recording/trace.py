"""`Trace`, with its nine pairs of methods, and `ToolSpan`: a block around a tool call that no decorator can wrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .._runtime import guard
from .._wire import write as contents
from . import context
from .async_twin import twin
from .blocks import Blocks, TraceBlock, arrived
from .explicit import record, record_request
from .options import given_text
from .proxy_headers import proxy_headers
from .recorder import Recorder
from .tool_call import ToolCallWriter
from .trace_writer import TraceWriter

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from ..types import (
        EventOptions,
        MessageItem,
        PlacedEventOptions,
        TokenUsage,
        ToolCallItem,
        ToolCallPair,
        UserMessageMetadata,
    )
    from .model_span import ModelSpan


def _new_span_id(trace: Trace) -> str:
    return writer_of(trace).recorder.ids.next()


class Trace(TraceBlock):
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
        self._writer = TraceWriter(recorder, id, external_user_id, metadata)
        self._blocks = Blocks()

    @property
    def id(self) -> str:
        """The trace's id, as it is recorded."""
        return self._writer.id

    @property
    def external_user_id(self) -> str | None:
        """The user whom the trace's events name from here on."""
        return self._writer.external_user_id

    def __repr__(self) -> str:
        return f"<whyops.Trace {self.id!r}>"

    def __deepcopy__(self, _memo: object = None) -> Self:
        return self

    __copy__ = __deepcopy__

    def __reduce__(self) -> tuple[object, ...]:
        return arrived, (type(self), *context.here(self._writer))

    if not TYPE_CHECKING:  # type checkers say so anyhow

        def __call__(self, *_: object) -> None:
            raise TypeError(
                "A trace can't be called, nor be a decorator. In the function write `with whyops.trace(…):` with the id, user and metadata "
                "of that call; or decorate it with @whyops.trace, without parentheses, for a new trace per call."
            )

    def headers(self) -> dict[str, str]:
        """Return the headers that tell the WhyOps proxy which trace a request belongs to, and which user, if the id is ASCII."""
        return proxy_headers(self._writer)

    def tool_span(self, name: str, arguments: Mapping[str, Any] | None = None) -> ToolSpan:
        """Return a context manager that records one tool call: set `span.result` inside. For what no decorator can wrap.

        The request is recorded where the block begins; a call that raises is recorded as failed, and the exception propagates.
        """
        writer, parent_id = context.here(self._writer)
        encoded = writer.encode_arguments({} if arguments is None else arguments)
        return ToolSpan(self, ToolCallWriter(writer, contents.name_or_unknown(name), encoded, parent_id))

    def model_call(
        self,
        model: str,
        provider: str,
        messages: object = None,
        *,
        system: object = None,
        tools: Sequence[Any] | None = None,
        params: Mapping[str, Any] | None = None,
        embed: bool = False,
    ) -> ModelSpan:
        """Return a context manager that times and records one call of a model: hand the answer to its `answer`, or to `stream`.

        `messages`, `system`, `tools` and `params` are what is sent, in OpenAI's, Anthropic's or Google's form; texts, with `embed`.
        """
        from .model_span import model_span  # noqa: PLC0415  (many programs leave that to a framework's handler)

        return model_span(context.here(self._writer)[0], model, provider, messages, system, tools, params, embed=embed)

    # The nine pairs

    @guard.recording
    def user_message_sync(
        self, messages: Sequence[MessageItem], *, metadata: UserMessageMetadata | None = None, **options: Unpack[EventOptions]
    ) -> None:
        """Record the messages sent to a model: `[{"role", "content"}, …]`."""
        record(self._writer, "user_message", contents.user_message(messages, metadata), options, messages=messages)

    @twin
    def user_message(
        self, messages: Sequence[MessageItem], *, metadata: UserMessageMetadata | None = None, **options: Unpack[EventOptions]
    ) -> None:
        """Record the messages sent to a model: `[{"role", "content"}, …]`."""
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
        """Record a model's answer. `usage` also accepts the usage objects of OpenAI, Anthropic, Google and LangChain."""
        record(
            self._writer,
            "llm_response",
            contents.llm_response(model, provider, content, tool_calls, finish_reason, usage, latency_ms),
            options,
            usage=usage,
            latency_ms=latency_ms,
            tool_calls=tool_calls,
        )

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
        """Record a model's answer. `usage` also accepts the usage objects of OpenAI, Anthropic, Google and LangChain."""
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
        record(self._writer, "llm_thinking", contents.llm_thinking(thinking, signature), options)

    @twin
    def llm_thinking(self, thinking: str, *, signature: str | None = None, **options: Unpack[EventOptions]) -> None:
        """Record one block of a model's reasoning."""
        self.llm_thinking_sync(thinking, signature=signature, **options)

    @guard.recording
    def embedding_request_sync(self, inputs: Sequence[str], **options: Unpack[EventOptions]) -> None:
        """Record the texts that are to be embedded."""
        record(self._writer, "embedding_request", contents.embedding_request(inputs), options, inputs=inputs)

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
        record(
            self._writer,
            "embedding_response",
            contents.embedding_response(model, provider, embedding_count, first_embedding_dimensions, total_tokens, latency_ms),
            options,
            total_tokens=total_tokens,
            latency_ms=latency_ms,
            embedding_count=embedding_count,
            first_embedding_dimensions=first_embedding_dimensions,
        )

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
        span_id = given_text("tool_call_request", "span_id", options.get("span_id")) or _new_span_id(self)
        record_request(self._writer, span_id, tool, tool_calls, latency_ms, requested_at, options)
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
        """Record the results of tool calls; `span_id` is the one that the request returned. `tool_results["error"]` marks a failure."""
        record(
            self._writer,
            "tool_call_response",
            contents.tool_call_response(tool, tool_calls, tool_results, latency_ms, responded_at),
            {**options, "span_id": span_id},
            tool_calls=tool_calls,
            latency_ms=latency_ms,
            responded_at=responded_at,
        )

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
        """Record the results of tool calls; `span_id` is the one that the request returned. `tool_results["error"]` marks a failure."""
        self.tool_call_response_sync(tool, span_id, tool_calls, tool_results, latency_ms=latency_ms, responded_at=responded_at, **options)

    @guard.recording
    def tool_result_sync(self, tool_name: str, output: Mapping[str, Any], **options: Unpack[EventOptions]) -> None:
        """Record a tool's result that has no request to go with."""
        record(self._writer, "tool_result", contents.tool_result(tool_name, output), options)

    @twin
    def tool_result(self, tool_name: str, output: Mapping[str, Any], **options: Unpack[EventOptions]) -> None:
        """Record a tool's result that has no request to go with."""
        self.tool_result_sync(tool_name, output, **options)

    @guard.recording
    def error_sync(
        self, message: str | BaseException, *, status: int | None = None, stack: str | None = None, **options: Unpack[EventOptions]
    ) -> None:
        """Record that something went wrong. An exception may stand for the message: its type and stack are recorded with it."""
        tells_text = self._writer.recorder.capture_content and not context.hides_text()
        record(self._writer, "error", contents.error(message, status, stack, tells_text=tells_text), options, status=status)

    @twin
    def error(
        self, message: str | BaseException, *, status: int | None = None, stack: str | None = None, **options: Unpack[EventOptions]
    ) -> None:
        """Record that something went wrong. An exception may stand for the message: its type and stack are recorded with it."""
        self.error_sync(message, status=status, stack=stack, **options)


class ToolSpan:
    """A tool call, recorded around a block. Make it with `trace.tool_span(…)`, and set `result` to what the call returned.

    It is current while its block runs, so that calls inside know their parent. An exception that leaves the block is recorded and
    propagates. Entered again, it is another call.
    """

    __slots__ = ("_blocks", "_call", "result", "trace")

    def __init__(self, trace: Trace, call: ToolCallWriter) -> None:
        self.trace: Trace = trace
        self._blocks = Blocks()
        self._call = call
        self.result: object = None

    @property
    def span_id(self) -> str:
        """The id of the call, under which its request and its response are recorded."""
        return self._call.span_id

    @property
    def hides_text(self) -> bool:
        """Whether no text of an error is recorded, as of a decorated function around it that says so."""
        return self._call.hides_text

    def __enter__(self) -> Self:
        self._call.hides_text = context.hides_text()
        self._call.begin()
        self._blocks.enter(self._call.trace, self._call.span_id, self, context.beneath())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self._blocks.leave(error)
        if error is None:
            self._call.succeed(self.result)
        else:
            self._call.fail(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self.__exit__(kind, error, stack)


def writer_of(trace: Trace) -> TraceWriter:
    """Return what writes the events of a user's trace."""
    return trace._writer  # noqa: SLF001  (the one way to it)
