"""Settings: arguments, the environment, and what is refused."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

import httpx
import pytest

from whyops import ConfigurationError, WhyOps
from whyops._config.environment import is_disabled
from whyops._config.settings import Settings, given, home_directory
from whyops._recording.trace import writer_of


def test_an_argument_wins_over_the_environment(monkeypatch):
    """What the caller says stands; the environment fills in the rest; an empty string is no value, from either."""
    monkeypatch.setenv("WHYOPS_API_KEY", "YOPS-env")
    monkeypatch.setenv("WHYOPS_AGENT_NAME", "")
    monkeypatch.setenv("WHYOPS_ANALYSE_BASE_URL", "http://127.0.0.1:1/api/")
    settings = given(api_key="", agent_name="mine", proxy_base_url="http://localhost:2/").completed()
    assert settings.api_key == "YOPS-env"
    assert settings.agent_name == "mine"
    assert settings.analyse_base_url == "http://127.0.0.1:1/api"
    assert settings.proxy_base_url == "http://localhost:2"
    assert given().completed().agent_name is None


def test_defaults(tmp_path, monkeypatch):
    """Without any setting the hosted service's addresses and the home folder are used."""
    monkeypatch.delenv("WHYOPS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = Settings().completed()
    assert settings.analyse_base_url == "https://a.whyops.com/api"
    assert settings.proxy_base_url == "https://proxy.whyops.com"
    assert settings.home == tmp_path / ".whyops"
    assert settings.capture_content is True
    assert settings.flush_at_trace_end is False


@pytest.mark.parametrize("variable", ["AWS_LAMBDA_FUNCTION_NAME", "K_SERVICE", "FUNCTION_TARGET", "FUNCTIONS_WORKER_RUNTIME"])
def test_a_host_that_freezes_is_told_by_its_environment(monkeypatch, variable):
    """There the end of a trace waits for delivery, unless the caller or our own variable says otherwise."""
    assert Settings().completed().flush_at_trace_end is False
    monkeypatch.setenv(variable, "f")
    assert Settings().completed().flush_at_trace_end is True
    assert Settings(flush_at_trace_end=False).completed().flush_at_trace_end is False
    monkeypatch.setenv("WHYOPS_FLUSH_AT_TRACE_END", "0")
    assert Settings().completed().flush_at_trace_end is False
    assert Settings(flush_at_trace_end=True).completed().flush_at_trace_end is True
    monkeypatch.delenv(variable)
    monkeypatch.setenv("WHYOPS_FLUSH_AT_TRACE_END", "yes")
    assert Settings().completed().flush_at_trace_end is True


def test_a_job_that_ends_by_itself_waits_there(monkeypatch):
    """A job on Cloud Run has its time until it ends, and its end delivers."""
    monkeypatch.setenv("CLOUD_RUN_JOB", "j")
    assert Settings().completed().flush_at_trace_end is False


@pytest.mark.parametrize(
    "arguments, named",
    [
        ({"api_key": 5}, "api_key"),
        ({"api_key": "YOPS-a b", "agent_name": "a"}, "api_key"),
        ({"api_key": "YOPS-ü", "agent_name": "a"}, "api_key"),
        ({"agent_name": "x" * 256}, "agent_name"),
        ({"agent_name": "line\nfeed"}, "agent_name"),
        ({"analyse_base_url": "a.whyops.com"}, "analyse_base_url"),
        ({"proxy_base_url": "ftp://x"}, "proxy_base_url"),
        ({"proxy_base_url": "https://"}, "proxy_base_url"),
        ({"proxy_base_url": "https://host:no"}, "proxy_base_url"),
        ({"proxy_base_url": "https://host:99999"}, "proxy_base_url"),
        ({"proxy_base_url": "https://[::1"}, "proxy_base_url"),
        ({"analyse_base_url": "https://host/api?tenant=1"}, "analyse_base_url"),
        ({"analyse_base_url": "https://host/api#part"}, "analyse_base_url"),
        ({"agent_metadata": "prompt"}, "agent_metadata"),
        ({"home": 5}, "home"),
        ({"home": __file__}, "home"),
        ({"sink": object()}, "sink"),
        ({"redact": "x"}, "redact"),
        ({"redact_keys": [5]}, "redact_keys"),
        ({"outbox": "tape"}, "outbox"),
        ({"outbox_max_bytes": 10}, "outbox_max_bytes"),
        ({"max_value_bytes": True}, "max_value_bytes"),
        ({"exit_timeout": -1}, "exit_timeout"),
        ({"capture_content": "no"}, "capture_content"),
        ({"keep_local": "maybe"}, "keep_local"),
        ({"flush_at_trace_end": 1}, "flush_at_trace_end"),
        ({"exit_timeout": float("nan")}, "exit_timeout"),
        ({"api_key": "YOPS-k"}, "agent_name"),
    ],
)
def test_a_bad_argument_is_refused_by_name(arguments, named):
    """A mistake is told where it is made, and the message names the argument."""
    with pytest.raises(ConfigurationError, match=named):
        WhyOps(**arguments)


@pytest.mark.parametrize(
    "arguments, told",
    [
        ({"redact_keys": 5}, "redact_keys must be a list of names, as strings, not int"),
        ({"keep_keys": True}, "keep_keys must be a list of names, as strings, not bool"),
        ({"redact_keys": 0}, "redact_keys must be a list of names, as strings, not int"),
        ({"transport": "x"}, "transport must be an httpx transport, such as httpx.HTTPTransport(), not str"),
        ({"transport": httpx.AsyncHTTPTransport()}, "not AsyncHTTPTransport: it must have the method handle_request(request)"),
        ({"agent_metadata": {"systemPrompt": 5}}, "agent_metadata['systemPrompt'] must be a string, not int"),
        ({"agent_metadata": {"systemPrompt": "p", "description": ["d"]}}, "agent_metadata['description'] must be a string, not list"),
        ({"agent_metadata": {"tools": "search"}}, "agent_metadata['tools'] must be a list of dicts, not str"),
        (
            {"agent_metadata": {"tools": [{"name": "a"}, print]}},
            "agent_metadata['tools'][1] must be a dict, not builtin_function_or_method",
        ),
    ],
)
def test_what_is_of_the_wrong_type_is_told_with_what_was_expected(arguments, told):
    """The message says what was given and what it should be, so that nobody has to look it up."""
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        WhyOps(**arguments)


def test_what_fits_is_taken():
    """Names may come one alone or from any iterable; a description may leave parts out; a transport is httpx's."""
    tools = ({"name": "a", "inputSchema": {"type": "object"}},)
    for metadata in ({}, {"systemPrompt": None, "tools": None}, {"systemPrompt": "p", "description": "d", "tools": tools}):
        assert given(agent_metadata=metadata).agent_metadata == metadata
    assert given(transport=httpx.MockTransport(print)).transport is not None
    for names in ("one", {"one"}, iter(["one"])):
        assert given(redact_keys=names, keep_keys=None) == given(redact_keys=["one"], keep_keys="")


@pytest.mark.parametrize(
    "url, told",
    [
        ("https://host:no", "port"),
        ("https://host:99999/api", "port"),
        ("https://host:0", "port"),
        ("https://ho st/api", "spaces"),
        ("https://host/api\n", "spaces, line breaks"),
        (" https://host", "spaces"),
        ("https://host:80 80", "spaces"),
        ("https://[::1", "IPv6"),
        ("https:///api", "with a host after https://"),
        ("http://:8080", "with a host after http://"),
        ("localhost:8080", "begins with https:// or http://"),
        ("a.whyops.com", "begins with https:// or http://"),
        ("https://me:pw@host:no", "user name or password"),
        ("https://host/api?a=1", "end with its path"),
    ],
)
def test_a_base_url_is_refused_for_its_real_fault(url, told):
    """The message says what is wrong with the URL, not what is right with it."""
    with pytest.raises(ConfigurationError, match=f"^analyse_base_url must .*{told}"):
        given(analyse_base_url=url)


@pytest.mark.parametrize("url", ["http://[::1]:8080/api", "https://host:", "HTTPS://host:65535/a", "http://müller.example"])
def test_a_base_url_may_be_unusual(url):
    """IPv6, an empty port, capital letters and names in other scripts are all fine."""
    assert given(analyse_base_url=url).analyse_base_url == url


@pytest.mark.parametrize(
    "variable, value",
    [
        ("WHYOPS_API_KEY", "two words"),
        ("WHYOPS_ANALYSE_BASE_URL", "nowhere"),
        ("WHYOPS_PROXY_BASE_URL", "nowhere"),
        ("WHYOPS_AGENT_NAME", "\N{SNOWMAN}"),
        ("WHYOPS_CAPTURE_CONTENT", "perhaps"),
        ("WHYOPS_CAPTURE_PROMPTS", "perhaps"),
        ("WHYOPS_DISABLED", "perhaps"),
        ("WHYOPS_FLUSH_AT_TRACE_END", "perhaps"),
    ],
)
def test_a_bad_variable_is_refused_by_name_at_first_use(monkeypatch, variable, value):
    """A mistake in the environment is told when a client is first used, and the message names the variable."""
    client = WhyOps()
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable):
        client.trace("t")


