"""Takes secrets out of texts.

A text is redacted in place, whatever it is: JSON, half of it, a log, source, prose. Nothing is parsed, and all else stays as it was.
What is looked for, each by a file of its own:

- *a value after a name* that hides it (`named_values`): `password=hunter2`. A **name** is one or two words, judged by `secret_names`: it
  hides all, texts, what a machine made, or digits. A **place** (`place`) is how the two are linked, `=`, `:`, a quotation, an option, and
  where the value begins and ends. A **value** is what stands there, unless `values` recognizes it as a placeholder, a word or code;
- *a value below a name*, in a table's column (`tables`);
- *what shows by itself* that it is a secret, each with an example beside its search, in the tables named `FINDERS`: `keys` by how they
  begin, `urls` with passwords and signatures, `blocks` such as private keys, hashes and `Bearer …`, `commands` such as `curl -u`;
- *the client's own secrets* (`known_secrets`).

The order:
1. One quick search (`prefilter`) over the whole text; nearly all texts have nothing that it fits, and are done.
2. What JSON writes as an escaped character or line break is read as one, at the same place; all searches run over the same text, each
   behind a prefilter of its own.
3. What they found is sorted; overlapping places are one; each is replaced by `[redacted]` and counted.

To add a key, write how it begins into `keys`; a name, into `secret_names`; a form, a `Finder` with an example into one of the `FINDERS`.
Each search looks at a character a bounded number of times: no expression has two repetitions side by side that fit the same characters,
and what was looked through is not looked through again.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

from ..._runtime import guard
from . import blocks, commands, keys, known_secrets, tables, urls
from .named_values import Found, NamedValues
from .place import REDACTED
from .regex import Pattern, is_well_formed, prefilter
from .secret_names import SecretNames, Verdict

DROPPED = "[dropped: redact raised]"

_ESCAPED = Pattern(r"\\+(?:u00([2-7][0-9A-Fa-f]))?")
_BREAK = Pattern(r"\\+[nrt]?")
_IDENTIFIER = Pattern(r"[\w.\-]{2,64}")


class Redactor:
    """Redacts texts. `added` are further names that hide a secret, `kept` names that do not, `known` are secrets that the client has.

    `may_match` tells whether a well-formed text may have something to redact, or matches `also`, an expression for `prefilter`: so whoever
    looks for something else in each text as well does so in the same go, and what takes longest to compile is compiled once.
    """

    def __init__(self, added: Iterable[str] = (), kept: Iterable[str] = (), known: Iterable[str] = (), *, also: str | None = None) -> None:
        self.names = SecretNames(added, kept)
        self._named = NamedValues(self.names)
        self._in_words = (*known_secrets.finders(known), *keys.FINDERS, *urls.FINDERS)
        self._in_lines = (*blocks.FINDERS, *commands.FINDERS)
        prefilters = (finder.prefilter for finder in (*self._in_words, *self._in_lines) if not finder.is_covered)
        self.may_match = prefilter("|".join((self._named.prefilter, *prefilters, r"\\u00", *([] if also is None else [also]))))

    def may_hold(self, text: str) -> bool:
        """Return False for nearly all texts without a secret, at little cost."""
        return self.may_match(text) or not is_well_formed(text)

    def is_clean(self, text: str) -> bool:
        """Tell whether a text contains no secret, and is no name that makes the value beside it one."""
        if commands.is_option(text):
            return False
        if not self.may_hold(text):
            return True
        names_a_secret = _IDENTIFIER.fullmatch(text) is not None and self.names.verdict(text) is not Verdict.CLEAN
        return not names_a_secret and not self.redact(text)[1]

    def redact(self, text: str) -> tuple[str, int]:
        """Return the text without its secrets, and how many there were."""
        if not self.may_hold(text):
            return text, 0
        plain = text if "\\u00" not in text else _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[0], text)
        parts: list[str] = []
        found, done = self._find(plain), 0
        for begin, end, replacement in found:
            parts += (plain[done:begin], replacement)
            done = end
        return ("".join(parts) + plain[done:], len(found)) if found else (text, 0)

    def arguments(self, items: Sequence[object]) -> dict[int, str]:
        """Return the redacted form of those of a command's arguments that contain a secret, by index: an option names what follows it."""
        texts = [item if type(item) is str and " " not in item and len(item) <= 1_024 else "_" for item in items[:256]]
        if not any(text.startswith("-") for text in texts):
            return {}
        line, starts = " ".join(texts), [0, *accumulate(len(text) + 1 for text in texts)]
        shown: dict[int, str] = {}
        for begin, end, _ in self._find(line):
            for i in range(bisect_right(starts, begin) - 1, bisect_left(starts, end)):
                first, last = max(begin - starts[i], 0), min(end - starts[i], len(texts[i]))
                if first < last and i not in shown:
                    shown[i] = f"{texts[i][:first]}{REDACTED}{texts[i][last:]}"
        return shown

    def _find(self, text: str) -> list[Found]:
        """Find all secrets, one after the other; those that overlap are one."""
        can_filter, lines = is_well_formed(text), _lines(text)
        hints = self._named.hints_in(lines)
        spans = [span for finder in self._in_words for span in finder.find(text, can_filter=can_filter)]
        spans += [span for finder in self._in_lines for span in finder.find(lines, can_filter=can_filter)]
        spans += tables.find_in_tables(lines, hints, self.names.verdict)
        alike = ((begin, end, REDACTED) for begin, end in spans if text[begin:end] != REDACTED)
        merged: list[Found] = []
        for begin, end, replacement in sorted([*self._named.find(lines, hints), *alike]):
            if merged and begin < merged[-1][1]:
                first, last, shown = merged[-1]
                merged[-1] = first, max(last, end), shown
            else:
                merged.append((begin, end, replacement))
        return merged


def _lines(text: str) -> str:
    """Return a text of the same length, in which what JSON writes as a line break, however often, is one."""
    if "\\" not in text:
        return text
    if "\\\\" in text:
        return _BREAK.sub(_broken, text)
    return text.replace("\\n", " \n").replace("\\r", "  ").replace("\\t", "  ")


def _broken(found: re.Match[str]) -> str:
    last = found[0][-1]
    return found[0] if last == "\\" else ("\n" if last == "n" else " ").rjust(len(found[0]))


def redacted_by_user(redact: Callable[[Any], Any], value: object, dropped: object) -> object:
    """Return what the user's function returns for a value, or `dropped` if it raises: a value that was not redacted is not recorded."""
    try:
        shown = redact(value)
    except Exception as error:  # noqa: BLE001  (the boundary "the user's redact")
        guard.notices.say(
            "redact",
            "The redact function raised %s; the value it was given is not recorded. It gets plain JSON types: dict, list, str, int, float, "
            "bool, None.",
            type(error).__name__,
        )
        return dropped
    return {"redacted": shown} if type(value) is dict and not issubclass(type(shown), dict) else shown
