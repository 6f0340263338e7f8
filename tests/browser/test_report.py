"""The report in a real browser: drawn, filtered, searched, driven by keys, and deaf to what payloads try."""

from __future__ import annotations

import json
import socket
import time

import pytest

from tests._render.real_runs import recorded
from tests._render.recordings import Run, conversation

from .page import Keys, Page

STEPS = [
    "user",
    "thinking",
    "openai/gpt-4o-mini",
    "search_orders",
    "query_database",
    "track_parcel",
    "refund_order",
    "openai/gpt-4o-mini",
    "user",
    "embed-3",
    "openai/gpt-4o-mini",
    "close_ticket",
]

HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 2'>",
    "<!-- data --><!-- script -->]]>",
    "javascript:window.hacked=3",
    '"><svg onload="window.hacked = 4">',
    "\u2028\u2029\u202e\x00\x1b[2J\ud800",
    "${window.hacked = 5}`",
]


@pytest.fixture
def story(page: Page) -> Page:
    """Open the run that has a bit of everything."""
    page.look(height=1400)
    return page.open(conversation())


def large() -> Run:
    run = Run("large")
    for number in range(1250):
        run.user(f"question {number}")
        run.model("answer", ms=number % 700)
        run.tool(f"tool_{number % 9}", {"number": number}, {"rows": [number] * 20}, f"s{number}", ms=number % 90)
    return run


def test_the_graph_is_drawn(story: Page) -> None:
    """Each model and tool is one box, with how often, how long and how well; lines tell who called whom."""
    told = [text.lstrip("\N{MULTIPLICATION SIGN}") for text in story.texts("#graph .node .how")]
    boxes = dict(zip(story.texts("#graph .node .what"), told, strict=True))
    assert boxes == boxes | {"user": "2", "openai/gpt-4o-mini": "3 · avg 633 ms", "refund_order": "1 · avg 12 ms · 1 error"}
    assert len(boxes) == 8
    assert len(story.all("#graph .edge")) == 7
    assert all(box.rect["width"] > 100 and box.rect["height"] > 20 for box in story.all("#graph .node"))


def test_the_path_is_drawn(story: Page) -> None:
    """The steps stand in order under the user's messages, each with its place in the path, its time and its outcome."""
    assert story.names == STEPS
    assert len(story.all(".row .rail circle")) == len(STEPS)
    assert [row.get_attribute("aria-level") for row in story.all(".row")[:5]] == ["1", "2", "2", "3", "4"]
    assert story.texts(".row.failed .second") == ["✗ shop.PaymentError: paid by voucher"]
    assert story.texts(".row .open") == ["→ process ended here"]
    assert story.one("#facts").text.replace("\n", " ").startswith("33.0 s in all 18 events 5 tool calls 1 error 230 tokens in")
    assert "1 value redacted" in story.one("#gaps").text


def test_the_timeline_is_drawn(story: Page) -> None:
    """Each step's bar lies in the time column, as long as it took beside the others; a user's long pause does not squeeze them."""
    bars = story.run(
        "return [...document.querySelectorAll('.row')].map(row => [row.id, row.querySelector('i').getBoundingClientRect().toJSON()])"
    )
    places = {int(name.split("-")[1]): place for name, place in bars}
    column = story.one("#axis").rect
    assert all(column["x"] - 1 <= place["left"] and place["right"] <= column["x"] + column["width"] + 1 for place in places.values())
    assert places[7]["width"] > places[5]["width"] > places[4]["width"]
    assert places[7]["width"] > column["width"] * 0.2
    assert places[2]["right"] <= places[3]["left"] + 3
    drawn = story.run(
        "const box = document.querySelector('#overview');"
        "return new Set(box.getContext('2d').getImageData(0, 0, box.width, box.height).data).size"
    )
    assert drawn > 10


def test_filters(story: Page) -> None:
    """A tool, problems or the slow ones alone: what matches stays, with the steps that it is inside of."""
    story.choose("#tool", "tool\x00query_database")
    assert story.names == ["user", "openai/gpt-4o-mini", "search_orders", "query_database"]
    assert story.count == "1 of 12 steps"
    assert len(story.all(".row.context")) == 3
    story.one("#clear").click()
    assert story.names == STEPS
    story.one("#errors").click()
    assert story.names == ["user", "openai/gpt-4o-mini", "refund_order", "user", "close_ticket"]
    story.one("#errors").click()
    story.one("#slow").click()
    assert story.names == ["user", "openai/gpt-4o-mini"]
    story.one("#clear").click()
    next(box for box in story.all("#graph .node") if "track_parcel" in box.text).click()
    assert story.count == "1 of 12 steps"
    assert story.texts('#graph .node[aria-pressed="true"] .what') == ["track_parcel"]


def test_users(page: Page) -> None:
    """Where several users speak in the traces, one can be chosen."""
    run = Run("shared")
    run.user("mine")
    run.user("yours")
    run.events[1]["externalUserId"] = "somebody else"
    page.open(run.events)
    page.choose("#user", "somebody else")
    assert page.texts(".row .second") == ["yours"]


