"""The real run that the views are looked at with is what LlamaIndex does today."""

from __future__ import annotations

import pytest

from tests._render.real_runs import recorded
from tests._render.told import told_of
from tests.integrations.llama_index import runs


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_run_is_told_as_the_one_that_is_kept() -> None:
    """Steps, and who acts: the kept text shows what really happens."""
    assert told_of(runs.record("team")) == told_of(recorded("team"))
