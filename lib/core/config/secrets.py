"""Which settings are secrets, and text without the credentials in it.

In doubt a value is masked: a masked harmless value costs a look into the file, a shown secret costs the
secret. Booleans, null and empty text are never secrets: they say whether one is set.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from typing import Any

from lib.core.config.values import MASKED

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
_URL_USER = re.compile(r"(?<![\w+.-])([A-Za-z][\w+.-]*+://)[^\s/@\"'<>]++@")
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<![A-Za-z0-9])(?:"
    r"eyJ[\w-]{8,}+(?:\.[\w-]*+)+"
    r"|hf_(?:[A-Za-z0-9]{20,}|(?=[A-Za-z]*+[0-9])[A-Za-z0-9]{6,})"
    r"|(?:sk|pk|rk)(?:-|_live_|_test_)[\w-]{8,}"
    r"|sb_(?:secret|publishable)_[\w-]+|sbp_[A-Za-z0-9]{8,}"
    r"|(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{8,}|github_pat_\w{8,}|glpat-[\w-]{8,}"
    r"|xox[abprs]-[\w-]{8,}|AKIA[0-9A-Z]{12,}|AIza[\w-]{30,}|r8_[A-Za-z0-9]{20,}|rpa_[A-Za-z0-9]{20,}"
    r")",
    re.DOTALL,
)
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
    r"://|key|token|secret|pass|auth|cred|bearer|basic"
    r" |sig|cookie|eyJ|hf_|[spr]k[-_]|sbp?_|gh[pousr]_|github_|glpat|xox"
    r"|AKIA|AIza|r8_|rpa_|pwd|jwt|dsn|sas",
    re.IGNORECASE,
)


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


def mask(value: Any, level: Secrecy) -> Any:
    """Return ``value`` as it may be shown: itself, ``MASKED``, or text with its credentials blotted out.

    Args:
        value: A scalar, or a tuple of scalars.
        level: What its name, or that of a container around it, says.
    """
    if value is None or isinstance(value, bool | int | float):
        hidden = level is Secrecy.ALL and value is not None and not isinstance(value, bool)
        return MASKED if hidden else value
    if isinstance(value, tuple):
        if level and any(isinstance(item, str) and item for item in value):
            return MASKED
        return _mask_items(value, level)
    if isinstance(value, str):
        if level and value.strip():
            return MASKED
        redacted = redact(value)
        return MASKED if redacted != value and redacted.strip() == MASK else redacted
    return MASKED if level and value else value


def redact(text: str) -> str:
    """Return ``text`` with every credential in it replaced by dots.

    Credentials are known by their shape (``hf_...``, ``sk-...``, JSON web tokens, private keys), by what
    stands before them (``Bearer``, ``api_key=``), and by their place in a URL (``user:password@host``).

    Example:
        >>> redact("https://me:pw@host/x"), redact("run --api-key abc --max_tokens 5")
        ('https://••••@host/x', 'run --api-key •••• --max_tokens 5')
    """
    # On long text the search for hints takes longer than the work it saves.
    if len(text) < HINT_CHARACTERS and not _HINT.search(text):
        return text
    text = _SHAPES.sub(MASK, text)
    text = _URL_USER.sub(rf"\g<1>{MASK}@", text)
    text = _SCHEME.sub(lambda found: f"{found.group(1) or found.group(2)}{MASK}", text)
    return _redact_assignments(text)


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


def _mask_items(items: tuple[Any, ...], level: Secrecy) -> tuple[Any, ...]:
    """Mask the items of a list, and the item after a flag that announces a secret ("--hf_token")."""
    shown: list[Any] = []
    announced = Secrecy.NONE
    for item in items:
        shown.append(mask(item, max(level, announced)))
        is_flag = isinstance(item, str) and item.startswith("-") and "=" not in item
        announced = secrecy(item) if is_flag else Secrecy.NONE
    return tuple(shown)
