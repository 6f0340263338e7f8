"""`continued`: a block in the trace that another process sent its work from, if this one trusts it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from . import _default
from ._config import defaults, environment
from ._recording import carrier as carriers
from ._recording.blocks import trace_of
from ._recording.carried import Carried, from_text, is_signed, own_trace_id
from ._recording.trace import Trace
from ._recording.trace_writer import TraceWriter
from ._runtime import guard
from ._runtime.safely import safely_or
from .errors import ConfigurationError

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._delivery.fan_out import AnyDelivery

Trust = bool | str | Callable[[object], object] | None
"""Whom to trust: everybody, or nobody; who signs with this secret; whom a function accepts. None: who signs with `WHYOPS_TRUST_SECRET`."""

_ADVICE = {
    "malformed": "A request named a trace in a form that can't be read, or that is too long: it is not continued.",
    "untrusted": (
        "A request named a trace of another process, which is not continued: nothing says that its sender is trusted. "
        "Set WHYOPS_TRUST_SECRET to the same secret in both processes, or pass trust=…."
    ),
}


class Continued:
    """A block in the trace that another process sent its work from; where there is none, a block that does nothing.

    `trace` is that trace, or None.
    """

    __slots__ = ("trace",)

    def __init__(self, trace: Trace | None) -> None:
        self.trace: Trace | None = trace

    def __enter__(self) -> Trace | None:
        return None if self.trace is None else self.trace.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        if self.trace is not None:
            self.trace.__exit__(kind, error, stack)

    async def __aenter__(self) -> Trace | None:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        if self.trace is not None:
            await self.trace.__aexit__(kind, error, stack)

    def __deepcopy__(self, _memo: object = None) -> Self:
        return self


def continued(carrier: object, *, trust: Trust = None) -> Continued:
    """Return a block, for `with` or `async with`, in the trace that `carrier` names, under the span that it was sent from.

    `carrier` is what `whyops.headers()` went along with: a request's headers, in any case, also as pairs of bytes; the headers of a Celery
    task; MCP's `_meta`. Where it names no trace, or is not trusted, the block does nothing, and gives None in place of the trace.

    `trust` is True, or a function that is given `carrier`, or a secret that the sender has as `WHYOPS_TRUST_SECRET`; left out, the one that
    this process has there. Without any, no context is trusted: whoever can reach a server could else write into its traces. A signature
    holds for a day. What is malformed or not trusted is logged, and counted in `whyops status`.

    Where this process's agent is another, the service keeps its own trace of it, whose events name the other as `parentTraceId`.
    """
    return continuing(carrier, trust, carrier)


def continuing(carrier: object, trust: Trust, asked: object) -> Continued:
    """Do as `continued` does; what a function that decides about trust is given is `asked`."""
    return _continued(carrier, trust, asked) or Continued(None)


@guard.recording
def _continued(carrier: object, trust: Trust, asked: object) -> Continued | None:
    text = carriers.text_in(carrier)
    if text is None:
        return None
    context = from_text(text)
    if context is None:
        _ignore("malformed")
        return None
    if not _is_trusted(text, trust, asked):
        _ignore("untrusted")
        return None
    try:
        return Continued(_trace(context))
    except ConfigurationError as error:
        guard.notices.say("continued", "A trace of another process can't be continued here. %s", error)
        return None


def _ignore(why: str) -> None:
    guard.notices.say(f"continued:{why}", _ADVICE[why])
    with contextlib.suppress(ConfigurationError):  # several clients are open, and nobody knows whose work it was; or a setting is wrong
        client = _default.existing_default()
        delivery = _delivery_without_client() if client is None else client._assembled().delivery  # noqa: SLF001  (the same package)
        if delivery is not None:
            delivery.ignore(why)


_without_client: AnyDelivery | None = None


def _delivery_without_client() -> AnyDelivery | None:
    """Return what counts where no client was used yet: a stranger must not make one, which would record tools outside a trace."""
    global _without_client  # noqa: PLW0603  (made once: strangers may come often)
    if _without_client is None and not environment.is_disabled():
        from ._assembly import assemble  # noqa: PLC0415  (most programs need it not, or have a client)
        from ._config import settings  # noqa: PLC0415  (as above)

        name = environment.text("WHYOPS_AGENT_NAME") or defaults.AGENT_NAME
        _without_client = assemble(settings.given(agent_name=name), tuple).delivery
    return _without_client


def _is_trusted(text: str, trust: Trust, asked: object) -> bool:
    if isinstance(trust, bool):
        return trust
    if trust is not None and not isinstance(trust, str):
        return bool(safely_or(trust, asked, None))
    secret = trust or (environment.text(environment.TRUST_SECRET) if trust is None else None)
    return secret is not None and is_signed(text, secret, time.time())


def _trace(context: Carried) -> Trace:
    parts = _default.default_client()._assembled()  # noqa: SLF001  (the same package)
    own_name, settings = parts.recorder.agent_name, parts.settings
    is_others = context.agent_name not in (None, own_name) and settings.api_key is not None and settings.sink is None
    trace_id = own_trace_id(context, own_name) if is_others else context.trace_id
    writer = TraceWriter(parts.recorder, trace_id, context.user_id, None, context.run_id)
    writer.sent_from = context.span_id
    if is_others:
        writer.came_from(context.trace_id, context.root_id or context.parent_id)
        guard.notices.say(
            f"own trace of {own_name}",
            "Agent %s continues trace %s of agent %s under an id of its own, %s: on the service a trace belongs to one agent.",
            own_name,
            context.trace_id,
            context.agent_name,
            trace_id,
            level=guard.INFO,
        )
    elif context.parent_id is not None:
        writer.came_from(context.parent_id, context.root_id)
    return trace_of(Trace, writer)
