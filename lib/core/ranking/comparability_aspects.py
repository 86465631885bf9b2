"""What makes the evaluations of two runs comparable, aspect by aspect.

An aspect decides where its difference changes what is averaged: another loss, other examples, other tokens.
It is a caution where the difference only matters for some of the data. Aspects of the loss matter only where a loss
decides, those of the reward only where that does; the others make any metric another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from lib.core.aspects import data, formula, loss, method, model, reward
from lib.core.aspects.facts import Compare, Compared, RunFacts, option


class Aspect(StrEnum):
    """One thing that evaluations depend on, the most telling first."""

    METHOD = "method"
    DATASET = "dataset"
    EVAL_SPLIT = "eval_split"
    LABELS = "labels"
    REWARD = "reward"
    TOKENIZER = "tokenizer"
    REFERENCE = "reference"
    MASKING = "masking"
    PACKING = "packing"
    LOSS_TYPE = "loss_type"
    BETA = "beta"
    LABEL_SMOOTHING = "label_smoothing"
    REDUCTION = "reduction"
    CHAT_TEMPLATE = "chat_template"
    VOCABULARY = "vocabulary"
    MAX_SEQ_LENGTH = "max_seq_length"
    QUANTIZATION = "quantization"
    EVAL_BATCH_SIZE = "eval_batch_size"

    @property
    def of_loss(self) -> bool:
        """Whether it matters only where a loss is compared."""
        return self not in _ALWAYS and not self.of_reward

    @property
    def of_reward(self) -> bool:
        """Whether it matters only where a reward is compared."""
        return self is Aspect.REWARD


_ALWAYS = frozenset((Aspect.METHOD, Aspect.DATASET, Aspect.EVAL_SPLIT, Aspect.LABELS, Aspect.QUANTIZATION))


ASPECTS: Mapping[Aspect, Compare] = MappingProxyType(
    {
        Aspect.METHOD: method.method,
        Aspect.DATASET: data.dataset,
        Aspect.EVAL_SPLIT: data.split,
        Aspect.LABELS: data.labels,
        Aspect.REWARD: reward.reward,
        Aspect.TOKENIZER: model.tokenizer,
        Aspect.REFERENCE: loss.reference,
        Aspect.MASKING: loss.masking,
        Aspect.PACKING: loss.packing,
        Aspect.LOSS_TYPE: formula.formula,
        Aspect.BETA: option("beta", "pref_beta", "dpo_beta", methods=loss.PREFERENCE),
        Aspect.LABEL_SMOOTHING: option("label_smoothing_factor", "label_smoothing"),
        Aspect.REDUCTION: loss.reduction,
        Aspect.CHAT_TEMPLATE: model.template,
        Aspect.VOCABULARY: model.vocabulary,
        Aspect.MAX_SEQ_LENGTH: loss.length,
        Aspect.QUANTIZATION: model.quantization,
        Aspect.EVAL_BATCH_SIZE: loss.eval_batch,
    }
)
"""How each aspect of two runs is compared."""


def compare(first: RunFacts, second: RunFacts) -> Mapping[Aspect, Compared]:
    """What was found out about every aspect that matters for the methods of two runs."""
    found = {aspect: look(first, second) for aspect, look in ASPECTS.items()}
    return {aspect: each for aspect, each in found.items() if each is not None}
