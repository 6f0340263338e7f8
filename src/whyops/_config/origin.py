"""Where a client comes from: a token that identifies it in the process that made it, and a function that returns its settings."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .settings import Settings


class Origin:
    """Found by its token in the process that made it; a pickle contains the token, and the settings for other processes."""

    def __init__(self, check: Callable[[], Settings]) -> None:
        self.check = check
        self._token = os.urandom(16).hex()
        _origins[self._token] = self

    @staticmethod
    def of(token: str) -> Origin | None:
        """Return the origin that has this token, if it is of this process, or was there when that was forked."""
        return _origins.get(token)

    @staticmethod
    def unpacked(settings: bytes) -> Origin:
        """Return an origin with the settings of a pickle."""
        from .pickling import unpacked  # noqa: PLC0415  (`import whyops` does not pay for what a program may never use)

        given = unpacked(settings)
        return Origin(lambda: given)

    def packed(self) -> tuple[str, bytes]:
        """Return what goes into a pickle: the token, and the settings without key, transport and sink."""
        from .pickling import packed  # noqa: PLC0415  (as above)

        return self._token, packed(self.check())


_origins: weakref.WeakValueDictionary[str, Origin] = weakref.WeakValueDictionary()