def test_search(story: Page) -> None:
    """Search looks into everything that was recorded, not only what a line shows, and marks what it found."""
    story.search("jd0146")
    assert story.count == "1 of 12 steps"
    story.press(Keys.ENTER, Keys.ENTER)
    assert story.selected == "track_parcel"
    assert "JD0146" in story.texts("#detail mark")
    story.search("no such thing")
    assert story.texts(".empty") == ["No step matches."]
    story.press(Keys.ESCAPE)
    assert story.names == STEPS


def test_keys(story: Page) -> None:
    """All can be done without a mouse."""
    body = story.one("#rows")
    body.send_keys("j")
    body.send_keys(Keys.ARROW_DOWN)
    assert story.selected == "thinking"
    story.press("k")
    assert story.selected == "user"
    story.press("n")
    assert story.selected == "refund_order"
    story.press(Keys.ENTER)
    assert "refund_order" in story.one("#detail h2").text
    story.press(Keys.ESCAPE)
    assert not story.one("#detail").is_displayed()
    story.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert story.names == [name for name in STEPS if name not in ("search_orders", "query_database", "track_parcel", "refund_order")]
    story.press(Keys.ARROW_RIGHT)
    assert story.names == STEPS
    story.press(Keys.END)
    assert story.selected == "close_ticket"
    story.press("e")
    assert story.count == "2 of 12 steps"
    story.press("e", "/")
    assert story.browser.switch_to.active_element.get_attribute("id") == "search"
    story.press(Keys.ESCAPE, "?")
    assert story.one("#keys").is_displayed()
    story.press(Keys.ESCAPE)
    before = story.one("html").get_attribute("data-theme")
    story.one("#rows").send_keys("t")
    assert story.one("html").get_attribute("data-theme") != before


def test_an_event_is_opened(story: Page) -> None:
    """A step shows arguments, result and error, and each of its events exactly as it was recorded."""
    story.all(".row")[3].click()
    assert story.texts("#detail h3")[:2] == ["ArgumentsCopy", "ResultCopy"]
    recorded = [event for event in conversation() if event.get("spanId") == "s1"]
    assert story.shown_events == recorded
    story.all(".row")[6].click()
    assert [text.removesuffix("Copy") for text in story.texts("#detail h3")[:3]] == ["Arguments", "Error", "Stack"]


def test_numbers_stay_as_they_are(page: Page) -> None:
    """A whole number that a browser would round is shown to the last digit."""
    run = Run()
    run.tool("f", {"id": 1234567890123456789, "small": 7, "text": "1234567890123456789"}, 2**70, "s1")
    page.open(run.events)
    page.one(".row").click()
    assert page.shown_events == run.events


def test_hostile_payloads_are_text(page: Page) -> None:
    """Whatever a payload holds, wherever it stands, it is shown as text: nothing runs, nothing becomes an element."""
    run = Run("".join(HOSTILE[:2]))
    for number, text in enumerate(HOSTILE):
        run.user(text)
        run.model(text, [(text, {text: text})], finish=text)
        run.tool(text, {text: text}, {text: [text]}, f"s{number}")
        run.add("error", {"message": text, "type": text, "stack": text})
        run.add(text, text, {text: text})
    for event in run.events:
        event["externalUserId"] = event["agentName"] = HOSTILE[0]
    page.look(height=3000)
    page.open(run.events, run.events)
    assert page.one("#title").text == run.trace_id
    for text in HOSTILE[:4]:
        assert any(text in shown for shown in page.texts(".row .second"))
    for row in page.all(".row")[:6]:
        row.click()
        assert page.shown_events
    page.search("<img")
    assert page.run("return window.hacked") is None
    assert page.all("img, iframe, object, embed, link, [onerror], [onload]") == []
    assert [script.get_attribute("type") for script in page.all("script")] == ["application/json", "text/plain", ""]
    assert page.run("return document.title") == f"{run.trace_id} · whyops"


def test_a_policy_stops_what_got_in_all_the_same(page: Page) -> None:
    """Even markup that was put into the page can run nothing and fetch nothing."""
    page.open(conversation())
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        page.run(
            "const box = document.createElement('div'), address = arguments[0];"
            "box.innerHTML = `<img src='${address}a.png' onerror='window.hacked = 1'><style>body { display: none }</style>`;"
            "document.body.append(box);"
            "const script = document.createElement('script'); script.textContent = 'window.hacked = 2'; document.body.append(script);"
            "fetch(address + 'b').catch(() => {});",
            f"http://127.0.0.1:{server.getsockname()[1]}/",
        )
        with pytest.raises(TimeoutError):
            server.accept()
    assert page.run("return window.hacked") is None
    assert page.one("body").is_displayed()
    assert any("Content Security Policy" in complaint for complaint in page.complaints)


def test_no_request_leaves(story: Page) -> None:
    """The page asks for nothing but itself, whatever is done with it."""
    story.search("order")
    story.press(Keys.ENTER, Keys.ENTER)
    assert story.shown_events
    assert story.requests == [story.browser.current_url]


