"""Lines of the outbox as they are written: each once, also when they are delivered meanwhile, and none from before."""

from __future__ import annotations

import json
from pathlib import Path

import whyops
from tests.server import StrictServer
from whyops._outbox.follow import OutboxFollower


def client(home: Path, url: str) -> whyops.WhyOps:
    return whyops.WhyOps(api_key="whyops_" + "k" * 20, agent_name="a", analyse_base_url=url, proxy_base_url=url, home=home)


def say(sdk: whyops.WhyOps, text: str) -> None:
    sdk.trace("t").user_message_sync([{"role": "user", "content": text}])


def texts(lines: list[bytes]) -> list[str]:
    return [json.loads(line)["content"][0]["content"] for line in lines]


def test_only_what_is_new(tmp_path: Path) -> None:
    """What was there at the beginning is not told, what is written then is, once, from new files too."""
    with StrictServer() as server:
        first = client(tmp_path, server.url)
        say(first, "before")
        follower = OutboxFollower(tmp_path)
        assert follower.lines() == []
        say(first, "one")
        second = client(tmp_path, server.url)
        say(second, "two")
        assert sorted(texts(follower.lines())) == ["one", "two"]
        assert follower.lines() == []
        say(second, "three")
        assert texts(follower.lines()) == ["three"]
        first.close_sync()
        second.close_sync()


def test_what_was_delivered_meanwhile(tmp_path: Path) -> None:
    """A line is seen also where the service was quicker than who looks."""
    with StrictServer() as server:
        sdk = client(tmp_path, server.url)
        follower = OutboxFollower(tmp_path)
        say(sdk, "quick")
        assert sdk.flush_sync().waiting == 0
        assert texts(follower.lines()) == ["quick"]


def test_nothing_there(tmp_path: Path) -> None:
    """A home in which nothing was ever recorded has no lines."""
    assert OutboxFollower(tmp_path / "none").lines() == []
