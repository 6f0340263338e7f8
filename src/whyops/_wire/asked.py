"""A prompt's messages → what the user asked in it."""

from __future__ import annotations

from collections.abc import Sequence

from .read import Message


def asked_in(messages: Sequence[Message]) -> Message:
    """Return the last message of the user, which the agent is to answer; without one, the last of all."""
    of_user = (message for message in reversed(messages) if message.role == "user")
    return next(of_user, messages[-1] if messages else Message("user", ""))
