"""Takes secrets out of texts: values after a name that hides one, passwords in URLs, and keys that show by their shape what they are.

A text is redacted in place, whatever it is: JSON, JSON within JSON, half of it, a Python repr, a header, a query, a log line, a stack.
So nothing is parsed, and all else in it stays as it was.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .. import _guard
from .names import SecretNames, Verdict
from .pattern import Pattern
from .search import searcher

REDACTED = "[redacted]"
DROPPED = "[dropped: redact raised]"


_SHAPES = {
    "sk-": r"[\w-]{8,}",
    **dict.fromkeys(("sk_live_", "sk_test_", "pk_live_", "pk_test_", "rk_live_", "rk_test_"), r"\w{8,}"),
    "whyops_": r"(?<!_whyops_)(?=[\w-]*\d)[\w-]{6,}",
    "YOPS-": r"[\w-]{6,}",
    **dict.fromkeys(
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "hf_", "gsk_", "npm_", "pcsk_", "dop_v1_", "shpat_"), r"\w{16,}"
    ),
    **dict.fromkeys(("lsv2_pt_", "lsv2_sk_"), r"\w{16,}"),
    **dict.fromkeys(("glpat-", "xai-", "pplx-", "ya29."), r"[\w-]{16,}"),
    **dict.fromkeys(("xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-"), r"[\w-]{8,}"),
    **dict.fromkeys(("AKIA", "ASIA"), r"[A-Z0-9]{16}"),
    "AIza": r"[\w-]{30,}",
    "SG.": r"[\w-]{16,}\.[\w-]{16,}",
    "eyJ": r"[\w-]{5,}\.[\w-]{4,}(?:\.[\w-]*)?",
    "-----BEGIN ": r"[A-Z0-9 ]{1,60}-----[\s\S]*?(?:-----END [A-Z0-9 ]{1,60}-----|\Z)",
}
"""Keys that show what they are: how they begin, and what follows. Of OpenAI and Anthropic, Stripe, WhyOps, GitHub, Slack, AWS, Google, …;
JSON web tokens; PEM blocks."""


@functools.cache
def _shape(beginning: str) -> re.Pattern[str]:
    """Compile a shape, the literal first, as the search for it is quick. It begins where no word goes on; an escape is no word."""
    literal = re.escape(beginning)
    return re.compile(rf"{literal}(?:(?<![A-Za-z0-9]{literal})|(?<=\\[bfnrt]{literal})){_SHAPES[beginning]}", re.ASCII)


_SCHEMES = Pattern(
    r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt]))(?:((?i:bearer))\s{1,4}(?!(?:auth\w*|tokens?|scheme|format|header|error)\b)[\w.~+/=-]{6,}"
    r"|((?i:basic))\s{1,4}(?=[\w+/]{0,400}[A-Z0-9=])[\w+/]{8,}={0,2})",
    re.ASCII,
)

_USERINFO = Pattern(r"://([^\s/?#\"'<>:@\\]{0,512})(:?)([^\s/?#\"'<>\\]{0,2048})@")
_QUERY = Pattern(r"(?<=[?&;])((?:key|sig|signature|x-amz-signature|x-goog-signature)=)([^&#\s\"'<>\\]+)", re.IGNORECASE)
_ESCAPED = Pattern(r"\\+u00([2-7][0-9A-Fa-f])")

_NAME_BEFORE = Pattern(r"[\w.\-]{0,64}(?:[ \t][\w.\-]{1,64})?")
_NAME_AFTER = Pattern(r"[\w.\-]{0,64}(?:[ \t](?:key|token|id|code|phrase|word|header)s?(?![\w.\-]))?", re.IGNORECASE)
_SEPARATOR = Pattern(r"(?P<quote>\\*[\"'`])?\]?(?P<sign>[ \t\r\n]{0,40}(?:=>|:=|==|[:=])[ \t\r\n]{0,40}|>)|(?P<space>[ \t]{1,4})(?=[^\s-])")
_OPENING = Pattern(r"[bBrRuUfF]{0,2}(\\*[\"'`])")
_WHOLE_LINE = Pattern(r"[^\r\n\"'<>\\]+")
_WORD = Pattern(r"(?:(?:bearer|basic|token|digest|apikey|api-key|negotiate)[ \t]+)?[^\s,;&\"'<>\\)}\]]+", re.IGNORECASE)
_ALONE = Pattern(r"(?=[^\s=:]*\d)[^\s=:,;\"'<>\\]+(?=[ \t]*(?:[\r\n]|\Z))")
_CALL = Pattern(r"[A-Za-z_.]+[(\[].*", re.DOTALL)
_TYPE = Pattern(r"(?:optional\[)?(?:str|string|bytes|int|bool|any|secretstr)", re.IGNORECASE)
_ELEMENT = Pattern(r"[^<]+")
_BRACKET = Pattern(r"\\*[\"']|[\[{(]|[\]})]")
_CLOSINGS = {quote: Pattern(rf"[^{quote}\\]*(?:\\.[^{quote}\\]*)*{quote}", re.DOTALL) for quote in "\"'`"}
_HARMLESS = frozenset({"none", "null", "true", "false", "undefined", "nan", "[redacted", REDACTED})
_NUMBER = Pattern(r"[-+]?[\d.,]+%?")
_IDENTIFIER = Pattern(r"[\w.\-]{2,64}")

_HINTS = ("auth", "bearer", "cookie", "cred", "jwt", "key", "pass", "pw", "secret", "token")
"""Every name that hides a secret has one of these in it, but for those that the user added."""

_BEGINNINGS = "|".join(_SHAPES).replace(".", r"\.")
_TRACES = (
    rf"(?-i:^|[^A-Za-z0-9]|\\[bfnrt])(?:{_BEGINNINGS})",
    "basic",
    r"\\u00",
    r"""://[^\s/?#"'<>\\]*@""",
    "sig(?:nature)?=",
)
"""What is in each text that is redacted, if no hint is: how keys begin, a scheme, an escape, the user of a URL, a query."""

