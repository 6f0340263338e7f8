"""Settings: arguments, the environment, and what is refused."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from whyops import ConfigurationError, WhyOps
from whyops._config.environment import is_disabled
from whyops._config.settings import Settings, given, home_directory


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
    "variable, value",
    [
        ("WHYOPS_API_KEY", "two words"),
        ("WHYOPS_ANALYSE_BASE_URL", "nowhere"),
        ("WHYOPS_PROXY_BASE_URL", "nowhere"),
        ("WHYOPS_AGENT_NAME", "\N{SNOWMAN}"),
        ("WHYOPS_CAPTURE_CONTENT", "perhaps"),
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
    assert not client.trace("t").recorder.enabled


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
