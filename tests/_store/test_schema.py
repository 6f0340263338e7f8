"""How the store's file comes to be, and how an older one is brought up to date."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests._store.conftest import MakeSink
from tests._store.lines import line
from tests.untrusted import Put, each_kind, state
from whyops._store import schema
from whyops._store.reader import StoreReader
from whyops.errors import StoreError

posix_only = pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix_only
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_only_the_owner_may_read(home: Path, umask: int, make_sink: MakeSink) -> None:
    """File, side files and folder are the owner's alone, whatever the process's umask is."""
    before = os.umask(umask)
    try:
        sink = make_sink(home / "deep")
        sink.send([line()])
        assert mode(home / "deep") == 0o700
        assert {path.name: mode(path) for path in (home / "deep").iterdir()} == {
            "traces.db": 0o600,
            "traces.db-wal": 0o600,
            "traces.db-shm": 0o600,
        }
        sink.close()
    finally:
        os.umask(before)


def test_an_existing_folder_is_left_as_it_is(tmp_path: Path, make_sink: MakeSink) -> None:
    """A folder that the user made keeps the mode that the user gave it."""
    tmp_path.chmod(0o755)
    make_sink(tmp_path).send([line()])
    assert mode(tmp_path) == 0o755


def test_the_newest_schema_is_reached_once(tmp_path: Path) -> None:
    """A new store has all steps behind it, writes ahead, and can give room back."""
    connection = schema.connect_to_write(tmp_path / "a.db")
    assert schema.version(connection) == len(schema.STEPS)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    connection.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


@pytest.mark.parametrize("done", range(len(schema.STEPS)))
def test_each_older_version_is_brought_up_to_date(home: Path, done: int, make_sink: MakeSink) -> None:
    """From every version that ever was, writing and reading both lead to the newest."""
    home.mkdir()
    for use in (lambda: make_sink(home).send([line()]), lambda: StoreReader(home).summaries()):
        older = sqlite3.connect(home / "traces.db", isolation_level=None)
        for step in schema.STEPS[:done]:
            for statement in step:
                older.execute(statement)
        older.execute(f"PRAGMA user_version={done}")
        older.close()
        use()
        connection = schema.connect_to_read(home / "traces.db")
        assert schema.version(connection) == len(schema.STEPS)
        connection.close()
        for path in home.iterdir():
            path.unlink()


def test_a_failing_step_leaves_the_store_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is taken whole or not at all, and the store stays usable by those who know it."""
    path = tmp_path / "a.db"
    schema.connect_to_write(path).close()
    steps = schema.STEPS
    monkeypatch.setattr(schema, "STEPS", (*steps, ("CREATE TABLE more (x)", "this is no SQL")))
    with pytest.raises(StoreError, match="syntax error"):
        schema.connect_to_write(path)
    monkeypatch.setattr(schema, "STEPS", steps)
    connection = schema.connect_to_write(path)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'more'").fetchone() == (0,)
    connection.close()


def test_a_newer_store_is_left_alone(home: Path, make_sink: MakeSink) -> None:
    """A store that a newer version has changed is not touched; the error says what to do."""
    make_sink(home).send([line()])
    connection = sqlite3.connect(home / "traces.db")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StoreError, match=r"newer version.*upgrade"):
        make_sink(home).send([line(2)])
    with pytest.raises(StoreError, match=r"newer version.*upgrade"):
        StoreReader(home).summaries()


def test_what_is_no_store_is_named(home: Path, make_sink: MakeSink) -> None:
    """A file of another kind gives one clear error that names it, and stays as it is."""
    home.mkdir()
    (home / "traces.db").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StoreError, match=r"traces\.db is damaged"):
        make_sink(home).send([line()])
    with pytest.raises(StoreError, match=r"traces\.db is damaged"):
        StoreReader(home).summaries()
    assert (home / "traces.db").read_bytes().startswith(b"something else")


def test_a_home_that_is_a_file_is_named(home: Path, make_sink: MakeSink) -> None:
    """Where no folder can be made, the error says so."""
    home.write_text("not a folder")
    with pytest.raises(StoreError, match="can't be used"):
        make_sink(home).send([line()])


def test_a_file_system_without_hard_links(home: Path, monkeypatch: pytest.MonkeyPatch, make_sink: MakeSink) -> None:
    """Where a file can't have two names, the store is made all the same."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    make_sink(home).send([line()])
    assert StoreReader(home).count() == 1


def test_a_system_without_hard_links(home: Path, monkeypatch: pytest.MonkeyPatch, make_sink: MakeSink) -> None:
    """Pyodide's Python has no function for them."""
    monkeypatch.delattr(os, "link")
    make_sink(home).send([line()])
    assert StoreReader(home).count() == 1


def test_many_open_a_new_store_at_once(home: Path, make_sink: MakeSink) -> None:
    """Whoever comes first makes the store; none of the others disturbs it or leaves anything behind."""

    def use(number: int) -> None:
        sink = make_sink(home)
        sink.send([line(number)])
        sink.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(24)))
    assert StoreReader(home).summaries()[0].events == 24
    assert sorted(path.name for path in home.iterdir() if not path.name.endswith(("-wal", "-shm"))) == ["traces.db"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a user whom modes bind")
def test_reading_from_a_folder_that_cannot_be_written(home: Path, make_sink: MakeSink) -> None:
    """A store on a disk that is read-only can be read."""
    sink = make_sink(home)
    sink.send([line()])
    sink.close()
    home.chmod(0o500)
    try:
        assert StoreReader(home).count() == 1
    finally:
        home.chmod(0o700)


@posix_only
@each_kind
@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-journal"])
def test_a_store_that_is_not_ours_is_left_alone(tmp_path: Path, put: Put, end: str) -> None:
    """Neither it nor a file that SQLite would open with it: the error names the file and what to do, and nothing comes to lie beside it."""
    home = tmp_path / "home"
    path = home / "traces.db"
    schema.connect_to_write(path).close()
    side = home / f"traces.db{end}"
    side.unlink(missing_ok=True)
    put(side)
    before = state(side), sorted(tmp_path.rglob("*"))
    for use in (schema.connect_to_write, schema.connect_to_read, lambda path: StoreReader(path.parent).summaries()):
        with pytest.raises(StoreError, match=rf"left alone: .*traces\.db{end} .*WHYOPS_HOME"):
            use(path)
    assert (state(side), sorted(tmp_path.rglob("*"))) == before
