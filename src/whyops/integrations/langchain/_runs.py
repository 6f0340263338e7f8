"""The runs that are open: ids, places, start times, and what has come of a streamed answer.

A run is forgotten when it ends. One that never ends (LangChain tells nothing of a cancelled model, nor before 1.8 of a tool) goes with
the run around it that was cancelled, or when all has been quiet under its root for long, or when too many are open.
"""

from __future__ import annotations

import weakref
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from ..._providers.answer import Answer
from ..._recording import blocks, context
from ..._recording.frames import Frame
from ..._recording.model_call import ModelCall
from ..._recording.place import Place
from ..._recording.trace_writer import TraceWriter
from ..._runtime import forks, waiting
from .._shared.open_table import QUIET_SECONDS, Activity, OpenTable
from .._shared.tool_run import ToolRun
from . import _answers
from ._exchange import Exchange
from ._frames import BodyFrame

MOST_OPEN = 20_000
MOST_HEARD = 50_000
"""How many tokens of one answer are kept."""

_CANCELLED = "CancelledError"
QUIET_SECONDS_AFTER_ROOT = 300.0
"""How long nothing may have happened under a root that has ended: a child may end later than its root."""


@dataclass(slots=True, eq=False)
class Root(Activity):
    """What the runs under one root share: which are open, and when one of them was last heard of.

    `put` tells the interrupts whose questions are recorded.
    """

    open: dict[Run, None] = field(default_factory=dict)
    put: set[object] = field(default_factory=set)


class Node(NamedTuple):
    """A node of a graph that runs: its name, where in the graphs it is, and what it was given."""

    name: str
    namespace: object
    inputs: object


class Run:
    """One run of LangChain's that has started, and what is recorded of it: the call of a model or of a tool, or a step.

    `exchange` is that of the application's run that it is part of, and None inside a tool's call: arguments and result tell of that.
    `beneath` is what its frame is to have as its previous one, until it is entered.
    """

    __slots__ = (
        "answering_tools",
        "begins_exchange",
        "beneath",
        "exchange",
        "frame",
        "handler",
        "heard",
        "id",
        "key",
        "model",
        "node",
        "parent",
        "place",
        "root",
        "step",
        "task",
        "tool",
    )

    def __init__(
        self,
        id: UUID,  # noqa: A002  (LangChain's name)
        handler: object,
        place: Place,
        parent: Run | None,
        beneath: Frame | None = None,
    ) -> None:
        self.id = id
        self.key: object = getattr(id, "int", id)
        self.beneath = beneath
        self.handler = handler
        self.place = place
        self.parent = parent
        self.root: Root = Root(QUIET_SECONDS) if parent is None else parent.root
        self.model: ModelCall | None = None
        self.tool: ToolRun | None = None
        self.step: ToolRun | None = None
        self.node: Node | None = None
        self.exchange: Exchange | None = None if parent is None or parent.tool is not None else parent.exchange
        self.begins_exchange = False
        self.answering_tools: Collection[str] = ()
        self.heard: list[Any] = []
        self.task: weakref.ref[Any] | None = None
        self.frame: BodyFrame | None = None

    def begin_model(self, model: ModelCall, answering_tools: Collection[str]) -> None:
        """Take note of a model's call, and of the task that waits for it: of one that is cancelled, LangChain may tell no end.

        `answering_tools` are those whose call is the answer, in the form that was asked for.
        """
        self.model = model
        self.beneath = None
        self.answering_tools = answering_tools
        task = waiting.current_task()
        self.task = None if task is None else weakref.ref(task)

    def hear(self, token: object, chunk: object) -> None:
        """Keep what has come of a model's answer: where a stream inside an agent or a graph fails, it is told here alone."""
        if self.model is not None and len(self.heard) < MOST_HEARD:
            self.heard.append(token if chunk is None else chunk)
            if _answers.has_content(token, chunk):
                self.model.token()
                if self in self.root.open:
                    streams[id(self.id)] = self

    def partial(self) -> list[Answer]:
        """Return what has come of a model's answer."""
        return _answers.partial_answers(self.heard, self.place.trace.recorder.encode)

    def is_left(self) -> bool:
        """Tell whether no task waits for the model any more, so that its end won't be told: the one that did is over, or is elsewhere.

        A stream that some of was read may be read on.
        """
        if self.model is None or self.task is None:
            return False
        task = self.task()
        return task is None or task.done() or (task is waiting.current_task() and not self.heard)

    @property
    def inner_id(self) -> str | None:
        """The span that the runs inside this one run in."""
        own = self.tool or self.step
        return self.place.parent_id if own is None else own.call.span_id

    def enter(self, frame: BodyFrame) -> None:
        """Let `frame` be current in the run's body."""
        self.frame = frame
        self.beneath = None
        context.current.set(frame)

    def has_in_body(self, top: Frame) -> bool:
        """Tell whether what is current was made so in the run's body."""
        return self.frame is not None and (top is self.frame or context.holds(top, self.frame))

    def is_under(self, other: Run) -> bool:
        """Tell whether `other` is around this run, at any remove."""
        above = self.parent
        while above is not None and above is not other:
            above = above.parent
        return above is not None

    def close(self, reason: str | None = None) -> None:
        """Let nothing stay current or open because of this run; with a `reason`, its call is recorded as interrupted."""
        self.root.open.pop(self, None)
        if self.heard and streams.get(id(self.id)) is self:
            del streams[id(self.id)]
        if self.frame is not None:
            self.frame.ended = True
            context.take_out(self.frame)
            self.frame = None
        if reason is not None:
            for own in (self.tool, self.step):
                if own is not None:
                    own.call.interrupt(reason)
            if self.begins_exchange and self.exchange is not None:
                self.exchange.stop(reason)
            if self.model is not None:
                self.model.interrupt(self.partial(), reason)


