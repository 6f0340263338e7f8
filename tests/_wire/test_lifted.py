"""The system prompt that the service took out of the messages."""

from __future__ import annotations

import pytest

from whyops._wire.lifted import with_prompt
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


def test_no_messages() -> None:
    """A trace without messages has no place for one."""
    assert with_prompt([], "Be kind.") == []
