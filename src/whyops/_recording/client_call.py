"""A model call of a provider's official client, recorded from what it sends and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._providers.answers import says_something
from .._providers.requests import request_of
from .._wire import exceptions
from . import context
from .expected import is_expected
from .provider_call import ProviderCall

_EMBEDS: dict[str, dict[str, bool]] = {
    "openai": {"chat/completions": False, "responses": False, "completions": False, "embeddings": True},
    "anthropic": {"v1/messages": False},
}
"""What counts as a model's call, by provider and path, and whether it embeds. Files, batches, models and the like do not."""

_PACKAGES = {"azure": "openai"}
"""Providers whose clients are another's."""


class StreamFailedError(Exception):
    """A provider said in a stream that it failed, and what the client raises of that is not known here."""


def begin_call(provider: str, path: str, body: Mapping[str, Any]) -> ClientCall | None:
    """Record what a request asks of a model, in the trace that is current; None where nothing is to be recorded of it."""
    package = _PACKAGES.get(provider, provider)
    embeds = _EMBEDS[package].get(path)
    trace = None if embeds is None else context.current_writer()
    if embeds is None or trace is None or not trace.recorder.enabled or is_expected(embeds=embeds):
        return None
    call = ProviderCall(trace, request_of(provider, body, embeds=embeds))
    call.begin()
    return ClientCall(call, package, takes_result=embeds)


class ClientCall:
    """What records one call of a package's client.

    `takes_result` asks for what the client makes of an answer, rather than its body: one with vectors may be large.
    """

    __slots__ = ("_call", "_package", "takes_result")

    def __init__(self, call: ProviderCall, package: str, *, takes_result: bool) -> None:
        self._package = package
        self._call = call
        self.takes_result = takes_result

    def answered(self, answer: Any) -> None:
        """Record an answer: what its body holds as JSON, or the client's own object."""
        self._call.answer(answer)

    def streamed(self, events: Sequence[tuple[Any, int | None]], error: BaseException | None, *, left: bool) -> None:
        """Record what has come of a streamed answer: each event's data, and its time in nanoseconds of the steady clock.

        `error` is what its reading failed with; or, where its reader has `left` it, what is being raised there.
        """
        chunks = self._call.keep_chunks()
        for data, at in events:
            if at is not None and says_something(data):
                self._call.token(at)
                break
        chunks.extend(data for data, _ in events)
        if error is not None and not left:
            exceptions.let_translate(error, self._package)
        self._call.end_stream(_stopped([data for data, _ in events], error, left=left))

    def failed(self, error: BaseException) -> None:
        """Record that no answer came, or none that can be read."""
        self._call.fail(error)


def _stopped(chunks: Sequence[Any], error: BaseException | None, *, left: bool) -> BaseException | None:
    """Return what ended a stream: of an error that the provider told in it, what the client raises. What a reader raises is its own."""
    told = next((chunk["error"] for chunk in reversed(chunks) if isinstance(chunk, dict) and chunk.get("error")), None)
    if told is not None:
        message = told.get("message") if isinstance(told, dict) else told
        return error if isinstance(error, Exception) else StreamFailedError(str(message))
    if left and (error is None or isinstance(error, Exception)):
        return GeneratorExit()
    return error