_decoder = json.JSONDecoder(strict=False)

Span = tuple[int, int]


class Redactor:
    """Redacts texts. `added` and `kept` are names beyond and against the usual ones.

    `traces` is a pattern for `searcher`: a well-formed text without it holds nothing to redact.
    """

    def __init__(self, added: Iterable[str] = (), kept: Iterable[str] = ()) -> None:
        self.names = SecretNames(added, kept)
        hints = (*_HINTS, *self.names.hints())
        self._hint = Pattern("|".join(hints))
        self.traces = f"(?i:{'|'.join((*hints, *_TRACES))})"
        self._has_trace = searcher(self.traces)

    def may_hold(self, text: str) -> bool:
        """Rule out nearly all texts at little cost: by what they do not contain."""
        return self._has_trace(text) or not (text.isascii() or _is_well_formed(text))

    def is_clean(self, text: str) -> bool:
        """Tell whether a text holds no secret, and does not name the value beside it either."""
        if not self.may_hold(text):
            return True
        names_a_secret = _IDENTIFIER.fullmatch(text) is not None and self.names.verdict(text) is Verdict.SECRET
        return not names_a_secret and not self.redact(text)[1]

    def redact(self, text: str) -> tuple[str, int]:
        """Return the text without its secrets, and how many there were."""
        if not self.may_hold(text):
            return text, 0
        if "\\u00" in text:
            shown, count = self._redact(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text))
            return (shown, count) if count else (text, 0)
        return self._redact(text)

    def _redact(self, text: str) -> tuple[str, int]:
        parts: list[str] = []
        done = 0
        for (start, end), replacement in self._named(text):
            parts += (text[done:start], replacement)
            done = end
        text, count = _redact_shapes("".join(parts) + text[done:])
        return text, count + len(parts) // 2

    def _named(self, text: str) -> Iterator[tuple[Span, str]]:
        """Find what follows a name that hides a secret, and what to put in its place."""
        done = 0
        lowered = text.lower()
        if len(lowered) != len(text):  # a letter such as İ, which is two in lower case
            lowered = "".join(map(_lower, text))
        for hint in self._hint.finditer(lowered):
            if hint.start() < done:
                continue
            found = self._value_of(text, hint.start(), hint.end(), done)
            if found is not None:
                yield found
                done = found[0][1]

    def _value_of(self, text: str, start: int, end: int, done: int) -> tuple[Span, str] | None:
        """Find the value of the name around the hint, and what to put in its place."""
        after = _NAME_AFTER.match(text, end)
        stop = after.end() if after else end
        separator = _SEPARATOR.match(text, stop)
        if separator is None or (separator["space"] and "--" not in text[max(done, start - 66) : start]):
            return None
        begin = start - _name_before(text[max(done, start - 130) : start])
        name = text[begin:stop]
        verdict = self._verdict(name)
        sign, quote = separator["sign"] or " ", separator["quote"] or ""
        if verdict is Verdict.CLEAN or (sign == " " and not _is_option(name)) or (sign == ">" and text[begin - 1 : begin] != "<"):
            return None
        if not quote and _ends_a_quotation(text, begin, separator.end()):
            return None
        span = _value_span(text, separator.end(), verdict, sign, header=_is_header(name))
        if span is None:
            return None
        bare = quote and not _OPENING.match(text, separator.end())
        return span, f"{quote}{REDACTED}{quote}" if bare else REDACTED

    def _verdict(self, name: str) -> Verdict:
        """Judge a name in a text; of two words the first may be prose, as in `the next token`."""
        whole = self.names.verdict(name)
        last = name.partition(" ")[2]
        return self.names.verdict(last) if last and (whole is not Verdict.SECRET or self.names.keeps(last)) else whole


