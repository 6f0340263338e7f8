"""How a test starts Python for a program that a user might run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.server import StrictServer

OF_OTHERS = "ignore:'asyncio.iscoroutinefunction':DeprecationWarning"
"""What langsmith, which LangChain imports, warns of while it is loaded, from Python 3.14 on."""

OF_FORKS = "ignore:This process:DeprecationWarning"
"""What Python says, since 3.12, of a fork where there are threads; the sender is one, and the child begins anew. An error since 3.15."""

STRICT = (sys.executable, "-W", "error", "-W", OF_OTHERS, "-W", OF_FORKS)
"""Warnings are errors, but for those that nobody here can help."""


def run_with_service(server: StrictServer, code: str, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a program of a user in `home`, with the server as its service; `settings` are more of its environment."""
    environment = with_service(server, home, **settings)
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=50, check=False)


def with_service(server: StrictServer, home: Path, **settings: str) -> dict[str, str]:
    """Give the environment of a user in `home` who has a key; `settings` are more of it."""
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "WHYOPS_HOME": str(home / "home"),
        "WHYOPS_API_KEY": "whyops_test",
        "WHYOPS_AGENT_NAME": "agent",
        "WHYOPS_ANALYSE_BASE_URL": server.url,
        "WHYOPS_PROXY_BASE_URL": server.proxy_url,
        **settings,
    }
