"""Checks of the folder for local data: whether it is writable, who may read it, its file system, and what waits there."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..._outbox.destination import OUTBOX
from ..._outbox.inspect import inspect_outboxes
from ..._printable import counted
from ..._render.format import bytes_text
from ..._render.terminal.doctor_table import Finding
from ..._runtime.locks import lock
from ..._runtime.private_files import HAS_OWNERS, is_owner
from ..._store.reader import StoreReader
from ...errors import WhyOpsError

LEAST_FREE_BYTES = 500_000_000
_SHARED = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "fuse.sshfs", "glusterfs", "lustre", "ceph"}


def check_home(home: Path) -> Iterator[Finding]:
    """Check the folder; of one that does not exist yet, its closest parent."""
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        yield Finding(
            "bad",
            "home",
            f"{home} is not writable",
            "Events wait in memory instead, and are lost with the process. Choose another folder with WHYOPS_HOME.",
        )
        return
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE_BYTES:
        yield Finding(
            "warn", "home", f"{home}: only {bytes_text(free)} free", "Free some space, or choose another folder with WHYOPS_HOME."
        )
    else:
        yield Finding("good", "home", f"{home} is writable, {bytes_text(free)} free")
    yield from _privacy(home)
    yield from _disk(home, place)
    yield from _store(home)
    yield from _outboxes(home)


def _privacy(home: Path) -> Iterator[Finding]:
    for path in (home, home / OUTBOX, *home.glob("traces.db*")) if HAS_OWNERS else ():
        with contextlib.suppress(FileNotFoundError):
            found = path.lstat()
            if path != home and not is_owner(found):
                yield Finding(
                    "bad",
                    "privacy",
                    f"{path} belongs to another user (uid {found.st_uid})",
                    "It is not used, and events wait in memory instead: choose another folder with WHYOPS_HOME.",
                )
                return
            if stat.S_IMODE(found.st_mode) & 0o077 and not stat.S_ISLNK(found.st_mode):
                yield Finding("warn", "privacy", f"{path} is accessible to other users", f"It contains prompts: chmod go-rwx {path}")
                return


def _disk(home: Path, place: Path) -> Iterator[Finding]:
    kind = _file_system(place)
    if kind in _SHARED:
        yield Finding(
            "warn",
            "disk",
            f"{home} is on a network file system ({kind})",
            "SQLite and file locks are not reliable on all of these: choose a local folder with WHYOPS_HOME.",
        )
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            lock(file.fileno())
    except OSError:
        yield Finding(
            "warn",
            "locks",
            f"file locks do not work in {place}",
            "Without them, events wait in memory and are lost if the process is killed. Choose another folder with WHYOPS_HOME.",
        )
    else:
        yield Finding("good", "locks", "file locks work")


def _file_system(place: Path) -> str:
    """Return the kind of file system that a folder is on, where the operating system says."""
    kinds = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/mounts").read_text("utf-8", "replace").splitlines():
            _, point, kind, *_ = line.split(" ")
            kinds[Path(point.replace("\\040", " "))] = kind
    return next((kinds[folder] for folder in (place, *place.parents) if folder in kinds), "")


def _store(home: Path) -> Iterator[Finding]:
    reader = StoreReader(home)
    if os.path.lexists(reader.path):
        try:
            yield Finding("good", "store", f"{counted(reader.count(), 'trace')}, {bytes_text(reader.path.stat().st_size)}")
        except WhyOpsError as error:
            yield Finding("bad", "store", str(error))


def _outboxes(home: Path) -> Iterator[Finding]:
    found = inspect_outboxes(home)
    numbers = (
        (
            sum(one.orphaned for one in found),
            "event waits without a running process to send it",
            "events wait without a running process to send them",
        ),
        (sum(one.counts.rejected for one in found), "event was rejected", "events were rejected"),
        (
            sum(one.counts.dropped for one in found),
            "event was dropped because the outbox was full",
            "events were dropped because the outbox was full",
        ),
        (sum(one.counts.not_recorded for one in found), "event could not be recorded", "events could not be recorded"),
    )
    losses = [counted(number, one, several) for number, one, several in numbers if number]
    if losses:
        sending = "; `whyops deliver` sends what waits" if any(one.orphaned for one in found) else ""
        remedy = f"`whyops status` shows where and why{sending}."
        yield Finding("warn", "delivery", ", ".join(losses), remedy)
    elif found:
        yield Finding("good", "delivery", "no event waits for a process, and none was lost")
    if ignored := sum(one.counts.not_continued for one in found):
        yield Finding(
            "note",
            "trust",
            f"{counted(ignored, 'trace')} of other processes not continued",
            "`whyops status` shows why. If your own processes sent them: set WHYOPS_TRUST_SECRET to one secret in all, or pass trust=….",
        )
