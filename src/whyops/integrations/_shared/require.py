"""A missing package, said in one sentence with the line that installs it."""

from __future__ import annotations

import importlib
import importlib.metadata
import re


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
        raise ImportError(f"{what} needs {module}: pip install '{_brought_by(extra)}'") from None


def _brought_by(extra: str) -> str:
    """Give the package that an extra brings, with its lowest version: that can be installed wherever this package came from."""
    try:
        required = importlib.metadata.requires("whyops") or ()
    except importlib.metadata.PackageNotFoundError:
        required = ()
    of_the_extra = (each.partition(";")[0].strip() for each in required if re.search(rf"extra == ['\"]{extra}['\"]", each))
    return next(of_the_extra, f"whyops[{extra}]>=0.2")
