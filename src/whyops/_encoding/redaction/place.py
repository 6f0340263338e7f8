"""Where a value may stand in a text: after which name, linked by what, and where it begins and ends."""

from __future__ import annotations

import re

from .regex import Pattern
from .secret_names import Verdict
from .values import MAX_JUDGED, is_bare_word, is_placeholder

REDACTED = "[redacted]"

LINK = Pattern(
    # sign: password=hunter2, "password": "hunter2", **Password:** hunter2, headers['Cookie'] = 'a=b1'
    r"(?P<quote>\\*[\"'`])?\]?(?:[*_~]{0,3}"
    r"(?P<sign>[ \t\r\n]{0,40}(?:=>|:=|==|->|→|[:=\uff1a]|%3D|%3A)[ \t\r\n]{0,40})(?:[*_~]{2,3}[ \t]{0,4})?"
    # element: <password>hunter2</password>
    r"|(?P<element>>))"
    # pair, in a list or tuple: "password", "hunter2"
    r"|\\*[\"'](?P<pair>[ \t\r\n]{0,40},[ \t\r\n]{0,40})(?=\\*[\"'])"
    # beside, the value has a name of its own: name=password, value=hunter2
    r"|(?:\\*[\"'])?[, \t\r\n]{1,40}(?:\\*[\"'])?(?P<beside>values?(?:\\*[\"'])?[ \t]{0,4}[:=][ \t]{0,4})"
    # next: <key>password</key><string>hunter2</string>
    r"|(?P<next></\w{1,20}>\s{0,40}<(?:string|value|data|td|dd|code)>)"
    # verb: the password is now hunter2
    r"|[`\"']?(?P<verb>[ \t]{1,4}(?:is|was|are|to)(?:[ \t]now|[ \t]set[ \t]to)?:?[ \t]{1,4})(?=[^\s-])"
    # space: --password hunter2
    r"|(?P<space>[ \t]{1,4})(?=[^\s-])",
    re.IGNORECASE,
)
"""What links a name and its value, by kind, each with an example."""

_OPENING = Pattern(r"[bBrRuUfF]{0,2}(\\*[\"'`])")
_WHOLE_LINE = Pattern(r"[^\r\n\"'<>\\]+")
_SCHEME = r"(?:bearer|basic|token|digest|apikey|api-key|negotiate)[ \t]{1,8}"
SCHEME = Pattern(_SCHEME, re.IGNORECASE)
_BEFORE_WORD = Pattern(rf"{_SCHEME}|[>|][+-]?[ \t]{{0,8}}\r?\n[ \t]{{0,40}}", re.IGNORECASE)
_WORD = Pattern(r"[^\s,;&\"'`<>\\)}\]|]+")
_QUOTE = Pattern("[\"']")
_ALONE = Pattern(r"(?=[^\s=:]*\d)[^\s=:,;\"'<>\\]+(?=[ \t]*(?:[\r\n]|\Z))")
_PARAMETERS = Pattern(r"[^\r\n'<>\\]+")
_COOKIE = Pattern(r"[\w!#$%&'*+.^|~-]{1,128}=")
_ELEMENT = Pattern(r"[^<]+")
_PHRASE = Pattern(r"[a-z]{3,10}(?:[ ,-]{1,2}[a-z]{3,10}){2,24}(?=[ \t.]*(?:[\r\n\"'`<\\]|\Z))")
_BRACKET = Pattern(r"\\+[\"']?|[\"'\[{(\]})]")
_CLOSINGS = {quote: Pattern(rf"[^{quote}\\]*(?:\\.[^{quote}\\]*)*", re.DOTALL) for quote in "\"'`"}
_SCHEMA = Pattern(
    r"\{(?:(?:\s|\\+[nrt]){0,40}\\*[\"'](?:type|anyOf|\$ref|title|description|format|minLength|maxLength|minimum|maximum|writeOnly|nullable)\\*[\"']\s{0,4}:\s{0,4}"
    r"(?:\\*\"[^\"{}\\]{0,500}\\*\"|\\*'[^'{}\\]{0,500}\\*'|[\w.-]{1,20}|\[[^\[\]]{0,300}\])(?:\s|\\+[nrt]){0,40},?){1,12}(?:\s|\\+[nrt]){0,40}\}"
)
_DESCRIPTION = Pattern(
    r"\{(?:\s|\\+[nrt]){0,40}\\*[\"'](?:additionalProperties|properties|items|insertionOrder|uniqueItems|pattern|oneOf|allOf|maxLength|minLength|\$ref)\\*[\"']"
)
_IS_SCHEMA = Pattern(r"[\"'](?:type|anyOf|\$ref)\\*[\"']")
_TEMPLATE = Pattern(r"[#$@]?\{{1,2}\s{0,4}[\w.$!:?,'\"()\[\]/%-]{0,80}\s{0,4}\}{1,2}")
_HOLDS = Pattern(r"(?:[\[{](?:\s|\\+[nrt]){0,40}(?:\\*[\"'\[{]|[bu][\"']|\d)|\((?:\s|\\+[nrt]){0,40}[bu]?\\*[\"'])")
_SECTION = Pattern(r"^[ \t]{0,8}\[[\w .:-]{1,64}\][ \t]*$", re.MULTILINE)
AUTHORIZATION = Pattern(
    r"(?:(?:bearer|basic|digest|negotiate|ntlm|token|apikey|api-key|aws4-hmac-sha256|sharedaccesssignature)[ \t]{1,8}"
    r"|(?:hmac\w{0,20}|oauth|mac)[ \t]{1,4}(?=\w{1,40}=))"
    r"[^ \t]",
    re.IGNORECASE,
)
_FEW_WORDS = Pattern(r"[^\w]{0,40}(?:[\w'-]{1,20}[ \t]{1,4}){0,3}[\"'*_`]{0,3}")


