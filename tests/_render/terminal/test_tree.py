"""The decision path as text."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta, timezone

import pytest

from tests._recording.recording import Recording
from tests._render import real_runs
from tests._render.recordings import ALIVE, DEAD, Run, conversation
from tests._render.snapshots import FOLDER, NAMES, made
from whyops._recording.tool import tool
from whyops._render.terminal.tree import render_tree
from whyops._render.terminal.width import width_of
from whyops._trace.recorded import DeliveryStatus, RecordedTrace

HOSTILE = "\x1b[2J\x1b]0;owned\x07 \x9b31m \u202egpj.exe \u2066x\u2069 \u200f\u061c \r\x08\x00\x7f\ud800 \u2028 \U000e0041\ufeff"


def tree(run: Run | list[dict[str, object]], width: int = 80, **options: object) -> str:
    events = run.events if isinstance(run, Run) else run
    return render_tree(RecordedTrace.from_events(events), width=width, color=False, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_snapshots(name: str) -> None:
    """The tree looks as it did when somebody looked at it. `python -m tests._render.snapshots` writes the texts again."""
    assert made(name) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [24, 33, 40, 80])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", real_runs.NAMES)
def test_real_runs_fit(name: str, width: int, *, full: bool) -> None:
    """Who acts, tries, and what became of calls take no more room than there is, and `full` cuts nothing; a deep step begins with `…`."""
    text = tree(real_runs.recorded(name), width, full=full)
    assert max(map(width_of, text.splitlines())) <= width
    assert not (full and re.search(r"(?<!^)…", text, re.MULTILINE))


@pytest.mark.parametrize("width", [1, 24, 33, 40, 79, 80, 120, 250])
@pytest.mark.parametrize("full", [False, True])
def test_no_line_is_wider_than_asked(width: int, *, full: bool) -> None:
    """At any width the lines fit, wide characters counted, except that a width under 24 is taken as 24."""
    run = Run("東京-" * 30)
    run.user("東京の天気はどうですか" * 20, "x" * 500, "e\u0301" * 90)
    run.model("👩‍💻 " * 80, [("ツール", {"都市": "東京" * 40})], ms=5)
    run.tool("ツール" * 20, {"都市": "東京" * 40}, {"答え": "晴れ" * 90}, "s1")
    events = [*conversation(), *run.events]
    assert max(width_of(line) for line in tree(events, width, full=full).splitlines()) <= max(width, 24)


@pytest.mark.parametrize("full", [False, True])
def test_a_payload_never_reaches_the_terminal_as_control(*, full: bool) -> None:
    """Wherever hostile text stands, no control, escape or direction character is in the output; it is shown as escapes."""

    def poisoned(value: object) -> object:
        if isinstance(value, str):
            return value if re.fullmatch(r"\d{4}-.*Z|[a-f]+-[0-9a-f]+|[a-z]+_[a-z_]+|error|s\d|e1|user", value) else value + HOSTILE
        if isinstance(value, dict):
            return {(key if key in json.dumps(conversation()) else key + HOSTILE): poisoned(item) for key, item in value.items()}
        return [poisoned(item) for item in value] if isinstance(value, list) else value

    events = [poisoned(event) for event in conversation()]
    events.append({**events[0], "eventType": HOSTILE, "idempotencyKey": "x-1"})  # type: ignore[dict-item]
    text = tree(events, 200, full=full)  # type: ignore[arg-type]
    assert "\\x1b[2J" in text or "\\u001b[2J" in text
    assert [char for char in text if not char.isprintable() and char != "\n"] == []


def test_a_fitting_result_stands_beside_its_call() -> None:
    """Request and response are one line: the call, what it gave, how long it took."""
    run = Run()
    run.tool("add", {"a": 1, "b": [2]}, 3, "s1", ms=12.3)
    assert tree(run, 60).splitlines()[-1] == "└─ add(a=1, b=[2]) → 3" + " " * 33 + "12 ms"


@pytest.mark.parametrize(
    "is_alive, expected",
    [
        (None, "no response recorded"),
        (lambda process: process == ALIVE, "still open"),
        (lambda _: False, "process ended here"),
        (lambda _: None, "no response recorded"),
    ],
)
def test_a_call_without_a_response(is_alive: Callable[[str], bool | None] | None, expected: str) -> None:
    """A call that never ended says why, as far as anybody knows."""
    run = Run(process=ALIVE)
    run.request("slow", {}, "s1")
    run.add("embedding_request", {"input": ["a", "b"]}, span="e1")
    lines = tree(run, is_alive=is_alive).splitlines()
    assert f"slow() → {expected}" in lines[-2]
    assert f"2 texts → {expected}" in lines[-1]


def test_a_foreign_key_tells_no_process() -> None:
    """Where the key is not of ours, nobody is asked about its process."""
    run = Run()
    run.request("slow", {}, "s1")
    run.events[0]["idempotencyKey"] = "whatever"
    assert "no response recorded" in tree(run, is_alive=lambda _: False)


def test_a_requested_tool_that_was_not_called() -> None:
    """What a model requested and nobody called is shown under its answer."""
    run = Run()
    run.model(None, [("search", {"q": "x"}), ("search", {"q": "y"})])
    run.tool("search", {"q": "x"}, 1, "s1")
    assert '→ requested, but not recorded: search(q="y")' in tree(run)


def test_an_unusual_end_is_told() -> None:
    """A model that was stopped by a limit is told apart from one that had finished."""
    run = Run()
    run.model("…")
    run.model("half an ans")
    run.events[0]["content"]["finishReason"] = "stop"  # type: ignore[index]
    run.events[1]["content"]["finishReason"] = "length"  # type: ignore[index]
    assert tree(run).count("stopped: length") == 1
    assert tree(run).count("stopped") == 1


def test_errors_outside_calls() -> None:
    """An error of its own has its line, with the status; its stack is for those who ask for all."""
    run = Run()
    run.add("error", {"message": "no quota", "type": "RateLimited", "status": 429, "stack": "Traceback …\n  line 3"})
    assert "✗ error  RateLimited: no quota (status 429)" in tree(run)
    assert "line 3" not in tree(run)
    assert "line 3" in tree(run, full=True)


def test_several_tools_in_one_request() -> None:
    """A request that names several calls shows them all."""
    run = Run()
    calls = [{"name": "a", "arguments": {"x": 1}}, {"name": "b", "arguments": "raw"}]
    run.add("tool_call_request", {"toolCalls": calls}, {"tool": "both"}, "s1")
    assert 'both(a(x=1), b("raw"))' in tree(run)


def test_an_event_of_an_unknown_type_is_shown() -> None:
    """What this version doesn't know is shown as it is."""
    run = Run()
    run.add("agent_handover", {"to": "billing"})
    assert 'agent_handover  {"to": "billing"}' in tree(run)


