"""How a test starts Python for a program that a user might run."""

from __future__ import annotations

import sys

OF_OTHERS = "ignore:'asyncio.iscoroutinefunction':DeprecationWarning"
"""What langsmith, which LangChain imports, warns of while it is loaded, from Python 3.14 on."""

OF_FORKS = "ignore:This process:DeprecationWarning"
"""What Python says, since 3.12, of a fork where there are threads; the sender is one, and the child begins anew. An error since 3.15."""

STRICT = (sys.executable, "-W", "error", "-W", OF_OTHERS, "-W", OF_FORKS)
"""Warnings are errors, but for those that nobody here can help."""
