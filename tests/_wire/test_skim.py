"""Which traces many lines are of: as decoding each would tell, with few of them decoded."""

from __future__ import annotations

import json

import pytest

from whyops._wire import skim
from whyops._wire.line import head, line
from whyops._wire.read import RecordedEvent, decode
from whyops._wire.skim import Latest, is_of

OTHERS = (
    b'{"agentName":"a","traceId":"other order","timestamp":"2026-11-20T10:00:00.000Z"}\n',
    b'{"traceId": "spaced", "agentName": "a", "timestamp": "2026-11-20T10:00:00.000Z"}\n',
    '{"traceId":"umlaut ä","agentName":"a","eventType":"error","timestamp":"2026-11-20T10:00:00.000Z"}\n'.encode(),
    b'{"traceId":"escaped \\u00e4","agentName":"a","eventType":"error","timestamp":"2026-11-20T10:00:00.000Z"}\n',
    b'{"traceId":"no time","agentName":"a","eventType":"error"}\n',
    b'{"traceId":17}\n',
    b"no JSON\n",
)


def of(trace: str, second: int, thousandth: int = 0) -> bytes:
    """Make a line as it is recorded."""
    stamp = f"2026-11-20T10:{second // 60:02d}:{second % 60:02d}.{thousandth:03d}Z"
    return line(head(trace, 'an "agent"' if trace == "quoted" else "agent", "user"), "error", stamp, f'"{trace}-{second}"', ',"content":{}')


LINES = [of(f"trace-{number % 7}", number) for number in range(400)] + [of("quoted", 401), *OTHERS]


def test_the_ids_are_those_that_decoding_tells() -> None:
    """In the order in which they appear, whoever wrote the lines."""
    expected = dict.fromkeys(name for one in LINES if (name := RecordedEvent(decode(one) or {}).trace_id))
    assert set(Latest(LINES).ids) == set(expected)


def test_the_last_are_those_that_decoding_tells() -> None:
    """At whatever place the newest line stands."""
    for lines in (LINES, LINES[::-1], LINES[200:] + LINES[:200], [of("early", 5, 900), of("late", 6), of("early", 3)]):
        times: dict[str, int] = {}
        for one in lines:
            event = RecordedEvent(decode(one) or {})
            if event.trace_id:
                times[event.trace_id] = max(times.get(event.trace_id, 0), event.at or 0)
        found = Latest(lines).times()
        last = max(times, key=lambda name: times[name])
        assert max(found, key=lambda name: found[name]) == last
        assert found[last] == times[last]


@pytest.mark.parametrize("name", ["trace-3", "trace-", "quoted", "other order", "spaced", "umlaut ä", "escaped ä", "no time", "none"])
def test_the_lines_of_a_trace_are_those_that_decoding_tells(name: str) -> None:
    """Whoever wrote them."""
    wanted = is_of(name)
    assert [wanted(one) for one in LINES] == [RecordedEvent(decode(one) or {}).trace_id == name for one in LINES]


def test_few_lines_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of our own lines those of the last seconds; for one trace none."""
    decoded: list[bytes] = []
    monkeypatch.setattr(skim, "decode", lambda one: decoded.append(one) or json.loads(one))
    own = [of(f"trace-{number % 7}", number) for number in range(400)]
    Latest(own).times()
    assert 1 <= len(decoded) <= 5
    decoded.clear()
    assert sum(map(is_of("trace-3"), own)) == 57
    assert not decoded