def test_a_large_value(page: Page) -> None:
    """Of a text of a megabyte the beginning is shown at once, and all of it when asked for."""
    run = Run()
    run.tool("read", {"path": "big.txt"}, "<b>" + "x" * 1_000_000, "s1")
    page.open(run.events)
    started = time.monotonic()
    page.one(".row").click()
    assert time.monotonic() - started < 3
    assert len(page.texts("#detail pre")[1]) == 100_000
    page.one("#detail .more").click()
    assert len(page.texts("#detail pre")[1]) == 1_000_003
    page.search("big.txt")
    assert page.count == "1 of 1 step"


def test_five_thousand_events(page: Page) -> None:
    """A long run is there at once and stays fluid: few rows exist at a time, and scrolling, search and filters answer quickly."""
    run = large()
    assert len(run.events) == 5000
    page.open(run.events)
    ready = page.run("const [entry] = performance.getEntriesByType('navigation'); return entry.domComplete")
    assert ready < 5000
    assert page.count == "3,750 steps"
    assert len(page.all(".row")) < 60
    timed = """
        const begin = performance.now();
        const rows = document.querySelector('#rows');
        for (let step = 1; step <= 20; step += 1) {
            rows.scrollTop = rows.scrollHeight * step / 20;
            rows.dispatchEvent(new Event('scroll'));
        }
        const field = document.querySelector('#search');
        field.value = '"number":1249'; field.dispatchEvent(new Event('input'));
        field.value = ''; field.dispatchEvent(new Event('input'));
        document.querySelector('#slow').click(); document.querySelector('#slow').click();
        return performance.now() - begin;
    """
    assert page.run(timed) < 5000
    page.one("#rows").send_keys(Keys.END)
    assert page.selected == "tool_7"
    assert page.texts('.row[aria-selected="true"] .first')[0] == "tool_7(number=1249)"
    assert len(page.all(".row")) < 60


def test_the_first_error_says_who_failed(page: Page) -> None:
    """Where no tool failed, it is the node of the graph, and the word "error" adds nothing."""
    page.open(recorded("tries"))
    assert page.texts(".tile.bad .said") == ["model: ConnectionError: the line is down"]


def test_what_became_of_a_call_is_in_its_row(page: Page) -> None:
    """Which try it is, and who changed it, without opening it."""
    page.open(recorded("reviewed"))
    rows = page.texts(".row[data-kind=tool] .first")
    assert any("a human changed it: the model chose" in row for row in rows), rows


@pytest.mark.parametrize("width", [360, 768, 1024, 1440, 2560])
@pytest.mark.parametrize("dark", [False, True])
def test_any_screen(page: Page, width: int, *, dark: bool) -> None:
    """On a phone as on a wide screen, light or dark, nothing sticks out, and steps can be read and opened."""
    page.look(width=width, height=800, dark=dark)
    page.open(conversation())
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    background = page.run("return getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") != dark
    page.run("document.querySelector('.row').click()")
    assert page.one("#detail").is_displayed()
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    page.one("#detail .detail-head button").click()
    assert page.one("#rows").rect["height"] >= 200


def test_several_traces(page: Page) -> None:
    """A file may hold several traces; one is shown at a time."""
    other = Run("another-run")
    other.user("Hi")
    page.open(conversation(), other.events)
    assert page.one("#title").text == "session-123"
    page.run("const box = document.querySelector('#traces'); box.selectedIndex = 1; box.dispatchEvent(new Event('change'))")
    assert page.one("#title").text == "another-run"
    assert page.names == ["user"]


def test_a_trace_that_is_part_of_another(page: Page) -> None:
    """It says of which: a button that opens that one if the file holds it, else the name alone."""
    part = Run("part")
    part.tool("f", {}, 1, "s1", parent="elsewhere", parentTraceId="session-123")
    page.open(part.events, conversation())
    assert "part of session-123" in page.one("#about").text
    page.one("#about button").click()
    assert page.one("#title").text == "session-123"
    assert page.run("return document.querySelector('#traces').selectedIndex") == 1
    page.open(part.events)
    assert "part of session-123" in page.one("#about").text
    assert not page.all("#about button")
    assert page.complaints == []


def test_odd_events(page: Page) -> None:
    """Events that lack anything, or hold what JSON has no word for, are shown all the same."""
    nested: object = 1
    for _ in range(300):
        nested = [nested]
    events = [{}, {"eventType": 5, "content": None}, {"eventType": "tool_call_response"}, {"eventType": "llm_response", "content": "text"}]
    events += [
        {"eventType": "tool_call_request", "content": {"toolCalls": "?"}},
        {"eventType": "x", "content": json.loads("[NaN, Infinity]")},
    ]
    page.look(height=1400)
    page.open([*events, {"eventType": "deep", "content": nested}])  # type: ignore[list-item]
    assert page.count == "7 steps"
    for row in range(7):
        page.run("document.querySelector('#row-' + arguments[0]).click()", row)
        assert page.all("#detail pre")


def test_an_empty_trace(page: Page) -> None:
    """A trace without events is a page without steps."""
    page.open([])
    assert page.count == "0 steps"
