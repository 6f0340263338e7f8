"""A recorded run, and what a test says of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from .._printable import counted
from .._render.format import content_text, duration_text
from .._trace.alignment import aligned
from .._trace.model_calls import ModelCall
from .._trace.recorded import RecordedTrace
from .._trace.steps import LLMResponse, Step
from .._wire.read import RecordedEvent
from .calls import Calls, nearest
from .failure import fail, path_text
from .golden import check_golden


class Run:
    """What was recorded, as objects, and assertions about it. Each assertion fails with the run's steps, or returns the run.

    So they can be chained: `run.called_in_order("search_orders", "refund").no_errors()`. While the run goes on, each look at it gives what
    there is by then.
    """

    def __init__(self, events: Callable[[], Sequence[Mapping[str, Any]]]) -> None:
        self._events = events
        self._read: tuple[int, RecordedTrace] = (-1, RecordedTrace(""))

    @classmethod
    def of(cls, trace: RecordedTrace) -> Run:
        """Make a run of a trace that was recorded before, as `whyops.load_trace` gives it."""
        return cls(lambda: [event.raw for event in trace.events])

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events, in the order in which they were recorded, as the service would get them."""
        return [dict(event) for event in self._events()]

    @property
    def trace(self) -> RecordedTrace:
        """All that was recorded as one trace; where the agent made several, they stand in it one after another."""
        events = self._events()
        number, trace = self._read
        if number != len(events):
            trace = RecordedTrace.from_events(events)
            self._read = (len(events), trace)
        return trace

    @property
    def traces(self) -> tuple[RecordedTrace, ...]:
        """The traces that were recorded, each by itself, in the order in which they began."""
        by_id: dict[str | None, list[Mapping[str, Any]]] = {}
        for event in self._events():
            by_id.setdefault(RecordedEvent(event).trace_id, []).append(event)
        return tuple(map(RecordedTrace.from_events, by_id.values()))

    @property
    def steps(self) -> tuple[Step, ...]:
        """The decision path: what the user asked, what the models answered, which tools they called."""
        return self.trace.steps

    @property
    def model_calls(self) -> tuple[ModelCall, ...]:
        """All calls of models, each with the prompt that it was asked with."""
        return self.trace.model_calls

    @property
    def errors(self) -> tuple[Step, ...]:
        """The steps that failed."""
        return tuple(step for step in self.trace.walk() if step.error is not None)

    @property
    def answer(self) -> str:
        """The last text with which a model answered; empty, if none did."""
        answers = [step for step in self.trace.walk() if isinstance(step, LLMResponse)]
        texts = [content_text(step.content) for step in answers]
        return next((text for text in reversed(texts) if text.strip()), "")

    def __repr__(self) -> str:
        return f"<Run: {repr(self.trace).partition(': ')[2]}"

    def __str__(self) -> str:
        return path_text(self.trace)

    def calls(self, name: str | None = None) -> Calls:
        """Return the calls of a tool, or of all tools, to look at and to say something of."""
        trace = self.trace
        found = [call for call in trace.calls if name is None or name in call.names]
        return Calls(trace, found, name or "A tool", name)

    def called_in_order(self, *names: str) -> Run:
        """These tools were called one after another, whatever was called between them."""
        __tracebackhide__ = True
        wanted = list(names)
        for call in self.trace.calls:
            if wanted and wanted[0] in call.names:
                del wanted[0]
        if wanted:
            done = names[: len(names) - len(wanted)]
            after = f" after {', '.join(done)}" if done else ""
            missing = [call for call in self.trace.calls if set(call.names) & set(names)]
            fail(f"{wanted[0]} was not called{after}.{'' if missing else nearest(wanted[0], self.trace)}", self.trace, missing)
        return self

    def called_only(self, *names: str) -> Run:
        """No other tool than these was called."""
        __tracebackhide__ = True
        others = [call for call in self.trace.calls if not set(call.names) <= set(names)]
        if others:
            told = ", ".join(dict.fromkeys(name for call in others for name in call.names if name not in names))
            fail(f"Called as well: {told}; allowed: {', '.join(names) or 'none'}.", self.trace, others)
        return self

    def no_errors(self) -> Run:
        """No step failed."""
        __tracebackhide__ = True
        failed = self.errors
        if failed:
            told = "A step failed:" if len(failed) == 1 else f"{len(failed)} steps failed, the first:"
            fail(f"{told} {failed[0].error}", self.trace, failed)
        return self

    def tokens_at_most(self, number: int) -> Run:
        """All models together used so many tokens or fewer, those from a cache and into it included."""
        __tracebackhide__ = True
        used = self.trace.totals.usage.total
        if used > number:
            self._fail(f"{used:,} tokens were used; expected: at most {number:,}.", self._answers())
        return self

    def latency_at_most(self, milliseconds: float) -> Run:
        """The run took no longer, in milliseconds."""
        __tracebackhide__ = True
        took = self.trace.duration_ms
        if took > milliseconds:
            longest = max(self.trace.walk(), key=lambda step: step.latency_ms or 0)
            self._fail(f"The run took {duration_text(took)}; expected: at most {duration_text(milliseconds)}.", [longest])
        return self

    def model_calls_at_most(self, number: int) -> Run:
        """Models were called so often, or less."""
        __tracebackhide__ = True
        called = len(self.model_calls)
        if called > number:
            self._fail(f"{counted(called, 'model call')}; expected: at most {number}.", self._answers())
        return self

    def answer_contains(self, *texts: str) -> Run:
        """The last answer of a model has each of these texts in it."""
        __tracebackhide__ = True
        missing = [text for text in texts if text not in self.answer]
        if missing:
            said = (
                f"The answer does not contain {missing[0]!r}: {self.answer!r}"
                if self.answer
                else f"No model answered: {missing[0]!r} was expected."
            )
            self._fail(said, self._answers()[-1:])
        return self

    def prompt_contained(self, text: str) -> Run:
        """A text stood in the prompt of at least one model call, in any message."""
        __tracebackhide__ = True
        if not any(_is_in(text, call) for call in self.model_calls):
            self._fail(f"No prompt of {counted(len(self.model_calls), 'model call')} contained {text!r}.", self._answers())
        return self

    def no_prompt_contained(self, text: str) -> Run:
        """A text stood in no prompt. A prompt of which something is not recorded fails too: it can't be told."""
        __tracebackhide__ = True
        for call in self.model_calls:
            if _is_in(text, call):
                self._fail(f"A prompt contained {text!r}.", self._steps_of(call))
            if call.prompt is None or call.missing:
                self._fail("The prompt of a model call is not recorded whole, so what it contained can't be told.", self._steps_of(call))
        return self

    def matches(self, path: str | os.PathLike[str], *, ignore: Collection[str] = ()) -> Run:
        """The run decided the same as the one in a file, its golden run, which `pytest --whyops-update` writes.

        Ids, times and the order of parallel calls don't count, nor what has one of the names in `ignore`, as an argument or in a result.
        """
        __tracebackhide__ = True
        check_golden(self.trace, path, ignore)
        return self

    def is_like(self, other: Run | RecordedTrace, *, ignore: Collection[str] = ()) -> bool:
        """Tell whether another run decided the same, and the same came of it. What doesn't count is as in `matches`."""
        trace = other.trace if isinstance(other, Run) else other
        return all(pair.is_alike for pair in aligned(self.trace, trace, ignore))

    def _answers(self) -> list[Step]:
        return [step for step in self.trace.walk() if isinstance(step, LLMResponse)]

    def _steps_of(self, call: ModelCall) -> list[Step]:
        own = {id(event) for event in call.events}
        return [step for step in self.trace.walk() if any(id(event) in own for event in step.events)]

    def _fail(self, sentence: str, marked: Collection[Step]) -> None:
        __tracebackhide__ = True
        fail(sentence, self.trace, marked)


def _is_in(text: str, call: ModelCall) -> bool:
    return any(text in content_text(message.content) for message in call.prompt or ())
