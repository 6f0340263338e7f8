"""The report of a long run in a real browser: its card, table, graph, folding, zoom and prompts."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests._render.recordings import Run, conversation
from whyops._render.page.data import report_data
from whyops._trace.recorded import RecordedTrace

from .page import Keys, Page


def research(turns: int = 14) -> Run:
    """Record a run of three levels, with a failure deep inside, and two models."""
    run = Run("long")
    run.user("Write a study.")
    for turn in range(turns):
        usage = {"promptTokens": 1000, "completionTokens": 50, "totalTokens": 1050}
        run.model(None, [("team", {"turn": turn})], usage=usage, model=f"model-{turn % 2}", langgraph_node=f"node {turn % 3}")

        def pages(turn: int = turn) -> None:
            for page in range(16):
                result: object = {"error": "503"} if (turn, page) == (5, 3) else f"page {page}"
                run.tool("read", {"url": f"/{turn}/{page}"}, result, f"p{turn}-{page}", parent=f"t{turn}", ms=20)

        run.tool("team", {"turn": turn}, "found", f"t{turn}", pages, ms=1)
        run.events[-1]["metadata"] = {"tool": "team", "latencyMs": 340, "durationMs": 340}
    run.model("Here is the study.", model="model-1")
    return run


def tangle(tools: int = 40, nodes: int = 20) -> Run:
    """Record a run in which many nodes call many tools, which call each other, and themselves."""
    run = Run("tangle")
    run.user("Go.")
    for turn in range(tools * 3):
        first, second = f"tool_{turn % tools}", f"tool_{turn * 7 % tools}"
        run.model(None, [(first, {})], ms=2, langgraph_node=f"node_{turn % nodes}")
        run.tool(first, {}, 1, f"a{turn}", lambda other=second, n=turn: run.tool(other, {}, 1, f"b{n}", parent=f"a{n}"))  # type: ignore[misc]
    return run


GEOMETRY = """
    const svg = document.querySelector('#graph svg'), boxes = [...svg.querySelectorAll('.node .box')].map(box => {
        const matrix = box.getCTM(), own = svg.getCTM().inverse().multiply(matrix);
        return [own.e, own.f, own.e + box.width.baseVal.value, own.f + box.height.baseVal.value];
    });
    let under = 0, drawn = 0;
    for (const line of svg.querySelectorAll('.edge')) {
        drawn += 1;
        const length = line.getTotalLength();
        for (let at = 2; at < length - 2; at += 3) {
            const {x, y} = line.getPointAtLength(at);
            const isIn = ([left, top, right, bottom]) => x > left + 2 && x < right - 2 && y > top + 2 && y < bottom - 2;
            if (boxes.some(isIn)) { under += 1; break; }
        }
    }
    const labels = [...svg.querySelectorAll('.edge-count:not(.crowded)')].map(label => label.getBBox());
    const meet = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y + 2 < b.y + b.height && b.y + 2 < a.y + a.height;
    const areas = boxes.map(([left, top, right, bottom]) => ({x: left, y: top, width: right - left, height: bottom - top}));
    const covered = labels.filter(one => areas.some(area => meet(one, area)));
    const overlap = labels.filter((one, place) => labels.some((other, at) => at > place && meet(one, other)));
    return {under, drawn, labels: labels.length, covered: covered.length, overlap: overlap.length, boxes: boxes.length};
