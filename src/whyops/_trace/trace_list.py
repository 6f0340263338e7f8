"""Several recorded traces."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from .recorded import RecordedTrace


class TraceList(tuple[RecordedTrace, ...]):
    """Recorded traces, most recently active first; in a notebook they show themselves as a table."""

    __slots__ = ()

    _to_html: ClassVar[Callable[[TraceList], str]] = repr
    """What renders them in a notebook; `_load` sets it, as renderers import this module."""

    def _repr_html_(self) -> str:
        """Show the traces in a notebook."""
        return TraceList._to_html(self)
