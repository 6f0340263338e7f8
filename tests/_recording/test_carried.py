"""The text that carries a trace to another process: what is written is read, and nothing else is."""

from __future__ import annotations

import random

import pytest

from whyops._recording.carried import MAX_TEXT, SIGNED_SECONDS, Carried, from_text, is_signed, merged, own_trace_id, to_text

WHOLE = Carried("order,7=a;b%", "span-1", "shop agent", "run-1", "Zoë, 7")
LONGEST = Carried("t" * 128, "s" * 128, "a" * 255, "r" * 128, "ü" * 255, "p" * 128, "o" * 128)
NOW = 1_790_000_000.0


@pytest.mark.parametrize("carried", [WHOLE, Carried("t"), Carried("t", None, "a"), Carried("t", "s", "a", None, None, "p"), LONGEST])
@pytest.mark.parametrize("secret", [None, "s3cret"])
def test_what_is_written_is_read(carried: Carried, secret: str | None) -> None:
    """Each value comes back as it was, signed or not; the text is ASCII, as a header holds it, and of bounded size."""
    text = to_text(carried, secret, NOW)
    assert from_text(text) == carried
    assert text.isascii()
    assert len(text) <= MAX_TEXT


def test_a_user_for_whom_there_is_no_room() -> None:
    """Ids of the greatest length leave none for a name that takes nine characters a letter; what is carried still arrives."""
    whole = Carried("%" * 128, "%" * 128, "%" * 255, "%" * 128, "用" * 255, "%" * 128, "%" * 128)
    text = to_text(whole, "s3cret", NOW)
    assert len(text) <= MAX_TEXT
    assert from_text(text) == whole._replace(user_id=None)
    assert is_signed(text, "s3cret", NOW)


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        b"whyops.trace=t",
        "",
        "whyops.trace",
        "whyops.trace=",
        "whyops.span=s",
        "trace=t",
        "whyops.trace=t,whyops.trace=u",
        "whyops.trace=" + "t" * 129,
        "whyops.trace=t,whyops.agent=" + "a" * 256,
        "whyops.trace=t%00",
        "whyops.trace=t%0Aforged",
        "whyops.trace=%20t",
        "whyops.trace=t,whyops.span=%C3%BC",
        "whyops.trace=t,whyops.user=%0D%0A",
        "whyops.trace=%FF%FE",
        "whyops.trace=t," + "x=y," * MAX_TEXT,
        "whyops.trace=t,whyops.more=" + "m" * MAX_TEXT,
    ],
)
def test_malformed_texts(text: object) -> None:
    """What `to_text` never writes is not read: an id that is none, one that is too long, a name twice, a header beyond the bound."""
    assert from_text(text) is None


def test_random_texts() -> None:
    """No text raises, however it is broken; what is read of one is within the bounds."""
    chance = random.Random(25)
    text = to_text(WHOLE, "s3cret", NOW)
    for _ in range(2_000):
        broken = list(text)
        for _ in range(chance.randrange(1, 6)):
            broken[chance.randrange(len(broken))] = chr(chance.choice((chance.randrange(128), chance.randrange(0x10FFFF))))
        given = "".join(broken)
        carried = from_text(given)
        assert carried is None or len(carried.trace_id) <= 128
        assert given == text or not is_signed(given, "s3cret", NOW)
    for _ in range(2_000):
        assert from_text(chance.randbytes(chance.randrange(80)).decode("latin-1")) is None


@pytest.mark.parametrize("field", ["trace=order", "span=span-1", "agent=shop", "run=run-1", "user=Zo", "time=17"])
def test_a_forged_text(field: str) -> None:
    """A signature covers each value, and the time."""
    text = to_text(WHOLE, "s3cret", NOW)
    assert is_signed(text, "s3cret", NOW)
    assert field in text
    assert not is_signed(text.replace(field, f"{field[:-1]}X"), "s3cret", NOW)


def test_whose_signature_holds_and_for_how_long() -> None:
    """Only one of the same secret holds, from a little before its time to a day after it; members put before or after it break it."""
    text = to_text(WHOLE, "s3cret", NOW)
    assert is_signed(text, "s3cret", NOW + SIGNED_SECONDS)
    assert is_signed(text, "s3cret", NOW - 200)
    assert not is_signed(text, "s3cret", NOW + SIGNED_SECONDS + 2)
    assert not is_signed(text, "s3cret", NOW - 400)
    assert not is_signed(text, "other", NOW)
    assert not is_signed(to_text(WHOLE), "s3cret", NOW)
    assert not is_signed(f"{text},whyops.more=1", "s3cret", NOW)
    assert not is_signed(f"whyops.more=1,{text}", "s3cret", NOW)
    assert is_signed(f"other=1,{text.replace(',', ', ')},more=2", "s3cret", NOW)


def test_merging() -> None:
    """Others' members stay in their order; ours come once, in place of older ones."""
    text = to_text(WHOLE)
    assert merged("", text) == text
    assert merged("a=1, whyops.trace=old,b=2;p", text) == f"a=1,b=2;p,{text}"
    assert from_text(merged("a=1", text)) == WHOLE


def test_another_agents_own_trace() -> None:
    """The id is the same each time, another for another agent or trace, and one that everything takes as it is."""
    ids = {own_trace_id(Carried(trace), agent) for trace in ("t", "u") for agent in ("a", "b") for _ in range(2)}
    assert len(ids) == 4
    assert all(len(each) == 32 and each.isalnum() for each in ids)
