"""A trace as plain data, for `show --json` and for the page."""

from __future__ import annotations

import json

from tests._render.real_runs import recorded
from tests._render.recordings import Run, conversation
from whyops._render.json import trace_data
from whyops._render.page.data import report_data
from whyops._render.page.exact import inert
from whyops._render.page.html import render_report
from whyops._trace.recorded import RecordedTrace


def test_steps_and_events() -> None:
    """Each step is there with what it tells, and names its events; the events are as they were recorded."""
    data = json.loads(json.dumps(trace_data(RecordedTrace.from_events(conversation()))))
    assert data["events"] == conversation()
    assert data["totals"]["usage"] == {
        "promptTokens": 230,
        "completionTokens": 66,
        "cacheReadTokens": 1024,
        "cacheCreationTokens": 0,
        "otherTokens": 3,
    }
    kinds = [step["kind"] for step in data["steps"]]
    assert kinds == ["user", "thinking", "model", "model", "user", "embedding", "model", "tool"]
    call = data["steps"][2]["steps"][0]
    assert (call["tool"], call["arguments"], call["latencyMs"]) == ("search_orders", {"customer": "user_12345"}, 12)
    assert [data["events"][place]["eventType"] for place in call["events"]] == ["tool_call_request", "tool_call_response"]
    assert call["steps"][1]["result"] == {"carrier": "DHL"}
    assert data["steps"][2]["steps"][1]["error"].startswith("shop.PaymentError")
    assert data["steps"][-1]["isFinished"] is False
    assert data["notHere"][0] == "2 values cut"


def test_who_acts_and_what_became_of_calls() -> None:
    """Each step says who acts, which try or which of several questions it is, what was chosen in its place and what the model was told."""
    handed, tried, reviewed, parallel, resumed = (
        trace_data(RecordedTrace.from_events(recorded(name)))["steps"] for name in ("hand_off", "tries", "reviewed", "parallel", "resumed")
    )
    first, *_, last = handed  # type: ignore[misc]
    assert (first["agent"], first["node"], first["insideNodes"], last["agent"]) == ("desk", "model", "desk", "billing")
    assert [step.get("try") for step in tried][1:4] == [{"number": number, "of": 3} for number in (1, 2, 3)]  # type: ignore[attr-defined]
    assert parallel[0]["parallel"] == {"number": 1, "of": 3}  # type: ignore[index]
    assert resumed[3]["isResumed"] is True  # type: ignore[index]
    chose = reviewed[1]  # type: ignore[index]
    told = {chosen["name"]: chosen.get("told") for chosen in chose["chosenTools"]}
    assert told["book"].endswith("with reason: Too expensive.")
    assert (told["weather"], told["price"]) == (None, None)
    calls = {step["tool"]: step for step in reviewed[3:] if "tool" in step}  # type: ignore[index]
    weather, price = calls["weather"], calls["price"]
    assert weather["chosen"] == {"name": "weather", "arguments": {"city": "Lübeck"}}
    assert price["told"] == "120 a night (the rest is not for you)"


def test_every_kind_of_event() -> None:
    """Whatever was recorded has its place in the data."""
    run = Run()
    run.add("error", {"message": "no", "status": 500})
    run.add("tool_result", {"toolName": "f", "output": 1})
    run.add("something_new", {"a": 1})
    run.add("llm_response", "only a text")
    steps = trace_data(RecordedTrace.from_events(run.events))["steps"]
    assert [step["kind"] for step in steps] == ["error", "tool", "other", "model"]  # type: ignore[attr-defined]


def test_inert() -> None:
    """The page's data hold no character that could end them, start markup, or break a script."""
    text = inert({"a": "</script><!--&\u2028\ud800"})
    assert not set("<>&") & set(text)
    assert text.isascii()
    assert json.loads(text) == {"a": "</script><!--&\u2028\ud800"}


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    """The page names no address, and lets run nothing but its own script and style."""
    run = Run("</title><script>alert(1)</script>")
    run.user("<img src=x>")
    page = render_report([RecordedTrace.from_events(run.events)], version="1.2.3")
    assert page.startswith("<!doctype html>")
    assert "default-src &#x27;none&#x27;" in page
    assert page.count("<script") == 3  # the index, the lines, and the script itself
    assert "alert(1)</script>" not in page
    assert "<img" not in page
    assert "https://" not in page
    assert [word for word in ("http://", "//") if f'src="{word}' in page or f'href="{word}' in page] == []


def test_the_page_takes_every_kind_of_event() -> None:
    """Whatever was recorded, and however little of it, has a place on the page, and its numbers stay exact."""
    run = Run()
    run.user("Hi", tools=[{}])
    run.add("error", {"message": "no", "status": 500, "stack": "Traceback"})
    run.add("error", "only a text")
    run.add("tool_result", {"toolName": "f", "output": 2**64})
    run.add("something_new", {"a": float("nan")})
    run.add("llm_response", "only a text", {"model": "m"})
    run.add("embedding_request", {"input": ["a"]}, span="e")
    run.add("llm_thinking", "plain")
    run.request("f", {"x": 1}, "s9")
    run.model(None, [("g", {})], finish="length")
    run.events += [{}, {"eventType": 5}, {"eventType": "tool_call_response"}]
    nested: object = 1
    for _ in range(100_000):
        nested = [nested]
    run.events.append({"eventType": "deep", "content": nested})
    trace = RecordedTrace.from_events(run.events)
    (data,) = report_data([trace], lambda _: True)["traces"]  # type: ignore[misc, attr-defined]
    assert len(data["events"]) == len(run.events)
    assert [step["kind"] for step in data["steps"]].count("error") == 2
    assert [step["open"] for step in data["steps"] if "open" in step] == ["still open", "still open"]
    assert "nested too deeply" in json.dumps(data["events"])
    assert "\\ue00018446744073709551616\\ue001" in json.dumps(data["events"])
    assert json.loads(inert(data))
