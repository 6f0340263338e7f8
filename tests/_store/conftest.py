"""Sinks that are closed when their test ends: an SQLite connection that is only dropped is a warning, and so an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from whyops._store.sink import SqliteSink

MakeSink = Callable[..., SqliteSink]


@pytest.fixture
def make_sink() -> Iterator[MakeSink]:
    """Give what makes sinks."""
    made: list[SqliteSink] = []

    def make(home: Path, **options: object) -> SqliteSink:
        made.append(SqliteSink(home, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for sink in made:
        sink.close()
