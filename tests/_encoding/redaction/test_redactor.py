"""Secrets out of texts and values."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests._encoding.redaction import secrets_gallery as gallery
from whyops._encoding.encoder import Encoder
from whyops._encoding.redaction import blocks, commands, keys, known_secrets, urls
from whyops._encoding.redaction.redactor import Redactor
from whyops._encoding.redaction.regex import Finder, prefilter

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75\nqweQWE123+/=\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"


@pytest.mark.parametrize(
    "text, shown",
    [
        # names and values
        ("password=hunter2", "password=[redacted]"),
        ("password: hunter2, user: bob", "password: [redacted], user: bob"),
        ("the api key: abc1 is wrong", "the api key: [redacted] is wrong"),
        ("token = 'a b c' end", "token = '[redacted]' end"),
        ('Config(password="a\\"b", user="u")', 'Config(password="[redacted]", user="u")'),
        ("{'password': 'x', 'n': 1}", "{'password': '[redacted]', 'n': 1}"),
        ("{'token': b'x'}", "{'token': b'[redacted]'}"),
        ("first\\npassword=abc", "first\\npassword=[redacted]"),
        ("secret => abc; next", "secret => [redacted]; next"),
        ("headers['Authorization'] = 'abc'", "headers['Authorization'] = '[redacted]'"),
        ("<password>abc</password>", "<password>[redacted]</password>"),
        ("mysql --password abc -u root", "mysql --password [redacted] -u root"),
        ("curl --api-key=abc", "curl --api-key=[redacted]"),
        ("a.b.password=x", "a.b.password=[redacted]"),
        ("pwd:x", "pwd:[redacted]"),
        ("next token: abc", "next token: [redacted]"),
        ("İİ password=abc", "İİ password=[redacted]"),
        # JSON in texts
        ('{"password": "x"}', '{"password": "[redacted]"}'),
        ('{"a": {"api_key": "x", "max_tokens": 5}}', '{"a": {"api_key": "[redacted]", "max_tokens": 5}}'),
        ('{"pin_token": 1234, "ok": true}', '{"pin_token": "[redacted]", "ok": true}'),
        ('{"credentials": {"user": "}", "b": [1]}, "c": 2}', '{"credentials": "[redacted]", "c": 2}'),
        ('{"credentials": {"user": "}", "b": [1', '{"credentials": "[redacted]"'),
        ("{'credentials': {'user': '}', 'b': [1]}, 'c': 2}", "{'credentials': '[redacted]', 'c': 2}"),
        ('{"cookies": ["a", "b"]}', '{"cookies": "[redacted]"}'),
        (
            '{"tokens": ["a"], "tokens": [1], "tokens": 5, "tokens": "a"}',
            '{"tokens": "[redacted]", "tokens": [1], "tokens": 5, "tokens": "[redacted]"}',
        ),
        ('{"password": "half of', '{"password": "[redacted]'),
        (r'{"a": "{\"password\": \"x\\\"y\"}", "b": 1}', r'{"a": "{\"password\": \"[redacted]\"}", "b": 1}'),
        (r'{"pass\u0077ord": "x"}', '{"password": "[redacted]"}'),
        (r'{"a": "caf\u00e9"}', r'{"a": "caf\u00e9"}'),
        ('Result: {"token": "x"} and {"secret": "y"}', 'Result: {"token": "[redacted]"} and {"secret": "[redacted]"}'),
        # headers
        ("Authorization: Bearer x", "Authorization: [redacted]"),
        ("authorization: Basic dXNlcjpwYXNz\nAccept: */*", "authorization: [redacted]\nAccept: */*"),
        ("Cookie: a=b1; c=d", "Cookie: [redacted]"),
        ("Set-Cookie: a=b1; Path=/\r\nX: y", "Set-Cookie: [redacted]\r\nX: y"),
        ("sent Bearer abc123def", "sent Bearer [redacted]"),
        ("BEARER abc.def-ghi", "BEARER [redacted]"),
        ("Basic dXNlcjpwYXNz", "Basic [redacted]"),
        # URLs
        ("postgres://bob:hunter2@db/x", "postgres://bob:[redacted]@db/x"),
        ("redis://:hunter2@db", "redis://:[redacted]@db"),
        ("https://bob:p@ss:w@host/", "https://bob:[redacted]@host/"),
        ("https://abcdef123456@github.com/x", "https://[redacted]@github.com/x"),
        ("ssh://git@github.com/x", "ssh://git@github.com/x"),
        ("https://a.b/c?x=1&access_token=abc&y=2#z", "https://a.b/c?x=1&access_token=[redacted]&y=2#z"),
        ("https://a.b/c?key=abc1&X-Amz-Signature=def", "https://a.b/c?key=[redacted]&X-Amz-Signature=[redacted]"),
        ("https://a.b/c?sort_key=name", "https://a.b/c?sort_key=name"),
        ("https://a.b:80/c@d", "https://a.b:80/c@d"),
        # not a quotation's end, not code
        ("don't tell: password: 'hunter22' or 'x'", "don't tell: password: '[redacted]' or 'x'"),
        ('password: ",abc1"', 'password: "[redacted]"'),
        ("Your password:\n\n  hunter22\nBye", "Your password:\n\n  [redacted]\nBye"),
        ("PASSWORD=abc(def", "PASSWORD=[redacted]"),
        ("[client]\npassword = changeme", "[client]\npassword = [redacted]"),
        ("password: abc[1", "password: [redacted]"),
        # shapes
        ("key sk-abcdEFGH1234", "key [redacted]"),
        ("sk-proj-ab_cd-1234567890", "[redacted]"),
        ("sk_live_abcdefgh1234", "[redacted]"),
        ("whyops_0123456789", "[redacted]"),
        ("YOPS-0123456789", "[redacted]"),
        ("ghp_0123456789abcdefghij", "[redacted]"),
        ("github_pat_0123456789abcdefghij", "[redacted]"),
        ("xoxb-1234567890-abc", "[redacted]"),
        ("AKIA0123456789ABCDEF", "[redacted]"),
        ("AIza0123456789abcdefghijklmnopqrstuvwxy", "[redacted]"),
        ("SG.0123456789abcdef.0123456789abcdef", "[redacted]"),
        ("hf_0123456789abcdefghij", "[redacted]"),
        ("glpat-0123456789abcdefghij", "[redacted]"),
        (f"a {JWT} b", "a [redacted] b"),
        (PEM, "[redacted]"),
        (f"x {PEM[:50]}", "x [redacted]"),
        (PEM.replace("\n", "\\n"), "[redacted]"),
    ],
)
def test_secrets_in_texts(text: str, shown: str) -> None:
    """A text loses its secrets and nothing else, whatever form it has."""
    redacted, count = Redactor().redact(text)
    assert redacted == shown
    assert (count > 0) == (text != shown)


@pytest.mark.parametrize(
    "text",
    [
        "Reset my password.",
        "The password is required",
        "key: value, monkey = 5",
        "max_tokens=5, total_tokens: 7",
        '{"usage": {"promptTokens": 42, "totalTokens": 58}}',
        '{"password": null, "token": "", "secret": true}',
        "KeyError: 'order'",
        "TokenError: bad input",
        "Bearer authentication required",
        "Basic information about the bearer of this letter",
        "a basic subscription",
        "scikit-learn and sk-learn",
        "_whyops_trace_id, whyops_trace_id",
        "token, secret and password",
        "if key == other: pass",
        "Asia, sig, x-ray, task-force, risk-averse",
        "tokens: 523, pass: 3",
        "a > b, key > 5",
        "eyJ.x",
        "mailto:bob@example.com and https://example.com/a@b",
        "the token -- a word",
        '{"properties": {"password": {"anyOf": [{"type": "string"}]}, "n": {"type": "integer"}}}',
        "password=[redacted] token: '[redacted]'",
        # programs, and what they are configured with
        "f(prompt='Password: ', x)\nline2 = 1\nline3 = g('y')",
        'answer = input("Password: ")\nsecond = "text"',
        'He said "the password:" and left. "Fine," I said.',
        "elif word == 'password':\n    password = lexer.get_token()",
        "password = getpass.getpass()\ntoken = os.environ['SERVICE']",
        "def login(password: str, token: Optional[str] = None) -> None: ...",
        "import whyops_helpers; whyops_user_id",
        "PASSWORD=\nUSER=ada\nDEBUG=1",
        "password:\n  host: localhost",
        "password:\n\nNext paragraph",
        "has_password: yes, page_token=abc, password_changed_at: 2026-11-25",
    ],
)
def test_texts_without_secrets_stay(text: str) -> None:
    """Prose about secrets, counts and what is redacted already are left as they are."""
    assert Redactor().redact(text) == (text, 0)


@pytest.mark.parametrize(
    "value, shown, count",
    [
        ({"password": "x", "max_tokens": 5, "totalTokens": 7}, {"password": "[redacted]", "max_tokens": 5, "totalTokens": 7}, 1),
        ({"a": [{"b": ({"apiKey": ["x"]},)}]}, {"a": [{"b": [{"apiKey": "[redacted]"}]}]}, 1),
        ({"password": None, "token": "", "secret": False}, {"password": None, "token": "", "secret": False}, 0),
        ({"password": 1234, "credentials": {"user": "u"}}, {"password": "[redacted]", "credentials": "[redacted]"}, 2),
        ({"tokens": 5, "a": {"tokens": "x"}}, {"tokens": 5, "a": {"tokens": "[redacted]"}}, 1),
        ([{"tokens": ["x"]}, {"tokens": {"prompt": 3}}], [{"tokens": "[redacted]"}, {"tokens": {"prompt": 3}}], 1),
        ({"name": "DB_PASSWORD", "value": "x"}, {"name": "DB_PASSWORD", "value": "[redacted]"}, 1),
        ({"name": "COLOUR", "value": "x"}, {"name": "COLOUR", "value": "x"}, 0),
        ([["Authorization", "abc"], ["Accept", "*/*"]], [["Authorization", "[redacted]"], ["Accept", "*/*"]], 1),
        ([("Cookie", "a=b")], [["Cookie", "[redacted]"]], 1),
        ({"sk-abcdefgh1234": 1}, {"[redacted]": 1}, 1),
        ({"function": {"arguments": '{"api_key": "abc"}'}}, {"function": {"arguments": '{"api_key": "[redacted]"}'}}, 1),
        ({b"password": "x"}, {"password": "[redacted]"}, 1),
        (b"token=abc", "token=[redacted]", 1),
        (ValueError("token=abc"), {"type": "ValueError", "args": ["token=[redacted]"]}, 1),
        (pydantic.SecretStr("x"), "[redacted]", 1),
        ({"password": {"type": "string", "title": "P"}}, {"password": {"type": "string", "title": "P"}}, 0),
        ({"password": {"type": "string", "default": "x"}, "token": {"title": "x"}}, {"password": "[redacted]", "token": "[redacted]"}, 2),
        (types.SimpleNamespace(password="x", n=1), {"password": "[redacted]", "n": 1}, 1),
    ],
)
def test_secrets_in_values(value: object, shown: object, count: int) -> None:
    """At any depth, under any kind of key, a secret's value is replaced and counted; empty ones tell nothing and stay."""
    encoded, cuts, redactions = Encoder().encode(value)
    assert (json.loads(encoded), cuts, redactions) == (shown, 0, count)


