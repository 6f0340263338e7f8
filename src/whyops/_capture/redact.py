"""Takes secrets out of texts: values after a name that hides one, passwords in URLs, and keys that show by their shape what they are.

A text is redacted in place, whatever it is: JSON, JSON within JSON, half of it, a Python repr, a header, a query, a log line, a stack.
So nothing is parsed, and all else in it stays as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from .._guard import notices
from .names import SecretNames, Verdict

REDACTED = "[redacted]"
DROPPED = "[dropped: redact raised]"

_SHAPES = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"sk-[\w-]{8,}|[spr]k_(?:live|test)_\w{8,}|(?<!_)whyops_(?!trace_id(?!\w))[\w-]{6,}|YOPS-[\w-]{6,}"
    r"|gh[opusr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{30,}|ya29\.[\w-]{16,}|SG\.[\w-]{16,}\.[\w-]{16,}"
    r"|(?:hf|gsk|npm|pcsk|dop_v1|shpat|lsv2_pt|lsv2_sk)_\w{20,}|(?:tvly|xai|pplx|pypi)-[\w-]{20,}"
    r"|eyJ[\w-]{5,}\.[\w-]{4,}(?:\.[\w-]*)?"
    r")"
    r"|-----BEGIN [A-Z0-9 ]{1,60}-----[\s\S]*?(?:-----END [A-Z0-9 ]{1,60}-----|\Z)",
    re.ASCII,
)

_SCHEMES = re.compile(
    r"(?<![A-Za-z0-9])((?i:bearer)\s{1,4}(?!(?:auth\w*|token|tokens|scheme|format|header|error)\b)[\w.~+/=-]{6,}"
    r"|(?i:basic)\s{1,4}(?=[\w+/]{0,400}[A-Z0-9=])[\w+/]{8,}={0,2})",
    re.ASCII,
)

_USERINFO = re.compile(r"(?<=://)([^\s/?#\"'<>:\\]{0,512})(:?)([^\s/?#\"'<>\\]{0,2048})@")
_QUERY = re.compile(r"(?<=[?&;])((?:key|sig|signature|x-amz-signature|x-goog-signature)=)([^&#\s\"'<>\\]+)", re.IGNORECASE)
_ESCAPED = re.compile(r"\\+u00([2-7][0-9A-Fa-f])")

_NAME_BEFORE = re.compile(r"[\w.\-]{0,64}(?:[ \t][\w.\-]{1,64})?")
_NAME_AFTER = re.compile(r"[\w.\-]{0,64}(?:[ \t](?:key|token|id|code|phrase|word|header)s?(?![\w.\-]))?", re.IGNORECASE)
_SEPARATOR = re.compile(
    r"(?P<quote>\\*[\"'`])?\]?(?P<sign>[ \t\r\n]{0,40}(?:=>|:=|==|[:=])[ \t\r\n]{0,40}|>)|(?P<space>[ \t]{1,4})(?=[^\s-])"
)
_OPENING = re.compile(r"[bBrRuUfF]{0,2}(\\*[\"'`])")
_WHOLE_LINE = re.compile(r"[^\r\n\"'<>\\]+")
_WORD = re.compile(r"(?:(?:bearer|basic|token|digest|apikey|api-key|negotiate)[ \t]+)?[^\s,;&\"'<>\\)}\]]+", re.IGNORECASE)
_ELEMENT = re.compile(r"[^<]+")
_BRACKET = re.compile(r"\\*[\"']|[\[{(]|[\]})]")
_HARMLESS = frozenset({"none", "null", "true", "false", "undefined", "nan", "[redacted", REDACTED})
_NUMBER = re.compile(r"[-+]?[\d.,]+%?")
_IDENTIFIER = re.compile(r"[\w.\-]{2,64}")

_HINTS = ("auth", "bearer", "cookie", "cred", "jwt", "key", "pass", "pw", "secret", "token")
"""Every name that hides a secret has one of these in it, but for those that the user added."""

_SUSPECT_SHAPES = (
    r"sk-|[spr]k_(?:live|test)|whyops_|yops-|gh[opusr]_|github_pat|glpat-|xox[a-z]-|xapp-|akia|asia|aiza|ya29\.|sg\.|hf_|gsk_|npm_|pcsk_|dop_v1"
    r"|shpat_|lsv2_|tvly-|xai-|pplx-|pypi-|eyj|-----begin|basic|://[^\s/]*@|[?&;](?:sig|x-)|\\u00"
)

_decoder = json.JSONDecoder(strict=False)

Span = tuple[int, int]


class Redactor:
    """Redacts texts. `added` and `kept` are names beyond and against the usual ones."""

    def __init__(self, added: Iterable[str] = (), kept: Iterable[str] = ()) -> None:
        self.names = SecretNames(added, kept)
        hints = "|".join(map(re.escape, (*_HINTS, *self.names.hints())))
        self._hint = re.compile(hints, re.IGNORECASE)
        self._suspect = re.compile(f"{hints}|{_SUSPECT_SHAPES}")

    def suspects(self, lines: str) -> bool:
        """Tell, at little cost, whether any of the lines could hold a secret, or could name the value beside it."""
        lowered = lines.lower()
        if self._suspect.search(lowered) is None:
            return False
        return self.redact(lines)[1] > 0 or any(map(self._is_name, lines.split("\n")))

    def _is_name(self, line: str) -> bool:
        return _IDENTIFIER.fullmatch(line) is not None and self.names.verdict(line) is Verdict.SECRET

    def redact(self, text: str) -> tuple[str, int]:
        """Return the text without its secrets, and how many there were."""
        if self._suspect.search(text.lower()) is None:
            return text, 0
        if "\\u00" in text:
            shown, count = self._redact(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text))
            return (shown, count) if count else (text, 0)
        return self._redact(text)

    def _redact(self, text: str) -> tuple[str, int]:
        text, count = self._redact_named(text)
        for pattern, replacement in _REPLACEMENTS:
            text, found = pattern.subn(replacement, text)
            count += found
        return text, count

    def _redact_named(self, text: str) -> tuple[str, int]:
        """Redact what follows a name that hides a secret."""
        parts: list[str] = []
        done = count = 0
        for hint in self._hint.finditer(text):
            if hint.start() < done:
                continue
            found = self._value_of(text, hint.start(), hint.end(), done)
            if found is not None:
                (start, end), replacement = found
                parts += (text[done:start], replacement)
                done = end
                count += 1
        return "".join(parts) + text[done:], count

    def _value_of(self, text: str, start: int, end: int, done: int) -> tuple[Span, str] | None:
        """Find the value of the name around the hint, and what to put in its place."""
        begin = start - _name_before(text[max(done, start - 130) : start])
        after = _NAME_AFTER.match(text, end)
        stop = after.end() if after else end
        separator = _SEPARATOR.match(text, stop)
        if separator is None:
            return None
        name = text[begin:stop]
        verdict = self._verdict(name)
        sign, quote = (separator["sign"] or " ").strip(" \t\r\n"), separator["quote"] or ""
        if verdict is Verdict.CLEAN or (not sign and not _is_option(name)) or (sign == ">" and text[begin - 1 : begin] != "<"):
            return None
        span = _value_span(text, separator.end(), verdict, sign, _is_header(name))
        if span is None:
            return None
        bare = quote and not _OPENING.match(text, separator.end())
        return span, f"{quote}{REDACTED}{quote}" if bare else REDACTED

    def _verdict(self, name: str) -> Verdict:
        """Judge a name in a text; of two words the first may be prose, as in `the next token`."""
        whole = self.names.verdict(name)
        return whole if whole is Verdict.SECRET or " " not in name else self.names.verdict(name.split(" ", 1)[1])


def _name_before(text: str) -> int:
    """Count the characters before a hint that belong to the same name."""
    reversed_ = _NAME_BEFORE.match(text[::-1])
    length = reversed_.end() if reversed_ else 0
    escaped = 0 < length < len(text) and text[-length - 1] == "\\" and text[-length] in "nrt"  # `\npassword` in a repr
    return length - escaped


def _is_option(name: str) -> bool:
    """Tell whether a name is written as on a command line: `--api-key`."""
    return name.split(" ")[-1].startswith("--")


def _is_header(name: str) -> bool:
    lowered = name.lower()
    return "cookie" in lowered or "auth" in lowered


def _value_span(text: str, at: int, verdict: Verdict, sign: str, header: bool) -> Span | None:
    """Return where the value begins and ends; None if there is nothing to hide."""
    opening = _OPENING.match(text, at)
    if opening:
        start, end = opening.end(), _closing(text, opening.end(), opening[1])
    elif text[at : at + 1] in {"{", "[", "("} and not text.startswith(REDACTED, at):
        if verdict is Verdict.SECRET_IF_TEXT and text[at + 1 : at + 2] not in {'"', "'", "\\"}:
            return None
        return (at, _container_end(text, at))
    else:
        pattern = _ELEMENT if sign == ">" else _WHOLE_LINE if header and sign == ":" else _WORD
        found = pattern.match(text, at)
        if found is None:
            return None
        start, end = found.span()
    value = text[start:end].strip()
    if not value or value.lower() in _HARMLESS or (verdict is Verdict.SECRET_IF_TEXT and _NUMBER.fullmatch(value)):
        return None
    return start, end


def _closing(text: str, start: int, quote: str) -> int:
    """Return where the quoted text ends; a text that was cut ends where it ends."""
    if len(quote) == 1:
        for found in re.finditer(r"\\.|" + quote, text[start:], re.DOTALL):
            if found[0] == quote:
                return start + found.start()
        return len(text)
    at = text.find(quote, start)
    while at > start and text[at - 1] == "\\":  # more backslashes: a quote of a deeper level
        at = text.find(quote, at + 1)
    return at if at >= 0 else len(text)


def _container_end(text: str, at: int) -> int:
    """Return where a bracket closes, or the end of the text."""
    try:
        return _decoder.raw_decode(text, at)[1]
    except (ValueError, RecursionError):
        pass
    depth, quote = 0, ""
    for found in _BRACKET.finditer(text, at):
        token = found[0]
        if quote:
            quote = "" if token == quote else quote
        elif token[-1] in "\"'":
            quote = token
        else:
            depth += 1 if token in "[{(" else -1
            if not depth:
                return found.end()
    return len(text)


def _without_password(found: re.Match[str]) -> str:
    user, colon, password = found.groups()
    if colon:
        return f"{user}:{REDACTED}@" if password and password != REDACTED else found[0]
    return f"{REDACTED}@" if len(user) >= _LONG_USER else found[0]


_LONG_USER = 12
"""From here on, what stands before the `@` of a URL is taken for a token rather than for a user."""

_REPLACEMENTS = (
    (_SHAPES, REDACTED),
    (_SCHEMES, lambda found: f"{found[1].split()[0]} {REDACTED}"),
    (_USERINFO, _without_password),
    (_QUERY, rf"\1{REDACTED}"),
)


def redacted_by_user(redact: Callable[[Any], Any], value: object, dropped: object) -> object:
    """Return what the user's function makes of a value; a function that raises costs the value, not the protection."""
    try:
        shown = redact(value)
    except Exception as error:  # noqa: BLE001 - the boundary "the user's redact"
        notices.say(
            "redact",
            "The redact function raised %s; the value it was given is not recorded. It gets plain JSON types: dict, list, str, int, float, "
            "bool, None.",
            type(error).__name__,
        )
        return dropped
    return {"redacted": shown} if type(value) is dict and not issubclass(type(shown), dict) else shown
