"""Official clients that speak to their provider and record: what is recorded of each way of asking, and that nobody else sees anything."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import json
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import openai
import pytest

import whyops
from tests._service.asking import (
    ALL,
    ANTHROPIC,
    OPENAI,
    TOOL,
    USER,
    _one_certificate,  # noqa: F401  (an autouse fixture)
    _own_loop,  # noqa: F401  (as above)
    ask,
    made,
    made_clients,
    routed,
    run,
    settled,
)
from tests._service.asking_whole import ANTHROPIC_WAYS, OPENAI_WAYS, Way, dumped, items
from tests.server import StrictServer
from tests.server.answer import raw
from tests.server.model import MESSAGES_USAGE, NO_SUCH_MODEL
from tests.server.unproxied import ModelProvider
from whyops._service.recorded_clients import _exchange
from whyops._trace.recorded import RecordedTrace
from whyops.testing import Captured, capture

WAYS = [(cls, way) for classes, ways in ((OPENAI, OPENAI_WAYS), (ANTHROPIC, ANTHROPIC_WAYS)) for cls in classes for way in ways]
SYNC = [openai.OpenAI, anthropic.Anthropic]
ASYNC = [openai.AsyncOpenAI, anthropic.AsyncAnthropic]
OF_EACH_REQUEST = {"x-stainless-retry-count", "x-stainless-read-timeout", "idempotency-key", "x-stainless-idempotency-key"}


@pytest.fixture
def provider() -> Iterator[ModelProvider]:
    with ModelProvider() as running:
        yield running


@pytest.fixture
def captured() -> Iterator[Captured]:
    with capture("agent") as running:
        yield running


def address(provider: StrictServer, cls: Any) -> str:
    return provider.origin + ("/v1" if cls in OPENAI else "")


def bare(provider: StrictServer, cls: Any, **options: Any) -> Any:
    return made(cls, base_url=address(provider, cls), **{"max_retries": 0, **options})


def recorded(captured: Captured, provider: StrictServer, cls: Any, **options: Any) -> Any:
    return routed(captured.client, bare(provider, cls, **options))


def trace_of(captured: Captured, trace_id: str = "t-1") -> RecordedTrace:
    return RecordedTrace.from_events([event for event in captured.events if event["traceId"] == trace_id])


def kinds(captured: Captured) -> list[str]:
    return [event["eventType"] for event in captured.events]


def create(client: Any, **options: Any) -> Any:
    asked = {"model": "m-1", "messages": [USER], **options}
    if isinstance(client, tuple(OPENAI)):
        return client.chat.completions.create(**asked)
    return client.messages.create(max_tokens=9, **asked)


def stream_of(cls: Any, *texts: str, error: bool = False) -> bytes:
    """Write what comes of a stream in the provider's form: texts, without an end; or an error after them."""
    if cls in OPENAI:
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m-1"}
        events: list[dict[str, Any]] = [{**chunk, "choices": [{"index": 0, "delta": {"content": text}}]} for text in texts]
        events += [{"error": {"message": "Overloaded", "type": "server_error"}}] if error else []
        return "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
    message = {"id": "m", "type": "message", "role": "assistant", "model": "m-1", "content": [], "usage": MESSAGES_USAGE}
    events = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}} for text in texts),
    ]
    events += [{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}] if error else []
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def begun(body: bytes) -> bytes:
    """Write an answer that is cut in the middle of its body."""
    return raw(200, body, "text/event-stream").replace(b"Content-Length: ", b"Content-Length: 9")


# What is recorded, and what the caller sees


