"""Keys that show by themselves what they are: how the keys of each vendor begin, and what follows.

The beginnings are those that the vendors document. A key of a vendor that is not listed is known where it is made like one: after a word
such as `sk`, `pat` or `secret`, or after any short word, letters and digits that no word is made of.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from .regex import Finder, Pattern, Span, matches
from .values import ALNUM, MAX_JUDGED, decoded, is_random

_BEGINNINGS = {
    8: "sk- YOPS- xoxa- xoxb- xoxc- xoxd- xoxe- xoxo- xoxp- xoxr- xoxs- xapp- xwfp-",
    10: "sk_live_ sk_test_ sk_prod_ pk_live_ pk_test_ rk_live_ rk_test_ rk_prod_ rzp_live_ rzp_test_",
    6: "whyops_",
    16: (
        "eyJ "
        # models and what serves them
        "hf_ api_org_ gsk_ xai- pplx- r8_ fw_ tgp_v1_ csk- nvapi- pa- tvly- fc- lsv2_pt_ lsv2_sk_ ls__ pcsk_ llx- jina_ e2b_ rpa_ "
        "key_ vck_ exa_ m0- bb_live_ bb_test_ glhf_ up_ nk- ak- as- apify_api_ wandb_v1_ pylf_v1_ hl_sk_ sess- ek_ zpka_ sk_ "
        "bedrock-api-key- dapi dsapi dkea "
        # code hosts, builds, registries
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- glrt- glrtr- glptt- glcbt- glagent- gloas- glft- glimt- glsoat- glffct- "
        "glwt- GR1348941 ATBB ATATT3 ATCTT3 ATOA npm_ pypi- rubygems_ dckr_pat_ dckr_oat_ cio cmVmd bkua_ bkaj_ bkct_ bkcd_ CCIPAT_ "
        "CCIPRJ_ sgp_ squ_ sqp_ sqa_ pnu_ pnb_ API- CLOJARS_ sktsec_ snyk_ sdp_ cu_ "
        # clouds, hosting, databases
        "dop_v1_ doo_v1_ dor_v1_ HRKU- nfp_ nfc_ nfo_ nfu_ nfb_ vcp_ vci_ vca_ vcr_ fm1_ fm1r_ fm2_ fm2r_ fo1_ rnd_ cfut_ cfat_ "
        "cfk_ pscale_pw_ pscale_tkn_ pscale_oauth_ sbp_ sb_secret_ napi_ xau_ mdb_sa_sk_ tk-us- pul- GOCSPX- ya29. LTAI AKLT ALTAK- "
        "sha256~ essu_ AQVN tskey- v1.0- bce-v3/ hcaik_ hcxik_ hcbik_ hcalk_ xaat- xapt- scw_ "
        # secrets, identity, monitoring
        "hvs. hvb. hvr. dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit. ops_ ory_st_ ory_pat_ ory_at_ ory_rt_ ory_ac_ okd_ sntrys_ "
        "sntryu_ sntrya_ glsa_ glc_ NRAK- NRII- NRJS- NRAA- NRBR- dt0c01. dt0s01. dt0s02. dt0s03. dt0s06. dt0s08. phx_ phs_ pdus+ "
        "waka_ "
        # payment, mail, shops, work
        "whsec_ sq0csp- sq0atp- sq0idp- FLWSECK_TEST- FLWSECK- FLWSECK_LIVE- duffel_live_ duffel_test_ shippo_live_ shippo_test_ "
        "EZAK EZTK APP_USR- shpat_ shpca_ shppa_ shpss_ shpua_ shptka_ shpit_ key- xkeysib- xsmtpsib- mlsn. re_ PMAK- PMAT- ntn_ "
        "secret_ lin_api_ lin_oauth_ figd_ figu_ figoh_ figor_ pat-na1- pat-eu1- pat-na2- CFPAT- rdme_ tfp_ ico- p8e- fio-u- dnkey- "
        "sm_aat_ sm_pat_ sm_sat_ ATTA s-s4t2ud- s-s4t2af- u-s4t2ud- u-s4t2af- amzn1.oa2-cs.v1. secret-live- secret-test- "
        "signkey-prod- signkey-test- tr_dev_ tr_prod_ tr_pat_ A3- access_token$ access-sandbox- access-production- "
        "access-development- live_ test_ prod_ st.live. st.test. BSA AGE-SECRET-KEY-1 FIRE_ "
    ),
    40: "gAAAAAB AQ. sl. sl.u. EAAA oy2 4b1d AKCp t1. v2.local. v4.local. v3.local. pat. sat. sk. 1//0 1//1",
    80: "EAA IGQ IGAA xprv",
    30: "AIza",
    60: "ABSK dG9rO",
}
"""How keys begin, by how many characters have to follow: of models, code hosts, clouds, stores, payment, mail and work."""

_LEAST = {beginning: least for least, beginnings in _BEGINNINGS.items() for beginning in beginnings.split()}

_UNSEEN = "\u200b-\u200d\u2060\ufeff"
"""Characters that can't be seen: they are put into a key so that it is not found."""