def test_deep_nesting_stays_readable() -> None:
    """Calls within calls within calls go on at the left when there is no more room."""
    run = Run()
    for depth in range(30):
        run.request(f"level_{depth}", {}, f"s{depth}", **({"parentSpanId": f"s{depth - 1}"} if depth else {}))
    text = tree(run, 40)
    assert all(f"level_{depth}()" in text for depth in range(30))


def test_nothing_at_all() -> None:
    """A trace without events is a header."""
    assert tree([]) == "unknown\n0 events · 0 tool calls\n"


def test_times_are_in_the_zone_asked_for() -> None:
    """A time is shown in the reader's zone."""
    run = Run()
    run.user("Hi")
    assert "Mon 23 Nov 2026 18:14:05 UTC" in tree(run)
    assert "Mon 23 Nov 2026 20:14:05 UTC+02:00" in tree(run, zone=timezone(timedelta(hours=2)))


def test_full_shows_everything() -> None:
    """With `full` nothing is cut: long texts, all messages, long values."""
    run = Run()
    run.user("first " * 100 + "end-1", "second " * 100 + "end-2")
    run.model("answer " * 200 + "end-3")
    run.tool("f", {"x": ["argument " * 50 + "end-4"]}, {"y": ["result " * 100 + "end-5"]}, "s1")
    cut, full = tree(run), tree(run, full=True).replace("\n", " ")
    for end in range(1, 6):
        assert f"end-{end}" not in cut
        assert f"end-{end}" in full


def test_full_goes_on_below_where_a_line_is_too_long() -> None:
    """Why a model stopped, names, and why events are missing are told to their end too, in lines no wider than asked."""
    run = Run()
    run.user("Hi")
    run.add("llm_response", {"content": "x", "finishReason": "odd " * 30 + "end-1"}, {"model": "m" * 90 + "end-2"}, None, 390)
    run.tool("long_name_" * 12 + "end-3", {"a": 1}, {"y": 1}, "s1")
    trace = RecordedTrace.from_events(run.events, delivery=DeliveryStatus(rejected={"409 " + "taken " * 30 + "end-4": 1}))
    cut, full = (render_tree(trace, width=60, color=False, full=full) for full in (False, True))
    joined = re.sub(r"\n[│├└ ]*", "", full)
    for end in range(1, 5):
        assert f"end-{end}" not in cut
        assert f"end-{end}" in joined
    assert "…" not in full
    assert max(map(width_of, full.splitlines())) <= 60


def test_a_long_trace_is_rendered_in_good_time() -> None:
    """Thousands of events and megabytes of values are no obstacle."""
    run = Run(process=DEAD)
    for number in range(2000):
        run.tool("f", {"n": number}, "x" * 1000, f"s{number}")
    assert tree(run).count("f(n=") == 2000


def test_a_call_that_was_stopped_says_so() -> None:
    """An interrupted call and a generator that was left early are told from calls that came to their end."""
    recording = Recording()

    @tool
    def stream() -> Iterator[int]:
        yield 1
        yield 2

    with recording.trace("t") as trace:
        with contextlib.suppress(KeyboardInterrupt), trace.tool_span("wait"):
            raise KeyboardInterrupt
        next(stream())
    text = render_tree(RecordedTrace.from_events(recording.events, "t"), width=80, color=False)
    assert "wait() → interrupted (KeyboardInterrupt)" in text
    assert "closed early by its reader" in text
