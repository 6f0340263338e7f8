"""What goes into a pickle of a client or a trace, and what comes out of it, here and in another process."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydantic
import pytest

import whyops
from whyops._load import find_trace
from whyops._recording.trace import writer_of
from whyops.testing import MemorySink

KEY = "YOPS-a-key-that-stays-at-home"


class Holder:
    """Any object that holds some."""

    def __init__(self, **held: object) -> None:
        self.__dict__.update(held)


class Model(pydantic.BaseModel):
    """A model that holds some."""

    model_config = {"arbitrary_types_allowed": True}
    held: Any


@whyops.tool
def double(number: int) -> int:
    return 2 * number


def hide_all(_value: object) -> str:
    return "hidden"


def through_pickle(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def elsewhere(pickled: bytes, program: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Load a pickle as `it` in a new process, and run a program there."""
    path = home.parent / "it.pickle"
    path.write_bytes(pickled)
    code = f"import pickle, whyops\nfrom whyops._recording.trace import writer_of\nit = pickle.load(open({str(path)!r}, 'rb'))\n{program}"
    root = str(Path(__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": root, "WHYOPS_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )


def recorded(home: Path, trace_id: str) -> list[dict[str, Any]]:
    """Return the events of a trace that `home` has."""
    return [event.raw for event in find_trace(trace_id, home, None).events]


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, through_pickle], ids=["copy", "deepcopy", "pickle"])
def test_in_its_process_a_copy_of_a_client_is_that_client(again: Callable[[Any], Any]) -> None:
    """A client stands for a destination: copied in the process that made it, alone or within other objects, it is the same one."""
    sdk = whyops.WhyOps(agent_name="copied")
    assert again(sdk) is sdk
    assert copy.deepcopy(Holder(sdk=sdk)).sdk is sdk
    assert Model(held=sdk).model_copy(deep=True).held is sdk
    assert writer_of(whyops.trace("one client")).recorder is writer_of(sdk.trace("the same")).recorder


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, through_pickle], ids=["copy", "deepcopy", "pickle"])
def test_a_copy_of_a_trace_records_in_that_trace(again: Callable[[Any], Any]) -> None:
    """A trace's copy has its id, its user and its metadata, and records through the same client; inside a tool, too."""
    sink = MemorySink()
    with whyops.WhyOps(agent_name="copied", sink=sink) as sdk:
        with sdk.trace("a trace", "someone", {"tier": "gold"}) as trace, trace.tool_span("outer") as span:
            again(trace).user_message_sync([{"role": "user", "content": "hi"}])
            assert copy.deepcopy(Holder(trace=trace)).trace is trace
            assert Model(held=trace).model_copy(deep=True).held is trace
            assert again(double) is double
        sdk.flush_sync()
    (message,) = [event for event in sink.events if event["eventType"] == "user_message"]
    assert (message["traceId"], message["externalUserId"]) == ("a trace", "someone")
    assert message["metadata"].pop("recordedAt")
    [run_id] = {event["metadata"]["runId"] for event in sink.events if "runId" in event["metadata"]}
    assert message["metadata"] == {"tier": "gold", "parentSpanId": span.span_id, "runId": run_id}


def test_a_trace_that_outlives_its_client_keeps_it_in_a_pickle() -> None:
    """What a program let go of the client does not cost its traces their destination."""
    sink = MemorySink()
    trace = whyops.WhyOps(api_key=KEY, agent_name="gone", sink=sink).trace("late")
    again = through_pickle(trace)
    again.user_message_sync([{"role": "user", "content": "still there"}])
    whyops.WhyOps(api_key=KEY, agent_name="gone", sink=sink).flush_sync()
    assert [event["traceId"] for event in sink.events] == ["late"]


def test_no_pickle_holds_the_key() -> None:
    """The key is in no pickle, of client, trace or anything that holds them, with any protocol."""
    sdk = whyops.WhyOps(api_key=KEY, agent_name="secretive")
    trace = sdk.trace("t")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for held in (sdk, trace, Holder(sdk=sdk, trace=trace), sdk.flush_sync):
            assert KEY.encode() not in pickle.dumps(held, protocol)


