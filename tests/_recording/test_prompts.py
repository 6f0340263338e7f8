"""What is remembered of a trace's prompts: which messages are new, and the ids of the others."""

from __future__ import annotations

from typing import Any

import pytest

from whyops._providers.said import Said, seal_of
from whyops._recording import prompts
from whyops._recording.prompts import PromptMemory


def say(role: str, content: Any, **more: Any) -> Said:
    message = {"content": content}
    return Said(role, content, message=message, **more)


def recorded(memory: PromptMemory, *said: Said, key: str = "k") -> list[Any]:
    """Record a prompt as a handler does, and return its ids."""
    division = memory.divide(said)
    for index, (place, spread) in enumerate(zip(division.new, division.spreads, strict=True)):
        if spread is not None:
            memory.remember(f"{key}/{index}", said[place], spread)
    return division.ids


def test_what_was_recorded_is_told_by_its_id() -> None:
    """In the order of the prompt, the new ones by their place among the new."""
    memory = PromptMemory()
    system, question, more = say("system", "Help."), say("user", "Hello"), say("user", "More")
    assert recorded(memory, system, question) == [0, 1]
    answer = say("assistant", "Hi.")
    memory.remember("answer", answer)
    assert recorded(memory, system, question, answer, more, key="m") == ["k/0", "k/1", "answer", 0]
    assert recorded(memory, say("system", "Help."), question, more) == ["k/0", "k/1", "m/0"]


def test_what_a_user_says_last_is_new_unless_it_is_the_same_object() -> None:
    """A user may say the same again; a call that is tried again has the very same message."""
    memory = PromptMemory()
    first = say("user", "Hello")
    recorded(memory, first)
    assert recorded(memory, first) == ["k/0"]
    assert recorded(memory, say("user", "Hello"), key="l") == [0]
    assert recorded(memory, say("user", "Hello"), say("system", "Be short."), key="m") == [0, 1]
    assert recorded(memory, Said("user", "Hello")) == [0]


@pytest.mark.parametrize(
    "other",
    [
        "One more",
        ["One"],
        [{"text": "Two"}],
        [{"text": "One", "more": None}],
        [{"texts": "One"}],
        [{"text": "One"}, []],
        ({"text": "Onf"},),
    ],
)
def test_other_parts_are_another_message(other: object) -> None:
    """However little they differ; `1`, `1.0` and `True` are three values."""
    memory = PromptMemory()
    recorded(memory, say("tool", [{"text": "One"}]))
    assert recorded(memory, say("tool", other)) == [0]
    recorded(memory, say("tool", [1]), key="l")
    assert [recorded(memory, say("tool", [number]), key="n") for number in (True, 1.0, 1)] == [[0], [0], ["l/0"]]


def test_a_message_that_is_changed_in_place_is_another() -> None:
    """Its parts are what counts, and not the object."""
    memory = PromptMemory()
    content = [{"text": "One"}]
    said = say("user", content)
    recorded(memory, said)
    content[0]["text"] = "Two"
    assert recorded(memory, said) == [0]


def test_what_cannot_be_looked_into_is_recorded_each_time() -> None:
    """It may change unseen; so may what is nested too deep, or has too many parts."""
    deep: Any = "x"
    for _ in range(20):
        deep = [deep]
    for content in (object(), {"image": {1, 2}}, deep, [0] * 10_000):
        memory = PromptMemory()
        assert [recorded(memory, say("tool", content)) for _ in range(2)] == [[0], [0]]


