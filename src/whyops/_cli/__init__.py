"""The command `whyops`: look at what was recorded. One file per command."""

from ._main import main

__all__ = ["main"]