def test_redact_keys_and_keep_keys() -> None:
    """Users add names, in values and in texts, and spare others."""
    encoder = Encoder(redact_keys=["ssn", "Straße"], keep_keys=["token"])
    encoded, _, redactions = encoder.encode(
        {"ssn": "1", "a": {"customerSsn": "2"}, "token": "kept", "t": "ssn=3 token=kept", "straße": "4"}
    )
    assert json.loads(encoded) == {
        "ssn": "[redacted]",
        "a": {"customerSsn": "[redacted]"},
        "token": "kept",
        "t": "ssn=[redacted] token=kept",
        "straße": "[redacted]",
    }
    assert redactions == 4


def test_names_to_keep_are_kept_one_after_the_other() -> None:
    """What a kept name is beside does not make it another name."""
    text = "session_token=a session_token=b session_token=c password=d"
    assert Redactor(kept=["session_token"]).redact(text) == (text.replace("=d", "=[redacted]"), 1)


def test_a_type_that_names_a_secret_is_hidden() -> None:
    """An object of a class such as `Credentials` is hidden as a whole; one that declares its fields shows the harmless ones."""
    credentials = type("Credentials", (), {})()
    credentials.user = "planted"
    login = dataclasses.make_dataclass("LoginSecret", ["user", "password", ("pin", str, dataclasses.field(default="planted", repr=False))])
    encoded, _, redactions = Encoder().encode([credentials, login("bob", "planted")])
    assert json.loads(encoded) == ["[redacted]", {"user": "bob", "password": "[redacted]", "pin": "[redacted]"}]
    assert redactions == 3


