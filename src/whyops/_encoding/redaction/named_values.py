"""Values in a text that stand after a name that hides a secret: `password=…`, `"token": "…"`, `**API key:** …`, `--password …`.

A text is never parsed: whatever it is, JSON, JSON within JSON, half of it, a Python repr, a header, a query, a log line, a stack, prose.
What follows a name may be a word of a language or a part of a program as well, so a bare word is hidden only where a value stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .place import AUTHORIZATION, LINK, REDACTED, SCHEME, Place
from .regex import Pattern, Span, occurrences
from .secret_names import SecretNames, Verdict
from .values import is_bare_word, is_code, is_code_number, is_mixed, is_placeholder, is_random, is_word

Found = tuple[int, int, str]
"""Where a secret begins and ends, and what to put in its place."""

_HINTS = """
auth bearer cookie cred jwt key pass pw secret token mnemonic contrase senha clave geheim kennwort parola wachtwoord losenord lösenord
salasana hasło haslo пароль 密码 密碼 パスワード 비밀번호 verification security_code recovery backup
""".split()  # noqa: SIM905  (a list of words)

_WORD_HINTS = """
sig signature salt pin otp totp cvv cvc cvv2 mfa 2fa pat seed psk fernet hmac
""".split()  # noqa: SIM905  (a list of words)


_NAME_BEFORE = Pattern(r"[\w.\-]{0,64}(?:[ \t][\w.\-]{1,64})?")
_NAME_AFTER = Pattern(r"[\w.\-]{0,64}(?:[ \t](?:key|token|id|code|phrase|word|header)s?(?![\w.\-]))?", re.IGNORECASE)
_TERMINAL = Pattern(r"[ \t]*(?:[\r\n\"'<`\\#&;]|\Z)")
_LOGPROB = Pattern(r"\\*[\"'][ \t\r\n]{0,20},[ \t\r\n]{0,20}\\*[\"']logprob\\*[\"']")
_PATH = Pattern(r"(?:~|\.{1,2}|[A-Za-z]:)?[\\/](?:[\w.-]{1,64}[\\/]){0,30}[\w.-]{0,64}")
_CHAINED = Pattern(r"[A-Za-z_$][\w$.]{0,80}=[A-Za-z{(\[!]")
_DOTTED = Pattern(r"[a-z_]{1,40}(?:\.[a-z_]{1,40}){1,8}")
_NUMBER = Pattern(r"[-+]?[\d.,]+%?")
_SENTENCE = frozenset(
    """