@pytest.mark.parametrize("cls, way", WAYS, ids=[f"{cls.__name__}-{way.__name__}" for cls, way in WAYS])
def test_each_way_of_asking_is_recorded_and_changes_nothing(provider: ModelProvider, captured: Captured, cls: Any, way: Way) -> None:
    """The caller gets what the bare client gives, the provider what that sends; prompt and usage are recorded as they went."""
    expected = run(way(bare(provider, cls)))
    with captured.client.trace("t-1"):
        assert run(way(recorded(captured, provider, cls))) == expected
    first, second = provider.requests
    assert (first.method, first.path, first.query, first.body, second.status) == (
        second.method,
        second.path,
        second.query,
        second.body,
        200,
    )
    assert {name: value for name, value in first.headers.items() if name not in OF_EACH_REQUEST} == {
        name: value for name, value in second.headers.items() if name not in OF_EACH_REQUEST
    }
    assert OF_EACH_REQUEST & first.headers.keys() == OF_EACH_REQUEST & second.headers.keys()
    asked = second.json()
    if second.path.endswith("/embeddings"):
        request, response = captured.events
        inputs = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        assert (request["content"]["input"], response["content"]["embeddingCount"]) == (inputs, len(inputs))
        assert response["content"]["firstEmbeddingDimensions"] == 2
        assert response["metadata"]["usage"] == {"totalTokens": 3}
        return
    (call,) = trace_of(captured).model_calls
    told = asked.get("messages") or asked.get("input") or asked.get("prompt")
    system = [asked[name] for name in ("system", "instructions") if name in asked]
    told = [{"role": "user", "content": told}] if isinstance(told, str) else told
    assert [(each.role, each.content) for each in call.prompt or ()] == [
        *(("system", text) for text in system),
        *((each["role"], each["content"]) for each in told),
    ]
    assert call.model == "m-1"
    assert call.tools == tuple(tool["function"]["name"] for tool in asked.get("tools", ()))
    if call.tools:
        assert [each.name for each in call.tool_calls] == list(call.tools)
    else:
        assert str(call.answer).replace(" ", "") == "Yousaid:Hello!"
    streams_without_usage = asked.get("stream") and second.path.endswith("/chat/completions") and "stream_options" not in asked
    usage = captured.of_type("llm_response")[0]["metadata"].get("usage")
    if streams_without_usage:
        assert usage is None
    else:
        assert (usage["promptTokens"], usage["completionTokens"], usage["cacheReadTokens"]) == (3, 2, 7)


@pytest.mark.parametrize("cls", ALL)
def test_outside_a_trace_nothing_is_recorded(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """The call works as the bare client's."""
    assert run(ask(recorded(captured, provider, cls))) == run(ask(bare(provider, cls)))
    assert captured.events == []


@pytest.mark.parametrize("cls", ALL)
def test_what_is_no_models_call_is_not_recorded(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """Lists of models and counts of tokens, for one."""
    client = recorded(captured, provider, cls)
    with captured.client.trace("t-1"):
        listed = client.models.list()
        run(items(listed))
        if cls in ANTHROPIC:
            run(settled(client.messages.count_tokens(model="m-1", messages=[USER])))
    assert provider.requests
    assert captured.events == []


@pytest.mark.parametrize("cls", ALL)
def test_the_conversation_of_a_tool_is_told_in_full(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """Each request is a call of its own, whose prompt is rebuilt: what the model asked for, and what it was told."""
    client = recorded(captured, provider, cls)
    if cls in OPENAI:
        tool: Any = TOOL
    else:
        tool = {"name": "search_orders", "input_schema": {"type": "object", "properties": {}}}
    with captured.client.trace("t-1"):
        first = run(settled(create(client, tools=[tool])))
        if cls in OPENAI:
            said, result = first.choices[0].message, {"role": "tool", "tool_call_id": "call_1", "content": "3"}
        else:
            said = {"role": "assistant", "content": first.content}
            result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "3"}]}
        run(settled(create(client, tools=[tool], messages=[USER, said, result])))
    asked, told = trace_of(captured).model_calls
    assert [each.role for each in told.prompt or ()] == ["user", "assistant", "tool"]
    assert [(each.id, each.name) for each in asked.tool_calls] == [("call_1", "search_orders")]
    assert told.missing == 0
    assert told.answer == "The tool said: 3"