def _is_well_formed(text: str) -> bool:
    """Tell whether a text can be encoded: no quick search finds anything in one that can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _name_before(text: str) -> int:
    """Count the characters before a hint that belong to the same name."""
    reversed_ = _NAME_BEFORE.match(text[::-1])
    length = reversed_.end() if reversed_ else 0
    escaped = 0 < length < len(text) and text[-length - 1] == "\\" and text[-length] in "nrt"  # `\npassword` in a repr
    return length - escaped


def _lower(letter: str) -> str:
    lowered = letter.lower()
    return lowered if len(lowered) == 1 else letter


def _is_option(name: str) -> bool:
    """Tell whether a name is written as on a command line: `--api-key`."""
    return name.rpartition(" ")[2].startswith("--")


def _is_header(name: str) -> bool:
    lowered = name.lower()
    return "cookie" in lowered or "auth" in lowered


def _ends_a_quotation(text: str, begin: int, at: int) -> bool:
    """Tell whether the quote after a name closes a text that the name stands in, as in `input("Password: ")`."""
    quote = _OPENING.match(text, at)
    if quote is None or text[quote.end() : quote.end() + 1].strip(" \t\r\n,;.)]}"):
        return False
    line = text[max(text.rfind("\n", 0, begin) + 1, begin - _LOOK_BACK) : begin]
    return line.count(quote[1]) % 2 == 1


_LOOK_BACK = 1_000


def _value_span(text: str, at: int, verdict: Verdict, sign: str, *, header: bool) -> Span | None:
    """Return where the value begins and ends; None if there is nothing to hide. `sign` is what stands before it, with its blanks.

    A bare word on the next line is a value only if it stands there alone and is no word of a language.
    """
    opening = _OPENING.match(text, at)
    if opening:
        start, end = opening.end(), _closing(text, opening.end(), opening[1])
    elif text[at : at + 1] in {"{", "[", "("} and not text.startswith(REDACTED, at):
        if verdict is Verdict.SECRET_IF_TEXT and text[at + 1 : at + 2] not in {'"', "'", "\\"}:
            return None
        end = _container_end(text, at)
        return (at, end) if end > at else None
    else:
        pattern = _bare_pattern(sign, header=header)
        found = pattern.match(text, at)
        if found is None or (pattern is _WORD and _is_code(found[0], sign)):
            return None
        start, end = found.span()
    value = text[start:end].strip()
    if not value or value.lower() in _HARMLESS or (verdict is Verdict.SECRET_IF_TEXT and _NUMBER.fullmatch(value)):
        return None
    return start, end


def _bare_pattern(sign: str, *, header: bool) -> Pattern:
    if sign == ">":
        return _ELEMENT
    if "\n" in sign:
        return _ALONE
    return _WHOLE_LINE if header and sign.strip() == ":" else _WORD


def _is_code(word: str, sign: str) -> bool:
    """Tell whether a word is a part of a program: `password = ask()`, `password: str`."""
    if sign.strip() == ":":
        return _TYPE.fullmatch(word) is not None
    return sign == " = " and _CALL.match(word) is not None


def _closing(text: str, start: int, quote: str) -> int:
    """Return where the quoted text ends; a text that was cut ends where it ends."""
    if len(quote) == 1:
        found = _CLOSINGS[quote].search(text, start)
        return found.end() - 1 if found else len(text)
    at = text.find(quote, start)
    while at > start and text[at - 1] == "\\":  # more backslashes: a quote of a deeper level
        at = text.find(quote, at + 1)
    return at if at >= 0 else len(text)


def _container_end(text: str, at: int) -> int:
    """Return where a bracket closes, or the end of the text; where it opens, if the container is a schema."""
    try:
        value, end = _decoder.raw_decode(text, at)
    except (ValueError, RecursionError):
        pass
    else:
        return at if is_schema(value) else end
    depth, quote = 0, ""
    for found in _BRACKET.finditer(text, at):
        mark = found[0]
        if quote:
            quote = "" if mark == quote else quote
        elif mark[-1] in "\"'":
            quote = mark
        else:
            depth += 1 if mark in "[{(" else -1
            if not depth:
                return found.end()
    return len(text)


def _redact_shapes(text: str) -> tuple[str, int]:
    """Redact what shows by itself that it is a secret."""
    count = 0
    for beginning in _SHAPES:
        if beginning in text:
            text, found = _shape(beginning).subn(REDACTED, text)
            count += found
    lowered = text.lower()
    if "basic" in lowered or "bearer" in lowered:
        text, found = _SCHEMES.subn(lambda found: f"{found[1] or found[2]} {REDACTED}", text)
        count += found
    if "://" in text and "@" in text:
        known = text.count(REDACTED)
        text = _USERINFO.sub(_without_password, text)
        count += text.count(REDACTED) - known
    if "=" in text:
        text, found = _QUERY.subn(rf"\1{REDACTED}", text)
        count += found
    return text, count


def is_schema(value: object) -> bool:
    """Tell whether a value is the JSON schema of an argument: `{"password": {"type": "string"}}` describes a secret and holds none."""
    return (
        type(value) is dict
        and len(value) <= len(_SCHEMA_WORDS)
        and all(type(key) is str and key in _SCHEMA_WORDS for key in list(value))
        and ("type" in value or "anyOf" in value or "$ref" in value)
    )


_SCHEMA_WORDS = frozenset(
    {"type", "anyOf", "$ref", "title", "description", "format", "minLength", "maxLength", "minimum", "maximum", "writeOnly", "nullable"}
)
"""Words of a schema behind which no value of the argument stands; `default`, `const`, `enum` and `examples` are none of them."""


def _without_password(found: re.Match[str]) -> str:
    user, colon, password = found.groups()
    if colon:
        return f"://{user}:{REDACTED}@" if password and password != REDACTED else found[0]
    return f"://{REDACTED}@" if len(user) >= _LONG_USER else found[0]


_LONG_USER = 12
"""From here on, what stands before the `@` of a URL is taken for a token rather than for a user."""


def redacted_by_user(redact: Callable[[Any], Any], value: object, dropped: object) -> object:
    """Return what the user's function makes of a value; a function that raises costs the value, not the protection."""
    try:
        shown = redact(value)
    except Exception as error:  # noqa: BLE001 - the boundary "the user's redact"
        _guard.notices.say(
            "redact",
            "The redact function raised %s; the value it was given is not recorded. It gets plain JSON types: dict, list, str, int, float, "
            "bool, None.",
            type(error).__name__,
        )
        return dropped
    return {"redacted": shown} if type(value) is dict and not issubclass(type(shown), dict) else shown
