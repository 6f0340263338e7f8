"""Which client is the default one."""

from __future__ import annotations

import contextlib

import whyops
from tests.racing import quick_switches, together
from tests.server import StrictServer
from whyops import _default


def test_threads_that_ask_first_get_one_default():
    """However many threads need the default client at once, one is made of the environment, and none is told that there are several."""
    with quick_switches():
        for _ in range(200):
            clients = together(*[_default.default_client] * 6)
            assert len({id(client) for client in clients}) == 1
            clients[0].close_sync()


def test_defaults_that_come_while_one_is_looked_for_do_no_harm():
    """Clients are made and let go of in some threads while others look for the default one."""
    chosen = whyops.configure(agent_name="chosen")
    chosen.close_sync()
    keep = whyops.WhyOps(agent_name="the only open one")

    def come_and_go() -> None:
        for _ in range(300):
            whyops.WhyOps(agent_name="passing").close_sync()

    def look() -> None:
        for _ in range(300):
            with contextlib.suppress(whyops.ConfigurationError):  # one that passes is open at that moment
                assert _default.existing_default() is not None

    with quick_switches():
        together(come_and_go, come_and_go, look, look)
    assert _default.existing_default() is keep


def test_each_first_use_of_the_proxy_waits_for_the_agent():
    """No thread goes to the proxy before the agent is known, also where another thread's first use began a moment earlier."""
    with StrictServer() as server, whyops.WhyOps("whyops_test", "agent", {"systemPrompt": "Be kind."}, server.proxy_url, server.url) as sdk:
        known: list[int] = []

        def go() -> None:
            sdk.proxy("openai")
            known.append(len(server.inits))

        together(*[go] * 4)
    assert all(known)
