"""The page: a template, its style and script, and the traces as data that can't run.

Whatever a payload holds, nothing in it becomes markup or script. The policy in the page's head lets run only the script and the style whose
hashes it names, and lets nothing be fetched; the data are inert JSON without a `<`; the script sets text as text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

from ..._trace.recorded import RecordedTrace
from ..step_text import IsAlive
from .data import TracePage
from .exact import inert
from .pack import packed

_PIECES = ("begin", "text", "steps", "time", "graph", "table", "filters", "rows", "detail", "card", "main")
"""The script is one function, in pieces: each may use what stands before it, and in functions what stands behind it."""


def render_report(traces: Sequence[RecordedTrace], *, version: str, is_alive: IsAlive | None = None) -> str:
    """Return the page. `is_alive` is that of `step_text`."""
    return "".join(report_parts(traces, version=version, is_alive=is_alive))


def report_parts(traces: Sequence[RecordedTrace], *, version: str, is_alive: IsAlive | None = None) -> Iterator[str]:
    """Yield the page from its beginning to its end: of a long trace it is longer than what it is made of."""
    style, script = _part("page.css"), "".join(_part(f"script/{name}.js") for name in _PIECES)
    index, lines = packed([TracePage(trace, is_alive) for trace in traces])
    title = traces[0].trace_id if len(traces) == 1 else f"{len(traces)} traces"
    fields = {
        "policy": escape(
            f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'"
        ),
        "title": escape(f"{title} · whyops".encode("utf-8", "replace").decode()),
        "style": style,
        "data": inert(index),
        "lines": _joined(lines),
        "script": script,
        "version": escape(version),
    }
    page = _part("page.html")
    for name, parts in fields.items():
        before, mark, page = page.partition(f"<!-- {name} -->")
        assert mark, name  # noqa: S101  (the template is ours)
        yield before
        yield from (parts,) if isinstance(parts, str) else parts
    yield page


def _joined(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"\n{line}" if number else line


@lru_cache
def _part(name: str) -> str:
    return (Path(__file__).parent / name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
