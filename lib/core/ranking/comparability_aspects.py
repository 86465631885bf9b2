"""What makes two eval losses comparable, aspect by aspect.

An aspect decides where its difference changes what is averaged: another loss, other examples, other tokens.
It is a caution where the difference only matters for some of the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from lib.core.config.base_models import tokenizer_family
from lib.core.config.datasets import same_dataset, shown_dataset
from lib.core.config.setting import Setting
from lib.core.config.training_method import UPDATE_WORDS, Method
from lib.core.facts.values import finite, text
from lib.core.ranking.comparability_facts import (
    EVAL_DATASETS,
    SEEDS,
    Agreement,
    RunFacts,
    compare_settings,
    share_of,
    shown_setting,
)

Shown = tuple[str | None, str | None]
"""The values of two runs as text; ``None`` for what is not recorded."""


class Aspect(StrEnum):
    """One thing that eval losses depend on, the most telling first."""

    METHOD = "method"
    DATASET = "dataset"
    EVAL_SPLIT = "eval_split"
    TOKENIZER = "tokenizer"
    REFERENCE = "reference"
    MASKING = "masking"
    PACKING = "packing"
    LOSS_TYPE = "loss_type"
    BETA = "beta"
    LABEL_SMOOTHING = "label_smoothing"
    MAX_SEQ_LENGTH = "max_seq_length"


class Compared(NamedTuple):
    """What was found out about one aspect of a pair.

    Attributes:
        agreement: Of the two.
        shown: The two values.
        decides: Whether a difference makes the losses incomparable; else it is a caution.
    """

    agreement: Agreement
    shown: Shown
    decides: bool = True


Compare = Callable[[RunFacts, RunFacts], Compared | None]
"""Compares two runs; ``None`` where the aspect means nothing for them."""

PER_EXAMPLE = frozenset((Method.CLASSIFICATION, Method.REWARD))
"""Their loss is averaged over examples: how a text is cut into tokens does not change what is counted."""

REFERENCED = frozenset((Method.DPO, Method.KTO))
"""Their loss is measured against the model that training started from."""

PREFERENCE = frozenset((Method.DPO, Method.KTO, Method.ORPO, Method.CPO, Method.SIMPO))
"""Their loss is scaled by ``beta``."""


def _method(first: RunFacts, second: RunFacts) -> Compared:
    one, other = (
        facts.method.value if facts.method else shown_setting(facts.first("method")) for facts in (first, second)
    )
    agreement = Agreement.CANNOT_TELL
    if first.method and second.method:
        agreement = _agreement(first.method is second.method)
    elif first.method is second.method and one and other and one.casefold() == other.casefold():
        # One word that is not in the catalogue; but how weights are updated says nothing about the loss.
        agreement = Agreement.CANNOT_TELL if one.casefold() in UPDATE_WORDS else Agreement.SAME
    return Compared(agreement, (one, other))


def _agreement(same: bool | None) -> Agreement:
    if same is None:
        return Agreement.CANNOT_TELL
    return Agreement.SAME if same else Agreement.DIFFERENT


def _dataset(first: RunFacts, second: RunFacts) -> Compared:
    held_out = first.first(*EVAL_DATASETS), second.first(*EVAL_DATASETS)
    if all(held_out):
        one, other = _path(held_out[0]), _path(held_out[1])
    elif any(held_out):
        # The one may have been cut out of the other's data, or not.
        return Compared(Agreement.CANNOT_TELL, (shown_setting(held_out[0]), shown_setting(held_out[1])))
    else:
        one, other = _path(first.first("dataset")), _path(second.first("dataset"))
    shown = _shown_path(one), _shown_path(other)
    same = same_dataset(one, other)
    counts = [(facts.run.train_samples, facts.run.val_samples) for facts in (first, second)]
    if same is None and one is not None and other is not None and counts[0] == counts[1] and None not in counts[0]:
        # One name and twice as many examples for training and for evaluation: uploaded twice.
        same = shown[0] == shown[1] or None
    return Compared(_agreement(same), shown)


def _path(setting: Setting | None) -> object:
    """The dataset as it was stated: the effective setting holds only its name."""
    if setting is None:
        return None
    return setting.places[0][1] if setting.places else setting.value


def _shown_path(path: object) -> str | None:
    return None if path is None else shown_dataset(path) or None


def _split(first: RunFacts, second: RunFacts) -> Compared | None:
    if _dataset(first, second).agreement is Agreement.DIFFERENT:
        # Splits of different data have nothing in common to compare.
        return None
    counts = first.run.val_samples, second.run.val_samples
    counted = f"{counts[0]} eval examples", f"{counts[1]} eval examples"
    if None not in counts and counts[0] != counts[1]:
        return Compared(Agreement.DIFFERENT, counted)
    if all(facts.first(*EVAL_DATASETS) for facts in (first, second)):
        return None
    one, other = first.first("eval_split"), second.first("eval_split")
    shown = shown_setting(one), shown_setting(other)
    agreement = compare_settings(one, other)
    kinds = _kind(one), _kind(other)
    if agreement is Agreement.DIFFERENT and kinds[0] != kinds[1]:
        # A share, a count and a name may mean the same examples.
        agreement = Agreement.CANNOT_TELL
    if one is None and other is None and None not in counts:
        return Compared(Agreement.SAME, counted)
    if agreement is Agreement.SAME and kinds[0] != "name":
        seeds = first.first(*SEEDS), second.first(*SEEDS)
        if all(seeds) and compare_settings(*seeds) is not Agreement.SAME:
            # Which examples a share holds may depend on the seed, or not.
            texts = [f"{text} with seed {shown_setting(seed)}" for text, seed in zip(shown, seeds, strict=True)]
            return Compared(Agreement.CANNOT_TELL, (texts[0], texts[1]))
    return Compared(agreement, shown)


def _kind(setting: Setting | None) -> str:
    number = None if setting is None else finite(share_of(setting.value))
    if number is None:
        return "name"
    return "share" if 0.0 < number < 1.0 else "count"


def _tokenizer(first: RunFacts, second: RunFacts) -> Compared | None:
    if {first.method, second.method} <= PER_EXAMPLE:
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


def _reference(first: RunFacts, second: RunFacts) -> Compared | None:
    if not {first.method, second.method} <= REFERENCED:
        return None
    names = "ref_model", "reference_model", "ref_model_name_or_path", "base_model"
    found = _stated(*names)(first, second)
    one, other = first.first(*names), second.first(*names)
    if found.agreement is Agreement.DIFFERENT and one and other and _last_part(one) == _last_part(other):
        # A copy of a model under another owner or folder.
        return found._replace(agreement=Agreement.CANNOT_TELL)
    return found


def _last_part(setting: Setting) -> str:
    return str(setting.value).rsplit("/", 1)[-1]


COUNTS_PROMPTS: Mapping[str, bool] = MappingProxyType(
    {
        "train_on_inputs": True,
        "train_on_prompt": True,
        "completion_only_loss": False,
        "completion_only": False,
        "assistant_only_loss": False,
        "train_on_responses_only": False,
        "train_on_completions_only": False,
        "mask_prompt": False,
        "mask_inputs": False,
    }
)
"""Options about which tokens the loss counts, and whether they count the prompts' where they are on."""