def test_a_name_that_came_later_stands_beside_the_id() -> None:
    """Frameworks name a message after they have made it."""
    memory = PromptMemory()
    memory.remember("answer", say("assistant", "Hi."))
    assert recorded(memory, say("assistant", "Hi.", name="clerk")) == [{"id": "answer", "name": "clerk"}]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was in no prompt for long goes first; what does not fit beside the prompt of the moment is recorded again."""
    monkeypatch.setattr(prompts, "MOST_MESSAGES", 6)
    memory = PromptMemory()
    said = [say("tool", f"message {number}") for number in range(20)]
    for number in range(1, 20):
        recorded(memory, said[0], said[number], key=str(number))
        assert memory._messages <= 6
    assert recorded(memory, said[0], said[19], said[1], key="z") == ["1/0", "19/0", 0]
    assert len([one for one in recorded(memory, *said, key="all") if isinstance(one, int)]) > 12
    again = recorded(memory, *said, key="more")
    assert [one for one in again if isinstance(one, str)]
    assert memory._messages <= 6


def test_long_texts_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that is longer than all that may be held is not held."""
    monkeypatch.setattr(prompts, "MOST_CHARACTERS", 100)
    memory = PromptMemory()
    assert [recorded(memory, say("tool", "x" * 200)) for _ in range(2)] == [[0], [0]]
    for number in range(50):
        recorded(memory, say("tool", f"{number:030}"), key=str(number))
        assert memory._characters <= 100


def test_a_beginning_is_told_by_one_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the earlier prompt with the most of it; but no prompt is told by too many others, and a short one is told whole."""
    monkeypatch.setattr(prompts, "MOST_LINKS", 2)
    memory = PromptMemory()
    said = [say("tool", str(number)) for number in range(9)]
    written = []
    for length in range(3, 9):
        division = memory.divide(said[:length])
        for index, (place, spread) in enumerate(zip(division.new, division.spreads, strict=True)):
            memory.remember(f"{length}/{index}", said[place], spread)
        memory.tell(str(length), division)
        written.append(division.written)
    assert written == [
        [0, 1, 2],
        ["3/0", "3/1", "3/2", 0],
        ["4:4", 0],
        ["5:5", 0],
        ["5:5", "6/0", 0],
        ["5:5", "6/0", "7/0", 0],
    ]


def test_tools_are_found_without_a_prompt() -> None:
    """They are held as messages are, and never new to be recorded."""
    memory = PromptMemory()
    tools = Said("tools", [{"name": "find"}])
    assert memory.find(tools) is None
    memory.remember("key", tools)
    assert memory.find(Said("tools", [{"name": "find"}])) == "key"
    assert memory.find(Said("tools", [object()])) is None


def test_the_calls_that_models_chose_are_remembered_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go first."""
    monkeypatch.setattr(prompts, "MOST_CHOSEN", 3)
    memory = PromptMemory()
    for number in range(5):
        memory.choose(str(number), "find")
    assert memory.chosen == {"2": "find", "3": "find", "4": "find"}


def test_a_message_is_taken_apart_once_as_long_as_its_seal_is_the_same() -> None:
    """The very object, unchanged; without a seal, and once it has changed, it is taken apart again."""
    memory, taken = PromptMemory(), []

    def take_apart(message: Any) -> Said:
        taken.append(dict(message))
        return Said("user", message["content"], message=message)

    message = {"content": "Hello"}
    met = [memory.meet(message, seal_of(message), take_apart) for _ in range(3)]
    assert met[0] is met[1] is met[2]
    message["content"] = "Hullo"
    assert memory.meet(message, seal_of(message), take_apart).said.parts == "Hullo"
    memory.meet(dict(message), seal_of(message), take_apart)
    memory.meet(message, None, take_apart)
    assert taken == [{"content": "Hello"}, *[{"content": "Hullo"}] * 3]


def test_no_more_messages_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither more of them, nor longer ones; what was forgotten is taken apart again."""
    monkeypatch.setattr(prompts, "MOST_CHARACTERS", 10)
    memory = PromptMemory()
    short, long = {"content": "Hello"}, {"content": "Hello again"}
    first = memory.meet(short, b"1", lambda message: Said("user", message["content"]))
    memory.meet(long, b"2", lambda message: Said("user", message["content"]))
    assert memory.meet(short, b"1", lambda message: Said("user", message["content"])) is not first


def test_bytes_are_no_text() -> None:
    """What makes a message up is the same only where it is of the same type; a text alone is no list with a text in it."""
    memory = PromptMemory()
    memory.remember("key", Said("assistant", [b"calls"]))
    assert memory.find(Said("assistant", [b"calls"])) == "key"
    assert [memory.find(Said("assistant", parts)) for parts in ([b"other"], ["calls"], "calls", [b"call", b"s"])] == [None] * 4