_REST = rf"[A-Za-z0-9_.~+/%{_UNSEEN}-]{{6,}}={{0,2}}"

_WHOLE = (
    r"A(?:KIA|SIA|BIA|CCA|3T[A-Z0-9])(?![A-Z0-9]{9}EXAMPLE)[A-Z0-9]{16}(?![A-Za-z0-9])",
    r"A{21,22}(?!A)[A-Za-z0-9%]{60,}",
    r"AKID[A-Za-z0-9]{28,40}(?![\w-])",
    r"SK[0-9a-f]{32}(?![A-Za-z0-9])",
    r"SG\.[\w-]{16,80}\.[\w-]{16,80}",
    r"S[AUONCX][A-Z2-7]{56}(?![A-Za-z0-9])",
    r"pat[A-Za-z0-9]{14}\.[0-9a-f]{40,64}",
    r"s\.(?=[A-Za-z]{0,23}\d)[A-Za-z0-9]{24}(?![\w.])",
    r"YC[A-Za-z0-9_-]{38}(?![\w-])",
    r"sdk-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![\w-])",
    r"api-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![\w-])",
    r"pk_\d{4,12}_[A-Z0-9]{32}(?![\w-])",
)
"""Keys that are known by more than how they begin."""

_MARKED = {
    "Q~": r"[A-Za-z0-9_~.]{3}\dQ~[\w~.-]{31,34}",
    ".atlasv1.": r"[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,90}",
    "-us": r"[0-9a-f]{32}-us\d{1,2}",
    "_mmk": r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk",
    ".": r"[A-Za-z0-9_-]{24,28}\.[\w-]{6,7}\.[\w-]{27,50}",
    "00": r"00[A-Za-z0-9_-]{40}",
    "==": r"(?<![+/-])[A-Za-z0-9+/]{86,90}==",
}
"""Keys that are known by what is within them: of Azure, Terraform, Mailchimp, MaxMind, Discord, Okta, Azure's stores."""

_START, _STOP = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt]))", r"(?![A-Za-z0-9])"
_MARKED_PATTERNS = [(mark, Pattern(f"{_START}{pattern}{_STOP}", re.ASCII)) for mark, pattern in _MARKED.items()]

_AZURE = Pattern(r"JQQJ99|AZDO|AzSe[A-D]|AzFu|AzCa|AIoT|\+ASt|\+ARm|\+AEh|ACDb|APIM")
"""What Azure writes into its keys so that they are found."""

_WORD = Pattern(rf"[A-Za-z0-9][\w.~+/%$|{_UNSEEN}-]{{11,}}={{0,2}}", re.ASCII)
_SEGMENT = Pattern(r"[A-Za-z0-9]{20,}")
_LEAD = Pattern(r"(?:[A-Za-z0-9]{0,12}[_.-])?(?:[A-Za-z][A-Za-z0-9]{0,11})[_-]\Z")
_KEY_WORDS = frozenset(
    """
sk rk pat pats api apikey key keys secret token tok tkn pw pwd pass auth oauth access refresh live test prod production sandbox priv
private v1 v2 svc sa admin cred bearer jwt session st at rt ingest webhook signing bot service
""".split()  # noqa: SIM905  (a list of words)
)
"""Words that vendors put before a key."""

