"""`whyops.load_trace` and `load_traces`: traces as objects, once what the default client has recorded is delivered."""

from __future__ import annotations

from functools import partial

from . import _default
from ._config import settings as _settings
from ._find import find_trace
from ._outbox.inspect import is_alive
from ._service.reader import ServiceReader
from ._store.reader import Selection, StoreReader
from ._trace.recorded import RecordedTrace
from ._trace.trace_list import TraceList
from .types import FlushResult

FLUSH_SECONDS = 5.0


def load_trace(id: str) -> RecordedTrace:  # noqa: A002  (the name that users write)
    """Return a recorded trace as objects: its events, the decision path that they make up, calls, totals.

    `id` is the trace's id, as it was given or as it is recorded, as much of the beginning as no other local trace has, or `last`. It is
    looked for in the local store and among the events that wait; with a key, at the service too. What the default client has recorded is
    delivered first, if that is quick.

    Raises:
        TraceNotFoundError: There is no such trace, or more than one.
        ServiceError: It is not here, and the service can't be asked.
    """
    settings = _settings_after_delivery()
    key = None if settings.disabled else settings.api_key
    service = None if key is None else ServiceReader(settings.analyse_base_url or "", key, settings.transport)
    return find_trace(id, _settings.home_directory(settings.home), service)


def load_traces(
    limit: int = 20,
    *,
    agent_name: str | None = None,
    external_user_id: str | None = None,
    tool: str | None = None,
    errors: bool = False,
) -> TraceList:
    """Return the traces in the local store, most recently active first, at most `limit` of them; in a notebook they are a table.

    They can be narrowed down to those of an agent, of a user, with a call of a tool, or with errors. What the default client has recorded
    is delivered first, if that is quick. Traces that only the service has are listed by `whyops list --remote`.

    Raises:
        StoreError: The local store can't be read.
    """
    home = _settings.home_directory(_settings_after_delivery().home)
    store = StoreReader(home)
    selection = Selection(errors=errors, external_user_id=external_user_id, agent_name=agent_name, tool=tool)
    ids = [one.trace_id for one in store.summaries(selection, limit=max(limit, 0))]
    return TraceList(RecordedTrace.from_events(store.events(one), one, is_alive=partial(is_alive, home)) for one in ids)


def _settings_after_delivery() -> _settings.Settings:
    """Return the settings of the default client, or else of the environment, once what the client has recorded is delivered."""
    client = _default.existing_default()
    if client is None:
        return _settings.given().completed()
    parts = client._assembled()  # noqa: SLF001  (what the client was told is nobody else's business)
    if parts.delivery is not None:
        first = parts.delivery.first  # what goes elsewhere as well is not read from there
        first.wait(first.flush(FLUSH_SECONDS, may_give_up=True), FLUSH_SECONDS, FlushResult)
    return parts.settings


def _html_of(trace: RecordedTrace) -> str:
    from ._render.notebook import render_notebook  # noqa: PLC0415  (few of those who load traces look at them in a notebook)

    return render_notebook(trace)


def _table_of(traces: TraceList) -> str:
    from ._render.notebook_table import render_table  # noqa: PLC0415  (as above)

    return render_table(traces)


RecordedTrace._to_html = _html_of  # noqa: SLF001  (a field of ours, which users need not see)
TraceList._to_html = _table_of  # noqa: SLF001  (as above)
