"""`whyops push --otlp`: stored traces as spans, against a strict receiver."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests._cli.test_commands import store
from tests._otlp.runs import chat
from tests._render.recordings import conversation
from tests.server.otlp import OtlpServer
from whyops._cli._main import main
from whyops._config.otlp import headers_in, traces_address
from whyops._store.sink import SqliteSink
from whyops.errors import ConfigurationError


def test_a_stored_trace_arrives_as_spans(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each span once, with the headers of OpenTelemetry's variable and without a key of ours; again, it is the same spans."""
    SqliteSink(home).send(chat().lines)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-mlflow-experiment-id=7,key=a%20b")
    with OtlpServer() as server:
        address = server.url.removesuffix("/v1/traces")
        for times in (1, 2):
            assert main(["push", "--otlp", address, "chat-1"]) == 0
            assert capsys.readouterr().out == f"22 events sent as spans to {server.url}.\n"
            assert set(server.came.values()) == {times}
        assert (server.requests[0].headers["x-mlflow-experiment-id"], server.requests[0].headers["key"]) == ("7", "a b")
        assert [span.name for span in server.spans].count("invoke_agent tester") == 2


def test_what_does_not_arrive_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A receiver that is away, one that refuses a span, and one that takes no root; the others arrive."""
    store(home, conversation())
    with OtlpServer() as server:
        server.fail(400, times=20)
        assert main(["push", "--otlp", server.url, "last"]) == 1
        assert "rejected" in capsys.readouterr().out
        server.clear()
        server.fail(200, body={})
        server.fail(503, times=None)
        assert main(["push", "--otlp", server.url, "last"]) == 1
        assert "run this again" in capsys.readouterr().err
        server.stop()
        server.clear()
        assert main(["push", "--otlp", server.url.replace("//", "//user:hush-hush@"), "last"]) == 1
        said = capsys.readouterr().err
        assert f"Could not send to {server.url}: it can't be reached" in said
        assert "hush" not in said
        assert main(["push", "--otlp", server.url, "--as-agent", "x", "last"]) == 1
        assert "--as-agent" in capsys.readouterr().err


def test_addresses_and_headers() -> None:
    """A receiver's address gets the path of traces, unless it has it; what is malformed is told without quoting it."""
    assert {
        given: traces_address(given)
        for given in ("http://c:4318", "http://c:4318/", "https://h/api/public/otel", "http://c/v1/traces", "http://c/x?k=1")
    } == {
        "http://c:4318": "http://c:4318/v1/traces",
        "http://c:4318/": "http://c:4318/v1/traces",
        "https://h/api/public/otel": "https://h/api/public/otel/v1/traces",
        "http://c/v1/traces": "http://c/v1/traces",
        "http://c/x?k=1": "http://c/x/v1/traces?k=1",
    }
    for wrong in ("collector:4318", "ftp://c", "http://", "http://[", "http://c:port"):
        with pytest.raises(ConfigurationError):
            traces_address(wrong)
    assert headers_in(" a=1, b = x%3Dy ,,") == {"a": "1", "b": "x=y"}
    assert headers_in("") == {}
    for wrong in ("secret-key", "a b=secret-key", "=secret-key", "a=secret-key%0A", "ä=secret-key"):
        with pytest.raises(ConfigurationError) as caught:
            headers_in(f"good=1,{wrong}")
        assert "number 2" in str(caught.value)
        assert "secret" not in str(caught.value)
