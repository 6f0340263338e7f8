"""The calls of models → their prompts as they went to the models, each message once, whatever number of prompts it is in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..._trace.model_calls import ModelCall
from ..._trace.recorded import RecordedTrace
from ..._wire.prompt import PromptMessage
from ..format import value_text

Data = dict[str, object]


class Prompts:
    """The prompts of a trace: `messages` are all that are in them, each once; a prompt names them by their places there."""

    def __init__(self, trace: RecordedTrace) -> None:
        self.messages: list[Data] = []
        self._places: dict[object, int] = {}
        self._texts: dict[int, str] = {}
        self._contents: list[object] = []
        self._of_event: dict[int, Data] = {}
        self.new: list[list[int]] = []
        """Of each model call, the places in its prompt of the messages that no prompt before it has."""
        for call in trace.model_calls:
            prompt = self._prompt(call)
            for event in call.events if prompt else ():
                if event.type in ("llm_response", "error"):
                    self._of_event[id(event)] = prompt

    def of(self, events: Iterable[object]) -> Data | None:
        """Return the prompt of the call that one of these events belongs to: its messages as runs of places, and which are new in it."""
        return next((found for event in events if (found := self._of_event.get(id(event)))), None)

    def _prompt(self, call: ModelCall) -> Data:
        known = len(self.messages)
        places = [self._place(message) for message in call.prompt or ()]
        new = [position for position, place in enumerate(places) if place >= known]
        self.new.append(new)
        if not places:
            return {}
        data: Data = {"messages": _runs(places), "count": len(places), "new": _runs(new), "tools": list(call.tools)}
        return {name: value for name, value in data.items() if value != []}

    def _place(self, message: PromptMessage) -> int:
        own = (message.role, message.tool_call_id, message.name, message.is_missing)
        key = (self._text(message.content), own, *map(repr, message.tool_calls))
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = len(self.messages)
            self.messages.append(_message(message))
        return place

    def _text(self, content: object) -> str:
        """Return what tells a content from others; of a list of parts once, however many prompts it is in."""
        if isinstance(content, str):
            return content
        if id(content) not in self._texts:
            self._texts[id(content)] = value_text(content)
            self._contents.append(content)  # kept: another content must not get its id
        return self._texts[id(content)]


def _message(message: PromptMessage) -> Data:
    calls = [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in message.tool_calls]
    data: Mapping[str, object] = {
        "role": message.role,
        "content": message.content,
        "calls": calls,
        "answers": message.tool_call_id,
        "name": message.name,
        "missing": message.is_missing or None,
    }
    return {name: value for name, value in data.items() if value is not None and value != []}


def _runs(numbers: Sequence[int]) -> list[int]:
    """Return numbers as runs, each as its first number and its length, one after the other."""
    runs: list[int] = []
    for number in numbers:
        if runs and number == runs[-2] + runs[-1]:
            runs[-1] += 1
        else:
            runs += [number, 1]
    return runs
