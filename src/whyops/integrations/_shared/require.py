"""A missing extra, said in one sentence with the line that installs it."""

from __future__ import annotations

import importlib


def require(module: str, extra: str, what: str = "") -> None:
    """Import `module`, or say how to get it; `what` needs it, if it is not the integration of that name.

    Raises:
        ImportError: It is not installed. The message is one sentence with the pip line.
    """
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise  # it is there, and what it needs itself is not: its own message says more
        what = what or f"whyops.integrations.{extra.replace('-', '_')}"
        raise ImportError(f"{what} needs {module}: pip install 'whyops[{extra}]>=0.2'") from None
