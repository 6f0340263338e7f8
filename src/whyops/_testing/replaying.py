"""What the stand-ins of tools and models ask of a replay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from .._trace.steps import ToolCall
from .given import Given


class Replaying(Protocol):
    """A replay that goes on."""

    def call(self, name: str, arguments: Mapping[str, Any], trouble: Callable[[ToolCall, Given], str] = ...) -> Given:
        """Return what a tool gave when it was called so; `trouble` may say why that can't be given back."""
        ...