streams: dict[int, Run] = {}
"""The open runs whose answer has begun to come, by the `id()` of their own id: a token comes with that very object, and hashing it as a
UUID would cost more than keeping the token. As long as the run is here, so is its id, and no other object has that `id()`. Of two handlers
that hear one run, the latest one's."""


class Runs(OpenTable[object, tuple[Run, ...]]):
    """The open runs of all handlers in the process, by id, so that two handlers of one client record no run twice.

    They are looked up by the number of an id: hashing a UUID runs Python.
    """

    __slots__ = ()

    def find(self, run_id: UUID | None, handler: object) -> Run | None:
        """Return the open run of this id that `handler` records, or else another handler."""
        runs = self.get(getattr(run_id, "int", run_id))
        if runs is None:
            return None
        return _of(handler, runs) or runs[0]

    def own(self, run_id: UUID | None, handler: object) -> Run | None:
        """Return the open run of this id if `handler` records it."""
        return _of(handler, self.get(getattr(run_id, "int", run_id)))

    def start(self, run: Run) -> bool:
        """Take note of a run; False if it is known already, as when one event comes twice or two handlers of one client hear it."""
        known = self.get(run.key)
        if known is not None:
            recorder = run.place.trace.recorder
            for other in known:
                if other.handler is run.handler or other.place.trace.recorder is recorder:
                    return False
        run.root.open[run] = None
        self.add(run.key, (run,) if known is None else (*known, run), run.root)
        return True

    def end(self, run_id: UUID, handler: object) -> Run | None:
        """Return the run that ends, and forget it; None if `handler` does not record it, or its end has come before."""
        runs = self.touch(getattr(run_id, "int", run_id))
        run = _of(handler, runs)
        if run is not None:
            self._drop(run, runs)
            if run.parent is None:
                run.root.quiet_seconds = QUIET_SECONDS_AFTER_ROOT
        return run

    def end_inside(self, run: Run, reason: str | None = None) -> list[Run]:
        """Return the open runs inside `run`, innermost first, and forget them; `reason` is what interrupts their calls."""
        inside = [other for other in reversed(list(run.root.open)) if other.is_under(run)]
        for other in inside:
            self._drop(other, self.get(other.key), reason)
        return inside

    def end_left(self, root: Root, *, closed: bool = False) -> None:
        """Close the models' calls under a root that no task waits for any more; where the root was `closed`, nobody does."""
        for run in list(root.open):
            if run.is_left() or (closed and run.model is not None and run.task is not None):
                self._drop(run, self.get(run.key), "GeneratorExit" if closed else _CANCELLED)

    def end_left_in(self, trace: TraceWriter) -> None:
        """Close those of a trace whose block has ended."""
        for runs in self.values():
            for run in runs:
                if run.place.trace.is_same_as(trace) and run.is_left():
                    self._drop(run, self.get(run.key), _CANCELLED)

    def _drop(self, run: Run, runs: tuple[Run, ...] | None, reason: str | None = None) -> None:
        """Forget one of the `runs` of an id."""
        if runs is not None and len(runs) > 1 and (rest := tuple(other for other in runs if other is not run)):
            self.add(run.key, rest, rest[0].root)
        elif runs is not None and run in runs:
            self.take(run.key)
        run.close(reason)


def _of(handler: object, runs: tuple[Run, ...] | None) -> Run | None:
    """Return the one of these runs that `handler` records."""
    for run in runs or ():
        if run.handler is handler:
            return run
    return None


def give_up(runs: tuple[Run, ...]) -> None:
    """Close runs whose end was never told."""
    for run in runs:
        run.close("its end was never told")


open_runs = Runs(MOST_OPEN, given_up=give_up)
blocks.at_end.append(open_runs.end_left_in)
forks.in_child(streams.clear)
forks.in_child(open_runs.clear)  # what runs in the parent does not run in the child
