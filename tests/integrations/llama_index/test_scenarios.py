"""Each prompt, put together again from what was recorded, is message by message what the model itself was given."""

from __future__ import annotations

from pathlib import Path

import pytest

import whyops
from tests.integrations.llama_index.run import Run
from tests.integrations.scenario import Scenario, scenarios_in, ways
from whyops._trace.incomplete import gaps
from whyops._trace.recorded import RecordedTrace
from whyops.testing import capture
from whyops.integrations.llama_index import instrument, _dispatch

# LlamaIndex's agents look at attributes that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ALL = scenarios_in(Path(__file__).parent / "scenarios")


@pytest.mark.parametrize("case, streamed", ways(ALL))
def test_prompts_are_rebuilt(case: Scenario, streamed: bool) -> None:
    run = Run(lambda: None, streamed=streamed)
    with capture(**case.client) as captured, instrument():
        with whyops.trace("t"):
            case.run(run)
        recorded = RecordedTrace.from_events(captured.events)
        assert len(_dispatch._spans) == 0
    assert run.given
    assert [list(call.prompt or ()) for call in recorded.model_calls] == run.given
    assert gaps(recorded) == list(case.gaps)
