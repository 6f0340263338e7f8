"""The report and a notebook's view of a trace, judged by axe-core: nothing in them is hard to reach or to read."""

from __future__ import annotations

from importlib.resources import files

import pytest

from tests._render.recordings import conversation
from whyops import RecordedTrace, TraceList

from .page import Page
from .test_long_runs import research

JUDGE = """
    const done = arguments[0];
    axe.run(document, {resultTypes: ['violations']}).then(
        found => done(found.violations.map(one => [one.id, one.impact, one.nodes.map(node => node.target.join(' ')).slice(0, 3)])),
        error => done([['failed', 'serious', [String(error)]]]));
"""


def violations(page: Page) -> list[object]:
    """Return what axe-core finds that is serious or worse."""
    page.run(files("axe_core_python").joinpath("axe.min.js").read_text("utf-8"))
    return [one for one in page.browser.execute_async_script(JUDGE) if one[1] in ("serious", "critical")]


@pytest.mark.parametrize("width", [400, 1600])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_serious(page: Page, width: int, *, dark: bool) -> None:
    """On a phone and on a wide screen, light or dark; with a step that is open, and with all panels and the keys."""
    page.look(width=width, height=900, dark=dark)
    page.open(research().events, conversation())
    assert violations(page) == []
    page.run("for (const box of document.querySelectorAll('details')) box.open = true; document.querySelector('.row.failed, .row').click()")
    assert violations(page) == []
    page.run("document.querySelector('#help').click()")
    assert violations(page) == []


@pytest.mark.parametrize("is_light", ["true", "false"])
def test_nothing_serious_in_a_notebook(page: Page, is_light: str) -> None:
    """A trace and a list of traces in a notebook, light or dark, have the colours that can be read on its ground."""
    trace = RecordedTrace.from_events(conversation())
    ground, text = ("#ffffff", "#000000") if is_light == "true" else ("#111111", "#e0e0e0")
    page.show(
        f'<!doctype html><html lang="en"><title>x</title><body data-jp-theme-light="{is_light}" style="background:{ground};color:{text}">'
        f"<main><h1>x</h1>{trace._repr_html_()}{TraceList([trace])._repr_html_()}</main>"
    )
    page.run("for (const box of document.querySelectorAll('details')) box.open = true")
    assert violations(page) == []
    colors = {page.run("return getComputedStyle(arguments[0]).color", name) for name in page.all("summary > b")}
    assert len(colors) >= 4
