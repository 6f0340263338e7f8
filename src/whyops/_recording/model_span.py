"""`ModelSpan`: a block around one call of a model that is made directly, with a provider's own client."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from .._providers.requests import request_of
from . import context
from .blocks import Blocks
from .followed_stream import followed, followed_async
from .provider_call import ProviderCall
from .trace_writer import TraceWriter

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")


class ModelSpan:
    """A model's call, recorded around a block. Make it with `trace.model_call(…)`, and hand it the answer: `answer`, or `stream`.

    The prompt is recorded where the block begins. An exception that leaves the block is recorded, and propagates. Entered again, it is
    another call.
    """

    __slots__ = ("_blocks", "_call", "_trace")

    def __init__(self, trace: TraceWriter, call: ProviderCall) -> None:
        self._trace = trace
        self._blocks = Blocks()
        self._call = call

    @property
    def id(self) -> str | None:
        """What the events of the call have in common, to give to other methods as `call_id`; None outside the block."""
        return self._call.id

    def answer(self, response: T) -> T:
        """Record what the model answered, and return it: the provider's object or dict as it is, a text, or an embedding model's answer."""
        self._call.answer(response)
        return response

    @overload
    def stream(self, response: AsyncIterable[T]) -> AsyncIterator[T]: ...
    @overload
    def stream(self, response: Iterable[T]) -> Iterator[T]: ...
    def stream(self, response: AsyncIterable[T] | Iterable[T]) -> AsyncIterator[T] | Iterator[T]:
        """Return the chunks of a streamed answer, unchanged, and record what they make up when the stream or the block ends.

        A stream that is left early, or fails, is recorded with what had come of it.
        """
        kept = self._call.keep_chunks()
        if hasattr(type(response), "__aiter__"):
            return followed_async(self._call, cast("AsyncIterable[T]", response), kept)
        return followed(self._call, cast("Iterable[T]", response), kept)

    def __enter__(self) -> Self:
        span_id = context.span_id_in(self._trace)
        self._call.begin()
        self._call.expect_request()
        self._blocks.enter(self._trace, span_id, self, context.beneath())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self._blocks.leave(error)
        self._call.leave(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self.__exit__(kind, error, stack)


def model_span(
    trace: TraceWriter,
    model: object,
    provider: object,
    messages: object,
    system: object,
    tools: Sequence[Any] | None,
    params: Mapping[str, Any] | None,
    *,
    embed: bool,
) -> ModelSpan:
    """Return the block of a call that `params` say more of."""
    named = {"messages": messages, "system": system, "tools": tools}
    kwargs = {**(params or {}), "model": model, **{name: value for name, value in named.items() if value is not None}}
    return ModelSpan(trace, ProviderCall(trace, request_of(provider, kwargs, embeds=embed)))
