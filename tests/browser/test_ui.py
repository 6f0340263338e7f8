"""`whyops ui` in a real browser: found, opened, compared and deleted by keys alone, growing meanwhile, and deaf to what payloads try."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests._cli.test_commands import store
from tests._render.recordings import Run
from tests.browser.test_report import HOSTILE
from whyops._ui.server import UiServer
from whyops._ui.site import Site

from .page import Keys, Page
from .test_accessible import violations

Open = Callable[[], Page]


def run_of(number: int, *, word: str = "nothing special") -> Run:
    run = Run(f"run-{number}")
    run.user(f"question {number}")
    run.tool("look_up", {"number": number}, {"text": word}, "s1")
    run.model(f"answer {number}", usage={"promptTokens": 10, "completionTokens": 5, "totalTokens": 15})
    for event in run.events:
        event["timestamp"] = f"2026-11-23T18:{number:02d}{str(event['timestamp'])[16:]}"
    return run


@pytest.fixture
def opened(page: Page, home: Path) -> Iterator[Open]:
    """Open the page of what the home has by then."""
    servers: list[UiServer] = []

    def start() -> Page:
        server = UiServer(Site(home, version="0", may_delete=True))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        page.browser.get_log("performance")
        page.browser.get_log("browser")
        page.browser.get(server.address)
        return page

    yield start
    page.browser.get("about:blank")
    for server in servers:
        server.shutdown()
        server.server_close()


def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def asked(page: Page) -> list[str]:
    return page.texts("#list .go")


def test_by_keys_alone(opened: Open, home: Path) -> None:
    """A trace is found by a word in a tool's result, opened, seen to grow, and compared with another, without a mouse."""
    runs = [run_of(number, word="a rare pelican" if number == 3 else "nothing special") for number in range(6)]
    store(home, *runs)
    page = opened()
    until(lambda: asked(page) == [f"question {number}" for number in reversed(range(6))])
    page.press("/", "pelican")
    until(lambda: asked(page) == ["question 3"])
    assert page.texts(".found mark") == ["pelican"]
    page.press(Keys.ENTER)
    assert page.run("return document.activeElement.className") == "go"
    page.press(Keys.ENTER)
    until(lambda: page.all("iframe") and page.run("return document.activeElement.tagName") == "IFRAME")
    page.browser.switch_to.frame(0)
    assert page.names == ["user", "look_up", "openai/gpt-4o-mini"]
    page.press("j", "j")
    runs[3].tool("look_again", {}, 1, "s2")
    store(home, runs[3])
    until(lambda: page.names == ["user", "look_up", "openai/gpt-4o-mini", "look_again"])
    assert page.selected == "look_up"
    page.press("u")
    page.browser.switch_to.default_content()
    until(lambda: page.run("return document.activeElement.className") == "go")
    page.press("c", Keys.ESCAPE, Keys.ESCAPE)
    until(lambda: len(asked(page)) == 6)
    page.press("j", "c", "j", "c")
    until(lambda: len(page.all("iframe")) == 2)
    assert [frame.get_attribute("title") for frame in page.all("iframe")] == ["Trace run-3", "Trace run-5"]
    page.browser.switch_to.frame(1)
    until(lambda: "answer 5" in "".join(page.texts(".row .second")))
    page.press(Keys.ESCAPE)
    page.browser.switch_to.default_content()
    until(lambda: page.one("#list-view").is_displayed())


def test_the_list_grows(opened: Open, home: Path) -> None:
    """A trace that another recorder stores is there soon, on top, and what one looks at keeps the focus."""
    page = opened()
    until(lambda: "No trace has been recorded yet" in page.one("#message").text)
    store(home, run_of(1))
    until(lambda: asked(page) == ["question 1"])
    page.press("j")
    store(home, run_of(2))
    until(lambda: asked(page) == ["question 2", "question 1"])
    assert page.run("return document.activeElement.textContent") == "question 1"
    assert page.count == "2 traces"
    page.run("document.querySelector('#q').focus()")
    number = iter(range(3, 100))
    until(lambda: page.texts("#tool option") == ["Any tool", "look_up"] or store(home, run_of(next(number) % 50)))


def test_filters_stand_in_the_address(opened: Open, home: Path) -> None:
    """What is filtered is in the address, so that going back and loading again keep it."""
    other = run_of(2)
    for event in other.events:
        event["agentName"] = "billing"
    store(home, run_of(1), other)
    page = opened()
    until(lambda: len(page.all("#agent option")) == 3)
    page.choose("#agent", "billing")
    until(lambda: asked(page) == ["question 2"])
    page.browser.refresh()
    until(lambda: asked(page) == ["question 2"])
    page.one("#clear").click()
    until(lambda: len(asked(page)) == 2)


