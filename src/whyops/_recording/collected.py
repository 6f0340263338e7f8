"""What a generator yielded, encoded as it came and bounded as a whole."""

from __future__ import annotations

from .._encoding import Encoded
from .._runtime import guard
from .tool_call import ToolCall

_FOR_THE_CUT = 64
"""Bytes of the bound that are kept for saying what was left out."""


class Collected:
    """The items of one generator. Each is encoded when it is yielded, as the consumer may change it; past the bound they are counted.

    Together they take no more than one value may. Without a call it keeps nothing.
    """

    __slots__ = ("_cuts", "_items", "_left_out", "_recorder", "_redactions", "_room")

    def __init__(self, call: ToolCall | None) -> None:
        self._recorder = None if call is None else call.trace.recorder
        self._items: list[str] = []
        self._room = 0 if call is None else call.trace.recorder.max_value_bytes - _FOR_THE_CUT
        self._cuts = 0
        self._redactions = 0
        self._left_out = 0

    @guard.recording
    def add(self, item: object) -> None:
        """Encode one item, while there is room."""
        recorder = self._recorder
        if recorder is None:
            return
        if self._left_out:
            self._left_out += 1
            return
        encoded, cuts, redactions = recorder.encode(recorder.shown(item))
        self._room -= 1 + (len(encoded) if encoded.isascii() else len(encoded.encode()))
        if self._room < 0 and self._items:
            self._left_out = 1
            return
        self._items.append(encoded)
        self._cuts += cuts
        self._redactions += redactions

    def results(self) -> Encoded:
        """Return the `toolResults` object of all that was yielded."""
        items = self._items
        if self._left_out:
            items = [*items, f'"[cut: {len(items)} of {len(items) + self._left_out} items]"']
        return f'{{"result":[{",".join(items)}]}}', self._cuts + bool(self._left_out), self._redactions
