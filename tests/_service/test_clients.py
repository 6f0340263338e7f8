"""Official clients through the proxy: what each of their requests carries, and what they stay."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import weakref
from collections.abc import Iterator, Mapping
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
    PROVIDER_KEY,
    TOOL,
    USER,
    WAYS,
    _one_certificate,  # noqa: F401  (an autouse fixture)
    _own_loop,  # noqa: F401  (as above)
    ask,
    made,
    made_clients,
    routed,
    run,
    settled,
)
from tests.server import Limits, Request, StrictServer

KEY = "whyops_key"


@pytest.fixture
def server() -> Iterator[StrictServer]:
    with StrictServer(limits=Limits(proxy_requests=1000)) as running:
        yield running


@pytest.fixture
def sdk(server: StrictServer) -> Iterator[whyops.WhyOps]:
    with client_of(server) as client:
        yield client


def client_of(server: StrictServer, agent: str = "agent", **settings: Any) -> whyops.WhyOps:
    settings.setdefault("agent_metadata", {"systemPrompt": "You help."})
    return whyops.WhyOps(KEY, agent, analyse_base_url=server.url, proxy_base_url=server.proxy_url, **settings)


def trace_headers(headers: Mapping[str, str]) -> list[str | None]:
    return [headers.get("x-trace-id"), headers.get("x-thread-id")]


def model_calls(server: StrictServer) -> list[Request]:
    return [request for request in server.requests if request.path.startswith("/v1/") and request.path != "/v1/agents/init"]


def last(server: StrictServer) -> Mapping[str, str]:
    return model_calls(server)[-1].headers


# What a request carries


@pytest.mark.parametrize("cls, way, path", WAYS, ids=[f"{cls.__name__}-{way.__name__}" for cls, way, _ in WAYS])
def test_each_way_of_asking_goes_through_the_proxy(server: StrictServer, sdk: whyops.WhyOps, cls: Any, way: Any, path: str) -> None:
    """Whatever a client is asked, and whatever is derived from it: the path is the proxy's, the key WhyOps', agent and trace are named."""
    client = routed(sdk, made(cls))
    with sdk.trace("t-1"):
        answer = run(way(client))
    assert whyops.strip_signature(answer).strip().startswith("You said: Hello!")
    (request,) = model_calls(server)
    assert (request.path, request.key, request.status) == (f"/v1/{path}", KEY, 200)
    assert request.headers["x-agent-name"] == "agent"
    assert trace_headers(request.headers) == ["t-1", "t-1"]
    assert PROVIDER_KEY not in str(request.headers)


@pytest.mark.parametrize("cls", ALL)
def test_a_retry_names_the_trace_too(server: StrictServer, sdk: whyops.WhyOps, cls: Any) -> None:
    """The client's own retries carry what the first try carried."""
    client = routed(sdk, made(cls, max_retries=1))
    server.fail(503, retry_after=0.01)
    with sdk.trace("t-1"):
        run(ask(client))
    first, second = model_calls(server)
    assert first.status == 503
    assert trace_headers(first.headers) == trace_headers(second.headers) == ["t-1", "t-1"]


@pytest.mark.parametrize("cls", ALL)
def test_outside_any_trace_the_proxy_names_it(server: StrictServer, sdk: whyops.WhyOps, cls: Any) -> None:
    """A request outside any trace names the agent only."""
    run(ask(routed(sdk, made(cls))))
    assert last(server)["x-agent-name"] == "agent"
    assert trace_headers(last(server)) == [None, None]


@pytest.mark.parametrize("cls", [openai.AsyncOpenAI, anthropic.AsyncAnthropic])
def test_concurrent_tasks_over_one_client_keep_their_traces(server: StrictServer, sdk: whyops.WhyOps, cls: Any) -> None:
    """Two traces in tasks that run at the same time, 100 requests over one client: each carries its own trace's id."""
    client = routed(sdk, made(cls))

    async def talk(name: str) -> None:
        async with sdk.trace(name):
            await asyncio.gather(*(ask(client, f"{name} {number}") for number in range(50)))

    async def both() -> None:
        await asyncio.gather(talk("t-1"), talk("t-2"))

    run(both())
    calls = model_calls(server)
    assert len(calls) == 100
    for call in calls:
        said = call.json()["messages"][0]["content"]
        assert trace_headers(call.headers) == [said.split()[0]] * 2