_COUNTED: Mapping[bool | None, str | None] = MappingProxyType(
    {True: "prompts counted", False: "completions only", None: None}
)


def prompts_counted(facts: RunFacts) -> bool | None:
    """Whether the loss counts the tokens of prompts; ``None`` where that is not recorded or contradictory."""
    said = set()
    for name, counted in COUNTS_PROMPTS.items():
        setting = facts.first(name)
        value = None if setting is None else setting.value
        if isinstance(value, bool):
            said.add(value is counted)
    return said.pop() if len(said) == 1 else None


def _masking(first: RunFacts, second: RunFacts) -> Compared | None:
    if {first.method, second.method} & (PER_EXAMPLE | PREFERENCE | {Method.GRPO, Method.PPO, Method.PRETRAINING}):
        return None
    one, other = prompts_counted(first), prompts_counted(second)
    same = None if one is None or other is None else one is other
    return Compared(_agreement(same), (_COUNTED[one], _COUNTED[other]))


_PACKING = "eval_packing", "eval_sample_packing", "packing"


def _packing(first: RunFacts, second: RunFacts) -> Compared | None:
    if {first.method, second.method} & (PER_EXAMPLE | PREFERENCE | {Method.GRPO, Method.PPO}):
        return None
    return _stated(*_PACKING)(first, second)


def _length(first: RunFacts, second: RunFacts) -> Compared:
    # Packed data are cut into pieces of that length: it is then the context of every token.
    packed = (facts.first(*_PACKING) for facts in (first, second))
    decides = all(setting is not None and setting.value is True for setting in packed)
    return _stated("max_seq_length")(first, second)._replace(decides=decides)


def _stated(*names: str) -> Callable[[RunFacts, RunFacts], Compared]:
    """Compares the first setting of these names that each run states."""

    def compare(first: RunFacts, second: RunFacts) -> Compared:
        one, other = first.first(*names), second.first(*names)
        return Compared(compare_settings(one, other), (shown_setting(one), shown_setting(other)))

    return compare


def _option(*names: str, methods: frozenset[Method] | None = None) -> Compare:
    """An option that changes the loss where it is set; where neither run sets it, both have the default."""

    def compare(first: RunFacts, second: RunFacts) -> Compared | None:
        if methods is not None and not {first.method, second.method} & methods:
            return None
        if first.first(*names) is None and second.first(*names) is None:
            return None
        return _stated(*names)(first, second)

    return compare


ASPECTS: Mapping[Aspect, Compare] = MappingProxyType(
    {
        Aspect.METHOD: _method,
        Aspect.DATASET: _dataset,
        Aspect.EVAL_SPLIT: _split,
        Aspect.TOKENIZER: _tokenizer,
        Aspect.REFERENCE: _reference,
        Aspect.MASKING: _masking,
        Aspect.PACKING: _packing,
        Aspect.LOSS_TYPE: _option("loss_type", "pref_loss", "dpo_loss"),
        Aspect.BETA: _option("beta", "pref_beta", "dpo_beta", methods=PREFERENCE),
        Aspect.LABEL_SMOOTHING: _option("label_smoothing_factor", "label_smoothing"),
        Aspect.MAX_SEQ_LENGTH: _length,
    }
)
"""How each aspect of two runs is compared."""


def compare(first: RunFacts, second: RunFacts) -> Mapping[Aspect, Compared]:
    """What was found out about every aspect that matters for the methods of two runs."""
    found = {aspect: look(first, second) for aspect, look in ASPECTS.items()}
    return {aspect: each for aspect, each in found.items() if each is not None}
