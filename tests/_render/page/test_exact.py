"""Recorded values as a browser reads them."""

from __future__ import annotations

import json
from collections import Counter
from types import SimpleNamespace

import pytest

from tests._render.recordings import Run
from whyops._encoding import core
from whyops._render.page.exact import exact_event, inert_event
from whyops._render.page.html import report_parts
from whyops._trace.recorded import RecordedTrace
from whyops._wire.objects import recorded_in
from whyops._wire.read import RecordedEvent, decode

CONTENTS = (
    '"plain"',
    '{"a": [1, -2, 0.5, 1e3, 1E-7, true, null]}',
    "123456789012345",
    "1234567890123456",
    "[-9007199254740993]",
    '{"a":[0,-12345678901234567890 ]}',
    '"1234567890123456, 1234567890123456"',
    "0.12345678901234567890",
    "1e400",
    "[1, -1.5E+999]",
    "NaN",
    "[Infinity,-Infinity]",
    '"</script><!-- & -->"',
    '"caf\u00e9 \u2028 \U0001f600"',
    '"\\u003cb\\u003e \\ud800 \\u0000"',
    '"not a number: NaN, nor Infinity"',
    "[\n1,\r\n 2]",
    '"' + "9" * 5000 + '"',
    "9" * 5000,
)


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_line_is_what_was_read_from_it(content: str, end: str) -> None:
    """Handed on as its line or written anew, an event is the same JSON, of ASCII alone, in one line, and closes no tag."""
    line = f'{{"eventType":"error","content":{content}}}{end}'.encode()
    raw = decode(line)
    assert raw is not None
    text = inert_event(RecordedEvent(raw, line))
    assert json.loads(text, parse_constant=str) == exact_event(RecordedEvent(raw))
    assert text.isascii()
    assert not set("<>&\r\n") & set(text)


def test_a_line_that_a_browser_reads_as_it_is() -> None:
    """Of most events nothing is written anew: neither digits in a text nor a key's make a number."""
    line = b'{"idempotencyKey":"0000000000000000-1","content":{"order":"1234567890123456","total":129.5}}'
    assert inert_event(RecordedEvent({}, line)) == line.decode()


def test_an_event_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a report each line is parsed once, and no event is written again: what is written are steps, and the index."""
    run = Run("long")
    run.user("Go.")
    for number in range(300):
        run.tool("look", {"order": number}, "found", f"s{number}")
    lines = [json.dumps(event).encode() for event in run.events]
    done: Counter[str] = Counter()
    parse, write = json.loads, json.JSONEncoder.iterencode

    def loads(*arguments: object, **options: object) -> object:
        done["parsed"] += 1
        return parse(*arguments, **options)  # type: ignore[arg-type]

    def iterencode(self: json.JSONEncoder, o: object, **options: bool) -> object:
        done["written"] += isinstance(o, dict) and "eventType" in o
        return write(self, o, **options)

    monkeypatch.setattr(json, "loads", loads)
    monkeypatch.setattr(core, "_loaded", SimpleNamespace(from_json=loads))
    monkeypatch.setattr(json.JSONEncoder, "iterencode", iterencode)
    page = "".join(report_parts([RecordedTrace.from_events(recorded_in(lines))], version="0"))
    assert page.count('"eventType"') == 601
    assert done["written"] == 0
    assert 601 <= done["parsed"] <= 606
