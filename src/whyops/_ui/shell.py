"""The page around the traces: a template, its style and script, the report's palette. It carries no trace; its script asks for them.

The policy lets run only the script and the style whose hashes it names, and lets the page reach this server alone, for data and for the
reports that it shows in frames.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from importlib import resources
from pathlib import Path

from .._render import page as report
from .._render.page.exact import inert

FRAME_POLICY = "frame-ancestors 'self'; base-uri 'none'; form-action 'none'; object-src 'none'"
"""Of a report, whose own policy stands in its head: only the page around may show it in a frame."""
_PALETTE = re.compile(r"^:root[^{]*\{[^}]*\}", re.MULTILINE)


@lru_cache
def _part(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


@lru_cache
def _style() -> str:
    """Return the style, in the report's colours."""
    return "\n".join([*_PALETTE.findall(resources.files(report).joinpath("page.css").read_text("utf-8")), _part("shell.css")])


def shell_policy() -> str:
    """Return the page's content security policy."""
    return (
        f"default-src 'none'; script-src '{_hash(_part('shell.js'))}'; style-src '{_hash(_style())}'; connect-src 'self'; "
        "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def render_shell(facts: Mapping[str, object], version: str) -> str:
    """Return the page. `facts` are what its script knows before it asks, in JSON types."""
    fields = {"style": _style(), "script": _part("shell.js"), "version": escape(version), "facts": inert(facts)}
    page = _part("shell.html")
    for name, text in fields.items():
        page = page.replace(f"<!-- {name} -->", text)
    return page


def render_trouble(text: str) -> str:
    """Return what a frame shows where there is no report."""
    return (
        f'<!doctype html><html lang="en"><meta name="color-scheme" content="light dark"><title>whyops</title><p>{escape(text)}</p></html>'
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
