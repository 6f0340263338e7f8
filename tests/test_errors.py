"""What errors say."""

from __future__ import annotations

import pickle

import pytest

from whyops import errors


@pytest.mark.parametrize("kind", ["WhyOpsError", "ServiceError", "StoreError", "TraceNotFoundError", "ConfigurationError", "DeliveryError"])
def test_an_error_is_one_printable_line(kind):
    """Whoever's words it quotes, a server's or a file's: they do nothing on a terminal, and are bounded."""
    error = getattr(errors, kind)("The service says \x1b[2J\nforged line \u202e" + "x" * 10_000)
    assert str(error).isprintable()
    assert str(error).startswith("The service says \\x1b[2J\\nforged line \\u202ex")
    assert len(str(error)) <= 2000
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
