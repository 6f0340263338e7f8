"""Many lines read at once."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pydantic_core
import pytest

from whyops._encoding import core
from whyops._wire.objects import ReadLine, objects_in
from whyops._wire.read import decode

WHOLE = [json.dumps({"traceId": f"t{number}", "content": "x" * 500}).encode() + b"\n" for number in range(1000)]
SPLIT = [b'{"a":[1\n', b"2]}\n", b'{"b":1},{"c":2}\n']
LINES = {
    "whole": WHOLE,
    "none": [],
    "one": WHOLE[:1],
    "torn": [*WHOLE[:3], WHOLE[3][:40] + WHOLE[4], *WHOLE[5:7]],
    "torn at the end": [*WHOLE[:3], WHOLE[3][:40]],
    "as many objects as lines, but not one each": SPLIT,
    "arrays": [b"[1]\n", b'{"a":1}\n', b"null\n", b"3\n"],
    "empty": [b"\n", b'{"a":1}\n', b""],
    "more than one on a line": [b'{"a":1},"x",{"b":2}\n'],
    "no UTF-8": [b'{"a":"\xff"}\n', b'{"a":1}\n'],
    "another encoding": ['{"a":1}\n'.encode("utf-16"), b'{"a":1}\n'],
    "zeros": [b"\0" * 40 + b"\n", b'{"a":1}\n'],
    "many digits": [b'{"a":' + b"9" * 5000 + b"}\n", b'{"a":1}\n'],
    "deep": [b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", b'{"a":1}\n'],
    "the same name twice": [b'{"a":1,"a":[]}\n', b'{"a":NaN,"b":"\\ud800"}\n'],
}


OURS = (
    b'{"traceId":"t-1","agentName":"shop","eventType":"tool_call_response","timestamp":"2026-11-01T00:00:00.060Z","idempotencyKey":'
    b'"0123456789abcdef-2b","spanId":"0123456789abcdef-2","content":{"name":"look","toolCalls":[{"name":"look","arguments":{"a":-1.5e3}}],'
    b'"toolResults":{"result":[true,null,"\\u00e9"]}},"metadata":{"tool":"look","recordedAt":"2026-11-01T00:00:00.060000Z","latencyMs":12}}\n'
)
READERS = {"Python's": json.loads, "pydantic-core's": getattr(pydantic_core, "from_json", json.loads)}
"""Early releases of pydantic-core have none."""


def damaged(line: bytes) -> list[bytes]:
    """Return a line with each of its bytes lost, changed, or made zero, cut at each, and behind each of its beginnings."""
    found = []
    for place in range(len(line) - 1):
        before, byte, behind = line[:place], line[place], line[place + 1 :]
        others = (byte ^ 1, byte | 0x80, 0)
        found += [before + b"\n", before + line, before + behind, *(before + bytes([other]) + behind for other in others if other != 10)]
    return found


@pytest.fixture(params=READERS.values(), ids=READERS)
def _each_reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "_loaded", SimpleNamespace(from_json=request.param))


@pytest.mark.usefixtures("_each_reader")
@pytest.mark.parametrize("lines", [*LINES.values(), damaged(OURS)], ids=[*LINES, "damaged"])
def test_many_lines_are_read_as_each_alone(lines: list[bytes]) -> None:
    """Whatever is torn, or no line of ours: whichever reader there is, what is an event to Python's own is one, and nothing else."""
    assert repr(list(objects_in(lines, decode))) == repr([decode(line) for line in lines])


def test_whole_lines_are_read_once_by_the_quicker_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged one costs a reading of its own, and one that was read before costs none."""
    parses: list[bytes] = []

    def counted(text: bytes) -> object:
        parses.append(text)
        return READERS["pydantic-core's"](text)

    monkeypatch.setattr(core, "_loaded", SimpleNamespace(from_json=counted))
    monkeypatch.setattr(json, "loads", None)
    found = list(objects_in(WHOLE, decode))
    assert parses == WHOLE
    read = [ReadLine.of(line, event) for line, event in zip(WHOLE, found, strict=True) if event is not None]
    assert list(objects_in(read, decode)) == found
    assert list(objects_in([*read, WHOLE[0][:30]], lambda _line: None)) == [*found, None]
    assert parses == [*WHOLE, WHOLE[0][:30]]
