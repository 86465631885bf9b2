"""What the model makes of a text: the pieces it is cut into, the words around it, and how exact its weights are."""

from __future__ import annotations

import re

from lib.core.aspects.facts import (
    PER_EXAMPLE,
    Agreement,
    Compared,
    RunFacts,
    agreement_of,
    compare_settings,
    shown_setting,
)
from lib.core.config.base_models import tokenizer_family
from lib.core.config.setting import Setting
from lib.core.config.training_method import Method
from lib.core.facts.limits import Limit
from lib.core.facts.values import text, whole

# fmt: off
SAME_VOCABULARY = Limit(0.01, "Same vocabulary",
    "Vocabularies of one tokenizer whose sizes differ by up to this share differ by padding or a few special tokens.")
# fmt: on


def tokenizer(first: RunFacts, second: RunFacts) -> Compared | None:
    """Which pieces texts are cut into."""
    if first.is_of(PER_EXAMPLE) and second.is_of(PER_EXAMPLE):
        return None
    one, other = _tokenizer_name(first), _tokenizer_name(second)
    if one is None or other is None:
        return Compared(Agreement.CANNOT_TELL, (one, other))
    families = tokenizer_family(one), tokenizer_family(other)
    if one.casefold() == other.casefold() or (families[0] and families[0] == families[1]):
        return Compared(Agreement.SAME, (one, other))
    if families[0] and families[1]:
        return Compared(Agreement.DIFFERENT, (f"{one}: {families[0].name}", f"{other}: {families[1].name}"))
    return Compared(Agreement.CANNOT_TELL, (one, other))


def _tokenizer_name(facts: RunFacts) -> str | None:
    own = facts.first(
        "tokenizer_name", "tokenizer_name_or_path", "tokenizer", "tokenizer.name", "tokenizer.name_or_path"
    )
    for setting in (own, facts.first("base_model")):
        if setting is not None and isinstance(setting.value, str) and (name := text(setting.value)):
            return name
    return None


_TEMPLATE = (
    "chat_template", "template", "chat_template_path", "chat_template_jinja", "conversation_template", "template_type",
    "template_name", "prompt_template", "prompt_format",
)  # fmt: skip
_OPEN_TEMPLATES = frozenset(("default", "auto", "tokenizer_default", "tokenizer", "chat_template", "true", "jinja"))
"""The one that belongs to the tokenizer, whatever that is."""


def template(first: RunFacts, second: RunFacts) -> Compared | None:
    """What stands around the turns of a conversation."""
    if any(facts.is_of(PER_EXAMPLE | {Method.PRETRAINING}) for facts in (first, second)):
        return None
    one, other = first.first(*_TEMPLATE), second.first(*_TEMPLATE)
    if one is None and other is None:
        return None
    shown = shown_setting(one), shown_setting(other)
    return Compared(agreement_of(None if one is None or other is None else _same_template(one, other)), shown)


def _same_template(first: Setting, second: Setting) -> bool | None:
    texts = ["".join(str(setting.value).split()).casefold() for setting in (first, second)]
    kinds = ["text" if "{" in each else "path" if re.search(r"[/\\]|\.jinja$", each) else "name" for each in texts]
    if texts[0] == texts[1]:
        # One place may hold another text by the time of the second run.
        return None if texts[0] in _OPEN_TEMPLATES else True
    if kinds[0] != kinds[1] or kinds[0] == "path" or _OPEN_TEMPLATES & set(texts):
        return None
    return False


_ADDED = (
    "new_special_tokens",
    "additional_special_tokens",
    "added_tokens",
    "add_tokens",
    "new_tokens",
    "special_tokens_to_add",
)
_RESIZED = "resize_vocab", "resize_token_embeddings", "resize_embeddings"


def vocabulary(first: RunFacts, second: RunFacts) -> Compared | None:
    """How many pieces the model tells apart: each new one takes its share of every prediction."""
    cut = tokenizer(first, second)
    if cut is None or cut.agreement is Agreement.DIFFERENT:
        return None
    counts = [whole(facts.value("vocab_size", "padded_vocab_size", "new_vocab_size")) for facts in (first, second)]
    one, other = counts
    if one and other:
        decides = abs(one - other) > SAME_VOCABULARY * min(one, other)
        return Compared(agreement_of(one == other), (f"{one:,} pieces", f"{other:,} pieces"), decides)
    for names in (_ADDED, _RESIZED):
        settings = first.first(*names), second.first(*names)
        if all(settings) and compare_settings(*settings) is Agreement.DIFFERENT:
            return Compared(
                Agreement.DIFFERENT, (shown_setting(settings[0]), shown_setting(settings[1])), decides=False
            )
    return None


def quantization(first: RunFacts, second: RunFacts) -> Compared | None:
    """To how many bits the weights of the base model are rounded while it is evaluated."""
    one, other = _bits(first), _bits(second)
    if one is None or other is None or one == other:
        return None
    return Compared(Agreement.DIFFERENT, (one, other), decides=False)


def _bits(facts: RunFacts) -> str | None:
    value = facts.value("quantization")
    number = re.search(r"\d+", str(value)) if value is not None and not isinstance(value, bool) else None
    if number:
        return f"{number[0]}-bit"
    switches = {bits: facts.value(f"load_in_{bits}bit") for bits in (4, 8)}
    on = [bits for bits, switch in switches.items() if switch is True]
    if on:
        return f"{on[0]}-bit"
    is_off = value is False or (text(value) or "").casefold() in ("none", "no") or False in switches.values()
    return "not quantised" if is_off else None
