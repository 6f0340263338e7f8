"""Where lines go, and the folder in which they wait for it."""

# Annotations are not kept as text here: for the fields of a tuple `typing` would compile them.

import json
import sys
from pathlib import Path
from typing import NamedTuple

from .._runtime.private_files import is_our_folder, make_private_folder

OUTBOX = "outbox"
OTLP = "otlp:"
"""Begins the `url` of a receiver of OpenTelemetry spans."""


class Destination(NamedTuple):
    """Whose events these are. Equal destinations share a folder, and a process may deliver what another left there.

    `key_hash` is a truncated hash of the API key (`hash_key`), never the key; `url` is "local" for the store on this machine, and
    begins with `OTLP` for a receiver of OpenTelemetry spans: then it has neither password nor parameters in it, and there is no `key_hash`.
    """

    url: str
    agent_name: str
    key_hash: str

    def name(self) -> str:
        """Return what it is called where several are told apart: its address, or "local"."""
        return self.url.removeprefix(OTLP)

    def folder(self, home: Path) -> Path:
        """Return the folder of this destination's outbox files. Its name tells nothing."""
        name = json.dumps([self.url, self.agent_name, self.key_hash])
        return home / OUTBOX / digest(name.encode())[:16]


def make_place(folder: Path) -> None:
    """Make a destination's folder, and the one that holds all of them.

    Raises:
        OSError: one can't be made, or is not ours.
    """
    for each in (folder.parent, folder):
        make_private_folder(each)


def is_our_place(folder: Path) -> bool:
    """Tell whether a destination's folder is there, and nobody else has a say in it."""
    return is_our_folder(folder.parent) and is_our_folder(folder)


def hash_key(api_key: str) -> str:
    """Return what tells keys apart on disk, and is too short to try keys against."""
    return digest(b"whyops:" + api_key.encode(errors="replace"))[:12]


def digest(text: bytes) -> str:
    """Return the SHA-256 of a text, as 64 hexadecimal digits."""
    try:  # as the library's own `random` does: `hashlib` loads all of OpenSSL
        if sys.version_info >= (3, 12):
            from _sha2 import sha256  # type: ignore[import-not-found]  # noqa: PLC0415  (who only looks at what lies there needs none)
        else:
            from _sha256 import sha256  # type: ignore[import-not-found]  # noqa: PLC0415  (as above)
    except ImportError:  # not built in
        from hashlib import sha256  # noqa: PLC0415  (as above)
    return str(sha256(text).hexdigest())
