"""What a page of the list is asked for: which traces, a text in them, and where the last page ended. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from .._store.newest import BEGINNING, Position
from .._store.reader import Selection
from .search import Wanted

MOST = 200
USUAL = 50
PERIODS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1), "month": timedelta(days=30)}


class Cursor(NamedTuple):
    """Where a page ended: the last trace of the store that was looked at, and the last of those with waiting events, by time and id."""

    stored: Position = BEGINNING
    waiting: tuple[str, str] = ("~", "")

    def text(self) -> str:
        """Return it as it comes back with the next question."""
        return json.dumps([*self.stored, *self.waiting])

    @classmethod
    def of(cls, text: str) -> Cursor:
        """Read what `text` returned; anything else is the beginning."""
        try:
            active_at, trace, waiting_at, waiting_id = json.loads(text)
            return cls(Position(str(active_at), int(trace)), (str(waiting_at), str(waiting_id)))
        except (ValueError, TypeError, RecursionError):
            return cls()


@dataclass(frozen=True)
class Query:
    """A question for a page of the list. `wanted` are the texts and the node that all must be found in a trace.

    `brief`: only the traces that were active last need be looked through, as one asks who has the rest.
    """

    selection: Selection
    wanted: tuple[Wanted, ...]
    cursor: Cursor
    limit: int
    brief: bool = False

    @classmethod
    def of(cls, asked: Mapping[str, str], now: datetime) -> Query:
        """Read the fields of an address; those that are empty or mean nothing select all."""
        period = PERIODS.get(asked.get("since", ""))
        since = None if period is None else (now - period).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        selection = Selection(
            errors=asked.get("errors") == "1",
            external_user_id=asked.get("user") or None,
            agent_name=asked.get("agent") or None,
            tool=asked.get("tool") or None,
            since=since,
        )
        limit = asked.get("limit", "")
        return cls(
            selection,
            tuple(Wanted.all_of(asked.get("q", "").strip(), asked.get("node", ""))),
            Cursor.of(asked.get("cursor", "")),
            min(int(limit), MOST) if limit.isascii() and limit.isdigit() and 0 < len(limit) < len(str(MOST)) + 1 and int(limit) else USUAL,
            asked.get("brief") == "1",
        )