_ID_WORDS = frozenset(
    """
resp msg call toolu tooluse chatcmpl run thread file asst req rs fc gen batch step evt cs pi ch cus in sub price prod pm seti src txn
acct vs sha sha1 sha256 sha384 sha512 md5 id ids hash commit trace span node task job srvtoolu msgbatch container ft ftjob image img
blob digest etag cache chunk part page cursor pk
""".split()  # noqa: SIM905  (a list of words)
)
"""Words that stand before ids, which look the same."""

_LONG = 32
_BLOB = 300
"""Characters from which on a word is data that was written as base64, in which any letters may follow each other."""
_MAX_LEAD = 27


def find_keys(text: str) -> Iterator[Span]:
    """Find where keys begin and end."""
    for word in _WORD.finditer(text):
        start, end = word.span()
        listed = [found.span() for found in _beginnings().finditer(text, start, end) if _is_listed(found, end - start)]
        yield from listed or _unlisted(text, start, end)


def _is_listed(found: re.Match[str], size: int) -> bool:
    """Tell whether what begins as one of the listed keys is one. `size` is that of the word that it stands in."""
    is_in_blob = size > _BLOB and found.string[found.start() - 1] in "+/"
    return not is_in_blob and (found[1] is None or (len(found[2]) >= _LEAST[found[1]] and _is_made(found[1], found[2])))


def _unlisted(text: str, start: int, end: int) -> Iterator[Span]:
    """Find the key in a word that has none of the listed beginnings."""
    word = text[start:end]
    for mark, pattern in _MARKED_PATTERNS:
        if mark in word:
            yield from (found.span() for found in pattern.finditer(text, start, end) if is_random(found[0], 12))
    if 44 <= len(word) <= 100 and _AZURE.search(word) and is_random(word):
        yield start, end
    for segment in _SEGMENT.finditer(word):
        if _is_key(segment[0], word[max(0, segment.start() - _MAX_LEAD) : segment.start()]):
            yield start + segment.start(), start + len(word)
            return


def _is_key(segment: str, before: str) -> bool:
    """Tell whether letters and digits are a key by the words before them."""
    lead = _LEAD.search(before)
    if lead is None or not is_random(segment, 20):
        return False
    is_first = (lead.start() == 0 and len(before) < _MAX_LEAD) or before[lead.start() - 1 : lead.start()] in {"/", "|", "$"}
    words = [word[0].lower() for word in ALNUM.finditer(lead[0])]
    is_id = words[-1] in _ID_WORDS and words[0] not in _KEY_WORDS
    mixed = not segment.islower() and not segment.isupper() and not segment.isalpha()
    return not is_id and (not _KEY_WORDS.isdisjoint(words) or (is_first and mixed and len(segment) >= _LONG))


def _is_made(beginning: str, rest: str) -> bool:
    """Tell whether what begins as a key goes on as one: in one of its parts are digits, or letters that no word is made of."""
    if beginning == "eyJ":
        return len(rest.partition(".")[2]) >= 4 or _SECRET_IN_JSON.match(decoded(beginning + rest)) is not None
    parts = [part[0] for part in ALNUM.finditer(rest[:MAX_JUDGED].translate(_SEEN))]
    if beginning in _WORDS:
        return any(len(part) >= _LONG_PART and is_random(part) for part in parts)
    mixed = [len(part) for part in parts if not part.isalpha() and not (part.isdigit() and len(part) < _NUMBER)]
    return max(mixed, default=0) >= _ONE_PART or sum(size >= _SOME_PART for size in mixed) > 1 or any(map(is_random, parts))