def test_elsewhere_the_settings_hold_and_the_environment_gives_the_key(home: Path) -> None:
    """In another process a client has the settings that it was given; key and destination are that environment's."""
    sdk = whyops.WhyOps(api_key=KEY, agent_name="traveller", home=home, redact_keys=["iban"], max_value_bytes=2048)
    said = elsewhere(
        pickle.dumps(sdk),
        "print(it)\n"
        "with it.trace('far') as trace, trace.tool_span('pay', {'iban': 'DE00', 'note': 'n' * 9999}): pass\n"
        "assert writer_of(whyops.trace()).recorder is writer_of(trace).recorder\n"
        "print(it.flush_sync().delivered)",
        home.parent / "another home",
    )
    assert said.stdout == "<whyops.WhyOps agent_name='traveller'>\n2\n"
    assert "without its key" in said.stderr
    request, _ = recorded(home, "far")
    assert request["agentName"] == "traveller"
    assert request["content"]["toolCalls"][0]["arguments"]["iban"] == "[redacted]"
    assert len(request["content"]["toolCalls"][0]["arguments"]["note"]) < 2048


def test_elsewhere_a_client_of_its_own_wins(home: Path) -> None:
    """A client that a process makes is its default one, whatever came in pickles."""
    sdk = whyops.WhyOps(agent_name="guest", home=home)
    said = elsewhere(
        pickle.dumps(sdk),
        "own = whyops.WhyOps(agent_name='host')\n"
        "assert writer_of(whyops.trace()).recorder is writer_of(own.trace()).recorder\n"
        "print('yes')",
        home,
    )
    assert said.stdout == "yes\n"


def test_what_comes_with_equal_settings_shares_a_client(home: Path) -> None:
    """A worker that is sent one trace after the other has one client for all, not one each."""
    sdk = whyops.WhyOps(agent_name="many", home=home)
    pickled = pickle.dumps([pickle.dumps(sdk.trace(f"t{number}")) for number in range(20)])
    program = (
        "recorders = {writer_of(pickle.loads(data)).recorder for data in it}\n"
        "print(len(recorders), writer_of(whyops.trace()).recorder.agent_name)"
    )
    assert elsewhere(pickled, program, home).stdout == "1 many\n"


@pytest.mark.parametrize(
    "settings, recorded_argument, log",
    [
        ({"redact": hide_all}, '"hidden"', ""),
        ({"redact": lambda _value: "hidden"}, "not captured", "without its redact function: no content"),
        ({"sink": MemorySink()}, "not captured", "without its sink: no content"),
        ({"capture_content": False}, "not captured", ""),
        ({"agent_metadata": {"systemPrompt": "Be kind.", "odd": lambda: None}}, '"plain"', ""),
    ],
    ids=["redact", "lambda", "sink", "capture_content", "metadata"],
)
def test_who_would_have_hidden_something_still_does(home: Path, settings: dict[str, Any], recorded_argument: str, log: str) -> None:
    """A `redact` goes along by its name; where it, or a sink, can't, no content is recorded there, and that is said."""
    sdk = whyops.WhyOps(agent_name="careful", home=home, **settings)
    said = elsewhere(pickle.dumps(sdk.trace("far")), "with it.tool_span('tell', {'plan': 'plain'}): pass", home)
    (request, _) = recorded(home, "far")
    assert recorded_argument in json.dumps(request["content"])
    assert log in said.stderr
    assert bool(said.stderr.replace("\n", "")) == bool(log)


def test_a_setting_that_cannot_work_elsewhere_breaks_nothing(home: Path) -> None:
    """A trace that arrives where the environment is wrong records nothing, says so, and the program goes on."""
    trace = whyops.WhyOps(agent_name="lost", home=home).trace("far")
    program = "with it as trace: trace.user_message_sync([{'role': 'user', 'content': 'hi'}])\nprint('goes on')"
    said = elsewhere(pickle.dumps(trace), program, home, WHYOPS_ANALYSE_BASE_URL="nowhere")
    assert said.stdout == "goes on\n"
    assert "WHYOPS_ANALYSE_BASE_URL must be a URL" in said.stderr
