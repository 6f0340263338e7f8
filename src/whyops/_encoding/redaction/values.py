"""What a value looks like: made by a machine, a placeholder for a secret, a part of a program, or words.

A name that hides a secret may stand before any of these in prose, code and documentation, and nothing is to be hidden there.
"""

from __future__ import annotations

import binascii
import re
from operator import add

from .regex import Pattern

MAX_JUDGED = 256
"""Characters of a value that are looked at: what it is shows in its beginning."""

_PAIRS = frozenset(
    """
th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne ea ra ce li ch ll
be ma si om ur el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so rs un lo wa ge ie wh ee wi em ad ol rt po we na ul
ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry mp fe bl ab gh ty op sa ay ex ke fr oo av ag if ap gr od sp
rd do uc bu ei ov by rm ep tt oc ef rn sc ey ap pi ck ry ss
""".split()  # noqa: SIM905  (a list of words)
)
"""Letters that follow each other in English words and in names made of them: four of five pairs there, one of six in random letters."""

ALNUM = Pattern(r"[A-Za-z0-9]+")
_BASE64 = Pattern(r"[A-Za-z0-9+/_-]*={0,2}")
_KEY_LIKE = Pattern(r"[\w.~+/=%:|-]+")
_UUID = Pattern(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_WORDLIKE = 0.42
_LETTERS_ALONE = 24
"""Letters without a digit that may be random; fewer of them may be the name of a class."""

_PLACEHOLDER = Pattern(
    r"<[^<>]{0,200}>|\[[^\[\]]{0,200}\]|\{{1,3}[^{}]{0,200}\}{1,3}|\([^()]{0,200}\)"
    r"|\$\{?[\w.:-]{1,200}\}?|\$\([^()]{0,200}\)?|\$\{\{.{0,200}|%\(?\w{0,80}(?:%|\)?s?)"
    r"|(?:%[\d.]{0,4}[a-z]|[^\w%]|_){1,100}|(?:\$?\{{1,2}[^{}]{0,80}\}{1,2}|[^\w{}$]|_){1,20}"
    r"|[a-z][a-z0-9+.-]{1,20}://.{0,256}|(?:urn|arn|aws:arn):.{0,256}|#[0-9a-f]{3,8}|&lt;.{0,80}&gt;.{0,4}|\d{1,9}(?:\.\d{1,9}){2,20}"
    r"|[\W_]{1,200}|(.)\1{3,200}|xx[-x]{0,200}|your[a-z]{0,80}(?:[-_ ][a-z]{1,40}){0,8}"
    r"|(?:my|the|some|insert|enter|replace|put|use|add|change|example|sample|dummy|fake|placeholder)(?:[-_ ][a-z]{1,40}){1,8}"
    r"|(?:[a-z]{1,40}[-_ ]){1,8}(?:here|placeholder|redacted)",
    re.IGNORECASE,
)
"""What stands where a secret is to be filled in, or was taken out: `<token>`, `${TOKEN}`, `****`, `your-api-key`."""

_STATES = frozenset(
    """
none null nil true false undefined nan yes no on off ok n/a na tbd todo unknown empty blank auto optional required missing invalid valid
incorrect wrong expired revoked rotated unchanged changed disabled enabled hidden masked redacted removed deleted unset set forgotten
stored saved encrypted hashed accepted rejected denied granted failed passed success successful oauth oauth2 basic bearer digest
negotiate ntlm kerberos ldap saml sso jwt str string bytes int integer bool boolean float number object any
""".split()  # noqa: SIM905  (a list of words)
)
"""What is written in place of a secret: its state, or its kind."""

_WORDS = frozenset(
    """
see not ask same default public private anonymous dict list tuple array text char varchar byte void function lambda async await return
raise pass print break continue yield assert del import from class def self this if else elif for while with try except finally and or
in is new const let var delete throw case switch end begin then a an the of to as at by it its my your our their his her what which who
when where how all each every some but only why
""".split()  # noqa: SIM905  (a list of words)
)
"""Words of a language that follow a name in prose and in programs."""

_CODE = Pattern(
    r"!?(?:await\s|new\s|not\s)?[A-Za-z_$][\w$]*(?:(?:\.|->|::|\?\.)[A-Za-z_$][\w$]*)+[(\[]?|[A-Za-z_$][\w$.]*[(\[].*|@\w+|&\w+|[\w.]+\|.*",
    re.DOTALL,
)
"""A part of a program: `config.token`, `os.environ[`, `ask(`."""

_IDENTIFIER = Pattern(r"[A-Za-z_$][A-Za-z_$]*(?:-[A-Za-z]+)*")


def is_random(text: str, least: int = 16) -> bool:
    """Tell whether a text was made by a machine, not of words: its letters don't follow each other as in words."""
    text = text[:MAX_JUDGED]
    if len(text) < least or _KEY_LIKE.fullmatch(text) is None or _UUID.fullmatch(text) is not None:
        return False
    parts = [part[0].lower() for part in ALNUM.finditer(text)]
    size, digits = sum(map(len, parts)), sum(map(str.isdigit, "".join(parts)))
    pairs = [pair for part in parts for pair in map(add, part, part[1:]) if not pair.isdigit()]
    is_short = size < least - 4 or len(pairs) < least // 4 or size == digits
    is_name = not digits and (len(text) < _LETTERS_ALONE or text.islower() or text.isupper())
    return not is_short and not is_name and sum(map(_PAIRS.__contains__, pairs)) < _WORDLIKE * len(pairs)


def is_mixed(text: str, least: int = 6) -> bool:
    """Tell whether a text looks like a password that a person chose: letters with digits or signs, and no word, number or name."""
    if not least <= len(text) <= MAX_JUDGED or any(sign in text for sign in " =(){}[]<>"):
        return False
    letters = sum(map(str.isalpha, text))
    digits = sum(map(str.isdigit, text))
    has_sign = any(sign in text[1:-1] for sign in "!@#$%^&*")
    return not _ORDINARY.fullmatch(text) if letters and digits else bool(letters) and has_sign


_ORDINARY = Pattern(
    r"v?\d+(?:[.,:/-]\d+)*\s?[a-z]{0,3}|[a-z]{1,4}[-_]?\d{1,3}|\d{1,4}(?:st|nd|rd|th|[a-z]{1,10})?|[A-Z]?[a-z]+-?\d{1,2}|[A-Za-z]+(?:[-_./][A-Za-z0-9]+)+"
    r"|[A-Z0-9]+(?:_[A-Z0-9]+)+|[A-Za-z]{10,}\d[A-Za-z]{3,}",
)
"""Words with a digit that are no password: `v1.2`, `utf-8`, `2nd`, `sha256`, `day-ahead-2026`."""


def is_code_number(text: str) -> bool:
    """Tell whether a text looks like a PIN or a code that is sent to a phone."""
    text = text.strip()
    return 3 <= len(text) <= 12 and sum(map(str.isdigit, text)) >= 3 and text.replace("-", "").replace(" ", "").isalnum()


def is_placeholder(value: str) -> bool:
    """Tell whether a value is no secret but stands for one: empty, a placeholder, a state (`expired`, `required`), a type."""
    value = value.strip()
    return not value or value.lower() in _STATES or (len(value) <= MAX_JUDGED and _PLACEHOLDER.fullmatch(value) is not None)


def is_value(found: re.Match[str]) -> bool:
    """Tell whether what was found in the first group of a pattern is a value."""
    return not is_placeholder(found[1])


def is_word(word: str) -> bool:
    """Tell whether a word is one of those that follow the name of a secret in prose and in programs."""
    return word.lower().rstrip(".:;!?") in _WORDS


def is_code(word: str) -> bool:
    """Tell whether a word is a part of a program."""
    return _CODE.fullmatch(word[:MAX_JUDGED]) is not None


def is_bare_word(word: str) -> bool:
    """Tell whether a word is of letters alone: a name in a program, or a word of a language."""
    return _IDENTIFIER.fullmatch(word[:MAX_JUDGED]) is not None


def decoded(text: str) -> str:
    """Return the text that base64 encodes; empty if it encodes something else."""
    text = text.rstrip("=")
    text = text[: len(text) // 4 * 4]
    try:
        return binascii.a2b_base64(text.replace("-", "+").replace("_", "/")).decode() if _BASE64.fullmatch(text) else ""
    except ValueError:
        return ""
