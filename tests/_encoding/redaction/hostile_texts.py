"""Texts made so that a careless search would look at the same part of them again and again."""

from __future__ import annotations

import json
import random

UNITS = {
    "brackets": "token=(x) ok\n",
    "square brackets": "password: [abc] x\n",
    "braces": "api_key={x} ok\n",
    "open brackets": 'password: ["x", ',
    "open braces": '{"password": {"a": ',
    "weak containers": 'x_key: {"a": [',
    "schemas": '{"password": {"type": ',
    "schemas with texts": '{"password": {"type": "string", "title": "x", ',
    "quotes": 'password: "x" ',
    "open quotes": "password: 'x it\\'s ",
    "all quotes": "key: \"a token: 'b secret: `c ",
    "escaped quotes": 'token: \\"x ',
    "backslashes": "\\",
    "backslashes after a name": "token" + "\\" * 40,
    "odd backslashes": "password: " + "\\" * 7 + "x",
    "names": "key=",
    "names with dots": "token=a.b.",
    "names with dashes": "secret-token-",
    "names and calls": "password = f(",
    "names, no value": "password ",
    "names and spaces": "token:" + " " * 50,
    "names and lines": "secret\n\n\n",
    "names before values": "the password is not the ",
    "options": "--password ",
    "options of commands": "curl -u ",
    "commands": "mysql docker login -p ",
    "users": "-u a:",
    "base64": "QWxhZGRpbjpvcGVuIHNlc2FtZQ",
    "base64 with signs": "ab+/",
    "hex": "0123456789abcdef",
    "letters": "a",
    "capitals": "A",
    "underscores": "_",
    "words with dashes": "sk-",
    "beginnings": "-eyJ",
    "keys that are none": " ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "whyops": "-whyops_",
    "tokens with dots": "eyJabcde.",
    "send grid": "SG.",
    "numbers and AA": "1234567890:AA",
    "hex and colon": "0123abcd-",
    "discord": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMg.",
    "begin": "-----BEGIN PRIVATE KEY-----\n",
    "begin and text": "-----BEGIN KEY-----\nabc.def ",
    "dashes": "-",
    "spaces": " ",
    "line breaks": "\n",
    "written line breaks": "\\n",
    "digits": "7",
    "dots": ".",
    "colons": ":",
    "stars": "**Password:** ",
    "only stars": "*",
    "at signs": "https://a@",
    "users of urls": "https://a:b",
    "schemes": "://",
    "colons and at": ":a@",
    "slashes": "/",
    "hooks": "/webhooks/",
    "queries": "?key=",
    "percent": "%3A%2F%2Fa%3A",
    "dollars": "$2b$",
    "hashes": "$6$a$",
    "bearer": "bearer ",
    "basic": "Basic aaaaaaaaa ",
    "authorization": "authorization: x ",
    "cookies": "cookie: a",
    "identified": "identified by 'x ",
    "logins": "login a password ",
    "pgpass": "a:1:b:c:",
    "kind": "kind: Secret\ndata:\n",
    "kubernetes": "kind: Secret\n---\n",
    "web keys": '"kty" "d": "',
    "tables": "a,password\n",
    "tables of others": "a,password\nb\n",
    "pipes": "|password|x|",
    "names beside": 'name: password, value: x"',
    "elements": "<password>",
    "elements, closed": "<key>token</key><string>",
    "phrases": "mnemonic: abandon ability ",
    "log": "2026-11-28 ERROR [a.b] token (x) {y} [z]: 'failed' \"why\"\n",
    "unseen": "sk-\u200b",
    "signature": "\u200b\u200c\u200d",
    "not ASCII": "пароль: é ",
}


def nested(size: int) -> str:
    """Return JSON in strings in strings."""
    text = json.dumps({"password": "x", "note": [1, {"key": "y"}]})
    while len(text) < size:
        text = json.dumps({"a": text})
    return text[:size]


def mixed(size: int) -> str:
    """Return pieces of all of them, as they come."""
    draw = random.Random(7)
    pieces = [*UNITS.values()]
    return "".join(draw.choice(pieces) for _ in range(size // 4))[:size]


def texts(size: int) -> dict[str, str]:
    """Return each hostile text at that size."""
    return {name: (unit * (size // len(unit) + 1))[:size] for name, unit in UNITS.items()} | {"nested": nested(size), "mixed": mixed(size)}