"""


def test_the_card(page: Page) -> None:
    """On top is what was asked and answered, how it ended, where it failed first, how long it took, and the tokens by model."""
    page.open(research().events)
    assert page.one("#outcome").text == "✓ answered, after 1 error"
    assert page.texts("#card .said") == ["Write a study.", "Here is the study.", "read: 503"]
    assert {text.split(" → ")[-1] for text in page.texts("#facts .model")} == {"350 model-0", "350 model-1"}
    page.one("#card .bad").click()
    assert page.selected == "read"
    assert page.one("#detail h2").text == "toolread"


def test_a_long_run_is_folded(page: Page) -> None:
    """Beyond 200 steps two levels are shown, with what is folded away; keys fold and unfold by level, and a problem is unfolded."""
    page.open(research().events)
    assert page.count == "254 steps, 238 folded"
    assert len(page.names) == 16
    assert "+17 ✗ 1" in page.texts(".inside")
    rows = page.one("#rows")
    rows.send_keys("3")
    assert page.count == "254 steps, 224 folded"
    rows.send_keys("0")
    assert page.count == "254 steps"
    page.choose("#level", "1")
    assert page.names == ["user"]
    rows.send_keys("n")
    assert page.selected == "read"


def test_the_table(page: Page) -> None:
    """By tool and model: calls, total and own time, share, the longest, tokens, errors; any of them sorts it, and a name filters."""
    page.open(research().events)

    def told() -> dict[str, list[str]]:
        lines = page.run(
            "return [...document.querySelectorAll('#table tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))"
        )
        return {line[0]: line[1:] for line in lines}

    assert list(told()) == ["read", "model-1", "model-0", "team"]
    assert told()["team"] == ["14", "4.76 s", "280 ms", "3 %", "340 ms", "", ""]
    assert told()["read"][-1] == "1"
    assert told()["model-0"][-2] == "7,000 → 350"
    page.run("document.querySelectorAll('#table th button')[2].click()")
    assert page.one("#table th[aria-sort]").text == "Total ↓"
    assert next(iter(told())) == "team"
    page.run("document.querySelectorAll('#table th button')[2].click()")
    assert page.one("#table th[aria-sort]").text == "Total ↑"
    page.run("document.querySelector('#table td button[data-key$=team]').click()")
    assert page.count == "14 of 254 steps"


def test_self_time_and_who(page: Page) -> None:
    """A step says what it took itself, without the calls inside, and which agent or node took it."""
    page.open(research().events)
    page.one("#rows").send_keys("0")
    assert page.texts(".took small")[:1] == ["self 20 ms"]
    assert page.texts(".row .who")[:5] == ["", "node 0", "node 0", "node 0", "node 0"]
    page.choose("#who", "node 1")
    assert page.count == "90 of 254 steps"


def test_all_model_calls(page: Page) -> None:
    """The calls of all models, of all tools, are a filter, by the list or by a key."""
    page.open(research().events)
    page.choose("#tool", "model\x00")
    assert page.count == "15 of 254 steps"
    page.one("#rows").send_keys("m")
    assert page.one("#tool").get_attribute("value") == ""
    page.choose("#tool", "tool\x00")
    assert page.count == "238 of 254 steps"


def test_zoom(page: Page) -> None:
    """The time axis has lines, and zooms by keys, buttons and by drawing over it; bars keep to it."""
    page.open(research().events)
    lines = len(page.all("#grid span"))
    assert 3 <= lines <= 12
    before = page.texts("#axis span")
    page.one("#in").click()
    page.one("#rows").send_keys("+")
    zoomed = page.texts("#axis span")
    assert zoomed != before
    assert page.one("#whole").is_displayed()
    page.one("#rows").send_keys(">")
    assert page.texts("#axis span") != zoomed
    page.one("#rows").send_keys("z")
    assert page.texts("#axis span") == before
    page.run(
        "const axis = document.querySelector('#axis'), box = axis.getBoundingClientRect();"
        "axis.setPointerCapture = () => {};"
        "for (const [name, x] of [['pointerdown', 0.2], ['pointerup', 0.4]])"
        "  axis.dispatchEvent(new PointerEvent(name, {clientX: box.left + box.width * x, bubbles: true}));"
    )
    assert page.one("#whole").is_displayed()
    inside = page.run(
        "const axis = document.querySelector('#axis').getBoundingClientRect();"
        "return [...document.querySelectorAll('.time i')].every(bar => { const box = bar.getBoundingClientRect();"
        "  return box.left >= axis.left - 1 && box.right <= axis.right + 4; })"
    )
    assert inside


def test_problems_in_the_overview(page: Page) -> None:
    """A failed step is to be seen in the overview, folded away or not."""
    page.open(research().events)
    red = page.run(
        "const box = document.querySelector('#overview'), bottom = box.getContext('2d').getImageData(0, box.height - 4, box.width, 1).data;"
        "let count = 0; for (let at = 0; at < bottom.length; at += 4) if (bottom[at] > 180 && bottom[at + 1] < 80) count += 1; return count"
    )
    assert 2 <= red <= 12


def test_what_is_found_is_marked(page: Page) -> None:
    """A hit is marked in its row, also where it is in none of the row's words; and in the overview."""
    page.open(conversation())
    page.search("mug-blue")
    assert [text.lower() for text in page.texts(".row mark")] == ["mug-blue"]
    page.search("track_parcel")
    assert page.texts(".row .first mark") == ["track_parcel"]


@pytest.mark.parametrize("run", [research(), tangle()], ids=lambda run: run.trace_id)
def test_no_line_is_under_a_box(page: Page, run: Run) -> None:
    """Lines of the graph go around boxes, labels are beside boxes and each other, and arrows tell the direction."""
    page.look(width=1600)
    page.open(run.events)
    for _ in range(5):
        found = page.run(GEOMETRY)
        assert (found["under"], found["covered"], found["overlap"]) == (0, 0, 0)
        assert found["drawn"] > 5
        assert all(line.get_attribute("marker-end") for line in page.all(".edge"))
        page.run("const rest = document.querySelector('.node.rest'); if (rest) rest.dispatchEvent(new MouseEvent('click'))")
    assert page.all(".node.rest") == []
    if run.trace_id == "tangle":
        assert found["boxes"] == 61
        assert page.all(".edge.loop")


