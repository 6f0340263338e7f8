"""The proxy's invisible signature."""

from __future__ import annotations

from whyops import strip_signature


def signed(text: str, trace_id: str) -> str:
    bits = "".join(f"{byte:08b}" for byte in trace_id.encode())
    return text + "\u200b" + bits.replace("1", "\u200c").replace("0", "\u200d") + "\u200e"


def test_the_signature_goes_and_the_text_stays():
    """What the proxy appended is removed, wherever it stands; 74 characters for an id of nine."""
    assert len(signed("", "trace-123")) == 74
    assert strip_signature(signed("Your order has shipped.", "trace-123")) == "Your order has shipped."
    assert strip_signature(signed("a", "x") + signed("b", "y")) == "ab"


def test_other_invisible_characters_stay():
    """Joiners that hold emoji and scripts together are part of the text."""
    for text in ("plain", "👩\u200d👩\u200d👧", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u200b", "\u200b\u200c\u200e"):
        assert strip_signature(text) == text