@pytest.mark.parametrize("cls", [openai.OpenAI, anthropic.Anthropic])
def test_threads_over_one_client_keep_their_traces(server: StrictServer, sdk: whyops.WhyOps, cls: Any) -> None:
    """A sync client that threads share sends with each request the trace of the thread that makes it."""
    client = routed(sdk, made(cls))

    def talk(name: str) -> None:
        with sdk.trace(name):
            for _ in range(5):
                asyncio.run(ask(client, name))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(talk, ["t-1", "t-2", "t-3", "t-4"]))
    calls = model_calls(server)
    assert len(calls) == 20
    assert all(trace_headers(call.headers) == [call.json()["messages"][0]["content"]] * 2 for call in calls)


@pytest.mark.parametrize("cls", ALL)
def test_a_user_is_named_where_a_header_can_hold_the_id(server: StrictServer, sdk: whyops.WhyOps, cls: Any) -> None:
    """The trace's external user id goes along if it is printable ASCII; any other would break the request, and is left out."""
    client = routed(sdk, made(cls))
    named = []
    for number, user in enumerate(["user_12345", "Jörg", " blank ", None]):
        with sdk.trace(f"t-{number}", external_user_id=user):
            run(ask(client))
        named.append(last(server).get("x-external-user-id"))
    assert named == ["user_12345", None, None, None]


# Whose header wins


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("given", ["X-Trace-ID", "x-trace-id", "X-Thread-ID", "x-thread-id", "X-THREAD-ID"])
def test_the_trace_that_a_request_names_wins(server: StrictServer, sdk: whyops.WhyOps, cls: Any, given: str) -> None:
    """One of the two names of a trace, in any case, on a request or on a client, replaces what the current trace would say."""
    client = routed(sdk, made(cls))
    with sdk.trace("t-1", external_user_id="u"):
        run(ask(client, extra_headers={given: "mine"}))
        request = last(server)
        run(ask(client.with_options(default_headers={given: "mine"})))
    for headers in (request, last(server)):
        assert {name: headers.get(name) for name in ("x-trace-id", "x-thread-id", "x-external-user-id")} == {
            "x-trace-id": "mine" if given.lower() == "x-trace-id" else None,
            "x-thread-id": "mine" if given.lower() == "x-thread-id" else None,
            "x-external-user-id": None,
        }


@pytest.mark.parametrize("cls", ALL)
def test_the_agent_that_a_request_names_wins(server: StrictServer, sdk: whyops.WhyOps, cls: Any) -> None:
    """A user's own `X-Agent-Name` is sent once, and ours not; the trace is still named."""
    with sdk.trace("t-1"):
        run(ask(routed(sdk, made(cls)), extra_headers={"x-agent-name": "mine"}))
        assert last(server)["x-agent-name"] == "mine"
        run(ask(routed(sdk, made(cls, default_headers={"x-AGENT-name": "mine"}))))
    assert last(server)["x-agent-name"] == "mine"
    assert trace_headers(last(server)) == ["t-1", "t-1"]


@pytest.mark.parametrize("cls", ALL)
def test_the_hybrid_example_of_the_page_runs(server: StrictServer, sdk: whyops.WhyOps, cls: Any) -> None:
    """The page's way to name a trace, word for word: assign to the client's default headers."""
    trace_id = "checkout-8841"
    client = routed(sdk, made(cls, api_key="YOUR_WHYOPS_API_KEY"))
    client.default_headers = {**(client.default_headers or {}), "X-Trace-ID": trace_id, "X-Thread-ID": trace_id}
    trace = sdk.trace(trace_id)
    span_id = trace.tool_call_request_sync("search_orders", [{"name": "search_orders", "arguments": {"orderId": "123"}}])
    run(ask(client))
    run(ask(client.with_options(timeout=7)))
    assert [trace_headers(call.headers) for call in model_calls(server)] == [[trace_id, trace_id]] * 2
    assert model_calls(server)[0].key == KEY
    assert span_id