def test_neighbours_are_lit(page: Page) -> None:
    """The box that is pointed at, or has the focus, shows its lines and neighbours, and no others."""
    page.open(research().events)
    page.run("document.querySelector('.node:has(title)').focus()")
    lit = page.all(".node.lit")
    assert 1 < len(lit) < len(page.all(".node"))
    assert 0 < len(page.all(".edge.lit")) < len(page.all(".edge"))
    page.run("document.activeElement.blur()")
    assert page.all(".lit") == []


def test_arguments_are_json(page: Page) -> None:
    """What a model asks a tool with is shown as the object that it is; the event beneath is as it was recorded."""
    run = Run()
    run.model(None, [("find", {"query": 'a "b"', "limit": 3})])
    page.open(run.events)
    page.one(".row").click()
    assert '"query": "a \\"b\\""' in page.texts("#detail pre")[0]
    assert page.shown_events == run.events


def test_the_prompt_as_the_model_saw_it(page: Page) -> None:
    """A model's call shows each message of its prompt, and marks and unfolds what is new in it."""
    run = Run()
    messages: list[Any] = [{"role": "system", "content": "Help."}, {"role": "user", "content": "Where is it?"}]
    run.add("user_message", list(messages))
    run.model("I look.")
    messages += [{"role": "assistant", "content": "I look."}, {"role": "user", "content": "<b>Thanks</b>"}]
    run.add("user_message", list(messages))
    run.model("Found.")
    page.open(run.events)
    page.all('.row[data-kind="model"]')[1].click()
    assert page.texts("#detail .message > summary code") == ["system", "user", "assistant", "user"]
    assert page.texts("#detail .message.new > summary code") == ["assistant", "user"]
    assert page.texts("#detail .message[open] pre") == ["I look.", "<b>Thanks</b>"]
    page.run("document.querySelector('#detail .message').open = true")
    page.browser.execute_async_script("setTimeout(arguments[0], 50)")
    assert page.texts("#detail .message[open] pre")[0] == "Help."


def test_scrolling_leaves_no_gap(page: Page) -> None:
    """Wherever a long run is scrolled to, its rows fill the screen."""
    page.open(research(120).events)
    page.one("#rows").send_keys("0")
    gaps = page.browser.execute_async_script("""
        const done = arguments[0], box = document.querySelector('#rows'), gaps = [];
        let turn = 0;
        const look = () => requestAnimationFrame(() => requestAnimationFrame(() => {
            const {top, bottom} = box.getBoundingClientRect();
            const rows = [...box.querySelectorAll('.row')].map(row => row.getBoundingClientRect()).sort((a, b) => a.top - b.top);
            let at = top;
            for (const row of rows) if (row.top <= at + 1) at = Math.max(at, row.bottom);
            gaps.push(Math.max(bottom - at, 0));
            if ((turn += 1) > 20) return done(gaps);
            box.scrollTop = (box.scrollHeight - box.clientHeight) * turn / 20;
            look();
        }));
        look();
    """)
    assert max(gaps) <= 1
    assert len(page.all(".row")) < 60


def test_a_run_that_grows(page: Page) -> None:
    """Handed in again with more events, a trace is shown anew, and what one looks at, has folded and filtered stays."""
    run = research()
    page.open(run.events[:200])
    page.one("#rows").send_keys("0")
    page.run("document.querySelector('.row[data-kind=tool]').click()")
    chosen, before = page.selected, page.count
    page.one("#rows").send_keys(Keys.ARROW_LEFT)
    grown = report_data([RecordedTrace.from_events(run.events)], None)["traces"]
    page.run("document.dispatchEvent(new CustomEvent('whyops-traces', {detail: arguments[0], cancelable: true}))", grown)
    assert (page.selected, page.one("#detail h2").text) == (chosen, f"tool{chosen}")
    assert page.count == "254 steps, 16 folded" != before
    assert page.texts("#card .said") == ["Write a study.", "Here is the study.", "read: 503"]
    page.search("/13/15")
    assert page.texts(".row .first mark") == ["/13/15"]


def test_all_by_keyboard(page: Page) -> None:
    """What can be chosen has a key, and its list of keys says which."""
    page.open(research().events)
    rows = page.one("#rows")
    rows.send_keys("G")
    assert not page.one("#table-box").is_displayed()
    rows.send_keys("G", "g")
    assert not page.one("#graph-box").get_attribute("open")
    rows.send_keys("w", "?")
    assert not page.one("#table-box").get_attribute("open")
    assert re.findall(r"time and tokens|zoom in|fold to that level", page.one("#keys").text) == [
        "fold to that level",
        "zoom in",
        "time and tokens",
    ]
    page.press(Keys.ESCAPE)
