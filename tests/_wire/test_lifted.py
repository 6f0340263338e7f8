"""What the service took out of an event is put back."""

from __future__ import annotations

import pytest

from whyops._wire.lifted import event_of_trace, with_prompt
from whyops._wire.read import RecordedEvent

SYSTEM = {"role": "system", "content": "Be kind."}
USER = {"role": "user", "content": "Hi"}


def asked(content: object, **metadata: object) -> RecordedEvent:
    return RecordedEvent({"eventType": "user_message", "content": content, "metadata": metadata})


@pytest.mark.parametrize(
    "content, whole",
    [
        ([USER], [SYSTEM, USER]),
        ("Hi", [SYSTEM, USER]),
        ({"messages": [USER], "model": "m"}, {"messages": [SYSTEM, USER], "model": "m"}),
        ({"text": "Hi"}, {"text": "Hi"}),
        (None, None),
    ],
)
def test_it_leads_the_first_messages(content: object, whole: object) -> None:
    """It stands before the messages of the first event that has any; a bare text is what the user said."""
    error = RecordedEvent({"eventType": "error", "content": {"message": "no"}})
    events = with_prompt([error, asked(content), asked([USER])], "Be kind.")
    assert [event["content"] for event in events] == [{"message": "no"}, whole, [USER]]


@pytest.mark.parametrize("there", [asked([{"role": "developer", "content": "x"}, USER]), asked([USER], systemPrompt="Be kind.")])
def test_it_is_not_there_twice(there: RecordedEvent) -> None:
    """Where a message or the metadata has a prompt still, nothing is added."""
    assert with_prompt([asked([USER]), there], "Be kind.") == [asked([USER]).raw, there.raw]


def test_what_is_of_our_own_making_came_whole() -> None:
    """It gets no prompt that it never had, and a proxied one behind it does."""
    ours, proxied = asked([USER], recordedAt="2026-11-02T10:00:00.000001Z"), asked([USER])
    assert with_prompt([ours], "Be kind.") == [ours.raw]
    assert [event["content"] for event in with_prompt([ours, proxied], "Be kind.")] == [[USER], [SYSTEM, USER]]


def test_no_messages() -> None:
    """A trace without messages has no place for one."""
    assert with_prompt([], "Be kind.") == []


MESSAGES = [SYSTEM, USER]
OURS = {"recordedAt": "2026-11-02T10:00:00.000001Z"}


@pytest.mark.parametrize(
    "stored,recorded",
    [
        ({"content": "Hi", "metadata": {**OURS, "messages": MESSAGES}}, {"content": MESSAGES, "metadata": OURS}),
        ({"content": "Hi", "metadata": OURS}, {"content": [USER], "metadata": OURS}),
        ({"content": "Hi", "metadata": {}}, {"content": "Hi", "metadata": {}}),
        ({"content": "Hi", "metadata": None}, {"content": "Hi"}),
        ({"content": MESSAGES, "metadata": {**OURS, "messages": "all"}}, {"content": MESSAGES, "metadata": {**OURS, "messages": "all"}}),
    ],
    ids=["whole in the metadata", "a single one", "of others", "without metadata", "no list"],
)
def test_a_prompt_that_the_service_reduced(stored: dict[str, object], recorded: dict[str, object]) -> None:
    """Its messages stand where they were recorded, and there alone; what is not of our own making stays as it is."""
    common = {"traceId": "t", "eventType": "user_message"}
    assert event_of_trace({**common, **stored}, "t") == {**common, **recorded}