@pytest.mark.parametrize("cls", ALL)
def test_assigned_headers_do_not_pin_the_trace_that_was_current(server: StrictServer, sdk: whyops.WhyOps, cls: Any) -> None:
    """What we add is told from the user's own in a copy of the headers: a header assigned in one trace leaves the next one alone."""
    client = routed(sdk, made(cls, default_headers={"X-Own": "1"}))
    with sdk.trace("t-1", "user-1"):
        client.default_headers = {**client.default_headers, "X-Other": "2"}
    with sdk.trace("t-2"):
        run(ask(client))
    assert trace_headers(last(server)) == ["t-2", "t-2"]
    assert (last(server)["x-own"], last(server)["x-other"]) == ("1", "2")
    assert "x-external-user-id" not in last(server)
    client.default_headers = None
    run(ask(client))
    assert "x-own" not in last(server)
    assert (last(server)["x-agent-name"], model_calls(server)[-1].key) == ("agent", KEY)


def test_a_header_that_is_left_out_stays_out(server: StrictServer, sdk: whyops.WhyOps) -> None:
    """A header that the user removes with the package's own marker is not sent, and an assigned marker of the client's is no header."""
    client = routed(sdk, made(openai.OpenAI, organization="org-1"))
    client.default_headers = {**client.default_headers}
    with sdk.trace("t-1"):
        run(ask(client, extra_headers={"X-Trace-ID": openai.Omit(), "X-Thread-ID": openai.Omit()}))
    assert trace_headers(last(server)) == [None, None]
    assert last(server)["openai-organization"] == "org-1"
    assert "openai-project" not in last(server)
    client.project = "project-1"
    run(ask(client))
    assert last(server)["openai-project"] == "project-1"


# What the client stays


@pytest.mark.parametrize("cls", ALL)
def test_a_client_of_the_same_class_comes_back(sdk: whyops.WhyOps, cls: Any) -> None:
    """The class looks as before, is made once, and so are its derived clients'; the given client is as it was."""
    given = made(cls, base_url="https://provider.example/v9", default_headers={"X-Own": "1"})
    before = (given.api_key, str(given.base_url), type(given), dict(given._custom_headers))
    client = routed(sdk, given)
    assert isinstance(client, cls)
    assert (type(client).__name__, type(client).__module__, type(client).__doc__) == (cls.__name__, cls.__module__, cls.__doc__)
    assert type(client) is type(routed(sdk, made(cls))) is type(client.copy()) is type(client.with_options(timeout=1))
    assert (given.api_key, str(given.base_url), type(given), dict(given._custom_headers)) == before
    assert "X-Agent-Name" not in given.default_headers


@pytest.mark.parametrize("cls", ALL)
def test_the_settings_of_the_given_client_are_kept(sdk: whyops.WhyOps, cls: Any) -> None:
    """Time-out, retries, query, headers and the HTTP client itself are the given client's."""
    given = made(cls, timeout=12.5, max_retries=7, default_query={"q": "1"}, default_headers={"X-Own": "1"})
    client = routed(sdk, given)
    assert (client.timeout, client.max_retries, client.default_query, client.default_headers["X-Own"]) == (12.5, 7, {"q": "1"}, "1")
    assert client._client is given._client


@pytest.mark.parametrize("cls", ALL)
def test_a_users_subclass_is_taken(server: StrictServer, sdk: whyops.WhyOps, cls: Any) -> None:
    """A subclass of an official client keeps its methods and its own headers."""

    class Own(cls):
        @property
        def default_headers(self) -> Any:
            return {**super().default_headers, "X-Subclass": "1"}

        def greet(self) -> str:
            return "hi"

    client = routed(sdk, made(Own))
    assert isinstance(client, Own)
    assert client.greet() == "hi"
    with sdk.trace("t-1"):
        run(ask(client))
    assert (last(server)["x-subclass"], *trace_headers(last(server))) == ("1", "t-1", "t-1")


