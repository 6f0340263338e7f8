"""What an engine shows of a span, in one form for all engines, and spans as a text that a test can hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MOST_OF_A_TEXT = 200


@dataclass(frozen=True)
class Message:
    """One message of a prompt or an answer: its texts, reasoning among them, and what it calls, as `name arguments`."""

    role: str
    text: str
    calls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tokens:
    """What a model's call used. `given` includes what was read from a cache and written to it."""

    given: int
    made: int
    read: int = 0
    written: int = 0


@dataclass(frozen=True)
class Shown:
    """A span. `kind` is agent, model, tool or step; `failure` what its status says, where it failed."""

    id: str
    trace: str
    parent: str | None
    began: int
    name: str
    kind: str
    session: str
    user: str | None
    given: str | None
    result: str | None
    failure: str | None
    raised: str | None
    prompt: Sequence[Message] = ()
    answer: Sequence[Message] = ()
    tokens: Tokens | None = None


def outline(spans: Iterable[Shown]) -> str:
    """Return the spans as a tree: each turn after the one before, a span below the one around it, in the order of time.

    Below a model's call is what it was asked and what it answered.
    """
    listed = sorted(spans, key=lambda span: (span.began, span.id))
    assert len({span.id for span in listed}) == len(listed), "a span is there twice"
    lines: list[str] = []
    shown: set[str] = set()

    def write(parent: str | None, depth: int) -> None:
        for span in listed:
            if span.parent == parent:
                lines.extend("  " * depth + line for line in _lines(span))
                shown.add(span.id)
                write(span.id, depth + 1)

    write(None, 0)
    assert len(shown) == len(listed), f"of {len(listed)} spans {len(shown)} are in the tree"
    return "\n".join(lines) + "\n"


def _lines(span: Shown) -> Iterator[str]:
    said = [span.kind, span.name]
    if span.user:
        said.append(f"for {span.user}")
    if span.kind != "model":
        said += [_short(span.given)] if span.given else []
        said += [f"-> {_short(span.result)}"] if span.result else []
    if span.tokens is not None:
        said.append(f"{span.tokens.given}+{span.tokens.made}")
        said += [f"read {span.tokens.read}"] if span.tokens.read else []
        said += [f"written {span.tokens.written}"] if span.tokens.written else []
    if span.failure is not None:
        said.append(f"! {span.failure} ({span.raised})")
    yield " ".join(said)
    for sign, messages in ((">", span.prompt), ("<", span.answer)):
        for message in messages:
            yield f"    {sign} {message.role}: {' '.join([_short(message.text), *map('call {}'.format, message.calls)])}".rstrip()


def _short(text: str) -> str:
    """Return a text on one line, not too long; JSON in one form."""
    try:
        text = json.dumps(json.loads(text), ensure_ascii=False, sort_keys=True)
    except ValueError:
        text = " ".join(text.split())
    return text if len(text) <= MOST_OF_A_TEXT else f"{text[:MOST_OF_A_TEXT]}…"
