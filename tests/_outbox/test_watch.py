"""What waits, seen again and again while it grows, is delivered, and goes."""

from __future__ import annotations

from pathlib import Path

from tests._delivery.parts import HERE, NONCE, HandClock, line
from whyops._outbox.file_outbox import FileOutbox
from whyops._outbox.watch import OutboxWatch


def made(home: Path) -> FileOutbox:
    return FileOutbox(home / "outbox" / "x", HERE, "", nonce=lambda: NONCE, max_bytes=10**9, clock=HandClock().clock())


def keys(watch: OutboxWatch) -> list[str]:
    return [event.key or "" for event in watch.events()]


def test_it_follows(home: Path) -> None:
    """What came since the last look is added, what was delivered is gone, half a line is nothing yet, and a file that went is forgotten."""
    watch = OutboxWatch(home)
    assert keys(watch) == []
    outbox = made(home)
    outbox.append(line(1))
    assert len(keys(watch)) == 1
    outbox.append(line(2))
    first, second = keys(watch)
    assert first != second
    (shelf,) = outbox.shelves()
    _, end = shelf.read(shelf.acknowledged, 1, 10**6)
    shelf.acknowledge(end)
    assert keys(watch) == [second]
    (path,) = (home / "outbox" / "x").glob("*.lines")
    with path.open("ab") as file:
        file.write(line(3)[:10])
    assert keys(watch) == [second]
    path.unlink()
    assert keys(watch) == []


def test_a_new_file_under_the_same_name(home: Path) -> None:
    """A file that took the place of another is read from its beginning."""
    watch = OutboxWatch(home)
    outbox = made(home)
    outbox.append(line(1))
    before = keys(watch)
    (path,) = (home / "outbox" / "x").glob("*.lines")
    other = path.with_suffix(".other")
    other.write_bytes(path.read_bytes().replace(line(1), line(2)))
    other.chmod(0o600)
    other.replace(path)
    after = keys(watch)
    assert len(after) == 1
    assert after != before


def test_it_is_bounded(home: Path) -> None:
    """Of more than one wants in memory the rest is left out, and counted."""
    outbox = made(home)
    outbox.append(line(1))
    watch = OutboxWatch(home, most_bytes=10)
    assert keys(watch) == []
    assert watch.unread_bytes > len(line(1))