@pytest.mark.parametrize("cls", ALL)
def test_a_class_is_not_kept_alive(sdk: whyops.WhyOps, cls: Any) -> None:
    """A subclass that was made on the fly goes with its last instance, and the routed class with it."""

    class Own(cls):
        pass

    client = routed(sdk, made(Own))
    forgotten = [weakref.ref(Own), weakref.ref(type(client))]
    run(settled(client.close()))
    made_clients.clear()
    del Own, client
    gc.collect()
    assert [reference() for reference in forgotten] == [None, None]


@pytest.mark.parametrize("cls", ALL)
def test_a_routed_client_can_be_routed_again(server: StrictServer, sdk: whyops.WhyOps, cls: Any) -> None:
    """Another agent's client takes a routed client over; the first one goes on as it was."""
    first = routed(sdk, made(cls))
    second = routed(client_of(server, "other"), first)
    run(ask(second))
    run(ask(first))
    assert [call.headers["x-agent-name"] for call in model_calls(server)] == ["other", "agent"]
    assert type(first) is type(second)


@pytest.mark.parametrize("cls", ALL)
def test_a_client_that_is_pointed_elsewhere_carries_nothing_of_ours(sdk: whyops.WhyOps, cls: Any) -> None:
    """The way back to the provider is the packages' own: another base URL and key. Nothing of ours goes there, and no key is taken out."""
    with StrictServer() as provider, sdk.trace("t-1"):
        path = "/v1" if cls in OPENAI else ""
        direct = routed(sdk, made(cls)).with_options(base_url=f"{provider.origin}{path}", api_key=PROVIDER_KEY, max_retries=0)
        with pytest.raises((openai.AuthenticationError, anthropic.AuthenticationError)):
            run(ask(direct))
    assert provider.requests[0].key == PROVIDER_KEY
    assert not {"x-agent-name", "x-trace-id", "x-thread-id"} & set(provider.requests[0].headers)


# Keys


