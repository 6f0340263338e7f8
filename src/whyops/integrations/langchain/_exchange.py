"""A run of the application's own: what it is asked and what comes out of it, recorded as far as no model and no tool tells it.

A model's prompt tells the question, and its answer is the run's. So the question is kept until it is known that no model is asked it:
when a node gives an answer, an interrupt puts a question to a human, or the run ends. It is recorded with the time at which it was asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..._recording.place import Place
from ..._recording.tool_call import ToolCallWriter
from ..._runtime.safely import safely_or
from .._shared import spoken
from . import _results, _spoken

_MOST_TEXTS = 10_000


class Exchange:
    """What is asked and answered in one run. A graph that is given no words is a call, with its state before and after."""

    __slots__ = (
        "_arguments",
        "_call",
        "_inputs",
        "_is_graph",
        "_is_told",
        "_name",
        "_place",
        "_question",
        "_reply",
        "_started_ns",
        "_stood_by",
        "_texts",
        "_times",
        "halted_by",
        "has_model",
        "has_tool",
    )

    def __init__(self, place: Place, name: str, inputs: object) -> None:
        recorder = place.trace.recorder
        self._place = place
        self._name = name
        self._inputs = inputs
        self._times = recorder.clock.stamp(place.trace.moments)
        self._started_ns = recorder.clock.steady_ns()
        self._is_graph = False
        self._is_told = False
        self._question: Any = _spoken.question_in(inputs, is_graph=False)
        self._arguments: Any = None
        self._call: ToolCallWriter | None = None
        self._stood_by: tuple[Place, str, object] | None = None
        self._texts: set[int] = set()
        self.has_model = False
        self.has_tool = False
        self.halted_by: str | None = None
        self._reply: object = _spoken.reply_in(inputs)
        if self._reply is not None:
            spoken.human_said(place, _results.plain(self._reply), "resume")

    # What goes on inside

    def begin_node(self, name: str, inputs: object) -> None:
        """Take note that a node begins: what holds one is a graph, whose state is read before any node changes it."""
        if self._is_graph:
            return
        self._is_graph = True
        if inputs is self._inputs and not isinstance(inputs, dict):
            self._name = name  # a function that is a graph's entrypoint
        self._question = _spoken.question_in(self._inputs, is_graph=True)
        if self._question is None and self._reply is None:
            self._arguments = self._place.trace.encode_arguments(safely_or(_spoken.arguments_in, self._inputs, {}))
        self._inputs = None

    def ask_model(self, prompts: Iterable[Any]) -> None:
        """Take note of what a model is asked."""
        self.has_model = True
        if self._question is not None and not self._is_told:
            self._is_told = not isinstance(self._question, str) or _spoken.asks(prompts, self._question)

    def hear(self, text: object) -> None:
        """Take note of what a model said, or a tool gave."""
        if isinstance(text, str) and len(self._texts) < _MOST_TEXTS:
            self._texts.add(hash(text.strip()))

    def end_node(self, place: Place, name: str, inputs: object, outputs: object) -> None:
        """Record the messages in which a node's outputs end, if no model has said them."""
        for message in _spoken.told_by_node(outputs):
            words = _spoken.words_of(message)
            if words is not None and not self._was_heard(words) and not _spoken.is_among(message, inputs):
                self._answer(place, name, words)
        self._stood_by = (place, name, outputs)

    def within(self, place: Place) -> Place:
        """Return where something is recorded that happens in the run: in its call, if it is one. Call or question are recorded first."""
        is_call = self._call is not None or (self._arguments is not None and not self.has_model and not self.has_tool)
        if is_call and place.parent_id == self._place.parent_id:
            return Place(place.trace, self._begun().span_id, place.labels)
        if not self.has_model:
            self._ask()
        return place

    def within_run(self, place: Place) -> Place:
        """Return where a step of the run is recorded: in its call, if that is one, whatever models and tools tell."""
        return place if self._arguments is None else Place(place.trace, self._begun().span_id, place.labels)

    # Its end

    def end(self, outputs: object) -> None:
        """Record what came out, and what was asked, if nothing else tells it."""
        if self._arguments is not None:
            if self._call is None and (self.has_model or self.has_tool):
                return
            call = self._begun()
            call.succeed(_results.plain(outputs)) if self.halted_by is None else call.interrupt(self.halted_by)
            return
        if self._is_told_by_others():
            return
        answer = None if self.halted_by is not None else self._answer_in(outputs)
        if answer is not None and not self._was_heard(answer):
            place, name, told = self._stood_by or (self._place, self._name, None)
            self._answer(*((place, name) if told is outputs else (self._place, self._name)), answer)
        self._ask()

    def fail(self, error: BaseException) -> None:
        """Record what was asked, and that an error, or what is none, ended it."""
        if self._arguments is None:
            if not self._is_told_by_others():
                self._ask()
        elif self._call is not None or not (self.has_model or self.has_tool):
            self._begun().fail(error)

    def stop(self, reason: str) -> None:
        """Record what was asked of a run whose end is never told."""
        if self._call is not None:
            self._call.interrupt(reason)
        elif self._arguments is None and not self._is_told_by_others():
            self._ask()

    # Inside

    def _is_told_by_others(self) -> bool:
        """Tell whether models tell of the run, or, of what is no graph, tools."""
        return self.has_model or (self.has_tool and not self._is_graph)

    def _answer_in(self, outputs: object) -> object:
        """Return the answer in a run's outputs: none, if nothing was asked; of a graph that is resumed, all messages may be old."""
        is_talk = isinstance(outputs, dict) and "messages" in outputs
        was_asked = self._question is not None or (self._reply is not None and not is_talk)
        return _spoken.answer_in(outputs) if was_asked else None

    def _was_heard(self, answer: object) -> bool:
        return isinstance(answer, str) and hash(answer.strip()) in self._texts

    def _answer(self, place: Place, name: str, answer: object) -> None:
        self._ask()
        self.hear(answer)
        spoken.answered(place, name, answer)

    def _ask(self) -> None:
        """Record the question, unless it is told."""
        if self._question is not None and not self._is_told:
            self._is_told = True
            spoken.asked(self._place, self._question, self._times)

    def _begun(self) -> ToolCallWriter:
        """Return the call that the run is, which began when the run did."""
        if self._call is None:
            place = self._place.labelled(spoken.RUN)
            self._call = ToolCallWriter(place.trace, self._name, self._arguments, place.parent_id, place.labels)
            self._call.begin_at(self._times, self._started_ns)
        return self._call
