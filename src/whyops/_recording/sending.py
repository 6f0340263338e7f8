"""`headers`: what tells another process which trace, span and agent the work that it is sent belongs to."""

from __future__ import annotations

import time
from collections.abc import Mapping

from .._config import environment
from .._runtime import guard
from . import carrier as carriers
from . import context
from .carried import MAX_HEADER, Carried, merged, to_text
from .ids import MAX_ID, safe_id
from .trace_writer import TraceWriter


def text_of(trace: TraceWriter, span_id: str | None, *, user: bool = False) -> str:
    """Return the text that carries a trace, and a span in it, to another process; signed if `WHYOPS_TRUST_SECRET` is set."""
    parent_id, root_id = map(_safe, trace.parents())
    told = Carried(trace.id, span_id, trace.recorder.agent_name, trace.run_id, trace.external_user_id if user else None, parent_id, root_id)
    return to_text(told, environment.text(environment.TRUST_SECRET), time.time())


def _safe(told: object) -> str | None:
    """Return an id that a trace's metadata tell; None for what is none: a caller may have put it there."""
    return told if isinstance(told, str) and told == safe_id(told[:MAX_ID]) else None


def headers(carrier: Mapping[str, str] | None = None, *, user: bool = False) -> dict[str, str]:
    """Return the headers that tell another process which trace its work belongs to; `{}` outside a trace.

    They are `X-Trace-ID`, and `baggage` with the trace, the span that is current, and the agent, signed if `WHYOPS_TRUST_SECRET` is set. A
    `carrier`, such as the headers of a request that is to be sent, is left as it is; what it has as `baggage` is kept in what is returned;
    where that leaves no room in 8 kB, no `baggage` is.
    With `user` the user's id goes along. The other process takes it up with `whyops.continued`.
    """
    return _headers(carrier, user=user) or {}


@guard.recording
def _headers(carrier: object, *, user: bool) -> dict[str, str] | None:
    trace = context.current_writer()
    if trace is None:
        return None
    name, baggage = carriers.baggage_in(carrier)
    whole = merged(baggage, text_of(trace, context.span_id_in(trace), user=user))
    if len(whole) > MAX_HEADER:
        guard.notices.say(
            "baggage", "A request has no room for the trace in its baggage header, which is left as it is: it is not continued."
        )
        return {"X-Trace-ID": trace.id}
    return {"X-Trace-ID": trace.id, name: whole}
