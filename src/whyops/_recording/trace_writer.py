"""Writes the events of one trace: what a `Trace`, its spans and the frameworks' handlers all record through."""

from __future__ import annotations

import json
from collections.abc import Mapping
from sys import modules
from typing import Any

from .._encoding import Encode, Encoded
from .._encoding.redaction.place import REDACTED
from .._runtime import guard
from .._runtime.safely import safely_or
from .._wire import exceptions, line, withheld
from .._wire import write as contents
from .._wire.timestamps import Moments
from ..types import EventType
from .foreign_span import FOREIGN, traceparent
from .ids import clip, readable_user_id
from .options import given_text
from .other_writers import OtherWriters
from .prompts import PromptMemory
from .recorder import Recorder

_MOST_VALUES = 64
"""How many times the bound of one value the messages of one prompt may take together."""


class TraceWriter:
    """Completes the events of one trace (its id, user and metadata, the time) and hands their lines to the recorder.

    `sent_from` is the span in which the trace was pickled, where it came from another process. `opened_us` is when its block was opened, in
    microseconds since 1970, until an event tells so: 0 where none was, and from then on negative.

    A block is a turn, which each event in it names in its metadata (`run_id`). The first block of a trace is written by the trace's own
    writer: another would be most of the cost of a block. Each later one has a writer of its own, `made_of` the trace's, and what is told
    outside of blocks from then on goes through `outside`. A turn's number is drawn as its block begins, its text is written with its first
    event: `run` is empty where it is to be made of the number.
    """

    __slots__ = (
        "_metadata",
        "_nonce",
        "_number",
        "_prompts",
        "_run_mark",
        "external_user_id",
        "head",
        "id",
        "made_of",
        "moments",
        "opened_us",
        "others",
        "recorder",
        "run",
        "sent_from",
    )

    def __init__(
        self,
        recorder: Recorder,
        id: object = None,  # noqa: A002  (the public name)
        external_user_id: object = None,
        metadata: object = None,
        run_id: str | None = None,
        root: TraceWriter | None = None,
    ) -> None:
        self.recorder: Recorder = recorder
        self.run: str | None = run_id
        if run_id == "":
            self._nonce: str = recorder.ids.nonce
            self._number: int = recorder.ids.count()
            self._run_mark: str | None = None
        else:
            self._run_mark = "" if run_id is None else line.run(run_id)
        self.made_of: TraceWriter | None = root  # of a root none: itself would be a circle
        self.others: OtherWriters[TraceWriter] | None = None
        if root is not None:  # what is looked for below is found
            self.id: str = root.id
            self.moments: Moments = root.moments
            self.external_user_id: str | None = root.external_user_id
            self.sent_from: str | None = root.sent_from
            self.opened_us: int = root.opened_us
            self._metadata: dict[str, Any] = root._metadata  # noqa: SLF001  (of this class, as below)
            self._prompts: PromptMemory | None = root._prompts  # noqa: SLF001
            self.head: str = root.head
            return
        given = None if id is None else given_text("trace", "id", id)
        self.id = given or recorder.ids.next()
        self.moments = recorder.moments_of(given) if given else Moments()
        self.external_user_id = None
        self.sent_from = None
        self.opened_us = 0
        self._metadata = {}
        self._prompts = None
        self.head = line.head(self.id, self.recorder.agent_name, self.external_user_id)
        if external_user_id is not None:
            self.set_user(external_user_id)
        if metadata is not None:
            self._set_metadata(metadata)

    def __deepcopy__(self, _memo: object) -> TraceWriter:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        metadata = json.loads(self.recorder.encode(self._metadata)[0]) if self._metadata else None
        return TraceWriter, (self.recorder, self.id, self.external_user_id, metadata, self.run_id)

    @property
    def run_id(self) -> str | None:
        """The name of the turn, the same each time; None without one."""
        return f"{self._nonce}-{self._number}" if self.run == "" else self.run

    def in_run(self, run_id: str | None = "") -> TraceWriter:
        """Return what writes the events of one turn of the same trace: of the one with `run_id`, else of a new one."""
        return TraceWriter(self.recorder, None, None, None, run_id, self.made_of or self)

    def open_run(self, is_only: bool = False) -> TraceWriter:  # noqa: FBT001, FBT002  (a keyword costs each block more)
        """Return what writes the events of a block that begins: in a turn of its own, unless this names one. `close_run` ends it.

        Until then it hears of a user who is named later. `is_only` tells that no other block of the trace is open or begins.
        """
        run = self
        if is_only and self.run is None:
            self._nonce, self._number = self.recorder.ids.nonce, self.recorder.ids.count()
            self.run, self._run_mark = "", None
        elif self.made_of is None and not self.run:
            run = TraceWriter(self.recorder, None, None, None, "", self)
            others = self.others or self.own_others()
            others.listening[run] = None
        if not self.opened_us:
            self.opened_us = self.recorder.clock.wall_ns() // 1_000
            if run is not self:
                run.opened_us = self.opened_us
        if FOREIGN in modules and (around := traceparent()) is not None:
            run.own_others().traceparent = around
            run.opened_us = self.recorder.clock.wall_ns() // 1_000  # so that the turn's first event tells it, also of a later one
        return run

    def close_run(self, is_over: bool) -> None:  # noqa: FBT001  (as above)
        """Let the writer of a block that has ended go; the trace's own is free for the next, if it wrote nothing, and nothing follows."""
        if self.made_of is not None:
            if (others := self.made_of.others) is not None:
                others.listening.pop(self, None)
                if others.within is not None:
                    others.forget(self)
        elif self._run_mark is None and is_over:
            self._run_mark, self.run = "", None

    def outside(self) -> TraceWriter:
        """Return what writes the events of the trace that are told outside of its blocks."""
        if self.made_of is not None or self.run != "":
            return self
        others = self.own_others()
        if others.outside is None:
            others.outside = others.listen(TraceWriter(self.recorder, None, None, None, None, self))
        return others.outside

    def within(self, run: TraceWriter) -> TraceWriter:
        """Return what writes the events of this trace in the turn of a block of another writer for it."""
        others = (self.made_of or self).own_others()
        if others.within is None or others.within[0] is not run:
            if others.within is not None:
                others.forget(others.within[1])
            others.within = (run, others.listen(self.in_run(run.run_id)))
        return others.within[1]

    def own_others(self) -> OtherWriters[TraceWriter]:
        """Return it, made if there is none. Of two threads that make it at once, the first one's block hears of no user named later."""
        if self.others is None:
            self.others = OtherWriters()
        return self.others

    def opened(self) -> str:
        """Return when the block was opened, as a ready member of the metadata of the first event in it, which is asked for once."""
        opened_us, self.opened_us = self.opened_us, -1
        if opened_us <= 0:
            return ""
        time, others = self.recorder.clock.text_of(opened_us), self.others
        if others is None and self.made_of is None:
            return line.opened(time)
        for writer in self._all():
            writer.opened_us = -1
        if others is None or others.traceparent is None:
            return line.opened(time)
        around, others.traceparent = others.traceparent, None
        return line.opened(time) + line.inside(around)

    def _all(self) -> tuple[TraceWriter, ...]:
        root = self.made_of or self
        others = root.others
        return (self, root) if others is None else (self, root, *others.listening)

    def prompts(self) -> PromptMemory:
        """Return what is remembered of the prompts of this trace, by this writer and by others of the same trace."""
        if self._prompts is None:
            self._prompts = self.recorder.prompts_of(self.id)
        return self._prompts

    def is_same_as(self, other: TraceWriter) -> bool:
        """Tell whether both write the same trace: a pickle may have made another writer for it."""
        return other is self or (other.id == self.id and other.recorder is self.recorder)

    @guard.recording
    def set_user(self, external_user_id: object) -> None:
        """Name the user in all events from here on."""
        if user := given_text("trace", "external_user_id", external_user_id, readable_user_id):
            head = line.head(self.id, self.recorder.agent_name, user)
            for writer in self._all():
                writer.external_user_id = user
                writer.head = head

    def came_from(self, parent_id: str, root_id: str | None = None) -> None:
        """Name, in the metadata of all events, the trace of another agent that asked for this one, and the first of all, if another."""
        self._metadata["parentTraceId"] = parent_id
        if root_id is not None:
            self._metadata["rootTraceId"] = root_id

    def parents(self) -> tuple[object, object]:
        """Return what the metadata of all events tell of these two."""
        return self._metadata.get("parentTraceId"), self._metadata.get("rootTraceId")

    @guard.recording
    def _set_metadata(self, metadata: object) -> None:
        given = contents.storable_metadata(metadata)
        own = {key: value for key, value in given.items() if key not in contents.OWN_METADATA}
        self._metadata = own if self.recorder.capture_content else withheld.arguments(own, self.recorder.shown)
        for name in given:
            if name in contents.OWN_METADATA:
                guard.notices.say(
                    f"metadata:{name}",
                    "%r is left out of a trace's metadata: it is a name that events have of their own. Choose another, such as %r.",
                    name,
                    f"my_{name}",
                )

    def encode_arguments(self, arguments: Mapping[str, Any]) -> Encoded:
        """Encode arguments by name; where contents are not captured, each becomes a marker of its size."""
        recorder = self.recorder
        if not recorder.enabled:
            return "{}", 0, 0
        named: Any = arguments if isinstance(arguments, dict) else safely_or(dict, arguments, {"arguments": arguments})
        return recorder.encode(named if recorder.capture_content else withheld.arguments(named, recorder.shown))

    def fitted(self, event_type: EventType, parts: contents.Parts) -> contents.Parts:
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

    def encode_content(self, event_type: EventType, content: object) -> Encoded:
        """Encode an event's content, of a prompt each message as a value of its own."""
        encoded = self.recorder.encode(content)
        if not encoded[1] or event_type != "user_message" or type(content) is not list:
            return encoded
        return _each_encoded(content, self.recorder.encode, self.recorder.max_value_bytes * _MOST_VALUES)

    @guard.recording
    def record_event(
        self,
        event_type: EventType,
        parts: contents.Parts,
        *,
        span_id: str | None = None,
        parent_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        marks: str = "",
        key: str | None = None,
    ) -> None:
        """Record an event whose place in the run the caller knows.

        `parts` come from one of the functions of `contents`; `metadata` is added to theirs, and so are `marks`, ready members.
        """
        content, own = self.fitted(event_type, parts)
        metadata = {**own, **(self.shown_labels(metadata) or {})}
        self.write(event_type, self.encode_content(event_type, content), span_id, parent_id, metadata, "", key, None, marks)

    def shown_labels(self, labels: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Return what is to be recorded of what an integration says of an event."""
        return withheld.labels(labels, self.recorder.shown) if labels and not self.recorder.capture_content else labels

    def record_exception(
        self,
        error: BaseException,
        *,
        span_id: str | None = None,
        parent_id: str | None = None,
        hides_text: bool,
        metadata: Mapping[str, Any] | None = None,
        marks: str = "",
        status: int | None = None,
    ) -> None:
        """Record `error` once for this trace, however many spans and blocks it passes through; not what is no error.

        `metadata` is recorded as it is given, and so are `marks`, ready members of it. `status` is a server's, where the exception
        doesn't tell it.
        """
        if not exceptions.is_error(error) or exceptions.is_marked(error, self.id):
            return
        exceptions.mark(error, self.id)
        content, _ = contents.error(error, status, None, tells_text=self.recorder.capture_content and not hides_text)
        self.write("error", self.recorder.encode(content), span_id, parent_id, metadata, marks=marks)

    def write(
        self,
        event_type: EventType,
        content: Encoded,
        span_id: str | None = None,
        parent_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        fields: str = "",
        key: str | None = None,
        timestamp: str | None = None,
        marks: str = "",
    ) -> None:
        """Complete an event and hand its line on.

        `fields` are ready members of the event, `marks` of its metadata, each after a comma; `key` is JSON.
        """
        encoded, cuts, redactions = content
        members = self.members(span_id, parent_id, metadata, cuts, redactions) + marks
        if self.recorder.enabled:
            key = key or f'"{self.recorder.ids.next()}"'
            if timestamp is None:
                exact, timestamp = self.recorder.clock.stamp(self.moments)
                members = line.recorded_at(exact) + members
                if self.opened_us > 0:
                    members += self.opened()
            own = line.members(span_id, fields, encoded, members)
            self.recorder.record(line.line(self.head, event_type, timestamp, key, own))

    def members(self, span_id: str | None, parent_id: str | None, metadata: Mapping[str, Any] | None, cuts: int, redactions: int) -> str:
        """Return what an event's metadata holds as ready members, each after a comma.

        That is the trace's own and `metadata`, the span around the event's, and how many places were cut and redacted.
        """
        members = self._run_mark
        if members is None:
            members = self._run_mark = line.numbered_run(self._nonce, self._number)
        if self._metadata or metadata:
            encoded, more_cuts, more_redactions = self.recorder.encode({**self._metadata, **(metadata or {})})
            members = f",{encoded[1:-1]}{members}" if len(encoded) > len("{}") else members
            cuts += more_cuts
            redactions += more_redactions
        if parent_id is None and not cuts and not redactions:
            return members
        return members + line.marks(None if parent_id == span_id else parent_id, cuts, redactions)


def _each_encoded(messages: list[object], encode: Encode, room: int) -> Encoded:
    """Encode messages one by one, as many as there is room for in all, and say how many were kept."""
    texts: list[str] = []
    cuts = redactions = 0
    for message in messages:
        text, more_cuts, more_redactions = encode(message)
        room -= len(text)
        if room < 0:
            texts.append(json.dumps(f"…[cut: kept {len(texts)} of {len(messages)} items]"))
            cuts += 1
            break
        texts.append(text)
        cuts += more_cuts
        redactions += more_redactions
    return f"[{','.join(texts)}]", cuts, redactions