@pytest.mark.parametrize("offset", range(-40, 45, 5))
@pytest.mark.parametrize(
    "plant", ["sk-{}", "Bearer {}", "https://u:{}@h/", '{{"password": "{}"}}', "-----BEGIN KEY-----\n{}", f"{JWT}{{}}"]
)
def test_a_secret_across_a_cut_does_not_survive_in_part(plant: str, offset: int) -> None:
    """Redaction comes before cutting: no half of a secret is left at the end of what was kept, however long the text."""
    secret = "Planted0Secret1" * 3
    for length in (1_000, 10_000, 1_000_000):
        text = "." * (1_000 + offset) + " " + plant.format(secret) + " " + "." * length
        for value in (text, text.encode(), [text], {"a": text}):
            assert "Planted" not in Encoder(max_value_bytes=1_024).encode(value)[0]


def test_redactions_do_not_uncover_what_the_margin_hid() -> None:
    """Where redaction shortens a text, what moves up is not half a secret either."""
    for size in range(3_000, 6_000, 50):
        text = f"{PEM.replace('qwe', 'q' * size)} {'.' * 1_000} sk-Planted0Secret1 " + "." * 100_000
        assert "Planted" not in Encoder(max_value_bytes=2_048).encode(text)[0]


# Planted secrets