@pytest.mark.parametrize("cls", ALL)
def test_no_key_of_the_provider_leaves(server: StrictServer, sdk: whyops.WhyOps, cls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the client's headers or its environment is sent neither by the client nor by what is derived from it."""
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.setenv(name, PROVIDER_KEY)
    for name in ("OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, f"authorization: Bearer {PROVIDER_KEY}\nX-Kept: 1")
    client = routed(sdk, made(cls, default_headers={"X-API-KEY": PROVIDER_KEY, "Authorization": f"Bearer {PROVIDER_KEY}"}))
    client.default_headers = {**client.default_headers, "AUTHORIZATION": PROVIDER_KEY}
    for asked in (client, client.copy(), client.with_options(default_headers={"X-Api-Key": PROVIDER_KEY})):
        run(ask(asked))
        assert model_calls(server)[-1].key == KEY
    assert PROVIDER_KEY not in str([call.headers for call in model_calls(server)])


@pytest.mark.parametrize("cls", ANTHROPIC)
def test_an_auth_token_is_replaced(server: StrictServer, sdk: whyops.WhyOps, cls: Any) -> None:
    """A client that was made with a bearer token in place of a key sends the WhyOps key alone."""
    run(ask(routed(sdk, made(cls, auth_token=PROVIDER_KEY))))
    assert model_calls(server)[-1].key == KEY
    assert PROVIDER_KEY not in str(last(server))


@pytest.mark.parametrize("cls", OPENAI)
def test_a_key_that_is_a_function_is_replaced(server: StrictServer, sdk: whyops.WhyOps, cls: Any) -> None:
    """A client that asks a function for its key is not asked any more."""

    async def refuse() -> str:
        raise AssertionError("asked")

    run(ask(routed(sdk, made(cls, api_key=refuse))))
    assert model_calls(server)[-1].key == KEY


# What is refused


@pytest.mark.parametrize("cls", ALL)
def test_without_a_key_there_is_no_proxy(cls: Any) -> None:
    """Who asks for the proxy without a key is told what is lacking."""
    sdk = whyops.WhyOps(agent_name="agent")
    with pytest.raises(whyops.ConfigurationError, match="WHYOPS_API_KEY"):
        (sdk.openai if cls in OPENAI else sdk.anthropic)(made(cls), via="proxy")


def test_what_is_no_official_client_is_refused(sdk: whyops.WhyOps) -> None:
    """Another package's client, a variant for another service, the module itself: a TypeError that names what is expected."""
    azure = openai.AzureOpenAI(api_key="k", api_version="1", azure_endpoint="https://azure.example")
    bedrock = anthropic.AnthropicBedrock(aws_access_key="k", aws_secret_key="s", aws_region="r")
    for thing in (None, openai, openai.OpenAI, made(anthropic.Anthropic), azure, bedrock):
        with pytest.raises(TypeError, match=r"openai\.OpenAI or openai\.AsyncOpenAI, not "):
            sdk.openai(thing)
    for thing in ("client", made(openai.OpenAI), azure, bedrock):
        with pytest.raises(TypeError, match=r"anthropic\.Anthropic or anthropic\.AsyncAnthropic, not "):
            sdk.anthropic(thing)


def test_neither_package_is_imported(server: StrictServer) -> None:
    """Pointing something at the proxy, or failing to, imports no provider's package."""
    script = (
        "import sys, whyops\n"
        f"sdk = whyops.WhyOps({KEY!r}, 'agent')\n"
        "print(sdk.proxy('openai').base_url)\n"
        "for method in (sdk.openai, sdk.anthropic):\n"
        "    try: method(object())\n"
        "    except TypeError: pass\n"
        "assert not {'openai', 'anthropic'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("https://proxy.whyops.com/v1\n", "")


@pytest.mark.parametrize("cls", ALL)
def test_a_refusal_of_the_proxy_is_the_clients_own_error(cls: Any) -> None:
    """Beyond its requests a minute the proxy answers 429: the package's own RateLimitError, with the proxy's limit in its headers."""
    with StrictServer(limits=Limits(proxy_requests=1)) as server:
        client = routed(client_of(server), made(cls, max_retries=0))
        run(ask(client))
        with pytest.raises((openai.RateLimitError, anthropic.RateLimitError)) as caught:
            run(ask(client))
    assert caught.value.response.headers["X-RateLimit-Limit"] == "1"


# Together with the traces and tools


ORDERS = '{"order_id": "123"}'


def tool_calls(client: Any, way: str) -> list[str]:
    """Let the model call a tool, and return the arguments as it wrote them."""
    if way == "chat":
        answer = run(settled(client.chat.completions.create(model="m-1", messages=[{**USER, "content": ORDERS}], tools=[TOOL])))
        return [call.function.arguments for call in answer.choices[0].message.tool_calls]
    tools = [{"type": "function", **TOOL["function"]}]
    answer = run(settled(client.responses.create(model="m-1", input=ORDERS, tools=tools)))
    return [item.arguments for item in answer.output if item.type == "function_call"]


@pytest.mark.parametrize("in_block", [True, False])
@pytest.mark.parametrize("way", ["chat", "responses"])
@pytest.mark.parametrize("cls", OPENAI)
def test_a_tool_call_joins_the_trace_of_its_model_call(
    server: StrictServer, sdk: whyops.WhyOps, cls: Any, way: str, *, in_block: bool
) -> None:
    """The argument that the proxy adds never reaches the tool, is not recorded, and names the trace where no block does."""

    @whyops.tool
    def search_orders(order_id: str) -> dict[str, str]:
        return {"order": order_id}

    client = routed(sdk, made(cls))
    if in_block:
        with sdk.trace("t-1"):
            (arguments,) = tool_calls(client, way)
            result = search_orders(**json.loads(arguments))
    else:
        (arguments,) = tool_calls(client, way)
        result = search_orders(**json.loads(arguments))
    trace_id = json.loads(arguments)["_whyops_trace_id"]
    assert result == {"order": "123"}
    sdk.flush_sync()
    request, response = [event for event in server.events_of(trace_id) if event["eventType"].startswith("tool_")]
    assert request["content"]["toolCalls"] == [{"name": "search_orders", "arguments": {"order_id": "123"}}]
    assert (response["content"]["toolResults"], response["spanId"]) == ({"order": "123"}, request["spanId"])
    assert {event["traceId"] for event in server.events} == {trace_id}
    assert (trace_id == "t-1") is in_block


def test_a_conversation_outside_any_trace_stays_in_one(server: StrictServer, sdk: whyops.WhyOps) -> None:
    """Given the model's signed answer back, the proxy finds its trace again: so answers come back as they are, signed."""
    client = routed(sdk, made(openai.OpenAI))
    first = client.chat.completions.create(model="m-1", messages=[USER]).choices[0].message
    client.chat.completions.create(model="m-1", messages=[USER, {"role": "assistant", "content": first.content}, USER])
    assert len(model_calls(server)) == 2
    assert len({event["traceId"] for event in server.events}) == 1
    assert whyops.strip_signature(first.content) == "You said: Hello!"
    assert first.content != "You said: Hello!"


@pytest.mark.parametrize("cls", ALL)
def test_the_agent_is_described_before_the_proxy_meets_it(server: StrictServer, sdk: whyops.WhyOps, cls: Any) -> None:
    """The service knows the agent before the first model call: the trace of that call takes our events too."""
    client = routed(sdk, made(cls))
    routed(sdk, made(cls))
    with sdk.trace("t-1") as trace:
        run(ask(client))
        trace.tool_result_sync("search_orders", {"order": "123"})
    result = sdk.flush_sync()
    assert (result.rejected, result.waiting, len(server.inits)) == (0, 0, 1)
    assert [event["eventType"] for event in server.events_of("t-1")] == ["user_message", "llm_response", "tool_result"]


def test_a_service_that_is_away_holds_nothing_up(server: StrictServer) -> None:
    """Where the agent can't be described, the client comes back all the same."""
    server.stop()
    client = client_of(server).openai(made(openai.OpenAI))
    server.start()
    assert run(ask(client))


def test_a_trace_of_another_agent_is_not_named(server: StrictServer, sdk: whyops.WhyOps, caplog: pytest.LogCaptureFixture) -> None:
    """The service keeps each trace to one agent: a model call of another agent gets a trace of its own, which is said."""
    client = sdk.openai(made(openai.OpenAI))
    with client_of(server, "other").trace("t-1"):
        run(ask(client))
        run(ask(client))
    assert trace_headers(last(server)) == [None, None]
    assert [record.message.startswith("A model call of agent 'agent', made in a trace of agent 'other'") for record in caplog.records] == [
        True
    ]


@pytest.mark.parametrize("cls", ALL)
def test_switched_off_a_client_goes_where_it_went(server: StrictServer, cls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With WHYOPS_DISABLED a client with the provider's key is not rerouted and needs no key of ours; its headers can be assigned."""
    monkeypatch.setenv("WHYOPS_DISABLED", "1")
    sdk = whyops.WhyOps(agent_name="agent", proxy_base_url=server.proxy_url)
    given = made(cls, base_url="https://provider.example/v9")
    client = routed(sdk, given)
    client.default_headers = {**client.default_headers, "X-Trace-ID": "mine"}
    assert (client.api_key, client.base_url) == (given.api_key, given.base_url)
    assert "X-Agent-Name" not in client.default_headers
    assert client.with_options(timeout=1).default_headers["X-Trace-ID"] == "mine"


@pytest.mark.parametrize("cls", ALL)
def test_switched_off_a_client_with_our_key_still_reaches_the_proxy(
    server: StrictServer, cls: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that was made with the WhyOps key can be served by the proxy alone, so the agent goes on working."""
    monkeypatch.setenv("WHYOPS_DISABLED", "1")
    run(ask(routed(client_of(server), made(cls, api_key=KEY))))
    assert model_calls(server)[-1].key == KEY
