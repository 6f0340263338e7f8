"""Settings, the default client, traces and tools, as a user meets them."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import anyio.lowlevel
import pytest

import whyops
from tests.server import Limits, StrictServer
from whyops.testing import MemorySink

MESSAGES: Any = [{"role": "user", "content": "Hi"}]


@whyops.tool
def double(number: int, *, sign: str = "+") -> int:
    """Double a number."""
    return 2 * number if sign == "+" else -2 * number


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture
def memory(sink: MemorySink) -> Iterator[whyops.WhyOps]:
    with whyops.WhyOps(agent_name="agent", sink=sink) as client:
        yield client


def types_of(sink: MemorySink) -> list[str]:
    """Give the types of what arrived, in order."""
    return [event["eventType"] for event in sink.events]


class TestSettings:
    """What is left out comes from the environment, at first use."""

    def test_everything_from_the_environment(self, server: StrictServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """Key, agent name and URLs come from the environment, also when it is filled after the client was made."""
        sdk = whyops.WhyOps()
        monkeypatch.setenv("WHYOPS_API_KEY", "YOPS-from-env")
        monkeypatch.setenv("WHYOPS_AGENT_NAME", "agent-from-env")
        monkeypatch.setenv("WHYOPS_ANALYSE_BASE_URL", server.url)
        monkeypatch.setenv("WHYOPS_PROXY_BASE_URL", server.proxy_url)
        sdk.trace("t").error_sync("no")
        sdk.close_sync()
        assert server.ingested[0].key == "YOPS-from-env"
        assert server.events[0]["agentName"] == "agent-from-env"

    def test_an_argument_wins(self, server: StrictServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """An argument wins over the environment."""
        for name, value in (("API_KEY", "whyops_env"), ("AGENT_NAME", "env"), ("ANALYSE_BASE_URL", "http://127.0.0.1:9")):
            monkeypatch.setenv(f"WHYOPS_{name}", value)
        sdk = whyops.WhyOps("whyops_argument", "argument", None, server.proxy_url, server.url)
        sdk.trace("t").error_sync("no")
        sdk.close_sync()
        assert server.ingested[0].key == "whyops_argument"
        assert server.events[0]["agentName"] == "argument"

    def test_empty_is_unset(self, server: StrictServer, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        """An empty string counts as unset, as an argument and in the environment."""
        monkeypatch.setenv("WHYOPS_API_KEY", "")
        with whyops.WhyOps("", "", None, "", "") as sdk:
            sdk.trace("t").error_sync("no")
        assert server.requests == []
        assert home.exists()

    @pytest.mark.parametrize(
        "arguments, named",
        [
            ({"analyse_base_url": "a.whyops.com"}, "analyse_base_url"),
            ({"proxy_base_url": "ftp://proxy"}, "proxy_base_url"),
            ({"agent_name": "x" * 256}, "agent_name"),
            ({"agent_name": "agent\nname"}, "agent_name"),
            ({"api_key": "whyops_\n", "agent_name": "agent"}, "api_key"),
            ({"outbox": "disk"}, "outbox"),
            ({"max_value_bytes": 0}, "max_value_bytes"),
            ({"outbox_max_bytes": -1}, "outbox_max_bytes"),
            ({"exit_timeout": -1}, "exit_timeout"),
            ({"agent_metadata": "You help."}, "agent_metadata"),
            ({"api_key": "whyops_x"}, "agent_name"),
        ],
    )
    def test_a_bad_argument(self, arguments: dict[str, Any], named: str) -> None:
        """A bad value is a ConfigurationError that names it, at once."""
        with pytest.raises(whyops.ConfigurationError, match=named) as caught:
            whyops.WhyOps(**arguments)
        assert "whyops_x" not in str(caught.value)

    @pytest.mark.parametrize(
        "name, value",
        [
            ("WHYOPS_ANALYSE_BASE_URL", "here"),
            ("WHYOPS_PROXY_BASE_URL", "http://"),
            ("WHYOPS_AGENT_NAME", "x" * 256),
            ("WHYOPS_CAPTURE_CONTENT", "perhaps"),
            ("WHYOPS_API_KEY", "whyops_ x"),
            ("WHYOPS_DISABLED", "perhaps"),
        ],
    )
    def test_a_bad_environment(self, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
        """A bad value in the environment is a ConfigurationError that names the variable, at first use."""
        monkeypatch.setenv(name, value)
        with pytest.raises(whyops.ConfigurationError, match=name):
            whyops.WhyOps().trace("t")

    def test_the_key_is_not_shown(self) -> None:
        """The key is in no `repr`."""
        sdk = whyops.WhyOps("whyops_secret", "agent")
        trace = sdk.trace("t")
        assert "secret" not in repr(sdk) + repr(vars(sdk)) + repr(trace)

    def test_without_a_key_one_line_says_where_runs_are(self, home: Path, caplog: pytest.LogCaptureFixture) -> None:
        """Without a key runs go to the local store, which one INFO line says."""
        with caplog.at_level(logging.INFO, "whyops"), whyops.WhyOps(agent_name="agent") as sdk:
            for number in range(3):
                sdk.trace(f"t{number}").error_sync("no")
        [record] = [record for record in caplog.records if record.name.startswith("whyops")]
        assert record.levelno == logging.INFO
        assert str(home) in record.getMessage()
        assert (home / "traces.db").exists()
        assert all(path.stat().st_mode & 0o077 == 0 for path in [home, *home.rglob("*")])

    def test_disabled(self, server: StrictServer, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        """WHYOPS_DISABLED=1 makes everything a no-op that still runs the tools."""
        monkeypatch.setenv("WHYOPS_DISABLED", "1")
        with whyops.WhyOps("whyops_x", "agent", None, server.proxy_url, server.url) as sdk, sdk.trace("t") as trace:
            trace.user_message_sync(MESSAGES)
            assert double(4) == 8
            assert sdk.init_agent_sync() is None
            assert sdk.flush_sync() == whyops.FlushResult()
        assert server.requests == []
        assert not home.exists()


class TestDefaultClient:
    """`whyops.trace` and tools outside any trace find their client by themselves, or say why not."""

    def test_configure(self) -> None:
        """What `configure` made is the default, also among several."""
        sinks = [MemorySink() for _ in range(3)]
        clients = [whyops.WhyOps(agent_name="a", sink=sinks[0]), whyops.WhyOps(agent_name="a", sink=sinks[1])]
        clients.append(whyops.configure(agent_name="a", sink=sinks[2]))
        whyops.trace("t").error_sync("no")
        for client in clients:
            client.close_sync()
        assert [len(sink.events) for sink in sinks] == [0, 0, 1]

    def test_the_only_open_client(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """The only open client is the default; closed ones don't count."""
        other = whyops.WhyOps(agent_name="a", sink=MemorySink())
        other.close_sync()
        whyops.trace("t").error_sync("no")
        memory.flush_sync()
        assert len(sink.events) == 1

    def test_several_and_none_chosen(self) -> None:
        """With several open and none chosen `whyops.trace` raises; a tool outside a trace runs, and goes to neither."""
        sinks = [MemorySink(), MemorySink()]
        clients = [whyops.WhyOps(agent_name="a", sink=sink) for sink in sinks]
        with pytest.raises(whyops.ConfigurationError, match="configure"):
            whyops.trace("t")
        assert double(4) == 8
        for client in clients:
            client.close_sync()
        assert [sink.events for sink in sinks] == [[], []]

    def test_from_the_environment(self, server: StrictServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        """With no client there is one from the environment; without an agent's name it is `default`, and warns once."""
        monkeypatch.setenv("WHYOPS_API_KEY", "whyops_env")
        monkeypatch.setenv("WHYOPS_ANALYSE_BASE_URL", server.url)
        for number in range(2):
            with whyops.trace(f"t{number}"):
                double(number)
        server.wait_for_events(4)
        assert {event["agentName"] for event in server.events} == {"default"}
        assert [record.levelno for record in caplog.records if "WHYOPS_AGENT_NAME" in record.getMessage()] == [logging.WARNING]

    def test_local_by_default(self, home: Path) -> None:
        """With nothing configured `whyops.trace` records to the local store."""
        assert not home.exists()
        with whyops.trace("t"):
            assert double(4) == 8
        assert home.exists()


class TestBlocks:
    """`with` makes a trace current, wherever it is entered and left."""

    @pytest.fixture(autouse=True)
    def _nothing_leaks(self, memory: whyops.WhyOps) -> Iterator[None]:
        assert whyops.current_trace() is None
        yield
        assert whyops.current_trace() is None
        memory.close_sync()

    def test_nesting(self, memory: whyops.WhyOps) -> None:
        """An inner trace is current inside, the outer one again after it; the same one can be entered again."""
        outer, inner = memory.trace("outer"), memory.trace("inner")
        with outer as entered:
            assert entered is outer
            with inner, inner, outer:
                assert whyops.current_trace() is outer
            assert whyops.current_trace() is outer
            with outer:
                pass
            assert whyops.current_trace() is outer

    def test_a_trace_belongs_to_its_client(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """A tool goes to the client whose trace is current."""
        other_sink = MemorySink()
        other = whyops.WhyOps(agent_name="other", sink=other_sink)
        with memory.trace("a"), other.trace("b"):
            double(1)
        with other.trace("b"), memory.trace("a"):
            double(2)
        memory.flush_sync()
        other.close_sync()
        for events, trace_id, number in ((sink.events, "a", 2), (other_sink.events, "b", 1)):
            assert {event["traceId"] for event in events} == {trace_id}
            assert [event["content"]["toolCalls"][0]["arguments"]["number"] for event in events] == [number, number]

    def test_left_in_another_context(self, memory: whyops.WhyOps) -> None:
        """A trace that is left in another context than it was entered in harms neither."""
        trace = memory.trace("t")
        there = contextvars.copy_context()
        there.run(trace.__enter__)
        with memory.trace("here") as here:
            trace.__exit__(None, None, None)
            assert whyops.current_trace() is here
        assert there.run(whyops.current_trace) is trace
        there.run(trace.__exit__, None, None, None)
        assert there.run(whyops.current_trace) is None

    def test_left_out_of_order(self, memory: whyops.WhyOps) -> None:
        """Blocks that are left in another order than entered end up with nothing current."""
        first, second = memory.trace("first"), memory.trace("second")
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert whyops.current_trace() is second
        second.__exit__(None, None, None)

    def test_across_a_yield(self, memory: whyops.WhyOps) -> None:
        """A generator that holds a trace open can be closed anywhere."""

        @contextmanager
        def fixture() -> Iterator[None]:
            with memory.trace("t"):
                yield

        manager = fixture()
        contextvars.copy_context().run(manager.__enter__)
        manager.__exit__(None, None, None)

    def test_async_with(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """`async with` does the same; each task sees its own, tasks started inside inherit, `to_thread` too."""

        async def task(trace_id: str) -> None:
            async with memory.trace(trace_id) as trace:
                await asyncio.sleep(0)
                assert whyops.current_trace() is trace
                assert await asyncio.create_task(child()) is trace
                assert await asyncio.to_thread(whyops.current_trace) is trace

        async def child() -> object:
            await asyncio.sleep(0)
            return whyops.current_trace()

        async def main() -> None:
            await asyncio.gather(task("a"), task("b"))

        asyncio.run(main())
        assert sink.events == []

    def test_bind_context(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """`bind_context` carries trace and span into a pool, for each call anew, and leaves the worker clean."""

        @whyops.tool
        def fan_out() -> list[int]:
            with ThreadPoolExecutor(3) as pool:
                results = list(pool.map(whyops.bind_context(double), range(6)))
                assert set(pool.map(lambda _: whyops.current_trace(), range(6))) == {None}
            return results

        with memory.trace("t"):
            assert fan_out() == [0, 2, 4, 6, 8, 10]
        memory.flush_sync()
        outer = sink.events[0]
        assert {event["traceId"] for event in sink.events} == {"t"}
        assert {event["metadata"]["parentSpanId"] for event in sink.events[1:-1]} == {outer["spanId"]}

    def test_bind_context_outside(self, memory: whyops.WhyOps) -> None:
        """Bound where no trace is current, a function sees none, also when called inside one."""
        bound = whyops.bind_context(whyops.current_trace)
        with memory.trace("t"):
            assert bound() is None

    def test_an_exception_that_leaves(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """An exception that leaves the block is recorded once, also through nested blocks and tools, and goes on."""
        failure = ValueError("boom")

        @whyops.tool
        def fail() -> None:
            raise failure

        with pytest.raises(ValueError, match="boom") as caught, memory.trace("t") as trace, trace:
            raise failure
        assert caught.value is failure
        with pytest.raises(ValueError, match="boom"), memory.trace("u"):
            fail()
        memory.flush_sync()
        assert types_of(sink) == ["error", "tool_call_request", "error", "tool_call_response"]
        assert sink.events[0]["content"]["message"] == "boom"
        assert sink.events[0]["content"]["type"] == "ValueError"

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, asyncio.CancelledError, GeneratorExit])
    def test_control_flow_passes(self, memory: whyops.WhyOps, kind: type[BaseException]) -> None:
        """Ctrl-C, exit and cancellation pass through blocks and tools untouched."""
        failure = kind()

        @whyops.tool
        def stop() -> None:
            raise failure

        with pytest.raises(kind) as caught, memory.trace("t"):
            stop()
        assert caught.value is failure


class TestTrace:
    """What a trace object does."""

    def test_ids(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """Without an id one is made, another each time; headers and events have the same."""
        first, second = memory.trace(), memory.trace()
        first.error_sync("no")
        second.error_sync("no")
        memory.flush_sync()
        ids = [event["traceId"] for event in sink.events]
        assert len(set(ids)) == 2
        assert [trace.headers()["X-Trace-ID"] for trace in (first, second)] == ids

    @pytest.mark.parametrize("given", ["x" * 129, "\N{GRINNING FACE}" * 65, "a\x00b", "line\nbreak", " blank ", "\ud800", "ä", "", 7, b"b"])
    def test_unsafe_ids(self, memory: whyops.WhyOps, sink: MemorySink, given: Any) -> None:
        """An id that service or headers would refuse becomes a stable safe one, the same for both; others are not changed."""
        trace, again = memory.trace(given), memory.trace(given)
        trace.error_sync("no")
        memory.flush_sync()
        trace_id = sink.events[0]["traceId"]
        assert trace.headers() == {"X-Trace-ID": trace_id, "X-Thread-ID": trace_id}
        assert trace_id.isprintable()
        assert 0 < len(trace_id) <= 128
        assert given == "" or again.headers() == trace.headers()
        assert memory.trace(trace_id).headers() == trace.headers()

    def test_different_long_ids_stay_different(self, memory: whyops.WhyOps) -> None:
        """Ids that differ beyond the limit stay different."""
        assert memory.trace("x" * 200).headers() != memory.trace("x" * 201).headers()

    def test_the_user_sticks(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """A user once given is on all later events of the trace object, whichever way it was given."""
        trace = memory.trace("t")
        trace.error_sync("1")
        trace.error_sync("2", external_user_id="u")
        trace.error_sync("3")
        with trace:
            double(1)
        memory.trace("v", external_user_id="w").error_sync("4")
        memory.flush_sync()
        assert [event.get("externalUserId") for event in sink.events] == [None, "u", "u", "u", "u", "w"]

    def test_metadata(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """A trace's own metadata goes on its events."""
        with memory.trace("t", metadata={"tenant": "acme"}):
            double(1)
        memory.flush_sync()
        assert [event["metadata"]["tenant"] for event in sink.events] == ["acme", "acme"]
        assert sink.events[0]["metadata"]["tool"] == "double"

    def test_times_never_run_backwards(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """The timestamps of a trace object never run backwards, and end in Z."""
        trace = memory.trace("t")
        for number in range(500):
            trace.error_sync(str(number))
        memory.flush_sync()
        times = [event["timestamp"] for event in sink.events]
        assert times == sorted(times)
        assert all(time.endswith("Z") for time in times)
        assert abs(datetime.now(timezone.utc) - datetime.fromisoformat(times[-1].replace("Z", "+00:00"))) < timedelta(minutes=1)

    @pytest.mark.parametrize(
        "given",
        [
            "2026-01-02T05:04:05.678+02:00",
            "2026-01-02T03:04:05.678Z",
            "2026-01-01T22:04:05.678-05:00",
            datetime(2026, 1, 2, 3, 4, 5, 678000, timezone.utc),
            datetime(2026, 1, 2, 4, 4, 5, 678000, timezone(timedelta(hours=1))),
        ],
    )
    def test_given_times(self, server: StrictServer, sdk: whyops.WhyOps, given: Any) -> None:
        """A time with an offset, as text or `datetime`, leaves as UTC with a Z."""
        sdk.trace("t").error_sync("no", timestamp=given)
        sdk.flush_sync()
        assert server.service.rows[0]["timestamp"] == "2026-01-02T03:04:05.678Z"

    def test_unknown_options(self, memory: whyops.WhyOps, sink: MemorySink, caplog: pytest.LogCaptureFixture) -> None:
        """Options that nobody knows are ignored, and said once."""
        trace: Any = memory.trace("t")
        for _ in range(3):
            trace.error_sync("no", colour="blue")
        memory.flush_sync()
        assert len(sink.events) == 3
        assert "blue" not in str(sink.events)
        assert [record.levelno for record in caplog.records if "colour" in record.getMessage()] == [logging.WARNING]

    def test_a_tool_span(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """`tool_span` records request and response around a block; what is called inside has it as parent."""
        with memory.trace("t") as trace, trace.tool_span("charge_card", {"amount": 4999}) as span:
            double(1)
            span.result = {"paid": True}
        memory.flush_sync()
        request, inner, _, response = sink.events
        assert types_of(sink) == ["tool_call_request", "tool_call_request", "tool_call_response", "tool_call_response"]
        assert request["content"] == {"name": "charge_card", "toolCalls": [{"name": "charge_card", "arguments": {"amount": 4999}}]}
        assert response["content"] == {**request["content"], "toolResults": {"paid": True}}
        assert request["spanId"] == response["spanId"] == inner["metadata"]["parentSpanId"]
        assert response["metadata"]["latencyMs"] >= 0

    def test_a_tool_span_without_a_current_trace(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """`tool_span` works on a plain trace, and what is called inside belongs to that trace."""
        with memory.trace("t").tool_span("charge_card") as span:
            double(1)
            span.result = 5
        assert whyops.current_trace() is None
        memory.flush_sync()
        assert {event["traceId"] for event in sink.events} == {"t"}
        assert sink.events[-1]["content"]["toolResults"] == {"result": 5}

    def test_a_tool_span_that_fails(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """An exception in a `tool_span` is recorded and goes on."""
        failure = RuntimeError("declined")
        with pytest.raises(RuntimeError) as caught, memory.trace("t") as trace, trace.tool_span("charge_card", {"amount": 1}):
            raise failure
        assert caught.value is failure
        memory.flush_sync()
        assert types_of(sink) == ["tool_call_request", "error", "tool_call_response"]
        assert "declined" in str(sink.events[2]["content"]["toolResults"]["error"])

    def test_twins(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """Each async method records exactly what its sync twin does."""
        calls: dict[str, tuple[Any, ...]] = {
            "user_message": (MESSAGES,),
            "llm_response": ("m", "p", "c"),
            "llm_thinking": ("t",),
            "embedding_request": (["a"],),
            "embedding_response": ("m", "p", 1, 2),
            "tool_call_request": ("x", []),
            "tool_call_response": ("x", "s", [], {}),
            "tool_result": ("x", {}),
            "error": ("e",),
        }
        trace = memory.trace("t")

        async def record() -> None:
            for name, arguments in calls.items():
                await getattr(trace, name)(*arguments, span_id="s") if name != "tool_call_response" else await trace.tool_call_response(
                    *arguments
                )

        for name, arguments in calls.items():
            getattr(trace, f"{name}_sync")(*arguments, **({"span_id": "s"} if name != "tool_call_response" else {}))
        asyncio.run(record())
        memory.flush_sync()
        plain = [
            {**event, "timestamp": "", "idempotencyKey": "", "metadata": {**event["metadata"], "recordedAt": ""}} for event in sink.events
        ]
        assert [event["eventType"] for event in plain[:9]] == list(calls)
        assert plain[:9] == plain[9:]


class TestTools:
    """`@whyops.tool` on sync and async functions and methods."""

    def test_arguments_as_they_were(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """Arguments are recorded as they were at the call, by name, with defaults; the function may change them."""

        @whyops.tool
        def consume(items: list[int], *, limit: int = 5) -> int:
            items.clear()
            return limit

        with memory.trace("t"):
            consume([1, 2])
        memory.flush_sync()
        for event in sink.events:
            assert event["content"]["toolCalls"] == [{"name": "consume", "arguments": {"items": [1, 2], "limit": 5}}]

    def test_called_once_and_untouched(self, memory: whyops.WhyOps) -> None:
        """The function is called exactly once, with the very objects, and its result is the very object."""
        seen: list[object] = []

        @whyops.tool
        def remember(value: object) -> object:
            seen.append(value)
            return value

        marker = object()
        with memory.trace("t"):
            assert remember(marker) is marker
        assert seen == [marker]

    def test_methods(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """On methods, static and class methods `self` and `cls` are not recorded."""

        class Shop:
            @whyops.tool
            def price(self, sku: str) -> int:
                return len(sku)

            @classmethod
            @whyops.tool
            def made(cls, sku: str) -> str:
                return f"{cls.__name__}: {sku}"

            @staticmethod
            @whyops.tool
            def vat(sku: str) -> int:
                return len(sku)

            @whyops.tool
            async def later(self, sku: str) -> int:
                return len(sku)

        with memory.trace("t"):
            assert (Shop().price("tea"), Shop.made("tea"), Shop.vat("tea"), asyncio.run(_run(Shop().later, "tea"))) == (
                3,
                "Shop: tea",
                3,
                3,
            )
        memory.flush_sync()
        assert [event["content"]["toolCalls"][0] for event in sink.events[::2]] == [
            {"name": name, "arguments": {"sku": "tea"}} for name in ("price", "made", "vat", "later")
        ]

    def test_a_wrong_call(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """A wrong call raises the function's own TypeError."""
        wrong: Any = double
        with pytest.raises(TypeError, match=r"double\(\)"), memory.trace("t"):
            wrong(1, colour="blue")
        memory.flush_sync()
        assert "blue" not in str([event for event in sink.events if event["eventType"] == "error"])

    def test_capture_switches(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """Arguments, result or both can be left out."""

        @whyops.tool(name="log_in", capture_arguments=False, capture_result=False)
        def sign_in(phrase: str) -> str:
            return f"granted to {phrase}"

        with memory.trace("t"):
            assert sign_in("open sesame") == "granted to open sesame"
        memory.flush_sync()
        assert [event["metadata"]["tool"] for event in sink.events] == ["log_in", "log_in"]
        assert "sesame" not in str(sink.events)

    def test_cancelled(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """A cancelled async tool ends its span, and the cancellation goes on."""

        @whyops.tool
        async def wait() -> None:
            await asyncio.sleep(60)

        async def main() -> None:
            async with memory.trace("t"):
                task = asyncio.create_task(wait())
                await asyncio.sleep(0.01)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

        asyncio.run(main())
        memory.flush_sync()
        assert types_of(sink) == ["tool_call_request", "tool_call_response"]
        assert sink.events[0]["spanId"] == sink.events[1]["spanId"]

    @pytest.mark.parametrize("loop", ["asyncio", "trio"])
    def test_on_any_event_loop(self, memory: whyops.WhyOps, sink: MemorySink, loop: str) -> None:
        """Async tools work on asyncio and trio."""

        @whyops.tool
        async def nap(number: int) -> int:
            await anyio.lowlevel.checkpoint()
            return double(number)

        async def main() -> None:
            async with memory.trace("t"), anyio.create_task_group() as group:
                for number in range(5):
                    group.start_soon(nap, number)

        anyio.run(main, backend=loop)
        memory.flush_sync()
        assert len(sink.events) == 20
        requests = {event["spanId"]: event for event in sink.events if event["eventType"] == "tool_call_request"}
        for event in requests.values():
            if event["metadata"]["tool"] == "double":
                parent = requests[event["metadata"]["parentSpanId"]]
                number = event["content"]["toolCalls"][0]["arguments"]["number"]
                assert parent["content"]["toolCalls"][0]["arguments"] == {"number": number}

    def test_outside_any_trace(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """Outside any trace each call gets a trace of its own, never the one that another thread has open."""
        opened, called = threading.Event(), threading.Event()

        def hold_open() -> None:
            with memory.trace("elsewhere"):
                opened.set()
                called.wait(10)

        thread = threading.Thread(target=hold_open)
        thread.start()
        opened.wait(10)
        double(1)
        double(2)
        called.set()
        thread.join()
        memory.flush_sync()
        ids = [event["traceId"] for event in sink.events]
        assert ids[0] == ids[1] != ids[2] == ids[3]
        assert "elsewhere" not in ids

    def test_outside_any_trace_nested(self, memory: whyops.WhyOps, sink: MemorySink) -> None:
        """Tools called by a tool outside any trace share its trace."""

        @whyops.tool
        def outer() -> int:
            return double(1)

        outer()
        assert whyops.current_trace() is None
        memory.flush_sync()
        assert len({event["traceId"] for event in sink.events}) == 1
        assert sink.events[1]["metadata"]["parentSpanId"] == sink.events[0]["spanId"]

    def test_nothing_configured(self, home: Path) -> None:
        """In a program that configured nothing a tool only runs, and nothing is written."""
        assert double(4) == 8
        assert not home.exists()

    def test_a_key_in_the_environment(self, server: StrictServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """With a key in the environment, and no client yet, a call outside any trace is recorded."""
        monkeypatch.setenv("WHYOPS_API_KEY", "whyops_env")
        monkeypatch.setenv("WHYOPS_AGENT_NAME", "agent")
        monkeypatch.setenv("WHYOPS_ANALYSE_BASE_URL", server.url)
        assert double(4) == 8
        assert len(server.wait_for_events(2)) == 2

    @pytest.mark.parametrize("kind", ["sync", "async"])
    def test_the_proxys_argument(self, memory: whyops.WhyOps, sink: MemorySink, kind: str) -> None:
        """`_whyops_trace_id` never reaches the function, is never recorded, and names the trace where none is open."""

        def look_up(order_id: str, **rest: Any) -> str:
            assert rest == {}
            return order_id

        async def look_up_later(order_id: str) -> str:
            return look_up(order_id)

        tool: Any = whyops.tool(look_up if kind == "sync" else look_up_later)
        run: Callable[[], Any] = (
            (lambda: tool("1", _whyops_trace_id="from-proxy"))
            if kind == "sync"
            else (lambda: asyncio.run(_run(tool, "1", _whyops_trace_id="from-proxy")))
        )
        assert run() == "1"
        with memory.trace("open"):
            assert run() == "1"
        memory.flush_sync()
        assert [event["traceId"] for event in sink.events] == ["from-proxy", "from-proxy", "open", "open"]
        assert "_whyops" not in str(sink.events)

    def test_disabled_still_takes_the_proxys_argument(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With everything off, `_whyops_trace_id` still never reaches the function."""
        monkeypatch.setenv("WHYOPS_DISABLED", "1")
        tool: Any = double
        assert tool(4, _whyops_trace_id="t") == 8


class TestWaiting:
    """Only `flush`, `close` and `init_agent` wait."""

    def test_flush_counts(self, server: StrictServer, sdk: whyops.WhyOps) -> None:
        """`flush` waits until all that was recorded is delivered, and tells how much that is."""
        trace = sdk.trace("t")
        for number in range(250):
            trace.error_sync(str(number))
        assert sdk.flush_sync() == whyops.FlushResult(delivered=250)
        assert [event["content"]["message"] for event in server.events] == [str(number) for number in range(250)]
        trace.error_sync("more")
        assert asyncio.run(_run(sdk.flush)) == whyops.FlushResult(delivered=251)

    def test_close_and_go_on(self, server: StrictServer) -> None:
        """`with` and `async with` close; an event recorded later opens the client again, quietly."""
        with whyops.WhyOps("whyops_test", "agent", None, server.proxy_url, server.url) as sdk:
            sdk.trace("t").error_sync("1")
        assert len(server.events) == 1

        async def main() -> None:
            async with sdk:
                await sdk.trace("t").error("2")

        asyncio.run(main())
        assert len(server.events) == 2
        sdk.trace("t").error_sync("3")
        assert sdk.close_sync().waiting == 0
        assert len(server.events) == 3
        for thread in threading.enumerate():
            if "whyops" in thread.name:
                thread.join(5)
                assert not thread.is_alive()

    def test_a_dead_service_costs_nothing(self, sdk: whyops.WhyOps, server: StrictServer) -> None:
        """With the service down recording goes on; `flush` keeps its limit, says what waits, and raises only when asked to."""
        server.stop()
        trace = sdk.trace("t")
        for number in range(1000):
            trace.error_sync(str(number))
        result = sdk.flush_sync(timeout=0.3)
        assert (result.delivered, result.waiting) == (0, 1000)
        with pytest.raises(whyops.DeliveryError):
            sdk.flush_sync(timeout=0.1, raise_on_failure=True)
        server.start()
        assert sdk.flush_sync(timeout=20) == whyops.FlushResult(delivered=1000)

    def test_sampled_out_is_counted(self) -> None:
        """What the service leaves out is counted apart, and its reason is said."""
        with StrictServer(limits=Limits(sampling_rate=0.0)) as server:
            sdk = whyops.WhyOps("whyops_test", "agent", {"systemPrompt": "Help."}, server.proxy_url, server.url)
            sdk.trace("t").error_sync("no")
            assert sdk.flush_sync() == whyops.FlushResult(sampled_out=1)
            sdk.close_sync()


def test_a_service_of_ones_own_has_nothing_told_to_the_hosted_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """With only the analyse URL changed, no other host is so much as looked up, also while that service is away."""
    asked: list[str] = []
    look_up = socket.getaddrinfo

    def watched(host: str, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", watched)
    sdk = whyops.WhyOps("whyops_test", "agent", {"systemPrompt": "Help."}, analyse_base_url="http://127.0.0.1:9/api")
    sdk.trace("t").error_sync("e")
    assert sdk.flush_sync(1).waiting == 1
    assert set(asked) <= {"127.0.0.1"}


async def _run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return await function(*args, **kwargs)


def test_the_environment_is_ours_alone() -> None:
    """No setting of this machine reaches the tests."""
    assert {name for name in os.environ if name.startswith("WHYOPS_")} == {"WHYOPS_HOME"}
