"""A trace's steps → what every view shows of them: headline, outcome, notes and full values. A view only lays them out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

from .._printable import counted
from .._trace.interventions import is_by_a_human
from .._trace.recorded import RecordedTrace
from .._trace.step_context import ALONE
from .._trace.steps import Embedding, ErrorStep, LLMResponse, Prompt, Step, Thinking, ToolCall, UserMessage
from .._wire.model_tool_call import ModelToolCall
from .._wire.read import Message
from .format import arguments_text, content_text, duration_text, usage_facts, value_text
from .step_values import Value, values_of

IsAlive = Callable[[str], "bool | None"]
"""Tells of the process that an idempotency key begins with whether it still runs; None if that is not known."""

RESULT, FAILED, INTERRUPTED, OPEN = "result", "failed", "interrupted", "open"
_NAMED = {"run": "run {}", "step": "step {}", "answer": "{} answered", "question": "{} asked a human"}
"""How what is recorded as a tool's call, and is none, is named."""
_CUT_OFF = "process ended before the model answered"
_OPEN_TEXTS = {True: "still open", False: "process ended here", None: "no response recorded"}

_USUAL_ENDS = frozenset({"stop", "end_turn", "tool_calls", "tool_use", "stop_sequence", "function_call", "completed", "STOP"})
"""Why a model stops when nothing is unusual, as several providers name it."""

_PAUSES = frozenset({"GraphInterrupt", "NodeInterrupt", "WaitingForEvent"})
"""What stops a call that waits for an answer from outside, such as a human's, as several frameworks name it."""


Words = str | Callable[[], str]
"""A text, or what makes it when it is asked for."""


@dataclass(slots=True)
class StepText:
    """What a view shows of a step; nothing is cut or made printable yet. Arguments and results become text when they are asked for.

    `name` is that of the tool or model, else the role or the type of event; `said` is what `text` is made of, and `came`, `outcome`.
    `state` is in which way it ended: `RESULT`, `FAILED`, `INTERRUPTED` or `OPEN`; empty for what only happens. `facts` belong to the
    headline, `warnings` are what is wrong or incomplete in the step. `measures` are tokens and time.
    """

    kind: str
    name: str
    said: Words = ""
    state: str = ""
    came: Words = ""
    facts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    interventions: tuple[str, ...] = ()
    """What became of chosen calls on their way, and what the model was told of them; `warnings` begins with these."""
    requested: tuple[str, ...] = ()
    """The tools that a model requested, by name."""
    not_recorded: tuple[str, ...] = ()
    """Those of them without a recorded call, as calls."""
    messages: tuple[Message, ...] = ()
    step: Step | None = None
    stands_for: str = ""
    """What is recorded as a tool's call, and is none: a `run` or a `step` of a framework's, an `answer` or a `question` without a model."""

    @property
    def text(self) -> str:
        """What was said, thought or passed to the tool."""
        if not isinstance(self.said, str):
            self.said = self.said()
        return self.said

    @property
    def outcome(self) -> str:
        """How it ended."""
        if not isinstance(self.came, str):
            self.came = self.came()
        return self.came

    @property
    def values(self) -> tuple[Value, ...]:
        """The step's values, each whole."""
        return () if self.step is None else values_of(self.step)

    @property
    def call(self) -> str:
        """A tool with what it was called with; of what is no tool's call, what it was given, if anything."""
        return self.called_with(self.text)

    def called_with(self, text: str) -> str:
        """Return `call` with another text."""
        return f"{self.name}({text})" if text or not self.stands_for else self.name

    @property
    def label(self) -> str:
        """What the headline begins with."""
        return f"{self.kind} {self.name}" if self.kind in ("model", "embedding") else self.name

    @property
    def matters(self) -> bool:
        """Whether the step should be seen even where there is little room."""
        return self.kind == "user" or self.state in (FAILED, INTERRUPTED, OPEN)


def step_text(step: Step, is_alive: IsAlive | None = None) -> StepText:
    """Describe a step. `is_alive` tells a call that is still open from one whose process has ended before it."""
    said = _described(step)
    said.step = step
    if not said.state and not step.is_finished:
        process = step.first.process
        alive = None if process is None or is_alive is None else is_alive(process)
        said.state, said.came = OPEN, _CUT_OFF if step.context.is_cut_off else _OPEN_TEXTS[alive]
    if step.context is not ALONE or isinstance(step, ErrorStep):
        said.facts = (*_places(step), *said.facts)
    if said.interventions or step.is_marked:
        counts = ((step.truncated, "cut"), (step.redacted, "redacted"))
        marks = (f"{counted(number, 'value')} {what}" for number, what in counts if number)
        said.warnings = (*said.interventions, *said.warnings, *marks)
    took = duration_text(step.latency_ms)
    said.measures = (*usage_facts(step.usage), took) if took else (*usage_facts(step.usage),)
    return said


def headline(said: StepText) -> str:
    """Return a step in a few words: a call with its arguments, else who speaks, and what."""
    if said.kind == "tool":
        return said.call
    requests = f"requests {', '.join(said.requested)}" if said.requested else ""
    return "  ".join(filter(None, (said.label, said.text, requests)))


def _places(step: Step) -> Iterator[str]:
    """Yield which one of several a step is."""
    attempt, parallel = step.context.attempt, step.context.parallel
    if parallel is not None:
        yield f"{parallel.number} of {parallel.of} in parallel"
    if attempt is not None:
        yield f"try {attempt.number} of {attempt.of}"
    if step.context.is_resumed:
        yield "resumed"
    if isinstance(step, ErrorStep) and step.first.call_id is None and step.actor.name:
        yield f"in {step.actor.name}"
    if isinstance(step, ErrorStep) and step.first.call_id is not None and step.model:
        yield f"model {step.model}"