def test_deleting_asks_first(opened: Open, home: Path) -> None:
    """A trace goes when that is confirmed, and stays when it is not."""
    store(home, run_of(1), run_of(2))
    page = opened()
    until(lambda: len(asked(page)) == 2)
    page.press("j", "x")
    assert "run-2" in page.one("#confirm-what").text
    page.press(Keys.ENTER)
    assert len(asked(page)) == 2
    page.press("x")
    page.press(Keys.TAB, Keys.ENTER)
    until(lambda: asked(page) == ["question 1"])


def test_hostile_payloads_are_text(opened: Open, home: Path) -> None:
    """Whatever a payload holds, in whatever place, it is shown as text, and nothing is fetched from elsewhere."""
    for number, text in enumerate(HOSTILE):
        run = run_of(number)
        run.events[0]["content"] = [{"role": "user", "content": text}]
        run.tool(text, {text: text}, text, "s9")
        for event in run.events:
            event |= {"traceId": f"{number}{text}", "agentName": text, "externalUserId": text}
        store(home, run)
    page = opened()
    until(lambda: len(asked(page)) == len(HOSTILE))
    page.press("/", "hacked")
    until(lambda: page.all(".found mark"))
    page.press(Keys.ENTER, Keys.ENTER)
    until(lambda: page.all("iframe"))
    page.browser.switch_to.frame(0)
    until(lambda: page.all(".row"))
    assert page.run("return window.hacked === undefined && window.parent.hacked === undefined")
    page.browser.switch_to.default_content()
    host = page.browser.current_url.split("/?")[0]
    assert [url for url in page.requests if not url.startswith(host)] == []


@pytest.mark.parametrize("width", [400, 760, 1100, 1600])
def test_it_fits(opened: Open, home: Path, width: int) -> None:
    """At any width nothing has to be scrolled sideways, and all that can be used has a name."""
    store(home, *(run_of(number, word="word " * 60) for number in range(3)))
    page = opened()
    page.look(width=width, height=800)
    until(lambda: len(asked(page)) == 3)
    page.press("/", "word")
    until(lambda: page.all(".found mark"))
    assert page.run("const box = document.scrollingElement; return box.scrollWidth <= box.clientWidth")
    assert page.run("const box = document.querySelector('#scroll'); return box.scrollWidth <= box.clientWidth")
    nameless = "return [...document.querySelectorAll('button, input, select, a, iframe')].filter(one => !(one.textContent.trim() || one.getAttribute('aria-label') || one.title)).length"  # noqa: E501  (one expression)
    assert page.run(nameless) == 0


@pytest.mark.parametrize("width", [400, 1600])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_serious(opened: Open, home: Path, width: int, *, dark: bool) -> None:
    """axe-core finds nothing serious: no trace, a list, what a search found, chosen ones, the keys, deleting, a trace, two side by side."""
    page = opened()
    page.look(width=width, height=900, dark=dark)
    until(lambda: "No trace has been recorded yet" in page.one("#message").text)
    assert violations(page) == []
    failed = run_of(2)
    failed.add("error", {"message": "it broke"})
    store(home, run_of(1), failed)
    until(lambda: len(asked(page)) == 2)
    assert violations(page) == []
    page.press("/", "nothing special")
    until(lambda: page.all(".found mark"))
    assert violations(page) == []
    page.press(Keys.ENTER, "c")
    until(lambda: page.one("#chosen").is_displayed())
    assert violations(page) == []
    page.press("?")
    assert violations(page) == []
    page.press(Keys.ESCAPE, "x")
    until(lambda: page.one("#confirm-what").is_displayed())
    assert violations(page) == []
    page.press(Keys.ESCAPE, Keys.ENTER)
    until(lambda: len(page.all("iframe")) == 1)
    assert violations(page) == []
    page.browser.switch_to.frame(0)
    until(lambda: page.all(".row"))
    assert violations(page) == []
    page.browser.switch_to.default_content()
    page.run("document.querySelector('#back').click()")
    until(lambda: page.one("#list-view").is_displayed())
    page.run("for (const one of document.querySelectorAll('#list input')) if (!one.checked) one.click()")
    page.run("document.querySelector('#compare').click()")
    until(lambda: len(page.all("iframe")) == 2)
    assert violations(page) == []


def test_from_a_part_to_the_trace_around(opened: Open, home: Path) -> None:
    """The page of a trace that is part of another leads there, and the browser's way back leads back."""
    part = Run("part")
    part.tool("f", {}, 1, "s1", parent="elsewhere", parentTraceId="run-3")
    store(home, run_of(3), part)
    page = opened()
    until(lambda: len(asked(page)) == 2)
    page.run("location.hash = '#/trace?id=part'")
    for title in ("part", "run-3"):
        until(lambda title=title: [frame.get_attribute("title") for frame in page.all("iframe")] == [f"Trace {title}"])  # type: ignore[misc]
        page.browser.switch_to.frame(0)
        until(lambda title=title: page.texts("#title") == [title])  # type: ignore[misc]
        if title == "part":
            page.one("#about button").click()
        page.browser.switch_to.default_content()
    page.run("history.back()")
    until(lambda: [frame.get_attribute("title") for frame in page.all("iframe")] == ["Trace part"])
