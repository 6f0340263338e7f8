"""The page: a template, its style and script, and the traces as data that can't run.

Whatever a payload holds, nothing in it becomes markup or script. The policy in the page's head lets run only the script and the style whose
hashes it names, and lets nothing be fetched; the data are inert JSON without a `<`; the script sets text as text.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

from ..._trace.recorded import RecordedTrace
from ..step_text import IsAlive
from .data import report_data
from .pack import packed

_PIECES = ("begin", "text", "steps", "time", "graph", "table", "filters", "rows", "detail", "card", "main")
"""The script is one function, in pieces: each may use what stands before it, and in functions what stands behind it."""


def render_report(traces: Sequence[RecordedTrace], *, version: str, is_alive: IsAlive | None = None) -> str:
    """Return the page. `is_alive` is that of `step_text`."""
    style, script = _part("page.css"), "".join(_part(f"script/{name}.js") for name in _PIECES)
    index, lines = packed(report_data(traces, is_alive))
    title = traces[0].trace_id if len(traces) == 1 else f"{len(traces)} traces"
    fields = {
        "policy": escape(
            f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'"
        ),
        "title": escape(f"{title} · whyops".encode("utf-8", "replace").decode()),
        "style": style,
        "script": script,
        "version": escape(version),
        "data": inert(index),
        "lines": "\n".join(map(inert, lines)),
    }
    page = _part("page.html")
    for name, text in fields.items():
        before, mark, after = page.partition(f"<!-- {name} -->")
        assert mark, name  # noqa: S101  (the template is ours)
        page = before + text + after
    return page


def inert(value: object) -> str:
    """Return a value as JSON that a browser takes for data wherever it stands: no `<`, `>` or `&`, and ASCII alone."""
    text = json.dumps(value, separators=(",", ":"), default=str)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@lru_cache
def _part(name: str) -> str:
    return (Path(__file__).parent / name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