def test_the_environment_is_read_at_first_use(monkeypatch):
    """What `load_dotenv()` sets after the client was made still counts."""
    client = WhyOps()
    monkeypatch.setenv("WHYOPS_DISABLED", "1")
    assert not writer_of(client.trace("t")).recorder.enabled


def test_no_error_or_repr_shows_the_key():
    """The key is in no text that could be logged."""
    key = "YOPS-very-secret"
    client = WhyOps(api_key=key, agent_name="a")
    assert key not in repr(client)
    assert key not in repr(client._given)
    with pytest.raises(ConfigurationError) as refused:
        WhyOps(api_key=key)
    assert key not in str(refused.value)
    with pytest.raises(ConfigurationError) as refused:
        WhyOps(api_key=key + " x", agent_name="a")
    assert key not in str(refused.value)


def test_home_and_switch(monkeypatch, tmp_path):
    """The home folder is the argument, else the variable; `WHYOPS_DISABLED` takes the usual words."""
    assert home_directory(tmp_path) == tmp_path
    monkeypatch.setenv("WHYOPS_HOME", "~/here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home_directory() == tmp_path / "here"
    assert home_directory(Path("rel")).is_absolute()
    for word in ("1", "true", "YES", " on "):
        monkeypatch.setenv("WHYOPS_DISABLED", word)
        assert is_disabled()
    monkeypatch.setenv("WHYOPS_DISABLED", "0")
    assert not is_disabled()


@pytest.mark.parametrize(
    "url", ["https://me:hunter2@host/api", "http://hunter2@host", "https://me:hunter2@host:no", "https://:hunter2@", "hunter2@host"]
)
@pytest.mark.parametrize("name", ["analyse_base_url", "proxy_base_url"])
def test_a_password_is_no_part_of_a_base_url(url, name, monkeypatch):
    """Where one is, or something like it, it is refused with what to do instead, and repeated nowhere."""
    with pytest.raises(ConfigurationError) as told:
        given(**{name: url})
    monkeypatch.setenv(f"WHYOPS_{name.upper()}", url)
    with pytest.raises(ConfigurationError) as told_later:
        given().completed()
    for said in (told, told_later):
        assert name in str(said.value).lower()
        assert "hunter2" not in "".join(traceback.format_exception(said.value)[-1:]) + repr(said.value)


@pytest.mark.parametrize("name, default", [("local_max_age_days", 30), ("local_max_bytes", 1_000_000_000)])
def test_bounds_of_the_local_store(monkeypatch, name, default):
    """The argument, else the variable, else the default; 0 is no bound, and what is no number of the kind is refused by name."""
    variable = f"WHYOPS_{name.upper()}"
    assert getattr(given().completed(), name) == default
    monkeypatch.setenv(variable, "0")
    assert getattr(given().completed(), name) == 0
    monkeypatch.setenv(variable, "500000")
    assert getattr(given().completed(), name) == 500_000
    assert getattr(given(**{name: 0}).completed(), name) == 0
    assert getattr(given(**{name: 200_000}).completed(), name) == 200_000
    for wrong in (-1, True, "5", 1.5):
        with pytest.raises(ConfigurationError, match=name):
            given(**{name: wrong})
    for wrong in ("-1", "ten", "1.5"):
        monkeypatch.setenv(variable, wrong)
        with pytest.raises(ConfigurationError, match=variable):
            given().completed()