your the is are must should please enter not no invalid required missing for to and of with has be cannot can't in
""".split()  # noqa: SIM905  (a list of words)
)
_AFTER_ARGUMENT = frozenset({",", ")", "]", "}"})
_AFTER_CODE = _AFTER_ARGUMENT | {'"', "'", "("}


class NamedValues:
    """Finds the values of names in texts. `prefilter` is an expression that fits in each text with such a name."""

    def __init__(self, names: SecretNames) -> None:
        self._names = names
        self._hints = (*_HINTS, *names.hints())
        hints, words = "|".join(self._hints), "|".join(_WORD_HINTS)
        self.prefilter = rf"(?i:{hints}|(?:^|[^a-z]|\\[bfnrt])(?:{words})(?:[^a-z]|$))"

    def hints_in(self, text: str) -> list[Span]:
        """Find where a name that hides a secret may be; one search for each hint is quicker than one for all."""
        lowered = text.lower()
        if len(lowered) != len(text):  # a letter such as İ, which is two in lower case
            lowered = "".join(each.lower() if len(each.lower()) == 1 else each for each in text)
        found = [span for hint in self._hints for span in occurrences(hint, lowered)]
        words = [span for word in _WORD_HINTS for span in occurrences(word, lowered) if _is_word(lowered, *span)]
        return sorted(found + words)

    def find(self, text: str, hints: Iterable[Span]) -> Iterator[Found]:
        """Find what follows a name that hides a secret, and what to put in its place."""
        done = 0
        for start, end in hints:
            if start >= done and (found := self._value_of(text, start, end, done)):
                yield found
                done = found[1]

    def _value_of(self, text: str, start: int, end: int, done: int) -> Found | None:
        """Find the value of the name around the hint, and what to put in its place."""
        stop = _NAME_AFTER.end(text, end)
        link = LINK.match(text, stop)
        if link is None:
            return None
        place = Place(text, start - _NAME_BEFORE.end(text[max(done, start - 130) : start][::-1]), stop, link)
        verdict = self._verdict(place.name)
        span = place.value_span(verdict) if verdict is not Verdict.CLEAN and place.may_have_value() else None
        if span is None or not self._hides(verdict, place, text[span[0] : span[1]], span[1]):
            return None
        quote = link["quote"] or ""
        whole = quote and quote[-1] != "`" and not place.opening and place.kind == "sign"
        return span[0], place.word_end(span[1]), f"{quote}{REDACTED}{quote}" if whole else REDACTED

    def _verdict(self, name: str) -> Verdict:
        """Judge a name in a text; of two words the first may be prose, as in `the next token`."""
        whole = self._names.verdict(name)
        last = name.partition(" ")[2]
        return self._names.verdict(last) if last and (whole is not Verdict.SECRET or self._names.keeps(last)) else whole

    def _hides(self, verdict: Verdict, place: Place, value: str, end: int) -> bool:
        """Tell whether a value in its place is a secret."""
        if place.is_container:
            return True
        if not hides(verdict, value) or (verdict is Verdict.SECRET_IF_TEXT and place.is_prose):
            return False
        if verdict is Verdict.SECRET_IF_RANDOM or (place.kind not in {"verb", "space", "pair"} and self._names.adds(place.name)):
            return True
        if place.opening:
            return _LOGPROB.match(place.text, end) is None and self._is_secret_quoted(place, value)
        if place.is_prose:
            value = value.strip(".,:;!?*_`")
            is_secret = is_code_number(value) if verdict is Verdict.SECRET_IF_CODE else _is_made_up(value) and not is_code(value)
            return is_secret and not place.name.endswith(".")
        if place.kind in {"element", "next"}:
            return " " not in value.strip() or len(value.split()) > 4
        return place.is_whole_line or self._is_secret_word(place, value, end)

    def _is_secret_quoted(self, place: Place, value: str) -> bool:
        """Tell whether a quoted text is a value, not a sentence or a part of a program."""
        scheme, name = SCHEME.end(value), place.name.lower()
        if value[0] in "\r\n" or (scheme and is_placeholder(value[scheme:])) or (len(value) == 1 and name == "accesskey"):  # of a page
            return False
        if "==" in place.sign or ("cookie" in name and "=" not in value):
            return _is_made_up(value.strip('"').partition('"')[0])  # of JSON within JSON that was cut, the text around may follow
        if place.kind == "pair" and not place.is_option:
            return _is_made_up(value) or AUTHORIZATION.match(value) is not None
        if place.kind == "space":
            return not place.name.endswith(".") and not value.isalpha() and (" " not in value or _is_made_up(value)) and value.isprintable()
        if len(value) > 2_000:
            return True
        words = value.split(" ")
        if place.kind == "verb":
            return len(words) == 1
        is_sentence = len(words) > 2 and not _SENTENCE.isdisjoint(word.lower() for word in words)
        is_name = is_bare_word(value) and self._names.verdict(value) is Verdict.SECRET
        return not is_sentence and not is_name and not _DOTTED.fullmatch(value)

    def _is_secret_word(self, place: Place, word: str, end: int) -> bool:
        """Tell whether a word that stands after a sign or an option is a value, not a word of a language or a part of a program."""
        sign, name = place.sign, place.name.lower()
        if sign.strip() == "==" or is_word(word) or (len(word) > 2 and name.endswith(word.lower())):
            return False
        if "cookie" in name and ":" in sign:
            return len(word) >= 4 and any(map(str.isdigit, word))
        after = place.text[end : end + 1]
        is_chained = _CHAINED.match(word) is not None
        if (is_chained or is_code(word)) and not place.is_setting:
            is_part = is_chained or place.is_assignment or after in _AFTER_CODE or word.endswith(("(", "["))
            return not is_part and not any(sign in word for sign in (".", "->", "|"))
        if is_bare_word(word):
            return place.is_option or "%" in sign or self._is_secret_letters(place, word, end)
        if _PATH.fullmatch(word) and not is_random(word):
            return False
        is_variable = (place.is_assignment or after in _AFTER_ARGUMENT) and word.isidentifier() and len(word) <= 6
        is_constant = word.isdigit() and (len(word) < 4 or (place.is_assignment and not place.is_in_section()))
        is_value = not is_variable and not is_constant and (len(word) >= 4 or sign in {"=", ":"})
        return place.is_setting or place.is_option or is_value

    def _is_secret_letters(self, place: Place, word: str, end: int) -> bool:
        """Tell whether letters alone are a value: most often they are a name in a program, or prose."""
        if "-" not in word and self._names.verdict(word) is Verdict.SECRET:
            return False
        if place.is_setting:
            return True
        if place.name.lower().endswith("auth") or (word.isupper() and not place.name.isupper()):
            return False
        if place.is_assignment:
            return place.is_in_section()
        if place.sign == "=":
            following = place.text[end : end + 200]
            return following[:1] not in {*_AFTER_ARGUMENT, ":"} and not following.lstrip().startswith(")")
        is_type = place.name[:1].islower() and word[:1].isupper()
        return not is_type and _TERMINAL.match(place.text, end) is not None and place.begins_a_line()


def hides(verdict: Verdict, value: str) -> bool:
    """Tell whether a name of this verdict hides a text."""
    if verdict is Verdict.CLEAN or is_placeholder(value):
        return False
    if verdict is Verdict.SECRET_IF_RANDOM:
        return is_random(value)
    if verdict is Verdict.SECRET_IF_CODE:
        return is_code_number(value) or is_random(value)
    return verdict is Verdict.SECRET or _NUMBER.fullmatch(value.strip()) is None


def _is_made_up(value: str) -> bool:
    return is_random(value, 12) or is_mixed(value)


def _is_word(text: str, start: int, end: int) -> bool:
    return not text[start - 1 : start].isalpha() and not text[end : end + 1].isalpha()