@pytest.mark.parametrize("cls", ANTHROPIC)
def test_each_request_of_a_tool_runner_is_a_call(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """The helper asks as often as the model wants; each time is recorded."""
    client = recorded(captured, provider, cls)
    if not hasattr(client.beta.messages, "tool_runner"):
        pytest.skip("this release has no tool runner")
    if cls is anthropic.Anthropic:

        @anthropic.beta_tool
        def search_orders() -> str:
            """Search orders."""
            return "3"
    else:

        @anthropic.beta_async_tool
        async def search_orders() -> str:
            """Search orders."""
            return "3"

    with captured.client.trace("t-1"):
        runner = client.beta.messages.tool_runner(model="m-1", max_tokens=9, messages=[USER], tools=[search_orders])
        answer = dumped(run(settled(runner.until_done())))
    assert answer[1]["content"][0]["text"] == "The tool said: 3"
    assert [call.answer for call in trace_of(captured).model_calls] == [None, "The tool said: 3"]


# Failures


@pytest.mark.parametrize("cls", ALL)
def test_retries_are_one_call(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """The client's own retries are inside the call."""
    client = recorded(captured, provider, cls, max_retries=2)
    provider.fail(503, retry_after=0.01)
    provider.fail(429, retry_after=0.01)
    with captured.client.trace("t-1"):
        run(ask(client))
    assert [request.status for request in provider.requests] == [503, 429, 200]
    assert kinds(captured) == ["user_message", "llm_response"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("cls", ALL)
def test_a_refusal_is_recorded_with_its_status(provider: ModelProvider, captured: Captured, cls: Any, *, stream: bool) -> None:
    """Once, though the exception leaves the trace's block too; it is the client's own."""
    client = recorded(captured, provider, cls)
    with pytest.raises((openai.NotFoundError, anthropic.NotFoundError)), captured.client.trace("t-1"):
        run(settled(create(client, model=NO_SUCH_MODEL, stream=stream)))
    assert kinds(captured) == ["user_message", "error"]
    error = captured.events[-1]
    assert error["content"]["status"] == 404
    assert error["metadata"]["callId"] == captured.events[0]["metadata"]["callId"]


@pytest.mark.parametrize("cls", ALL)
def test_a_connection_that_fails_is_recorded(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """As the client's own error."""
    client = recorded(captured, provider, cls)
    provider.cut()
    with pytest.raises((openai.APIConnectionError, anthropic.APIConnectionError)), captured.client.trace("t-1"):
        run(ask(client))
    assert kinds(captured) == ["user_message", "error"]


@pytest.mark.parametrize("cls", ALL)
def test_a_time_out_is_recorded(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """As the client's own error."""
    client = recorded(captured, provider, cls, timeout=0.05)
    provider.hang()
    with pytest.raises((openai.APITimeoutError, anthropic.APITimeoutError)), captured.client.trace("t-1"):
        run(ask(client))
    assert kinds(captured) == ["user_message", "error"]
    assert "APITimeoutError" in captured.events[-1]["content"]["type"]


@pytest.mark.parametrize("cls", ASYNC)
def test_a_cancelled_call_is_recorded_as_interrupted(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """No error: the cancellation goes on."""
    client = recorded(captured, provider, cls)
    provider.hang()

    async def cancelled() -> None:
        async with captured.client.trace("t-1"):
            asking = asyncio.ensure_future(ask(client))
            await asyncio.to_thread(provider.wait_until, lambda: bool(provider.requests))
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    run(cancelled())
    assert kinds(captured) == ["user_message", "llm_response"]
    assert captured.events[-1]["metadata"]["interrupted"] == "CancelledError"


@pytest.mark.parametrize("cls", ALL)
def test_an_answer_that_is_not_what_was_asked_for_is_recorded(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """The client refuses it; the model has answered, and its tokens count."""
    client = recorded(captured, provider, cls, _strict_response_validation=True)
    wrong = b'{"id": 7, "model": "m-1", "choices": [{"message": {"role": "assistant", "content": "Hi"}}], "usage": {"prompt_tokens": 3}}'
    if cls in ANTHROPIC:
        wrong = b'{"id": 7, "type": "message", "model": "m-1", "content": [{"type": "text", "text": "Hi"}], "usage": {"input_tokens": 3}}'
    provider.pour(raw(200, wrong))
    with contextlib.suppress(openai.APIResponseValidationError, anthropic.APIResponseValidationError), captured.client.trace("t-1"):
        run(ask(client))
    response = captured.of_type("llm_response")[0]
    assert response["content"]["content"] == "Hi"
    assert response["metadata"]["usage"]["promptTokens"] == 3


@pytest.mark.parametrize("cls", ANTHROPIC)
@pytest.mark.parametrize("asks", [0, 1, 2])
def test_what_a_middleware_answers_is_the_answer(provider: ModelProvider, captured: Captured, cls: Any, asks: int) -> None:
    """Its own object without a request, or the last of those that it asked for; a release without middlewares has none."""
    if "middleware" not in inspect.signature(cls.__init__).parameters:
        pytest.skip("this release has no middleware")
    kept = anthropic.types.Message.model_validate(
        {"id": "m", "type": "message", "role": "assistant", "model": "m-1", "content": [{"type": "text", "text": "Kept."}]}
        | {"stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 1}}
    )

    def again(request: Any, call_next: Any) -> Any:
        return [call_next(request) for _ in range(asks)][-1] if asks else kept

    async def again_later(request: Any, call_next: Any) -> Any:
        return [await call_next(request) for _ in range(asks)][-1] if asks else kept

    client = recorded(captured, provider, cls, middleware=[again if cls is anthropic.Anthropic else again_later])
    with captured.client.trace("t-1"):
        answer = run(ask(client))
        stream = run(settled(create(client, stream=True))) if asks else ()
        run(items(stream))
    assert [event["content"]["content"] for event in captured.of_type("llm_response")] == [answer] * (2 if asks else 1)


def test_a_release_that_hands_no_answer_on_is_recorded_from_what_it_returns(provider: ModelProvider, captured: Captured) -> None:
    """Should a later one have another method in the place of `_process_response`."""

    class Later(openai.OpenAI):
        def request(self, *args: Any, **options: Any) -> Any:
            _exchange.set(None)
            return super().request(*args, **options)

    client = captured.client.openai(made(Later, base_url=address(provider, openai.OpenAI), max_retries=0))
    with captured.client.trace("t-1"):
        create(client)
        list(create(client, stream=True))
        client.chat.completions.with_raw_response.create(model="m-1", messages=[USER])
        client.embeddings.create(model="m-1", input="Hello!")
        client.embeddings.with_raw_response.create(model="m-1", input="Hello!")
    assert kinds(captured) == [*["user_message", "llm_response"] * 3, *["embedding_request", "embedding_response"] * 2]
    assert {event["content"]["embeddingCount"] for event in captured.of_type("embedding_response")} == {1}
    assert {str(event["content"]["content"]).replace(" ", "") for event in captured.of_type("llm_response")} == {"Yousaid:Hello!"}


# Streams


@pytest.mark.parametrize("cls", SYNC)
@pytest.mark.parametrize("closes", [False, True])
def test_a_stream_that_is_left_early_is_recorded_with_what_had_come(
    provider: ModelProvider, captured: Captured, cls: Any, *, closes: bool
) -> None:
    """Closed by its reader, or dropped."""
    client = recorded(captured, provider, cls)
    provider.pour(begun(stream_of(cls, "Hel", "lo")), b": more\n\n", pause=0.01)
    with captured.client.trace("t-1"):
        stream = create(client, stream=True)
        for item in stream:
            if "lo" in str(item):
                break
        if closes:
            stream.close()
        del stream, item
        gc.collect()
    assert kinds(captured) == ["user_message", "llm_response"]
    response = captured.events[-1]
    assert response["content"]["content"] == "Hello"
    assert response["metadata"]["closedEarly"] is True
    assert response["metadata"]["timeToFirstTokenMs"] > 0


@pytest.mark.parametrize("cls", ASYNC)
def test_a_stream_whose_reader_is_cancelled_is_recorded_with_what_had_come(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """As interrupted."""
    client = recorded(captured, provider, cls)
    provider.pour(begun(stream_of(cls, "Hel", "lo")), b": more\n\n", pause=0.01)
    heard = asyncio.Event()

    async def read() -> None:
        async with await create(client, stream=True) as stream:
            async for item in stream:
                if "lo" in str(item):
                    heard.set()

    async def cancelled() -> None:
        async with captured.client.trace("t-1"):
            reading = asyncio.ensure_future(read())
            await heard.wait()
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading

    run(cancelled())
    assert kinds(captured) == ["user_message", "llm_response"]
    assert captured.events[-1]["content"]["content"] == "Hello"
    assert captured.events[-1]["metadata"]["interrupted"] == "CancelledError"


@pytest.mark.parametrize("cls", ALL)
def test_a_stream_that_breaks_is_recorded_with_what_had_come_and_the_error(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """The error once, whatever the client makes of it."""
    client = recorded(captured, provider, cls)
    provider.pour(begun(stream_of(cls, "Hel", "lo")))
    with pytest.raises(Exception, match=r"(?i)connection|closed") as caught, captured.client.trace("t-1"):
        run(items(run(settled(create(client, stream=True)))))
    del caught
    assert kinds(captured) == ["user_message", "llm_response", "error"]
    assert captured.events[1]["content"]["content"] == "Hello"


@pytest.mark.parametrize("cls", ALL)
def test_an_error_that_is_told_in_a_stream_is_recorded(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """With what had come of the answer; the exception is the client's own."""
    client = recorded(captured, provider, cls)
    provider.pour(raw(200, stream_of(cls, "Hel", "lo", error=True), "text/event-stream"))
    with captured.client.trace("t-1"):
        with pytest.raises((openai.APIError, anthropic.APIError)) as caught:
            run(items(run(settled(create(client, stream=True)))))
        del caught
        gc.collect()
        run(asyncio.sleep(0))
    assert kinds(captured) == ["user_message", "llm_response", "error"]
    assert captured.events[1]["content"]["content"] == "Hello"
    assert "Overloaded" in captured.events[2]["content"]["message"]


@pytest.mark.parametrize("cls", SYNC)
def test_what_a_streams_reader_raises_is_no_error_of_the_call(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """The stream is left early; the trace records what leaves its block."""
    client = recorded(captured, provider, cls)
    provider.pour(begun(stream_of(cls, "Hel", "lo")), b": more\n\n", pause=0.01)

    def read() -> None:
        with create(client, stream=True) as stream:
            for item in stream:
                if "lo" in str(item):
                    raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), captured.client.trace("t-1"):
        read()
    assert kinds(captured) == ["user_message", "llm_response", "error"]
    assert captured.events[1]["metadata"]["closedEarly"] is True
    assert "callId" not in captured.events[2]["metadata"]


@pytest.mark.parametrize("cls", ALL)
def test_a_stream_belongs_to_the_trace_that_it_was_asked_in(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """However late, and wherever it is read."""
    client = recorded(captured, provider, cls)
    with captured.client.trace("t-1"):
        stream = run(settled(create(client, stream=True)))
    with captured.client.trace("t-2"):
        run(items(stream))
    assert [(event["traceId"], event["eventType"]) for event in captured.events] == [("t-1", "user_message"), ("t-1", "llm_response")]


# The client


@pytest.mark.parametrize("cls", ALL)
def test_a_client_of_the_same_class_comes_back(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """The class looks as before, is made once, and so are its derived clients'; the given client is as it was."""
    given = bare(provider, cls, timeout=12.5, default_headers={"X-Own": "1"})
    before = {**vars(given)}
    client = routed(captured.client, given)
    assert isinstance(client, cls)
    assert (type(client).__name__, type(client).__module__, type(client).__doc__) == (cls.__name__, cls.__module__, cls.__doc__)
    assert type(client) is type(recorded(captured, provider, cls)) is type(client.copy()) is type(client.with_options(timeout=1))
    assert (client.timeout, client.api_key, client.base_url, client._client) == (12.5, given.api_key, given.base_url, given._client)
    assert client.default_headers.keys() == given.default_headers.keys()
    assert (type(given), vars(given)) == (cls, before)


@pytest.mark.parametrize("cls", ALL)
def test_a_recorded_client_is_recorded_once(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """Handed over again, it is of the same class, and tells each call once."""
    client = recorded(captured, provider, cls)
    again = routed(captured.client, client)
    assert type(again) is type(client)
    with captured.client.trace("t-1"):
        run(ask(again))
    assert kinds(captured) == ["user_message", "llm_response"]


@pytest.mark.parametrize("cls", ALL)
def test_a_class_is_not_kept_alive(captured: Captured, cls: Any) -> None:
    """A subclass that was made on the fly goes with its last instance, and the recorded class with it."""

    class Own(cls):
        pass

    client = routed(captured.client, made(Own))
    forgotten = [weakref.ref(Own), weakref.ref(type(client))]
    run(settled(client.close()))
    made_clients.clear()
    del Own, client
    gc.collect()
    assert [reference() for reference in forgotten] == [None, None]


@pytest.mark.parametrize("cls", SYNC)
def test_threads_over_one_client_keep_their_traces(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """A sync client that threads share records in the trace of the thread that asks."""
    client = recorded(captured, provider, cls)

    def talk(name: str) -> None:
        with captured.client.trace(name):
            for _ in range(3):
                asyncio.run(ask(client, name))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(talk, ["t-1", "t-2", "t-3"]))
    for name in ("t-1", "t-2", "t-3"):
        assert [call.answer for call in trace_of(captured, name).model_calls] == [f"You said: {name}"] * 3


@pytest.mark.parametrize("cls", ASYNC)
def test_concurrent_tasks_over_one_client_keep_their_traces(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """Two traces in tasks that run at the same time: each has its own calls."""
    client = recorded(captured, provider, cls)

    async def talk(name: str) -> None:
        async with captured.client.trace(name):
            await asyncio.gather(*(ask(client, f"{name} {number}") for number in range(5)))

    async def both() -> None:
        await asyncio.gather(talk("t-1"), talk("t-2"))

    run(both())
    for name in ("t-1", "t-2"):
        assert sorted(str(call.answer) for call in trace_of(captured, name).model_calls) == [f"You said: {name} {n}" for n in range(5)]


@pytest.mark.parametrize("cls", ALL)
def test_with_a_key_a_client_may_speak_to_its_provider(provider: ModelProvider, cls: Any) -> None:
    """`via="direct"`: recorded here, and sent to the service as events; neither our key nor a header of ours reaches the provider."""
    with StrictServer() as service, whyops.WhyOps("whyops_key", "agent", analyse_base_url=service.url, proxy_base_url=service.url) as sdk:
        client = (sdk.openai if cls in OPENAI else sdk.anthropic)(bare(provider, cls), via="direct")
        with sdk.trace("t-1"):
            run(ask(client))
        sdk.flush_sync()
        assert [event["eventType"] for event in service.events_of("t-1")] == ["user_message", "llm_response"]
    assert [request.status for request in provider.requests] == [200]


@pytest.mark.parametrize("cls", ALL)
def test_a_recorded_client_that_is_routed_is_recorded_by_the_proxy_alone(cls: Any) -> None:
    """Whoever takes a call to the proxy, or points a client there: it is recorded once."""
    with (
        StrictServer() as server,
        whyops.WhyOps("whyops_key", "agent", analyse_base_url=server.url, proxy_base_url=server.proxy_url) as sdk,
    ):
        given = made(cls)
        client = routed(sdk, (sdk.openai if cls in OPENAI else sdk.anthropic)(given, via="direct"))
        with sdk.trace("t-1"):
            run(ask(client))
        sdk.flush_sync()
        assert [event["eventType"] for event in server.events_of("t-1")] == ["user_message", "llm_response"]
        assert not any("idempotencyKey" in event for event in server.events)


@pytest.mark.parametrize("cls", ALL)
def test_a_whyops_key_is_not_sent_to_a_provider(captured: Captured, cls: Any) -> None:
    """A client that was made with it, as for the proxy, is refused where there is no proxy to go through."""
    with pytest.raises(whyops.ConfigurationError, match="WhyOps key"):
        routed(captured.client, made(cls, api_key="whyops_key"))


def test_a_way_that_there_is_not_is_refused(captured: Captured) -> None:
    """With a sentence that names the two that there are."""
    with pytest.raises(whyops.ConfigurationError, match="'proxy' or 'direct'"):
        captured.client.openai(made(openai.OpenAI), via="straight")  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize("cls", [openai.AzureOpenAI, openai.AsyncAzureOpenAI])
def test_azure_is_recorded_under_its_own_name(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """A variant that asks as the official client does; the path is Azure's."""
    client = captured.client.openai(made(cls, api_version="1", azure_endpoint=provider.origin, max_retries=0, api_key="sk-azure"))
    with captured.client.trace("t-1"):
        run(settled(client.chat.completions.create(model="m-1", messages=[USER])))
        run(items(run(settled(client.with_options(timeout=3).chat.completions.create(model="m-1", messages=[USER], stream=True)))))
    assert {request.path for request in provider.requests} == {"/openai/deployments/m-1/chat/completions"}
    assert kinds(captured) == ["user_message", "llm_response"] * 2
    assert {event["metadata"]["provider"] for event in captured.of_type("llm_response")} == {"azure"}


def test_what_is_no_official_client_is_refused(captured: Captured) -> None:
    """Another package's client, the module itself, a variant that asks in another form: a TypeError that names what is expected."""
    bedrock = anthropic.AnthropicBedrock(aws_access_key="k", aws_secret_key="s", aws_region="r")
    for thing in (None, openai, openai.OpenAI, made(anthropic.Anthropic), bedrock):
        with pytest.raises(TypeError, match=r"openai\.OpenAI or openai\.AsyncOpenAI, not "):
            captured.client.openai(thing)
    for thing in ("client", made(openai.OpenAI), bedrock):
        with pytest.raises(TypeError, match=r"anthropic\.Anthropic or anthropic\.AsyncAnthropic, not "):
            captured.client.anthropic(thing)


@pytest.mark.parametrize("cls", ALL)
def test_a_block_of_model_call_around_a_recorded_call_records_it_once(provider: ModelProvider, captured: Captured, cls: Any) -> None:
    """The block is what records it; a second request in it is a call of its own."""
    client = recorded(captured, provider, cls)
    with captured.client.trace("t-1") as trace:
        with trace.model_call("m-1", "mine", [USER]) as call:
            call.answer(run(settled(create(client))))
        run(ask(client))
    assert kinds(captured) == ["user_message", "llm_response"] * 2
    assert captured.of_type("llm_response")[0]["metadata"]["provider"] == "mine"
