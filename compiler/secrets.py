"""Telling a written secret from ordinary text, by what it is and by what it is called.

Prefixes of tokens are those their issuers publish for scanners. Nothing here keeps or shows what it looks at.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

# What is a secret whatever it is called.
_KNOWN = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY"
    r"|(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])"  # Amazon
    r"|gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40}"
    r"|glpat-[A-Za-z0-9_-]{20}"  # GitLab
    r"|xox[abeprs]-[0-9]+-[A-Za-z0-9-]{10}|hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{16}"
    r"|(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16}|whsec_[A-Za-z0-9]{24}"  # Stripe
    r"|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{30}|GOCSPX-[A-Za-z0-9_-]{20}"  # Google
    r"|npm_[A-Za-z0-9]{36}|pypi-AgE[A-Za-z0-9_-]{30}|dckr_pat_[A-Za-z0-9_-]{20}"
    r"|SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"  # SendGrid
    r"|sk-(?:proj|ant|svcacct)-[A-Za-z0-9_-]{20}|sk-[A-Za-z0-9]{40}"
    r"|hvs\.[A-Za-z0-9_-]{24}|hf_[A-Za-z]{34}|dop_v1_[a-f0-9]{64}|shp(?:at|ss|pa)_[a-f0-9]{32}"
    r"|AGE-SECRET-KEY-1[A-Z0-9]{40}"
    r"|eyJ[A-Za-z0-9_-]{10,400}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10}"  # a signed token
    r")"
    r"|AccountKey=[A-Za-z0-9+/]{40}"
)
_USERINFO = re.compile(r"(?<![\w+.-])[A-Za-z][\w+.-]{1,30}://[^\s/?#@:\"'<>]{0,200}:([^\s/?#@\"'<>]{1,200})@")
_BEARER = re.compile(r"\b(?:[Bb]earer|[Bb]asic)\s+([A-Za-z0-9+/_=.-]{16,400})")
# A word, an equals sign or colon, and a value, as in `token=…`, `--password=…` and `api-key: …`.
_ASSIGNED = re.compile(
    r"(?<![A-Za-z0-9_.])([A-Za-z][\w.-]{1,80})[\"']?\s{0,3}[=:]\s{0,3}[\"']?(?=([^\s\"',;&]{6,400}))"
)

_PASSWORD = re.compile(r"(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|PWD|PASS)$")
_KEY = re.compile(
    r"(?:^|_)(?:SECRET|TOKEN|CREDENTIALS?|APIKEY|(?:API|ACCESS|SECRET|PRIVATE|SIGNING|ENCRYPTION|MASTER|SHARED"
    r"|AUTH|SERVICE|ACCOUNT|LICENSE)_KEY)$"
)
_NOT_PASSWORDS = frozenset(("PWD", "OLDPWD"))
# What stands where a secret will be put in: references, masks, and words that are no values.
_PLACEHOLDER = re.compile(
    r"\$.*|.*(?:\$\{|\$\(|\{\{|<|%\w|\.\.\.|…).*|[*x•]+|(?:true|false|yes|no|on|off|none|null|required|optional)",
    re.IGNORECASE | re.DOTALL,
)
# Words of examples in documentation.
_EXAMPLE = re.compile(
    r"(?:my|your|the|some)?[_-]?(?:user|pass|passw(?:or)?d|pw|pwd|secret|token|key)", re.IGNORECASE
)
_A_PATH = re.compile(r"(?:\.{0,2}/|[A-Za-z]:\\|[A-Za-z][\w+.-]*://)")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PARTS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_A_WORD = re.compile(r"[A-Z]?[a-z]*|[A-Z]*|[a-z]{1,3}\d{1,4}|\d{1,4}|v?\d+[a-z]?")

CHARACTERS_MAX = 100_000
RANDOM_CHARACTERS_MIN = 8
WORD_CHARACTERS_MEAN_MIN = 2
RANDOM_BITS_MIN = 2.7


def is_secret(text: str, in_prose: bool = False) -> bool:
    """Whether a text holds a secret, whatever the text is for.

    In prose, words such as `user:password` in a URL stand for what a reader puts there.
    """
    if len(text) < RANDOM_CHARACTERS_MIN:
        return False
    text = text[:CHARACTERS_MAX]
    if _KNOWN.search(text):
        return True
    if "://" in text and any(not _stands_for_one(m[1], in_prose) for m in _USERINFO.finditer(text)):
        return True
    if any(_is_random(match[1]) for match in _BEARER.finditer(text)):
        return True
    return ("=" in text or ":" in text) and any(
        _names_secret(m[1]) and _is_random(m[2]) and not _A_PATH.match(m[2]) for m in _ASSIGNED.finditer(text)
    )


def is_secret_value(name: str, value: str) -> bool:
    """Whether a value is a secret, given what it is called: `DB_PASSWORD`, `apiKey`."""
    if not value or is_secret(value):
        return bool(value)
    if _PLACEHOLDER.fullmatch(value) or _A_PATH.match(value):
        return False
    upper = _upper(name)
    if _PASSWORD.search(upper) and upper not in _NOT_PASSWORDS:
        return not any(char.isspace() for char in value)
    return bool(_KEY.search(upper)) and _is_random(value)


def has_secret(data: object) -> bool:
    """Whether there is a secret anywhere in data as YAML gives it: mappings, lists and texts.

    A list of `name` and `value` pairs, as Kubernetes writes variables, counts like a mapping.
    """
    return any(is_secret_value(name, value) for name, value in _named_texts(data))


def _named_texts(data: object) -> Iterator[tuple[str, str]]:
    pending: list[tuple[str, object]] = [("", data)]
    seen: set[int] = set()
    while pending:
        name, value = pending.pop()
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, Mapping | Sequence) and id(value) not in seen:
            seen.add(id(value))
            if isinstance(value, Sequence):
                pending.extend((name, item) for item in value)
                continue
            pending.extend((str(key), item) for key, item in value.items())
            if isinstance(value.get("name"), str) and "value" in value:
                pending.append((value["name"], value["value"]))


def _stands_for_one(password: str, in_prose: bool) -> bool:
    return bool(_PLACEHOLDER.fullmatch(password) or (in_prose and _EXAMPLE.fullmatch(password)))


def _names_secret(name: str) -> bool:
    upper = _upper(name)
    return bool(_PASSWORD.search(upper) or _KEY.search(upper)) and upper not in _NOT_PASSWORDS


def _upper(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", _CAMEL.sub("_", name[-100:])).strip("_").upper()


def _is_random(text: str) -> bool:
    """Whether a text was made by a machine: not words, versions and short numbers with signs between."""
    if len(text) < RANDOM_CHARACTERS_MIN or _PLACEHOLDER.fullmatch(text):
        return False
    parts = [part for part in _PARTS.split(text) if part]
    letters = [part for part in parts if part.isalpha()]
    are_words = all(_A_WORD.fullmatch(part) for part in parts)
    if are_words and sum(map(len, letters)) >= WORD_CHARACTERS_MEAN_MIN * len(letters):
        return False
    return _bits(text) >= RANDOM_BITS_MIN


def _bits(text: str) -> float:
    """Shannon's entropy of the text's characters, in bits for each."""
    counts = Counter(text[:400]).values()
    total = sum(counts)
    return -sum(count / total * math.log2(count / total) for count in counts)