class Place:
    """Where a value may stand: after which name, and by what the two are linked."""

    def __init__(self, text: str, begin: int, stop: int, link: re.Match[str]) -> None:
        self.text = text
        self.begin = begin
        self.name = text[begin:stop]
        self.at = link.end()
        self.sign = link["sign"] or ""
        self.quoted_name = link["quote"] is not None
        self.kind = link.lastgroup
        self.opening = _OPENING.match(text, self.at)
        self.is_container = self.is_whole_line = False
        last = self.name.rpartition(" ")[2]
        self.is_option = last.startswith("--") or (last.startswith("-") and last[1:2].isalpha())
        lowered = self.name.lower()
        self.is_setting = self.sign in {"=", ":"} and self.name.isupper()
        self.is_assignment = self.sign.strip() == "=" and self.sign != "="
        self.is_prose = self.kind in {"verb", "space"} and not self.is_option
        self._is_phrase = any(word in lowered for word in ("mnemonic", "phrase", "seed", "words"))

    def may_have_value(self) -> bool:
        """Tell whether what links the two can link a name and a value here."""
        before = self.text[self.begin - 1 : self.begin] if self.begin else ""
        if self.kind == "element":
            return before == "<"
        if (before == "$" and "=" not in self.sign) or (before == ":" and self.sign.strip() == ":"):
            return False
        return self.quoted_name or not self._ends_a_quotation()

    def _ends_a_quotation(self) -> bool:
        """Tell whether the quote after a name closes a text that the name stands in, as in `input("Password: ")`."""
        quote = self.opening
        return (
            quote is not None
            and not self.text[quote.end() : quote.end() + 1].strip(" \t\r\n,;.)]}")
            and self._line_before(1_000).count(quote[1]) % 2 == 1
        )

    def _line_before(self, most: int = 80) -> str:
        """Return what stands before the name in its line."""
        return self.text[max(self.begin - most, 0) : self.begin].rpartition("\n")[2]

    def begins_a_line(self) -> bool:
        """Tell whether the name is the first of its line, but for some words."""
        return _FEW_WORDS.fullmatch(self._line_before()) is not None

    def is_in_section(self) -> bool:
        """Tell whether the name stands in a file of settings, below a line such as `[default]`."""
        return _SECTION.search(self.text[max(self.begin - 300, 0) : self.begin]) is not None

    def value_span(self, verdict: Verdict) -> tuple[int, int] | None:
        """Return where the value begins and ends. One that can only be a short text is looked for within a short distance."""
        text, at = self.text, self.at
        if self.opening:
            start = self.opening.end()
            is_any = (
                verdict in {Verdict.SECRET, Verdict.SECRET_IF_TEXT} and self.kind not in {"pair", "verb", "space"} and "==" not in self.sign
            )
            return start, _closing(text, start, self.opening[1], len(text) if is_any or self.is_option else start + 2 * MAX_JUDGED)
        if self.kind == "pair" or text[at : at + 1] in {"{", "[", "("}:
            return self._container(verdict) if self.kind in {"sign", "beside"} and self.sign != " = " else None
        if self.kind in {"element", "next"}:
            found = _ELEMENT.match(text, at)
            if found and not (text.startswith("</", found.end()) or found.end() == len(text) <= at + MAX_JUDGED):
                return None
        elif "\n" in self.sign:
            found = _ALONE.match(text, at)
        elif self._is_phrase and self.kind in {"sign", "verb"} and (found := _PHRASE.match(text, at)):
            self.is_whole_line = True
        elif verdict is Verdict.SECRET and self.sign.strip() == ":" and self._is_header():
            self.is_whole_line = True
            found = (_WHOLE_LINE if self.quoted_name or _QUOTE.search(self._line_before()) else _PARAMETERS).match(text, at)
        else:
            found = _WORD.match(text, _BEFORE_WORD.end(text, at), at + MAX_JUDGED)
        return found.span() if found else None

    def word_end(self, end: int) -> int:
        """Return where a word ends of which the beginning was looked at."""
        return end if self.opening or end < self.at + MAX_JUDGED else _WORD.end(self.text, end)

    def _is_header(self) -> bool:
        """Tell whether the rest of the line, behind a colon, is credentials or cookies."""
        lowered = self.name.lower()
        if "cookie" in lowered:
            cookies = _COOKIE.match(self.text, self.at) and _WHOLE_LINE.match(self.text, self.at, self.at + MAX_JUDGED)
            return cookies is not None and any(map(str.isdigit, cookies[0]))
        found = AUTHORIZATION.match(self.text, self.at) if "auth" in lowered else None
        word = found and _WORD.match(self.text, found.end() - 1, found.end() + MAX_JUDGED)
        return word is not None and not is_placeholder(word[0]) and ("authori" in lowered or not is_bare_word(word[0]))

    def _container(self, verdict: Verdict) -> tuple[int, int] | None:
        """Return where a container begins and ends, if it is one of values, and no template or schema."""
        text, at = self.text, self.at
        holds = _HOLDS.match(text, at)
        if (
            holds is None
            or verdict not in {Verdict.SECRET, Verdict.SECRET_IF_TEXT}
            or (verdict is Verdict.SECRET_IF_TEXT and (holds[0][0] == "(" or holds[0][-1] not in "\"'"))
            or text.startswith(REDACTED, at)
            or _TEMPLATE.match(text, at)
            or _DESCRIPTION.match(text, at)
            or ((schema := _SCHEMA.match(text, at)) and _IS_SCHEMA.search(schema[0]))
        ):
            return None
        self.is_container = True
        return at, _container_end(text, at)


def _closing(text: str, start: int, quote: str, limit: int) -> int:
    """Return where the quoted text ends, or the limit; a text that was cut ends where it ends."""
    limit = min(limit, len(text))
    if len(quote) == 1:
        return _CLOSINGS[quote].end(text, start, limit)
    at = text.find(quote, start, limit)
    while at > start and text[at - 1] == "\\":  # more backslashes: a quote of a deeper level
        at = text.find(quote, at + 1, limit)
    return at if at >= 0 else limit


def _container_end(text: str, at: int) -> int:
    """Return where a bracket closes, or the end of the text."""
    depth, quote = 0, ""
    for found in _BRACKET.finditer(text, at):
        mark = found[0]
        if quote:
            quote = "" if mark == quote else quote
        elif mark[-1] in "\"'":
            quote = mark
        elif mark[-1] != "\\":
            depth += 1 if mark in "[{(" else -1
            if not depth:
                return found.end()
    return len(text)