def trace_facts(trace: RecordedTrace) -> list[str]:
    """Return how much there is of a trace: events, tool calls, errors if there are any, and the time from first to last."""
    totals = trace.totals
    facts = [counted(totals.events, "event"), counted(totals.calls, "tool call")]
    facts += [counted(totals.errors, "error")] if totals.errors else []
    return [*facts, duration_text(trace.duration_ms)] if trace.duration_ms else facts


def turns(trace: RecordedTrace) -> list[Step]:
    """Return the steps at the top as turns of a conversation: what follows a user's message is inside it, and not beside it."""
    steps = trace.steps
    bounds = [*(index for index, step in enumerate(steps) if step.kind == "user"), len(steps)]
    answered = (replace(steps[user], children=(*steps[user].children, *steps[user + 1 : end])) for user, end in pairwise(bounds))
    return [*steps[: bounds[0]], *answered]


def outline(steps: Sequence[Step]) -> list[tuple[Step, int, int]]:
    """Return each step before those inside it, with the place of its parent in this list (-1 if it has none) and its depth."""
    found: list[tuple[Step, int, int]] = []
    waiting = [(step, -1, 0) for step in reversed(steps)]
    while waiting:
        step, parent, depth = waiting.pop()
        waiting += [(child, len(found), depth + 1) for child in reversed(step.children)]
        found.append((step, parent, depth))
    return found


def _described(step: Step) -> StepText:
    first = step.first
    if isinstance(step, ToolCall):
        return _tool_call(step)
    if isinstance(step, LLMResponse):
        return _llm_response(step)
    if isinstance(step, UserMessage):
        facts = () if step.offered is None else (f"{counted(step.offered, 'tool')} offered",)
        asked = step.asked
        return StepText("user", asked.role, content_text(asked.content), facts=facts, messages=step.messages)
    if isinstance(step, Prompt):
        said = ", ".join(f"{message.role}: {content_text(message.content)}" for message in step.messages)
        return StepText("other", "prompt", said, messages=step.messages)
    if isinstance(step, Thinking):
        return StepText("thinking", "thinking", content_text(step.text))
    if isinstance(step, Embedding):
        text = counted(len(step.inputs), "text") if step.inputs else ""
        state, outcome = ("", "") if step.count is None else (RESULT, counted(step.count, "vector"))
        return StepText("embedding", step.model or "unknown", text, state, outcome)
    if isinstance(step, ErrorStep):
        status = "" if step.status is None else f" (status {step.status})"
        return StepText("error", "error", f"{step.message}{status}", FAILED)
    return StepText("other", first.type, value_text(first.content))


def _llm_response(step: LLMResponse) -> StepText:
    return StepText(
        "model",
        step.model,
        content_text(step.content),
        state=INTERRUPTED if step.interrupted else "",
        facts=tuple(_ends(step)),
        interventions=tuple(
            f"chose {_call_text(one.call)}, was told: {content_text(one.told.value)}" for one in step.only_told if one.told is not None
        ),
        requested=tuple(tool.name for tool in step.requested),
        not_recorded=tuple(map(_call_text, step.not_called)),
    )


def _ends(step: LLMResponse) -> Iterator[str]:
    """Yield why an answer ended, where that is unusual."""
    if step.finish_reason and step.finish_reason not in _USUAL_ENDS:
        yield f"stopped: {step.finish_reason}"
    if step.interrupted:
        yield f"interrupted ({step.interrupted})"
    elif step.first.closed_early:
        yield "closed early by its reader"
    elif step.first.is_unanswered:
        yield "no answer was recorded"


def _tool_call(step: ToolCall) -> StepText:
    stands_for = step.stands_for or ""
    name = _NAMED[stands_for].format(step.name) if stands_for in _NAMED else step.name
    state, outcome, warnings = _end_of(step)
    interventions = () if step.context.choice is None else tuple(_interventions(step))
    return StepText(
        "tool", name, partial(_passed_to, step), state, outcome, warnings=warnings, interventions=interventions, stands_for=stands_for
    )


def _passed_to(step: ToolCall) -> str:
    """Return what a tool was called with; where one request names several tools, these with their arguments."""
    return ", ".join(map(_call_text, step.requested)) if len(step.requested) > 1 else arguments_text(step.arguments)


def _end_of(step: ToolCall) -> tuple[str, Words, tuple[str, ...]]:
    """Return how a call ended: the state, the outcome in words, and what is unusual in it."""
    error = step.error
    if error is not None:
        return FAILED, error, ()
    if not step.is_finished:
        return "", "", ()
    interrupted = step.interrupted
    if interrupted is not None:
        interrupted = f"{'paused' if interrupted in _PAUSES else 'interrupted'} ({interrupted})"
        if step.result is None:
            return INTERRUPTED, interrupted, ()
    if step.is_only_told:
        return RESULT, f"the model was told: {content_text(step.result)}", ()
    early = interrupted or ("closed early by its reader" if step.closed_early else "")
    return RESULT, partial(_result_text, step), (early,) if early else ()


def _result_text(step: ToolCall) -> str:
    return value_text(step.result)


def _interventions(step: ToolCall) -> Iterator[str]:
    """Yield what became of a call between the model's choice and what the model was told."""
    told, is_human = step.told_instead, False
    if step.changed_from is not None:
        choice = step.context.choice
        is_human = choice is not None and is_by_a_human(choice.told)
        yield f"{'a human changed it' if is_human else 'changed before it ran'}: the model chose {_call_text(step.changed_from)}"
    if told is not None and not is_human:
        yield f"the model was told: {content_text(told.value)}"


def _call_text(tool: ModelToolCall) -> str:
    return f"{tool.name}({arguments_text(tool.arguments)})"
