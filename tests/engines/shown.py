"""What an engine shows of a span, in one form for all engines, and spans as a text that a test can hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


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
    """Return the spans as a tree: each turn after the one before, a span below the one around it, in the order of time."""
    listed = sorted(spans, key=lambda span: (span.began, span.id))
    known = {span.id for span in listed}
    assert len(known) == len(listed), "a span is there twice"
    lines: list[str] = []

    def write(parent: str | None, depth: int) -> None:
        for span in listed:
            if span.parent == parent:
                lines.append("  " * depth + _line(span))
                write(span.id, depth + 1)

    write(None, 0)
    assert len(lines) == len(listed), f"of {len(listed)} spans {len(lines)} are in the tree"
    return "\n".join(lines)


def _line(span: Shown) -> str:
    said = [span.kind, span.name]
    if span.user:
        said.append(f"for {span.user}")
    if span.kind != "model":
        said += [text for text in (span.given, span.result and f"-> {span.result}") if text]
    if span.tokens is not None:
        said.append(f"{span.tokens.given}+{span.tokens.made}")
        said += [f"read {span.tokens.read}"] if span.tokens.read else []
        said += [f"written {span.tokens.written}"] if span.tokens.written else []
    if span.failure is not None:
        said.append(f"! {span.failure} ({span.raised})")
    return " ".join(said)
