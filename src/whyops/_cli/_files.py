"""Files that a command writes: their owner alone may read them, and nobody ever sees half of one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from whyops.errors import WhyOpsError

__all__ = ["write_private"]


def write_private(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file, in place of one that is there.

    Raises:
        WhyOpsError: It can't be written.
    """
    draft: str | None = None
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
        Path(draft).chmod(0o600)
        Path(draft).replace(path)
    except OSError as error:
        if draft is not None:
            with contextlib.suppress(OSError):
                Path(draft).unlink()
        raise WhyOpsError(f"{path} can't be written: {error.strerror or error}.") from None