_ONE_PART, _SOME_PART, _LONG_PART, _NUMBER = 8, 6, 16, 8
"""Characters that a part with a digit has in a key: one part is enough, or there are several."""


_SEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_SECRET_IN_JSON = Pattern(r"\{(?s:.*)\"[^\"]{0,40}(?:pass|secret|token|api_?key|private|auth)[^\"]{0,40}\"\s{0,4}:", re.IGNORECASE)


@functools.cache
def _beginnings() -> Pattern:
    """Compile the search for all beginnings, by their first letters, so that few are tried at a place."""
    by_letter: dict[str, list[str]] = {}
    for beginning in sorted(_LEAST, key=len, reverse=True):
        by_letter.setdefault(beginning[0], []).append(re.escape(beginning[1:]))
    listed = "|".join(f"{letter}(?:{'|'.join(rests)})" for letter, rests in by_letter.items())
    return Pattern(rf"{_START}(?:({listed})({_REST})|{'|'.join(_WHOLE)})", re.ASCII)


def _prefilter() -> str:
    """Return what is in each text with a key.

    Nothing is counted from any letter on: that would give the search another state for each letter of each word, and make it slower.
    """
    whole = "|".join(re.sub(r"\(\?[!=].*?\)", "", each) for each in _WHOLE).replace(r"\w", "A-Za-z0-9_").replace(r"\d", "[0-9]")
    words, others = ("|".join(map(re.escape, sorted(each))) for each in (_LEAST.keys() & _WORDS, _LEAST.keys() - _WORDS))
    return "|".join(
        (
            rf"(?:^|[^A-Za-z0-9]|\\[bfnrt])(?:(?:{others})[A-Za-z0-9_.~+/%-]{{6}}|(?:{words})(?:[A-Za-z0-9]{{1,10}}[_-])?[A-Za-z0-9]{{16}}|{whole})",
            rf"[A-Za-z0-9_-][{_UNSEEN}][A-Za-z0-9_-]",
            rf"(?:^|[^A-Za-z0-9]|\\[bfnrt])(?:{'|'.join(sorted(_KEY_WORDS))})[_-](?:[A-Za-z0-9]{{1,12}}[_-])?[A-Za-z0-9]{{20}}",
            "[A-Za-z][A-Za-z0-9]?[_-][A-Za-z0-9]{32}",
            "(?:^|[^A-Za-z0-9_-]|\\\\[bfnrt])00[A-Za-z0-9_-]{40}",
            r"[0-9]Q~|\.atlasv1\.|[0-9a-f]-us[0-9]|_mmk|\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27}|[A-Za-z0-9+/]==(?:[^A-Za-z0-9=(]|$)",
            "JQQJ99|AZDO|AzSe[A-D]|AzFu|AzCa|AIoT|ACDb|APIM",
        )
    )


_WORDS = frozenset(
    """
key_ key- live_ test_ prod_ up_ re_ as- ak- nk- pa- fc- m0- ops_ exa_ secret_ sk_ cu_ sdp_ FIRE_ API- BSA EAA cio ico- ek_ fw_
""".split()  # noqa: SIM905  (a list of words)
)
"""Beginnings that are in much else, so that more has to follow."""

FINDERS = (
    Finder("sk-hunter22hunter22", _prefilter(), find_keys),
    Finder("1234567890:AAhunter22hunter22hunter22hunter22hu", r"[0-9]:AA", matches(Pattern(r"\d{8,10}:AA[\w-]{32,40}"))),  # Telegram
    Finder(
        "01234567-89ab-cdef-0123-456789abcdef:0123456789abcdef0123456789abcdef",
        r"[0-9a-f]:[0-9a-f]{32}",
        matches(Pattern(r"(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[12]/\d{10,20}(?:/\d{10,20})?):[0-9a-f]{32}")),
    ),
    Finder(
        "AstraCS:hunter22hunter:0123456789abcdef0123456789abcdef01234567",
        "AstraCS:",
        matches(Pattern(r"AstraCS:[\w-]{10,40}:[0-9a-f]{40,80}")),
    ),
)
