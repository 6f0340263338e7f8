"""Each span is there once, whatever happens on the way: who sends or takes is killed, answers are lost, all is sent again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from .behind import Behind
from .cut import Cut
from .process import eventually
from .shown import Shown, outline
from .turns import PROGRAM, check_children, check_whole, said

EXPECTED = (Path(__file__).parent / "expected" / "support.txt").read_text("utf-8")
WAYS = ["through a collector", "directly"]


def address_of(behind: Behind, way: str) -> str:
    return behind.collector.url if way == "through a collector" else behind.engine.process.url


@pytest.mark.parametrize("way", WAYS)
def test_sent_again(behind: Behind, agent: str, way: str) -> None:
    """A run that comes a second time, from the local store, changes nothing."""
    spans = behind.sent(agent, PROGRAM, f"chat {way}", count=12)
    for _ in range(2):
        behind.whyops(agent, "push", "--otlp", address_of(behind, way), f"chat {way}")
    behind.has_all(agent)
    after = [span for span in behind.engine.spans(agent) if span.session == f"chat {way}"]
    assert sorted(after, key=lambda span: span.id) == sorted(spans, key=lambda span: span.id)


@pytest.mark.parametrize("way", WAYS)
def test_the_sender_is_killed(behind: Behind, agent: str, way: str) -> None:
    """What it had recorded is brought by `whyops deliver`; a turn's own span that it had not sent, by `whyops push`."""
    name, address = f"{agent}-{way}".replace(" ", "-"), address_of(behind, way)
    with behind.start(name, PROGRAM, "chat", "endless", address=address) as process:
        numbers = said(process, 25)
        process.kill()
    behind.whyops(name, "deliver", address=address)
    behind.whyops(name, "deliver", address=address)
    behind.has_all(agent)
    spans = behind.engine.spans(name)
    check_children(numbers, spans)
    assert sum(span.parent is None for span in spans) >= len(numbers) - 3, (
        "more than the last turn of each conversation has no span of its own"
    )
    behind.whyops(name, "push", "--otlp", address, "--since", "1d")
    behind.has_all(agent)
    check_whole(name, numbers, behind.engine.spans(name))


@pytest.mark.parametrize("away", ["collector", "engine"])
def test_the_receiver_is_away(behind: Behind, agent: str, away: str) -> None:
    """A receiver that was killed gets all once it is back: from `whyops deliver`, as the program has ended long since."""
    name = f"{agent}-{away}"
    process = behind.collector if away == "collector" else behind.engine.process
    process.kill()
    try:
        behind.run(name, PROGRAM, "chat", "hasty", address=process.url)
    finally:
        process.start()
    behind.whyops(name, "deliver", address=process.url)
    assert outline(behind.arrived(name, 12)).replace(name, "support") == EXPECTED


@pytest.mark.parametrize("killed", ["collector", "engine"])
def test_the_receiver_is_killed_while_spans_come(behind: Behind, agent: str, killed: str) -> None:
    """An engine that stores before it answers has all once it is back; another one, and a collector, may lack what it had acknowledged.

    Nobody can see that from outside. `whyops push` sends it again: then all is there, once.
    """
    name = f"{agent}-{killed}"
    process = behind.collector if killed == "collector" else behind.engine.process
    with behind.start(name, PROGRAM, "chat", "endless", address=process.url) as program:
        numbers = list(said(program, 25))
        process.kill()
        numbers += said(program, 15)
        process.start()
        numbers += said(program, 15)
        assert program.stdin is not None
        program.stdin.close()
    assert program.returncode == 0
    if killed == "engine" and behind.engine.stores_first:
        check_whole(name, numbers, behind.arrived(name, 6 * len(numbers)))
    behind.whyops(name, "push", "--otlp", process.url, "--since", "1d")
    behind.has_all(agent)
    check_whole(name, numbers, behind.engine.spans(name))


@pytest.mark.parametrize("where", ["before the engine", "before the collector"])
def test_answers_are_lost(behind: Behind, agent: str, where: str) -> None:
    """What was taken, and not acknowledged as the connection was cut, is sent again: it is there once."""
    name = f"{agent}-{where}".replace(" ", "-")
    with Cut(behind.collector.url if where == "before the collector" else behind.engine.process.url, answers=2) as cut:
        spans = behind.sent(name, PROGRAM, "chat", count=12, address=cut.url)
    assert len(cut.taken) == 2
    assert cut.answered
    behind.has_all(agent)
    check_same(behind, name, spans)


def test_answers_to_the_collector_are_lost(behind: Behind, agent: str) -> None:
    """A collector that gives up what was not acknowledged to it had it taken nevertheless; sent again, by us, it is there once."""
    with Cut(behind.engine.process.url, answers=1) as cut, behind.another_collector(agent, cut.url) as collector:
        behind.run(agent, PROGRAM, "chat", address=collector.url)
        eventually(lambda: cut.taken, bool, collector.log)
        behind.whyops(agent, "push", "--otlp", collector.url, "chat")
        spans = behind.arrived(agent, 12)
        eventually(lambda: cut.answered, bool, collector.log)
    behind.has_all(agent)
    check_same(behind, agent, spans)


def check_same(behind: Behind, agent: str, spans: Sequence[Shown]) -> None:
    after = behind.engine.spans(agent)
    assert {span.id for span in after} == {span.id for span in spans}
    assert outline(after).replace(agent, "support") == EXPECTED
