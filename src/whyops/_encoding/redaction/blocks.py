"""Secrets in blocks of their own: private keys, hashes of passwords, what follows `Bearer`, a Kubernetes secret, a JSON web key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .pattern import Pattern
from .search import Finder
from .values import decoded, is_random, is_stand_in

Span = tuple[int, int]

_BEGIN = Pattern(r"-{4,5} ?BEGIN ([A-Z0-9 ]{1,60})-{4,5}")
_HARMLESS = Pattern(r"PUBLIC|CERTIFICATE|SIGNATURE|MESSAGE|PARAMETERS|REQUEST|CRL|CMS|PKCS7")
_BODY = Pattern(r"[A-Za-z0-9+/=\s:,;()#._]*(?:(?:-(?!---)|\\+[nrt/]?)[A-Za-z0-9+/=\s:,;()#._]*)*")
_QUOTED_BODY = Pattern(r"[A-Za-z0-9+/=\s:,;()#._\"']*(?:(?:-(?!---)|\\+[nrt/]?)[A-Za-z0-9+/=\s:,;()#._\"']*)*")
_END = Pattern(r"-{4,5} ?END [A-Z0-9 ]{1,60}-{4,5}")
_SUBSTANCE = Pattern(r"[A-Za-z0-9+/=]{16}")
_PUTTY = Pattern(r"Private-Lines:[ \t]{0,8}\d{1,4}((?:[A-Za-z0-9+/=\s]|\\+[nr]?)*)")
_ENCODED_BLOCK = Pattern(r"LS0tLS1CRUdJTi[A-Za-z0-9+/_-]{20,}={0,2}")
_HASH = Pattern(
    r"\$(?:2[abxy]|[1567y]|gy|apr1|sha1|argon2(?:id|i|d)|scrypt|pbkdf2[\w-]{0,12}|P|H)\$[./A-Za-z0-9$=,+-]{20,}"
    r"|(?<![\w$])(?:pbkdf2_sha\d{1,3}|scrypt|bcrypt_sha256|argon2)[$:][./A-Za-z0-9$=,+:-]{30,}|\{S?SHA(?:256|512)?\}[A-Za-z0-9+/]{20,}={0,2}"
)
_SCHEME = Pattern(
    r"(?:([Bb](?:earer|EARER))|([Bb](?:asic|ASIC))|(?:[Nn](?:egotiate|tlm|TLM)|[Aa]pi[Kk]ey))[ \t]{1,4}[\"']?([A-Za-z0-9_.~+/%-]+={0,2})"
)
_LEAST_BEARER = 6
_IDENTIFIED = Pattern(
    r"[Ii](?:dentified|DENTIFIED)[ \t]{1,4}(?:with[ \t]{1,4}[\w'\"]{1,64}[ \t]{1,4})?by[ \t]{1,4}(?:password[ \t]{1,4})?(\\*['\"])",
    re.IGNORECASE,
)
_UNQUOTED = Pattern(r"[^'\"\\\r\n]+")
_LOGIN = Pattern(
    r"(?<![\w-])(?:login|account)[ \t\r\n]{1,40}[^\s]{1,128}[ \t\r\n]{1,40}password[ \t]{1,40}\"?([^\s\"=:][^\s\"]{0,255})", re.IGNORECASE
)
_PGPASS = Pattern(r"^[ \t]{0,16}[\w.*-]{1,255}:(?:\d{4,5}|\*):[A-Za-z*_][^:\s]{0,127}:[^:\s]{1,128}:([^\s:][^\r\n]{0,255})$", re.MULTILINE)
_DOCUMENT = Pattern(r"^---", re.MULTILINE)
_SECRET_KIND = Pattern(r"^[ \t]{0,16}kind:[ \t]{1,8}[\"']?Secret[\"']?[ \t]*$", re.MULTILINE)
_DATA = Pattern(r"^([ \t]{0,16})(?:data|stringData):[ \t]*\r?\n", re.MULTILINE)
_ENTRY = Pattern(r"([ \t]{0,24})[\w.\-\"']{1,253}:[ \t]{1,8}([^\r\n]*)(?:\r?\n|\Z)")
_WEB_KEY = Pattern(r"[\"'](?:d|p|q|dp|dq|qi|k)\\*[\"']\s{0,4}:\s{0,4}\\*[\"']([\w-]{16,})")


def _pem(text: str) -> Iterator[Span]:
    """Find private keys, between their lines of dashes; one that was cut ends with what looks like one."""
    for begin in _BEGIN.finditer(text):
        if _HARMLESS.search(begin[1]):
            continue
        body = _BODY.match(text, begin.end())
        end = body and _END.match(text, body.end())
        if not end:  # a text of a program, written in several pieces
            quoted = _QUOTED_BODY.match(text, begin.end())
            end = quoted and _END.match(text, quoted.end())
        stop = end.end() if end else body.end() if body else begin.end()
        if _SUBSTANCE.search(text[begin.end() : stop]):
            yield begin.start(), stop


def _is_credential(found: re.Match[str]) -> bool:
    """Tell whether what follows a scheme is one: `Basic information` and `bearer of this letter` are words."""
    bearer, basic, value = found.groups()
    before = found.string[max(found.start() - 2, 0) : found.start()]
    if is_stand_in(value) or (before[-1:].isalnum() and not (before[:1] == "\\" and before[1:] in set("bfnrt"))):
        return False
    if basic:
        return ":" in decoded(value) or is_random(value)
    if bearer:
        return len(value) >= _LEAST_BEARER and (is_random(value) or any(sign in "0123456789.~+/=" for sign in value.rstrip(".")))
    return is_random(value)


def _identified(text: str) -> Iterator[Span]:
    """Find the passwords that SQL gives to users."""
    for found in _IDENTIFIED.finditer(text):
        password = _UNQUOTED.match(text, found.end())
        if password and not is_stand_in(password[0]):
            yield password.span()


def _kubernetes(text: str) -> Iterator[Span]:
    """Find the data of Kubernetes secrets."""
    start = 0
    for border in (*(found.start() for found in _DOCUMENT.finditer(text)), len(text)):
        document = text[start:border]
        if _SECRET_KIND.search(document):
            yield from ((start + begin, start + end) for begin, end in _data(document))
        start = border


def _data(document: str) -> Iterator[Span]:
    at = 0
    while data := _DATA.search(document, at):
        at = data.end()
        while (entry := _ENTRY.match(document, at)) and len(entry[1]) > len(data[1]) and entry.end() > at:
            at = entry.end()
            if not is_stand_in(entry[2]):
                yield entry.span(2)


def _first(pattern: Pattern, keep: Callable[[re.Match[str]], bool]) -> Callable[[str], Iterator[Span]]:
    """Return a search for what a pattern has in its last group, or is as a whole, if it is to be kept."""
    return lambda text: (found.span(found.lastindex or 0) for found in pattern.finditer(text) if keep(found))


def _always(_found: re.Match[str]) -> bool:
    return True


FINDERS = (
    Finder("-----? ?BEGIN ", _pem),
    Finder("Private-Lines:", _first(_PUTTY, _always)),
    Finder("LS0tLS1CRUdJTi", _first(_ENCODED_BLOCK, lambda found: "PRIVATE" in decoded(found[0][:120]))),
    Finder(
        r"\$(?:2[abxy]|[1567y]|gy|apr1|sha1|argon2[id]*|scrypt|pbkdf2[A-Za-z0-9_-]*|P|H)\$|(?:pbkdf2_sha[0-9]+|scrypt|bcrypt_sha256|argon2)[$:]|\{S?SHA",
        _first(_HASH, _always),
    ),
    Finder(r"(?i:bearer|basic|negotiate|ntlm|apikey)[ \t]{1,4}[A-Za-z0-9_.~+/%\"'-]{6}", _first(_SCHEME, _is_credential)),
    Finder(r"(?i:identified[ \t])", _identified),
    Finder(r"(?i:(?:login|account)[ \t\r\n]+[^ \t\r\n]+[ \t\r\n]+password)", _first(_LOGIN, _always), is_covered=True),
    Finder(r":(?:[0-9]{4,5}|\*):[A-Za-z*_]", _first(_PGPASS, _always)),
    Finder(r"""(?i:kind["']?:[ \t]*["']?secret)""", _kubernetes, is_covered=True),
    Finder(r"""["']kty""", _first(_WEB_KEY, _always)),
)
