"""A request to a provider's API, recorded from what is sent and from what comes back, in the forms that these have there."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from .._providers.answer import Answer
from .._providers.answers import answers_in, answers_of
from .._providers.embeddings import vectors_of
from .._providers.messages import begins_a_turn, prompt_metadata
from .._providers.objects import at, plain
from .._providers.requests import Request
from .._providers.status import status_of
from .._providers.unit import said, written
from .._runtime import guard
from .._wire import exceptions
from .._wire import write as contents
from . import context
from .model_call import ModelCall, Question
from .place import Place
from .trace_writer import TraceWriter

MOST_CHUNKS = 20_000
_LAST_CHUNKS = 100
"""So many of the first chunks of a stream are kept, and of the last, until the stream ends: what tells usage and end comes last."""


class ProviderCall:
    """One request: `begin`, then one of `answer`, `end_stream` and `fail`, or `leave` where nothing came. Begun again, it is another one.

    All of it does nothing where nothing is recorded, and what comes after the end changes nothing.
    """

    __slots__ = ("_call", "_request", "_trace", "chunks", "last_chunks")

    def __init__(self, trace: TraceWriter, request: Request) -> None:
        self._trace = trace
        self._request = request
        self._call: ModelCall | None = None
        self.chunks: list[object] | None = None
        self.last_chunks: deque[object] = deque(maxlen=_LAST_CHUNKS)

    @property
    def is_open(self) -> bool:
        """Whether it has begun, and nothing has come of it so far."""
        return self._call is not None

    @property
    def id(self) -> str | None:
        """What the events of the call have in common; None where none is open."""
        return None if self._call is None else self._call.id

    @guard.recording
    def begin(self) -> None:
        """Record what the model is asked, and take the time."""
        self._call, self.chunks = None, None
        self.last_chunks.clear()
        if not self._trace.recorder.enabled:
            return
        top, parent_id = context.top(), context.span_id_in(self._trace)
        labels = top.labels if top is not None and self._trace.is_same_as(top.trace) else None
        self._call = call = ModelCall(Place(self._trace, parent_id, labels or {}), self._request.model, self._request.provider)
        if self._request.inputs is not None:
            call.place.record("embedding_request", contents.embedding_request(self._request.inputs), span_id=call.id)
        else:
            self._ask(call)
        call.starts_now()

    def _ask(self, call: ModelCall) -> None:
        request, recorder = self._request, self._trace.recorder
        if recorder.capture_prompts:
            call.ask(
                Question(
                    request.messages,
                    said,
                    lambda some: [written(unit, recorder.encode) for unit in some],
                    lambda new, with_tools: prompt_metadata(new, request.tools if with_tools else None, request.params),
                    request.tools,
                )
            )
            return
        messages = [written(unit, recorder.encode) for unit in request.messages]
        if begins_a_turn(messages):
            call.prompt(messages, prompt_metadata(messages, request.tools, request.params))

    def expect_request(self) -> None:
        """Let the request that is made from here on be taken as this one, should its client record."""
        if self._call is not None:
            self._call.expect_request(embeds=self._request.inputs is not None)

    @guard.recording
    def token(self, at_ns: int | None = None) -> None:
        """Take the time of the first chunk that has something of the answer: now, or a time of the steady clock."""
        if self._call is not None:
            self._call.token(at_ns)

    @guard.recording
    def stop_clock(self) -> None:
        """Take the time at which the answer ended, where what came of the call is recorded later."""
        if self._call is not None:
            self._call.stop_clock()

    @guard.recording
    def answer(self, payload: object) -> None:
        """Record an answer that came whole: an official object, a dict of the wire, or a text."""
        call = self._take()
        if call is None:
            return
        if self._request.inputs is not None:
            self._record_vectors(call, payload)
            return
        answers = answers_of(payload, self._trace.recorder.encode)
        call.answer(answers)
        self._record_failures(call, answers)

    def keep_chunks(self) -> list[object]:
        """Begin to keep the chunks of a stream; return the list that they are to be put into, `MOST_CHUNKS` at most."""
        self.chunks = []
        return self.chunks

    @guard.recording
    def end_stream(self, stopped: BaseException | None = None) -> None:
        """Record what the chunks make up. `stopped` is what ended the stream: a GeneratorExit, where its reader left it.

        A stream that said why the model stopped is whole, though its reader didn't read it to the end.
        """
        chunks, self.chunks = [*(self.chunks or ()), *self.last_chunks], None
        call = self._take()
        if call is None:
            return
        answers = answers_in(chunks, self._trace.recorder.encode)
        if len(self.last_chunks) == _LAST_CHUNKS:
            for answer in answers:
                answer.more["chunksLeftOut"] = True
        if stopped is None or (isinstance(stopped, GeneratorExit) and any(answer.finish_reason for answer in answers)):
            call.answer(answers)
            self._record_failures(call, answers)
        elif exceptions.is_error(stopped):
            call.answer(answers, stopped)
            self._record_error(call, stopped, None)
        else:
            call.interrupt(answers, type(stopped).__name__)

    @guard.recording
    def fail(self, error: BaseException, status: int | None = None) -> None:
        """Record what the request failed with, and the status of the provider's answer, if it is known or told by the exception."""
        call = self._take()
        if call is None:
            return
        if exceptions.is_error(error):
            self._record_error(call, error, status)
        elif self._request.inputs is None:
            call.interrupt([], type(error).__name__)

    @guard.recording
    def leave(self, error: BaseException | None = None) -> None:
        """End the call where its block ends, with `error` if one leaves it: a stream that is not read to its end is left early."""
        if self._call is None:
            return
        if self.chunks is not None:
            self.end_stream(error or GeneratorExit())
        elif error is not None:
            self.fail(error)
        elif (call := self._take()) is not None and self._request.inputs is None:
            call.leave_unanswered()

    def _take(self) -> ModelCall | None:
        call, self._call = self._call, None
        if call is not None:
            call.expect_no_request()
            call.stop_clock()
        return call

    def _record_vectors(self, call: ModelCall, payload: object) -> None:
        found = vectors_of(payload)
        model = found.model or call.model
        parts = contents.embedding_response(model, call.provider, found.number, found.dimensions, found.tokens, call.elapsed_ms)
        call.place.record("embedding_response", parts, span_id=call.id)

    def _record_failures(self, call: ModelCall, answers: Sequence[Answer]) -> None:
        """Record what the provider says went wrong in an answer that it gave all the same."""
        for failure in (answer.failure for answer in answers if answer.failure is not None):
            call.tell_failure(plain(at(failure, "message")) or failure, at(failure, "type", "code"))

    def _record_error(self, call: ModelCall, error: BaseException, status: int | None) -> None:
        call.fail(error, status_of(error) if status is None else status)
