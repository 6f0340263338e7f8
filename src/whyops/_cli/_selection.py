"""The words that choose among the recorded traces, the same in each command that takes them."""

from __future__ import annotations

import argparse
import re
from datetime import datetime, timedelta, timezone

from .._store.reader import Selection, StoreReader

_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Declare the words."""
    group = parser.add_argument_group("which traces")
    group.add_argument("--errors", action="store_true", help="only those with an error")
    group.add_argument("--user", metavar="ID", help="only this user's")
    group.add_argument("--tool", metavar="NAME", help="only those that called this tool")
    group.add_argument("--agent", metavar="NAME", help="only this agent's")
    group.add_argument("--since", type=moment, metavar="WHEN", help="only those active since: 30m, 12h, 7d, or a date such as 2026-11-20")


def selection_of(arguments: argparse.Namespace) -> Selection:
    """Return which traces were asked for."""
    since: datetime | None = arguments.since
    return Selection(
        errors=arguments.errors,
        external_user_id=arguments.user,
        agent_name=arguments.agent,
        tool=arguments.tool,
        since=None if since is None else since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    )


def is_given(arguments: argparse.Namespace) -> bool:
    """Tell whether any of the words was used."""
    return selection_of(arguments) != Selection()


def chosen_ids(arguments: argparse.Namespace, reader: StoreReader) -> list[str]:
    """Return the ids that were named, or of all traces that are selected, the oldest first."""
    if arguments.traces:
        return [reader.resolve(wanted) for wanted in arguments.traces]
    return [summary.trace_id for summary in reversed(reader.summaries(selection_of(arguments)))]


def age(text: str) -> timedelta:
    """Read a length of time: a number and its unit, one of s, m, h, d and w."""
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time such as 12h or 30d")
    return timedelta(**{_UNITS[found[2]]: float(found[1])})


def moment(text: str) -> datetime:
    """Read a moment: so long ago, or a date with or without a time, in the machine's own zone if it names none."""
    if _AGE.fullmatch(text.strip()):
        return datetime.now(timezone.utc) - age(text)
    try:
        return datetime.fromisoformat(text.strip().replace("Z", "+00:00")).astimezone()
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a length of time such as 12h nor a date such as 2026-11-20") from None
