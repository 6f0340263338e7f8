"""The invisible signature that the WhyOps proxy appends to a chat's text."""

from __future__ import annotations

from .._encoding.redaction.regex import Pattern

_SIGNATURE = Pattern("\u200b(?:[\u200c\u200d]{8})+\u200e")


def strip_signature(text: str) -> str:
    """Return `text` without the proxy's signatures: U+200B, 8-bit characters written in U+200C and U+200D, U+200E.

    Other invisible characters stay, as they join emoji and shape scripts.
    """
    return _SIGNATURE.sub("", text) if "\u200b" in text else text
