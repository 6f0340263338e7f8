"""What carries a trace: read in any form, within bounds."""

from __future__ import annotations

from whyops._recording.carried import KEY
from whyops._recording.carrier import baggage_in, text_in


def test_our_own_key_comes_first() -> None:
    """MCP's `_meta` may hold both; a `baggage` of others alone is nothing to us."""
    assert text_in({"baggage": "whyops.trace=a", KEY: "whyops.trace=b"}) == "whyops.trace=b"
    assert text_in({KEY: "whyops.trace=b"}) == "whyops.trace=b"
    assert text_in({"baggage": "a=1"}) is None
    assert text_in({"Accept": "whyops.trace=a"}) is None


def test_several_headers_are_one() -> None:
    """HTTP says that of headers with one name; more than a thousand are not looked through."""
    assert text_in([(b"baggage", b"a=1"), (b"baggage", b"whyops.trace=t")]) == "a=1,whyops.trace=t"
    assert text_in([(b"x", b"y")] * 1_000 + [(b"baggage", b"whyops.trace=t")]) is None


def test_where_baggage_is() -> None:
    """Its name stays as the carrier spells it."""
    assert baggage_in({"Baggage": "a=1"}) == ("Baggage", "a=1")
    assert baggage_in(None) == ("baggage", "")
