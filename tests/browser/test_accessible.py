"""The report and a notebook's view of a trace, judged by axe-core: nothing in them is hard to reach or to read."""

from __future__ import annotations

from importlib.resources import files

import pytest

from tests._render.recordings import conversation

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