SECRETS = st.integers(10**20, 10**21).filter(lambda number: len(set(str(number))) > 2).map(lambda number: f"Pl4nt{number:x}")
"""Made up; a number that repeats a digit or two stands for a secret, and is none."""
NAMES = st.sampled_from(
    [
        "password",
        "api_key",
        "apiKey",
        "Authorization",
        "cookie",
        "private_key",
        "accessToken",
        "DB_PASSWORD",
        "client-secret",
        "credentials",
        "x-api-key",
        "passphrase",
    ]
)
FILL = st.recursive(
    st.none()
    | st.integers(-9, 9)
    | st.sampled_from(["", "text", "order-00017", "Where is it?", "a=b", "'", '"', "\\", "{", "…", "\0", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "limit", "max_tokens", "name", "value"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def _object(name: str, secret: str) -> object:
    return types.SimpleNamespace(**{name.replace("-", "_"): secret})


PLANTS: list[Callable[[str, str], object]] = [
    lambda name, secret: {name: secret},
    lambda name, secret: {name: [secret]},
    lambda name, secret: {name: {"inner": secret}},
    lambda name, secret: {name: secret.encode()},
    lambda name, secret: {name: int(secret[5:], 16)},
    lambda name, secret: [name, secret],
    lambda name, secret: (name, secret),
    lambda name, secret: {"name": name, "value": secret},
    _object,
    lambda name, secret: f"{name}={secret}",
    lambda name, secret: f"{name}: {secret}",
    lambda name, secret: f"failed with {name}='{secret}' in it",
    lambda name, secret: ValueError(f"bad {name}={secret}"),
    lambda name, secret: json.dumps({name: secret}),
    lambda name, secret: json.dumps({"a": [{name: {"b": secret}}]}, indent=2),
    lambda name, secret: json.dumps({name: secret})[: -len(secret) // 2 - 2],
    lambda name, secret: repr({name: secret, "n": 1}),
    lambda name, secret: f"--{name} {secret}",
    lambda name, secret: f"https://host/path?{name}={secret}&x=1",
    lambda _, secret: f"https://user:{secret}@host/path",
    lambda _, secret: f"https://{secret}@host/path",
    lambda _, secret: f"Authorization: Bearer {secret}",
    lambda _, secret: f"Bearer {secret}",
    lambda _, secret: f"sk-{secret}",
    lambda _, secret: {f"sk-{secret}": 1},
    lambda _, secret: f"whyops_{secret}",
    lambda _, secret: f"YOPS-{secret}",
    lambda _, secret: f"eyJ{secret}.{secret}.{secret}",
    lambda _, secret: f"-----BEGIN PRIVATE KEY-----\n{secret}\n{secret}\n-----END PRIVATE KEY-----",
    lambda _, secret: pydantic.SecretStr(secret),
]

WRAPS: list[Callable[[object], object]] = [
    lambda value: [value],
    lambda value: (1, value),
    lambda value: {"data": value},
    lambda value: {"before": 1, "it": value, "after": [2]},
    lambda value: types.SimpleNamespace(field=value),
    lambda value: json.dumps(value, default=str) if isinstance(value, (dict, list, str, tuple)) and _is_json(value) else value,
    lambda value: json.dumps({"arguments": value}) if _is_json(value) else value,
    lambda value: f"log: {value} end" if isinstance(value, str) else value,
    lambda value: f"log\n{value}\tend" if isinstance(value, str) else value,
    lambda value: repr(value) if _is_json(value) else value,
    lambda value: value.encode() if isinstance(value, str) else value,
]


def _is_json(value: object) -> bool:
    try:
        json.dumps(value).encode()
    except (TypeError, ValueError):
        return False
    return True


def _is_pair(value: object) -> bool:
    """Names beside their values are told in values only: in a text they are two words."""
    return isinstance(value, (list, tuple)) or (isinstance(value, dict) and "value" in value)


@st.composite
def planted(draw: st.DrawFn) -> tuple[str, object]:
    secret = draw(SECRETS)
    value = draw(st.sampled_from(PLANTS))(draw(NAMES), secret)
    pair = _is_pair(value)
    for wrap in draw(st.lists(st.sampled_from(WRAPS[:5] if pair else WRAPS), max_size=5)):
        value = wrap(value)
    fill = draw(FILL)
    return secret, draw(st.sampled_from([value, [fill, value], {"fill": fill, "it": value, "more": fill}]))


def _check(secret: str, value: object, max_bytes: int) -> None:
    text, _, redactions = Encoder(max_value_bytes=max_bytes).encode(value)
    assert secret[:12] not in text
    assert str(int(secret[5:], 16)) not in text
    assert base64.b64encode(secret.encode()).decode() not in text
    assert redactions or max_bytes == 256


def test_a_secret_in_json_within_json_that_was_cut():
    """Where a value's own closing quote was cut off, it ends where the text around it does."""
    assert Encoder().encode(r'{"arguments": "{\"cookie\": \"Pl4nt56bc75"}')[2] == 1


@given(planted(), st.sampled_from([256, 262_144]))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_planted_secret_is_found(plant: tuple[str, object], max_bytes: int) -> None:
    """Wherever a secret is planted in whatever structure, it is not in the output, nor half of it."""
    _check(*plant, max_bytes)


@pytest.mark.soak
@pytest.mark.timeout(2_400)
@given(planted(), st.sampled_from([256, 262_144]))
@settings(max_examples=280_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_planted_secret_is_found_for_minutes(plant: tuple[str, object], max_bytes: int) -> None:
    """The same for as long as patience lasts."""
    _check(*plant, max_bytes)


@pytest.mark.parametrize(
    "before", ["", " ", "\n", "\t", "\r", "\b", "\f", "\x01", "\x7f", '"', "\\", "\\n", "\\t", "/", "é", "…", "\u2028", "😀"]
)
@pytest.mark.parametrize("category", gallery.KEYS)
def test_what_stands_before_a_key_does_not_shield_it(category: str, before: str) -> None:
    """However JSON writes the character before it, a key in a plain value is found."""
    for form, make in gallery.KEYS[category].items():
        key = make(gallery.Draw(form))
        shown, _, redactions = Encoder().encode({"note": f"see{before}{key}" if before else key})
        assert key not in shown, form
        assert redactions, form


@pytest.mark.parametrize("before", ["\n", "\t", "\\n", '"\n'])
@pytest.mark.parametrize("category", gallery.PLACES)
def test_what_stands_before_a_place_does_not_shield_it(category: str, before: str) -> None:
    """However JSON writes the line break before it, a secret that its place tells is found as it is without."""
    for case in gallery.secrets():
        if case.category == category and isinstance(case.value, str) and not is_shown(case.secret, Encoder().encode(case.value)[0]):
            assert not is_shown(case.secret, Encoder().encode({"v": before + case.value})[0]), case.form


def strings(value: object) -> Iterator[str]:
    """Give the texts of a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from strings(each)


def test_the_quick_looks_rule_out_no_secret() -> None:
    """What a search finds where all are made, it finds where a quick look rules most of them out: a lone surrogate has all made."""
    for case in gallery.secrets():
        for text in strings(case.value):
            alone, in_full = Redactor().redact(text), Redactor().redact(f"\ud800\n{text}")
            assert in_full == (f"\ud800\n{alone[0]}", alone[1]), case.form


@pytest.mark.parametrize("hidden", ["sig=x", "\\u0041", "x-amz-signature=1", "a://b@c"])
def test_the_quick_look_misses_nothing(hidden: str) -> None:
    """A text in which redaction would find a secret is never ruled out by the quick look."""
    assert Redactor().may_hold(f"... {hidden.upper()} ...") or Redactor().may_hold(hidden)


def test_a_text_that_can_not_be_encoded_is_looked_through_too() -> None:
    """A lone surrogate, which the quick look can't read, shields no secret."""
    assert Redactor().redact("\ud800 password=hunter22") == ("\ud800 password=[redacted]", 1)
    assert Redactor().redact("\ud800 and no more") == ("\ud800 and no more", 0)


def is_shown(secret: str, recorded: str) -> bool:
    """Tell whether a secret, or most of a long one, is in what was recorded, however often it was written as JSON."""
    for _ in range(4):
        recorded = recorded.replace("\\\\", "\\")
    return secret in recorded or (len(secret) > 40 and secret[8:40] in recorded)


@pytest.mark.parametrize("category", [*gallery.KEYS, *gallery.PLACES])
def test_made_up_secrets_are_hidden(category: str) -> None:
    """Of the forms that the patterns were written for, and of those only measured, at least nine of ten are hidden in each category."""
    for held_out in (False, True):
        cases = [case for seed in range(3) for case in gallery.secrets(seed) if case.category == category]
        cases = [case for case in cases if gallery.is_held_out(case.form) is held_out]
        shown = [case.form for case in cases if is_shown(case.secret, Encoder().encode([case.value])[0])]
        assert len(shown) <= 0.1 * len(cases), shown


def test_nearly_all_made_up_secrets_are_hidden() -> None:
    """Of all forms, and of those that were only measured, at least 97 of 100 are hidden."""
    cases = [*gallery.secrets(7)]
    for some in (cases, [case for case in cases if gallery.is_held_out(case.form)]):
        shown = [case.form for case in some if is_shown(case.secret, Encoder().encode([case.value])[0])]
        assert len(shown) <= 0.03 * len(some), shown


def test_harmless_values_are_shown() -> None:
    """Ids, counts, code, prose and names that only look like secrets are recorded as they are, but for one of a hundred."""
    cases = [*gallery.harmless()]
    hidden = [case for case in cases if Encoder().encode([case.value])[2]]
    assert len(hidden) <= 0.01 * len(cases), hidden


def test_the_standard_library_has_few_secrets() -> None:
    """In the source of the standard library, tests left aside, at most two places per megabyte are taken for secrets."""
    redactor, size, found = Redactor(), 0, 0
    for path in sorted(Path(os.__file__).parent.glob("[a-z]*.py")):
        text = path.read_text("utf-8")
        size += len(text)
        found += redactor.redact(text)[1]
    assert size > 3_000_000
    assert found <= size / 500_000


@pytest.mark.parametrize(
    "finder",
    [*keys.FINDERS, *urls.FINDERS, *blocks.FINDERS, *commands.FINDERS, *known_secrets.finders(["hunter22"])],
    ids=lambda finder: finder.example,
)
def test_each_search_finds_its_example(finder: Finder) -> None:
    """The example beside a search has a secret of that kind, which its quick search does not rule out."""
    assert prefilter(finder.prefilter)(finder.example)
    assert [*finder.find(finder.example, can_filter=True)]
    assert Redactor(known=["hunter22"]).redact(finder.example)[1] == 1


KEYS_OF_CLIENTS = [
    "whyops_" + "a1" * 16,
    "plain words as a key",
    "ключ-от-сервиса",
    'quo"ted\\key',
    "a" * 12,
    "über/geheim?&=%",
    "{json: 1}",
]


@pytest.mark.parametrize("key", KEYS_OF_CLIENTS)
def test_the_clients_own_key_is_hidden_whatever_its_form(key: str) -> None:
    """It is looked for as it is, and as JSON, a repr, a URL and base64 write it, in values, keys and bytes alike."""
    encoder = Encoder(known=[key])
    written = [
        key,
        f"sent {key} there",
        json.dumps({"k": key}),
        json.dumps(json.dumps([key])),
        json.dumps(key, ensure_ascii=False),
        repr(key),
        quote(key),
        quote(key, safe=""),
        base64.b64encode(key.encode()).decode(),
        base64.urlsafe_b64encode(key.encode()).decode(),
    ]
    for value in (*written, key.encode(), {key: 1}, [{"a": (key,)}], ValueError(key)):
        shown, _, redactions = encoder.encode({"v": value})
        assert redactions
        for form in written:
            assert json.dumps(form)[1:-1] not in shown
            assert json.dumps(form, ensure_ascii=False)[1:-1] not in shown


def test_a_key_of_a_few_characters_is_not_looked_for() -> None:
    """It would be found in too much else."""
    assert Encoder(known=["abc"]).encode("abcdef")[0] == '"abcdef"'
