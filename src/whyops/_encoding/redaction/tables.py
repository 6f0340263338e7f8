"""Secrets in the columns of tables, as CSV and Markdown write them: the name stands above the value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from .named_values import hides
from .regex import Pattern, Span
from .secret_names import Verdict
from .values import is_bare_word

_NAME = Pattern(r"[\w .*`\"'-]{1,64}")
_MAX_HEADER = 2_000


def find_in_tables(text: str, hints: Iterable[Span], verdict: Callable[[str], Verdict]) -> Iterator[Span]:
    """Find the values in columns whose name hides a secret. `hints` say where such a name may be.

    Each line is looked at twice at most: as a row, and as the head of a table.
    """
    done = 0
    for hint, _ in hints:
        if hint < done:
            continue
        start = text.rfind("\n", max(hint - _MAX_HEADER, done), hint) + 1 or done
        line = _line(text, start, start + _MAX_HEADER)
        done = at = start + len(line)
        delimiter, count, secret = _columns(line, verdict)
        while secret and (row := _line(text, at, len(text))):
            cells = row.rstrip("\r\n").split(delimiter)
            if len(cells) != count:
                break
            for i, kind in secret:
                cell = cells[i].strip(" \t\"'`*")
                if hides(kind, cell) and " " not in cell and not is_bare_word(cell):
                    begin = at + sum(len(each) + 1 for each in cells[:i]) + cells[i].find(cell)
                    yield begin, begin + len(cell)
            done = at = at + len(row)


def _line(text: str, at: int, limit: int) -> str:
    end = text.find("\n", at, limit)
    return text[at:limit] if end < 0 else text[at : end + 1]


def _columns(line: str, verdict: Callable[[str], Verdict]) -> tuple[str, int, Sequence[tuple[int, Verdict]]]:
    """Return how the cells of a table's head are parted, how many there are, and which names hide a secret: none in other lines."""
    for delimiter in "|,\t;":
        names = [cell.strip(" \t\"'`*") for cell in line.rstrip("\r\n").split(delimiter)]
        inner = names[1:-1] if delimiter == "|" and not names[0] and not names[-1] else names
        is_head = len(inner) > 1 and all(len(name.split()) in {1, 2, 3} and _NAME.fullmatch(name) for name in inner)
        kinds = [(i, _kind(name, verdict)) for i, name in enumerate(names)] if is_head and len(names) <= 64 else []
        secret = [(i, kind) for i, kind in kinds if kind is not Verdict.CLEAN]
        if secret:
            return delimiter, len(names), secret
    return "", 0, ()


def _kind(name: str, verdict: Callable[[str], Verdict]) -> Verdict:
    """Judge the name of a column; of several words, `pass` is none."""
    kind = verdict(name)
    return Verdict.CLEAN if kind is Verdict.SECRET_IF_TEXT and " " in name else kind
