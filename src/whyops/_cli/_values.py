"""Values on the command line: counts, lengths of time, dates, sizes and shares."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import datetime, timedelta

from .._listing.moments import age_of, moment_of

LEAST_BUDGET = 100
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmMgG]?)[bB]?", re.ASCII)
_SIZE_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_SHARE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(%?)", re.ASCII)


def count(text: str) -> int:
    """Read a number of at least 1."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def port(text: str) -> int:
    """Read the number of a port; 0 is any that is free."""
    number = int(text)
    if not 0 <= number <= 65_535:
        raise ValueError
    return number


def budget(text: str) -> int:
    """Read a number of tokens that is enough to say something."""
    number = int(text)
    if number < LEAST_BUDGET:
        raise ArgumentTypeError(f"must be at least {LEAST_BUDGET} tokens")
    return number


def seconds(text: str) -> float:
    """Read a time limit in seconds."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError
    return number


def age(text: str) -> timedelta:
    """Read a length of time: a number and its unit, one of s, m, h, d and w."""
    found = age_of(text)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is not a length of time such as 12h or 30d")
    return found


def moment(text: str) -> datetime:
    """Read a time in the past: how long ago, or a date with or without a time, in the machine's own zone if it names none."""
    found = moment_of(text)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is neither a length of time such as 12h nor a date such as 2026-11-20")
    return found


def size(text: str) -> int:
    """Read a number of bytes, with a unit or without."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ArgumentTypeError(f"{text!r} is not a size such as 500MB")
    return int(float(found[1]) * _SIZE_UNITS[found[2].lower()])


def share(text: str) -> float:
    """Read a share from 0 to 1, also written in percent."""
    found = _SHARE.fullmatch(text.strip())
    number = -1.0 if found is None else float(found[1]) / (100 if found[2] else 1)
    if not 0 <= number <= 1:
        raise ArgumentTypeError(f"{text!r} is not a share from 0 to 1, or from 0% to 100%")
    return number
