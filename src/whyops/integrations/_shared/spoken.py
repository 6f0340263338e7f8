"""What is said in a run without a model or a tool saying it: the form in which every framework's handler records it."""

from __future__ import annotations

from collections.abc import Mapping

from ..._recording.place import Place
from ..._wire import line
from ..._wire import write as contents

Times = tuple[str, str]
"""When something happened, exactly and for the service, as `EventClock.stamp` says it."""

RUN = {"stands_for": "run"}
"""Tells the call that stands for a whole run, of a workflow or a graph, from the call of a tool."""

STEP = {"stands_for": "step"}
"""Tells the call that stands for a step of a run, or a node of a graph, from the call of a tool."""


_ANSWER = {"stands_for": "answer"}
_QUESTION = {"stands_for": "question"}


def asked(place: Place, words: object, times: Times | None = None) -> None:
    """Record what a run is asked, in the application's own words; `times` say when, where that was earlier."""
    if times is None:
        place.record("user_message", contents.user_message([{"role": "user", "content": words}], {}))
        return
    exact, timestamp = times
    trace = place.trace
    content, _ = trace.fitted("user_message", contents.user_message([{"role": "user", "content": words}], {}))
    labels = trace.shown_labels(place.labels)
    encoded = trace.recorder.encode(content)
    trace.write("user_message", encoded, None, place.parent_id, labels, marks=line.recorded_at(exact), timestamp=timestamp)


def answered(place: Place, by: str, output: object) -> None:
    """Record what came out that no model said, and who said it: a query engine, a node of a graph, a graph."""
    place.record("tool_result", contents.tool_result(by, output), _ANSWER)


def asks_human(place: Place, by: str, question: object) -> None:
    """Record what a human is asked, and by what."""
    place.record("tool_result", contents.tool_result(by, question), _QUESTION)


def human_said(place: Place, words: object, event: str, fields: Mapping[str, object] | None = None) -> None:
    """Record what a human said, as the user's words; what is no text becomes JSON. `event` tells the framework's name for it.

    `fields` are what came along with the words.
    """
    text = words if isinstance(words, str) else place.trace.recorder.encode(words)[0]
    more = contents.known({"event": event, "fields": dict(fields) if fields else None})
    place.record("user_message", contents.user_message([{"role": "user", "content": text}], {}), more)
