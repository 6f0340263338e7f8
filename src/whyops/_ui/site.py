"""What each address answers, whoever asks: the page, a trace's report, and the data behind them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from http import HTTPStatus
from pathlib import Path

from .._find import trace_of
from .._listing.listing import Listing
from .._listing.query import Query
from .._listing.search import node_of
from .._outbox.inspect import is_alive
from .._render.page.data import report_data
from .._render.page.exact import inert
from .._render.page.html import render_report
from .._service.reader import ServiceReader
from .._trace.recorded import RecordedTrace
from .._wire.read import RecordedEvent, decode
from ..errors import ConfigurationError, ServiceError, TraceNotFoundError, WhyOpsError
from .change import change_number
from .removal import remove
from .service_list import service_page
from .shell import FRAME_POLICY, render_shell, render_trouble, shell_policy

_RECENT_TRACES, _RECENT_EVENTS, _MOST_NAMES = 5000, 2000, 300

HTML = "text/html; charset=utf-8"

Asked = Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """An answer. `policy` is its content security policy."""

    status: int
    kind: str = "application/json"
    body: bytes = b""
    policy: str = "default-src 'none'; frame-ancestors 'none'"


NOTHING = Reply(HTTPStatus.NOT_FOUND)


class Site:
    """Answers for the traces below `home`, and with a reader for those of the service. Reads only, unless `may_delete`."""

    def __init__(self, home: Path, *, version: str, service: ServiceReader | None = None, may_delete: bool = False) -> None:
        self._home = home
        self._version = version
        self._service = service
        self._may_delete = may_delete
        self._listing = Listing(home)
        self._pages: dict[str, Callable[[Asked], Reply]] = {
            "/": self._shell,
            "/trace": self._report,
            "/api/traces": self._traces,
            "/api/trace": self._trace,
            "/api/names": self._names,
            "/api/change": self._change,
        }
        self._changes: dict[str, Callable[[Asked], Reply]] = {"/api/delete": self._delete} if may_delete else {}

    def answer(self, method: str, path: str, asked: Asked) -> Reply:
        """Return the answer to a question, with the fields of its address, or to a change, with those of its body."""
        known = {"GET": self._pages, "POST": self._changes}.get(method, {}).get(path)
        if known is None:
            return NOTHING
        try:
            return known(asked)
        except TraceNotFoundError as error:
            return _data({"error": str(error)}, HTTPStatus.NOT_FOUND)
        except ServiceError as error:
            return _data({"error": str(error)}, HTTPStatus.BAD_GATEWAY)
        except WhyOpsError as error:
            return _data({"error": str(error)}, HTTPStatus.SERVICE_UNAVAILABLE)

    def _shell(self, _: Asked) -> Reply:
        facts = {"home": str(self._home), "service": self._service.analyse_url if self._service else None, "mayDelete": self._may_delete}
        page = render_shell(facts, self._version)
        return Reply(HTTPStatus.OK, HTML, page.encode(), shell_policy())

    def _report(self, asked: Asked) -> Reply:
        try:
            trace = self._load(asked)
        except WhyOpsError as error:
            return Reply(HTTPStatus.NOT_FOUND, HTML, render_trouble(str(error)).encode("utf-8", "replace"), FRAME_POLICY)
        page = render_report([trace], version=self._version, is_alive=partial(is_alive, self._home))
        return Reply(HTTPStatus.OK, HTML, page.encode(), FRAME_POLICY)

    def _trace(self, asked: Asked) -> Reply:
        return _data(report_data([self._load(asked)], partial(is_alive, self._home)))

    def _load(self, asked: Asked) -> RecordedTrace:
        return trace_of(asked.get("id", ""), self._home, self._reader() if asked.get("source") == "service" else None)

    def _traces(self, asked: Asked) -> Reply:
        now = datetime.now(timezone.utc)
        if asked.get("source") == "service":
            return _data(service_page(self._reader(), asked, now))
        change = change_number(self._home)  # before reading: what comes in meanwhile is another change
        query = Query.of(asked, now)
        page = self._listing.page(query)
        return _data(
            {
                "traces": [row.data() for row in page.rows],
                "cursor": None if page.cursor is None else page.cursor.text(),
                "lookedAt": page.looked_at,
                "total": None if asked.get("cursor") else self._listing.count(query),
                "unreadBytes": self._listing.unread_bytes,
                "change": change,
            }
        )

    def _names(self, _: Asked) -> Reply:
        agents, users, tools = self._listing.store.names(_RECENT_TRACES)
        lines = self._listing.store.latest_lines(_RECENT_EVENTS)
        waiting = [event for events in self._listing.waiting().values() for event in events]
        events = [*waiting, *(RecordedEvent(event) for line in lines if (event := decode(line)) is not None)]
        nodes = {node for event in events if (node := node_of(event))}
        agents = sorted({*agents, *(event.agent_name for event in waiting if event.agent_name)})
        users = sorted({*users, *(event.external_user_id for event in waiting if event.external_user_id)})
        tools = sorted({*tools, *(event.tool for event in waiting if event.tool)})
        lists = {"agents": agents, "users": users, "tools": tools, "nodes": sorted(nodes)}
        return _data({name: found[:_MOST_NAMES] for name, found in lists.items()})

    def _change(self, asked: Asked) -> Reply:
        change = change_number(self._home)
        if "id" not in asked:
            return _data({"change": change})
        waiting = len(self._listing.waiting().get(asked["id"], ()))
        number = self._listing.store.numbers_of([asked["id"]]).get(asked["id"], 0)
        stored = self._listing.store.summaries_of([number]).get(number)
        return _data({"change": change, "trace": f"{0 if stored is None else stored.events} {waiting}"})

    def _delete(self, asked: Asked) -> Reply:
        return _data(remove(self._home, asked.get("id", "")))

    def _reader(self) -> ServiceReader:
        if self._service is None:
            raise ConfigurationError("This needs an API key: set WHYOPS_API_KEY, and start `whyops ui` again.")
        return self._service


def _data(value: object, status: int = HTTPStatus.OK) -> Reply:
    return Reply(status, body=inert(value).encode())


def fields_of(body: bytes) -> Asked:
    """Return the texts of a JSON object in a request's body; none of anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}
