"""Ids of ours, and ids of users made safe."""

from __future__ import annotations

import os
import sys
import uuid

import pytest

import whyops
from whyops._recording.ids import Ids, clip, process_ids, readable_user_id, safe_id, utf16_length


def test_ids_are_unique_and_name_the_process():
    """Ids count up under a random nonce; renewing changes the nonce."""
    randoms = iter([b"\x00" * 8, b"\x01" * 8])
    ids = Ids(random=lambda _: next(randoms))
    assert [ids.next(), ids.next()] == ["0000000000000000-0", "0000000000000000-1"]
    ids.renew()
    assert ids.next() == "0101010101010101-0"


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # by another test's thread
def test_a_forked_child_makes_ids_of_its_own():
    """Parent and child of a fork never make the same id."""
    assert whyops.__version__  # importing the package registers what renews the ids
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(write, process_ids.next().encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(read, 100).decode().split("-")[0] != process_ids.nonce


@pytest.mark.parametrize("text", ["session-123", "a", "x" * 128, "with blank", "a/b?c=d"])
def test_an_id_that_is_safe_stays(text):
    """Printable ASCII within the limit is not changed."""
    assert safe_id(text) == text


@pytest.mark.parametrize("text", ["ü" * 3, "x" * 129, "line\nfeed", " padded", "nul\0", "\ud800", "\U0001f600" * 64, "\u202edir", "\0"])
def test_an_id_that_is_not_safe_gets_a_stable_short_form(text):
    """Any other text becomes printable ASCII within the limit, the same each time, and different from its neighbours'."""
    short = safe_id(text)
    assert short == safe_id(text)
    assert short.isascii()
    assert short.isprintable()
    assert 0 < len(short) <= 128
    assert short != safe_id(text + "x")
    short.encode("latin-1")


def test_ids_of_other_types_are_written_out():
    """A UUID or a number is taken by its text."""
    value = uuid.uuid4()
    assert safe_id(value) == str(value)
    assert safe_id(42) == "42"


def test_user_ids_keep_letters_of_any_script():
    """A user's id may be any printable text of at most 255 UTF-16 units."""
    assert readable_user_id("jürgen@example.com") == "jürgen@example.com"
    for hostile in ("x" * 256, "\U0001f600" * 128, "a\0b", "\ud800", "", "   "):
        safe = readable_user_id(hostile)
        assert 0 < utf16_length(safe) <= 255
        assert safe.isprintable()


def test_clip_counts_in_utf16_units():
    """Text is cut where the service would stop counting, and never through a pair."""
    assert clip("abc", 3) == "abc"
    assert clip("abcd", 3) == "abc"
    assert clip("\U0001f600\U0001f600", 3) == "\U0001f600"
