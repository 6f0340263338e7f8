"""Numbers as text that is made once."""

from __future__ import annotations

DIGITS = tuple(map("{:03d}".format, range(1_000)))
"""Each number below a thousand in three digits: to write one costs several times what it costs to look it up."""
