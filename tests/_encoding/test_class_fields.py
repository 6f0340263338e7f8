"""Looking into objects without running their code."""

from __future__ import annotations

from tests._encoding.gallery import RAN, HostileAttributes, MadeByHostileMeta, Slotted
from whyops._encoding.class_fields import PerType, fields, name_of


def test_fields_are_read_past_the_class() -> None:
    """Slots and the instance's dict are read as they are, whatever the class makes of attribute access."""
    RAN.clear()
    slotted = Slotted()
    assert fields(slotted) == {"first": 1}
    assert fields(MadeByHostileMeta()) == {"name": "inner"}
    assert fields(HostileAttributes()) == {}
    assert name_of(MadeByHostileMeta) == "tests._encoding.gallery.MadeByHostileMeta"
    assert RAN == []


def test_what_is_remembered_of_types_is_bounded() -> None:
    """However many classes a program makes, only some hundred are held, and each gets its own answer."""
    asked: list[type] = []

    def make(kind: type) -> int:
        asked.append(kind)
        return len(asked)

    known = PerType(make)
    kinds = [type(f"Kind{i}", (), {}) for i in range(600)]
    answers = [known(kind) for kind in kinds]
    assert answers == list(range(1, 601))
    assert len(known._known) <= 500
    assert known(kinds[-1]) == 600
    assert len(asked) == 600
