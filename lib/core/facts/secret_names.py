"""Which names are those of secrets.

In doubt a value is masked: a masked harmless value costs a look into the file, a shown secret costs the
secret. But of two runs whose masked values differ nobody sees that they do, so what trainers really call their
settings must not be taken for one.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache


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
    r"secret|passw|passphrase|credential|(?<!un)authori[sz]|bearer|connection_string"
    r"|(?:^|_)(?:pwd|auth|authentication|cookies?|jwt|dsn|webhook|sas)(?:_|$)"
    # Neither a pass over the data, nor one of a filter, nor what share of the answers passes ("pass_at_k").
    r"|(?:^|_)(?<!first_)(?<!second_)(?<!forward_)(?<!backward_)(?<!single_)(?<!multi_)(?<!two_)(?<!one_)(?<!low_)"
    r"(?<!high_)(?<!band_)(?<!num_)(?<!all_)(?<!max_)(?<!per_)(?<!last_)"
    r"pass(?:$|_(?!at(?:_|$)|k(?:_|$)|\d|rate|ratio|threshold|score|count|through|reward|accuracy))"
    r"|(?:^|_)(?:j|php|asp)?(?:session|sess)_?id$|(?:^|_)connect_sid$|(?:^|_)x?csrf(?:token)?$"
    rf"|(?:^|_)(?:{_OWNERS})_?(?:token|key)s?(?![a-z])"
)
_WEAK = re.compile(r"(?:token|key)s?$")
_NOT_KEYS = {"monkey", "turkey", "donkey", "hotkey", "hockey", "whiskey", "jockey", "prngkey"}
SIGNATURES = re.compile(r"(?:^|_)(?:sig|signature)$")
"""Names of signatures, in words: in an address they let anybody in, in a configuration they are of other things."""
_ABOUT_ONE = re.compile(
    r"_(?:datasets?|method|type|mode|length|len|enabled|required|rate|ratio|threshold|size|weight|count)$"
)
"""Ends of names that say something about a secret, or are of what is only called after one ("password_dataset")."""

# Beside one of these, "key" and "token" belong to attention, vocabularies, columns or counts.
_HARMLESS_WORDS = (
    "max min num n nb total count counts number avg mean per second seconds sec step batch budget limit length len"
    " size dim rate ratio prob probability level loss weight weights type types index idx position id ids pad"
    " padding eos bos eot unk mask cls sep image video audio vision modality boi eoi fim prefix suffix middle"
    " special additional added extra stop start end begin beginning newline separator new response instruction"
    " prompt completion think thinking trigger placeholder initializer forced suppress decoder encoder"
    " classification value values query proj projection head heads states cache norm bias layer layers column"
    " columns field fields text label labels metric sort group dataset data input inputs output outputs target"
    " targets word words storage primary foreign unused ignore ignored valid processor message messages conversation"
    " chat train eval trained attributes logits embedding embeddings map mapping chosen rejected reward fn answer"
    " question caption class split name source src tgt dict metadata feature features missing unexpected frozen"
    " trainable exclude include skip dispatch optimizer teacher student advantage monitor score best rng prng attn"
    " attention cross lora dropout mixing merging pruning masking noise shift accuracy sum visual speech codec"
    " semantic acoustic reasoning tool observation human assistant gist soft virtual sink reserved chunk block seq"
    " packed sliding window topk selection selector strategy blank silence pause lang language task domain sos go"
    " delimiter boundary dummy bits multiplier temperature prediction weighting seen context memory summary latent"
    " doc reference error errors exception"
)
_HARMLESS = frozenset(_HARMLESS_WORDS.split())


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
    if _STRONG.search(joined) and not _ABOUT_ONE.search(joined):
        # A number under a plural is a count ("session_tokens").
        return Secrecy.TEXT if joined.endswith(("tokens", "keys")) else Secrecy.ALL
    words = joined.split("_")
    named = any(_WEAK.search(word) and word not in _NOT_KEYS for word in words)
    return Secrecy.TEXT if named and _HARMLESS.isdisjoint(words) else Secrecy.NONE
