"""Whose traces are recorded: what a handler or `instrument` was made with."""

from __future__ import annotations

from ..._client import WhyOps
from ..._default import default_client
from ..._recording.ids import safe_id
from ..._recording.recorder import Recorder
from ..._recording.trace import writer_of
from ..._recording.trace_writer import TraceWriter
from ..._runtime import guard
from ..._runtime.forks import Living
from ...errors import ConfigurationError


class Origin:
    """Gives each root operation its trace: the one with the id that was asked for, else the current one, else one of its own.

    The current trace counts if it is the client's that was asked for.
    """

    __slots__ = ("__weakref__", "_capture_prompts", "_client", "_external_user_id", "_framework", "_record_steps", "llm_events", "trace_id")

    def __init__(
        self,
        framework: str,
        client: WhyOps | None,
        trace_id: object,
        external_user_id: object,
        *,
        llm_events: bool,
        capture_prompts: bool | None = None,
        record_steps: bool | None = None,
    ) -> None:
        self._framework = framework
        _origins.add(self)
        self._client = client
        self.trace_id: str | None = None if trace_id is None or trace_id == "" else safe_id(trace_id)
        self._external_user_id = external_user_id
        self.llm_events: bool = llm_events
        self._capture_prompts = capture_prompts
        self._record_steps = record_steps

    def captures_prompts(self, recorder: Recorder) -> bool:
        """Tell whether each prompt is recorded: as the handler was told, else as the client was."""
        return recorder.capture_prompts if self._capture_prompts is None else self._capture_prompts

    def records_steps(self, recorder: Recorder) -> bool:
        """Tell whether each step of a run is recorded as a span: as the handler was told, else as the client was."""
        return recorder.record_steps if self._record_steps is None else self._record_steps

    def is_ours(self, trace: TraceWriter) -> bool:
        """Tell whether a trace is the client's that was asked for."""
        return self._client is None or trace.recorder is self._client._assembled().recorder  # noqa: SLF001  (the same package)

    def trace_under(self, current: TraceWriter | None, user_id: object = None) -> TraceWriter | None:
        """Return the trace that was asked for, or the current one; None where there is none. `user_id` is for one that names no user."""
        if current is None or not self.is_ours(current):
            return None
        if self.trace_id not in (None, current.id):
            user_id = self._external_user_id or user_id or current.external_user_id
            return TraceWriter(current.recorder, self.trace_id, user_id, run_id=current.recorder.ids.next())
        user_id = self._external_user_id or (user_id if current.external_user_id is None else None)
        if user_id is not None and user_id != current.external_user_id:
            current.set_user(user_id)
        return current

    def new_trace(self, id_: object = None, user_id: object = None) -> TraceWriter | None:
        """Return a trace for a root operation, or the one that began elsewhere; None, logged once, if there is no client."""
        try:
            trace = (self._client or default_client()).trace(self.trace_id or id_, self._external_user_id or user_id)
            return writer_of(trace).in_run()
        except ConfigurationError as error:
            guard.notices.say(f"{self._framework} without a client", "%s is not recorded. %s", self._framework, error)
            return None


_origins: Living[Origin] = Living()


def is_handled(framework: str) -> bool:
    """Tell whether a handler of ours for this framework is there, or `instrument` in force: it tells more than the framework's spans."""
    return any(origin._framework == framework for origin in _origins.all())  # noqa: SLF001  (the same module)
