"""Many lines read at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from whyops._wire.objects import objects_in
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


@pytest.mark.parametrize("lines", LINES.values(), ids=LINES)
def test_many_lines_are_read_as_each_alone(lines: list[bytes]) -> None:
    """Whatever is torn, or no line of ours: what stands in one never comes out as part of another."""
    assert repr(list(objects_in(lines, decode))) == repr([decode(line) for line in lines])


def test_whole_lines_are_not_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """They cost few parses, and a damaged one costs those near it alone."""
    parses: list[int] = []
    loads = json.loads

    def counted(text: bytes, **options: Any) -> object:
        parses.append(1)
        return loads(text, **options)

    monkeypatch.setattr(json, "loads", counted)
    assert len(list(objects_in(WHOLE, decode))) == 1000
    assert len(parses) <= 10
    assert sum(event is None for event in objects_in([*WHOLE, WHOLE[0][:30]], decode)) == 1
    assert len(parses) <= 160
