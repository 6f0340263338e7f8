"""How often a trace of another process was not continued, as `whyops status` tells it."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from whyops._assembly import deliveries
from whyops._outbox.inspect import inspect_outboxes


def ignored() -> Counter[str]:
    """Return the numbers of this test's home, by reason, once what this process knows is written down."""
    for delivery in deliveries():
        delivery.close(10).result(15)
    told: Counter[str] = Counter()
    for one in inspect_outboxes(Path(os.environ["WHYOPS_HOME"])):
        assert sum(one.counts.not_continued_reasons.values()) == one.counts.not_continued
        told.update(one.counts.not_continued_reasons)
    return told
