"""A trace in a notebook."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests._render.real_runs import recorded
from tests._render.recordings import Run, conversation
from whyops import RecordedTrace
from whyops._render.notebook import STYLE


class Checked(HTMLParser):
    """Collects tags, attributes and texts, and sees to it that tags are closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def html_of(events: list[dict[str, object]]) -> str:
    return RecordedTrace.from_events(events)._repr_html_()


def test_it_shows_the_path() -> None:
    """The steps are there with their values, to be unfolded without a script."""
    page = Checked(html_of(conversation()))
    assert page.tags == {"div", "details", "summary", "b", "span", "style"}
    assert page.attributes == {"class", "style", "open"}
    assert page.texts[0] == STYLE.removeprefix("<style>").removesuffix("</style>")
    text = " ".join(page.texts)
    assert "search_orders" in text
    assert "shop.PaymentError: paid by voucher" in text
    assert "no response recorded" in text
    assert "incomplete: 2 values cut" in text


def test_hostile_values_are_text() -> None:
    """Nothing in a payload becomes markup or an attribute."""
    run = Run('"><script>alert(1)</script>')
    evil = "</div></details><script>alert(1)</script><img src=x onerror=alert(1) style='x'>\x00\u202e\ud800"
    run.user(evil)
    run.model(evil, [(evil, {evil: evil})])
    run.tool(evil, {evil: evil}, {evil: evil}, "s1")
    run.add("error", {"message": evil, "stack": evil})
    run.add(evil, {evil: evil})
    page = Checked(html_of(run.events))
    assert page.tags == {"div", "details", "summary", "b", "span", "style"}
    assert page.attributes == {"class", "style", "open"}


def test_both_palettes() -> None:
    """Each colour has a light and a dark form, which the notebook's own mark chooses; without styles the light one stands."""
    html = html_of(conversation())
    used = set(re.findall(r"color:var\(--whyops-(\w+),(#\w{6})\)", html))
    assert {name for name, _ in used} >= {"user", "model", "tool", "error", "warn"}
    light, dark = (dict(re.findall(r"--whyops-(\w+):(#\w{6})", part)) for part in re.findall(r"\{(.*?)\}", STYLE))
    assert used <= set(light.items())
    assert dark.keys() == light.keys()
    assert not set(light.values()) & set(dark.values())
    assert '[data-jp-theme-light="false"] .whyops' in STYLE


def test_it_stays_small() -> None:
    """Long values are cut, and of a long run the beginning is shown, with how to see the rest."""
    run = Run()
    for number in range(2000):
        run.tool("f", {"n": number, "text": "x" * 10_000}, "y" * 10_000, f"s{number}")
    html = html_of(run.events)
    assert len(html) < 4_000_000
    assert "1,700 more steps" in html
    assert Checked(html)


def test_odd_traces() -> None:
    """A trace without events, and events that lack anything, are shown, too."""
    assert Checked(html_of([]))
    assert Checked(
        html_of([{}, {"eventType": "tool_call_response"}, {"eventType": "embedding_request"}, {"eventType": "x", "content": [1]}])
    )


def test_it_tells_who_acts_and_what_became_of_calls() -> None:
    """Where another agent begins to act, and where a human or a middleware came between."""
    texts = "\n".join(Checked(html_of(recorded("hand_off"))).texts + Checked(html_of(recorded("reviewed"))).texts)
    for words in (
        "desk: \nmodel desk-model",
        "billing: \nmodel billing-model",
        "a human changed it: the model chose weather",
        "Too expensive.",
    ):
        assert words in texts
