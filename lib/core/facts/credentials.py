"""Which names are those of secrets, and text without the credentials in it.

In doubt a value is masked: a masked harmless value costs a look into the file, a shown secret costs the
secret. Booleans, null and empty text are never secrets: they say whether one is set.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise

MASK = "••••"
HINT_CHARACTERS = 500
"""Shorter text is first searched for anything that could announce a credential: most has nothing."""


class Secrecy(IntEnum):
    """What the name of a setting says about its value."""

    NONE = 0
    TEXT = 1
    """Named like a secret or like a count: text is masked, numbers are not ("tokens", "key")."""
    ALL = 2
    """Named like a secret and nothing else: numbers are masked too ("password", "api_key")."""


_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")

_OWNERS = (
    "api|access|auth|authentication|oauth|bearer|refresh|session|secret|private|personal|service|account|admin|"
    "client|app|bot|job|id|jwt|csrf|ssh|gpg|pgp|ssl|tls|encryption|signing|deploy|license|registry|publishable|"
    "anon|hf|hub|huggingface|hugging_face|wandb|mlflow|comet|neptune|clearml|openai|anthropic|cohere|mistral|gemini|"
    "github|gh|gitlab|aws|azure|gcp|google|supabase|replicate|together|runpod|modal|vast|lambda|slack|telegram|kaggle"
)
_STRONG = re.compile(
    r"secret|passw|passphrase|credential|authori[sz]|bearer|connection_string"
    r"|(?:^|_)(?:pwd|pass|auth|authentication|cookies?|jwt|dsn|webhook|sas)(?:_|$)"
    r"|(?:^|_)(?:j|php|asp)?(?:session|sess)_?id$|(?:^|_)connect_sid$|(?:^|_)x?csrf(?:token)?$"
    rf"|(?:^|_)(?:{_OWNERS})_?(?:token|key)s?(?![a-z])"
)
_WEAK = re.compile(r"(?:token|key)s?$")
_NOT_KEYS = {"monkey", "turkey", "donkey", "hotkey", "hockey", "whiskey", "jockey"}
_SIGNATURES = re.compile(r"(?:^|_)(?:sig|signature)$")

# Beside one of these, "key" and "token" belong to attention, vocabularies, columns or counts.
_HARMLESS_WORDS = (
    "max min num n nb total count counts number avg mean per second seconds sec step batch budget limit length len"
    " size dim rate ratio prob probability level loss weight weights type types index idx position id ids pad padding"
    " eos bos eot unk mask cls sep image video audio vision modality boi eoi fim prefix suffix middle special"
    " additional added extra stop start end begin beginning newline separator new response instruction prompt"
    " completion think thinking trigger placeholder initializer forced suppress decoder encoder classification value"
    " values query proj projection head heads states cache norm bias layer layers column columns field fields text"
    " label labels metric sort group dataset data input inputs output outputs target targets word words storage"
    " primary foreign unused ignore ignored valid processor message messages conversation chat train eval trained"
    " attributes logits embedding embeddings map"
)
_HARMLESS = frozenset(_HARMLESS_WORDS.split())

# Look-behinds let a match start only where a word starts, which keeps the search linear.
# A password may hold an "@", and that of a database a "/" too. In a path two slashes are one.
# What has no end is no password: without a bound the search would begin anew at each of many addresses.
_URL_USER = re.compile(
    r"(?<![A-Za-z0-9+.-])((?i:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|mssql|clickhouse)(?:\+\w++)*+://?)"
    r"[^\s\"'<>]{0,1000}@"
    r"|(?<![\w+.-])([A-Za-z][\w+.-]*+:/(?:/|(?=[^\s/\"'<>?#:@]*:)))[^\s/\"'<>?#]*@"
)
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)"
    r"|(?<![A-Za-z0-9])(?:"
    r"eyJ[\w-]{8,}+(?:\.[\w-]*+)+"
    r"|hf_(?:[A-Za-z0-9]{20,}|(?=[A-Za-z]*+[0-9])[A-Za-z0-9]{6,})"
    r"|(?:sk|pk|rk)(?:-|_live_|_test_)[\w-]{8,}"
    r"|sb_(?:secret|publishable)_[\w-]+|sbp_[A-Za-z0-9]{8,}"
    r"|(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{8,}|github_pat_\w{8,}|glpat-[\w-]{8,}"
    r"|xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}|AIza[\w-]{30,}|r8_[A-Za-z0-9]{20,}|rpa_[A-Za-z0-9]{20,}"
    # The secret of a pair stands behind its id.
    r"|(?:AKIA|ASIA)[0-9A-Z]{12,}(?:[^A-Za-z0-9/+]{1,3}[A-Za-z0-9/+]{40})?|ya29\.[\w-]{20,}|dapi[0-9a-f]{32}|SG\.[\w-]{16,}\.[\w-]{16,}"
    r"|gsk_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,}|pplx-[A-Za-z0-9]{20,}|nvapi-[\w-]{20,}|fw_[A-Za-z0-9]{20,}"
    r"|tgp_v1_[\w-]{20,}|wandb_v\d_[\w-]{20,}|api_org_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{40,}"
    r"|dop_v1_[0-9a-f]{32,}|glsa_\w{20,}|sntr[yu]s_[\w+/=-]{20,}|shp(?:at|ss|ca|pa)_[0-9a-fA-F]{20,}"
    r"|whsec_[A-Za-z0-9+/=]{16,}|lin_api_[A-Za-z0-9]{20,}|dckr_pat_[\w-]{16,}|LTAI[A-Za-z0-9]{16,}"
    r"|(?:sl|ATATT3|ATCTT3)\.?[A-Za-z0-9_=-]{60,}|\d{8,10}:AA[\w-]{33}"
    r")",
    re.DOTALL,
)
_WEBHOOK = re.compile(r"(hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/)[\w/-]{8,}")
_LOGIN = re.compile(r"((?i:wandb)\W+(?:login\W+)?(?:\w+@)?|(?<![\w])api:)[0-9a-f]{40}(?![0-9a-f])")
"""A key of W&B looks like a commit, so that only what stands before it tells them apart."""
_RANDOM = re.compile(r"(?<![A-Za-z0-9/+=_.-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_.-])")
_LEAST_TURNS = 18
"""Of forty random characters, so many are of another kind than the one before; of words and paths some ten are."""
_SCHEME = re.compile(
    r"\b((?i:bearer)\s+)[\w.~+/=-]{6,}"
    # Base64 has digits, padding, or capitals inside a word; "basic training" has not.
    r"|\b((?i:basic)\s+)(?=[A-Za-z+/]*?(?:[0-9=]|[a-z][A-Z]))[A-Za-z0-9+/]{8,}={0,2}"
)
_ASSIGNMENT = re.compile(
    r"(?<![\w-])(?:(--?)?+([A-Za-z_][\w-]*+)([\"']?+\s*+[=:]\s*+[\"']?+)|(--?)([A-Za-z][\w-]*+)(\s++)(?!-))(?=\S)"
)
_VALUE = re.compile(r"[^\s&,;\"'<>{}]+")
_HINT = re.compile(
    r":(?:/|aa)|key|t(?:oken|gp_)|s(?:ecret|ig|as|ess|k[-_]|bp?_|g\.|l\.|ntr|hp)|p(?:ass|wd|k[-_]|plx-|ypi-)"
    r"|a(?:uth|[ks]ia|iza|pi[:_]|tatt|tctt)|c(?:red|ookie|srf)|b(?:earer|asic )|eyj|h(?:f_|ook)|jwt|_sid|wandb|ya29"
    r"|g(?:h[pousr]_|ithub_|lpat|sk_|lsa_)|x(?:ox|app-|ai-)|r(?:k[-_]|8_|pa_)|d(?:sn|api|op_|ckr)|n(?:vapi-|pm_)"
    r"|fw_|ltai"
)
"""Of texts in small letters, sorted by their first: it is asked of every text, and to ignore case takes ten times as
long."""
_HINT_IN_ANY = re.compile(_HINT.pattern, re.IGNORECASE)
"""Letters beyond ASCII may be one of these in another case, as a dotless i is."""
_LONG_WORD = re.compile(r"[A-Za-z0-9/+]{40}")


@lru_cache(maxsize=8192)
def words_of(name: str) -> str:
    """Return ``name`` in lower case with one underscore between its words.

    Example:
        >>> words_of("OpenAI-APIKey"), words_of("lr_schedulerType")
        ('open_ai_api_key', 'lr_scheduler_type')
    """
    return _NOT_A_WORD.sub("_", _CAMEL.sub("_", name).lower()).strip("_")


@lru_cache(maxsize=8192)
def secrecy(name: str) -> Secrecy:
    """Tell what the name of a setting says about its value.

    Example:
        >>> [secrecy(name).name for name in ("api_key", "token", "max_tokens", "tokenizer", "key_proj")]
        ['ALL', 'TEXT', 'NONE', 'NONE', 'NONE']
    """
    joined = words_of(name)
    if _STRONG.search(joined):
        # A number under a plural is a count ("session_tokens").
        return Secrecy.TEXT if joined.endswith(("tokens", "keys")) else Secrecy.ALL
    words = joined.split("_")
    named = any(_WEAK.search(word) and word not in _NOT_KEYS for word in words)
    return Secrecy.TEXT if named and _HARMLESS.isdisjoint(words) else Secrecy.NONE


def redact(text: str) -> str:
    """Return ``text`` with every credential in it replaced by dots.

    Credentials are known by their shape (``hf_...``, ``sk-...``, JSON web tokens, private keys), by what
    stands before them (``Bearer``, ``api_key=``), and by their place in a URL (``user:password@host``).

    Example:
        >>> redact("https://me:pw@host/x"), redact("run --api-key abc --max_tokens 5")
        ('https://••••@host/x', 'run --api-key •••• --max_tokens 5')
    """
    # On long text the search for hints takes longer than the work it saves.
    if len(text) < HINT_CHARACTERS:
        return _redacted_short(text)
    return _redacted(text)


@lru_cache(maxsize=8192)
def _redacted_short(text: str) -> str:
    hint = _HINT.search(text.lower()) if text.isascii() else _HINT_IN_ANY.search(text)
    return _redacted(text) if hint or (len(text) >= 40 and _LONG_WORD.search(text)) else text


def redact_path(path: str) -> str:
    """As ``redact``, of a path whose parts are shown by themselves: none of them ends in the middle of another.

    Example:
        >>> redact_path("token=5f3a/x"), redact_path("a/https:/me:pw@host/x")
        ('token=••••/x', 'a/https:/••••@host/x')
    """
    return "/".join(map(_redact_assignments, _without_known(path).split("/"))) if redact(path) != path else path


def _redacted(text: str) -> str:
    return _redact_assignments(_without_known(text))


def _without_known(text: str) -> str:
    """A text without what is a credential whatever name stands before it."""
    text = _SHAPES.sub(MASK, text)
    text = _URL_USER.sub(lambda found: f"{found.group(1) or found.group(2)}{MASK}@", text)
    text = _WEBHOOK.sub(rf"\g<1>{MASK}", text)
    text = _LOGIN.sub(rf"\g<1>{MASK}", text)
    text = _RANDOM.sub(lambda found: MASK if _is_random(found.group()) else found.group(), text)
    return _SCHEME.sub(lambda found: f"{found.group(1) or found.group(2)}{MASK}", text)


def _is_random(text: str) -> bool:
    """Whether characters look like those of a key: letters of both cases and digits, in no order."""
    kinds = ["u" if each.isupper() else "l" if each.islower() else "d" if each.isdigit() else "o" for each in text]
    turns = sum(one != other for one, other in pairwise(kinds))
    return {"u", "l", "d"} <= set(kinds) and turns >= _LEAST_TURNS


def _redact_assignments(text: str) -> str:
    """Blot out what stands after the name of a secret: ``name=value``, ``name: value``, ``--name value``."""
    parts: list[str] = []
    done = 0
    for found in _ASSIGNMENT.finditer(text):
        if found.start() < done:
            continue
        name, separator = found.group(2) or found.group(5), found.group(3) or found.group(6)
        end = _end_of_secret(text, found.end(), name, separator)
        if end > found.end():
            parts += [text[done : found.end()], MASK]
            done = end
    return "".join([*parts, text[done:]])


def _end_of_secret(text: str, start: int, name: str, separator: str) -> int:
    """Where the secret that starts at ``start`` ends; ``start`` itself if it is none."""
    level = Secrecy.ALL if _SIGNATURES.search(words_of(name)) else secrecy(name)
    if not level:
        return start
    if separator[-1] in "\"'":
        end = text.find(separator[-1], start)
        return end if end >= 0 else len(text)
    found = _VALUE.match(text, start)
    if ":" in separator:
        if level is Secrecy.ALL:
            # A header line: "Authorization: token abc".
            end = text.find("\n", start)
            return end if end >= 0 else len(text)
        # "Key: the answer" is prose, "token: 5f3a" is not.
        if found and not any(character.isdigit() for character in found.group()):
            return start
    return found.end() if found else start
