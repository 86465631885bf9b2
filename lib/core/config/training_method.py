"""The training method of a run: what its loss is a loss of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from lib.core.config.effective import effective
from lib.core.config.setting import Setting, value_of
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import text


class Method(StrEnum):
    """Training methods that are told apart; the value is what people call them."""

    SFT = "SFT"
    PRETRAINING = "pre-training"
    DPO = "DPO"
    ORPO = "ORPO"
    KTO = "KTO"
    CPO = "CPO"
    SIMPO = "SimPO"
    GRPO = "GRPO"
    PPO = "PPO"
    REWARD = "reward modelling"
    CLASSIFICATION = "classification"


METHOD_WORDS: Mapping[str, Method] = MappingProxyType(
    {
        word: method
        for method, words in {
            Method.SFT: "sft supervised supervised_finetuning supervised_fine_tuning instruction instruction_tuning"
            " sfttrainer",
            Method.PRETRAINING: "pt pretrain pretraining pre_training continued_pretraining cpt",
            Method.DPO: "dpo ipo dpotrainer direct_preference_optimization",
            Method.ORPO: "orpo orpotrainer",
            Method.KTO: "kto ktotrainer",
            Method.CPO: "cpo cpotrainer",
            Method.SIMPO: "simpo",
            Method.GRPO: "grpo grpotrainer gspo dapo",
            Method.PPO: "ppo ppotrainer rlhf",
            Method.REWARD: "rm reward reward_model reward_modeling reward_modelling rewardtrainer",
            Method.CLASSIFICATION: "classification sequence_classification text_classification seq_cls"
            " token_classification token_cls multi_label_classification",
        }.items()
        for word in words.split()
    }
)
"""What tools write, in lower case with underscores."""

UPDATE_WORDS = frozenset(("lora", "qlora", "dora", "adapter", "peft", "freeze", "full", "full_finetuning"))
"""What tools also write in its place: how weights are updated, which does not change what the loss is a loss of."""

_KEYS = ("method", "rl", "stage", "trainer", "trainer_type", "trainer_class", "task", "task_type", "lora.task_type")
"""Where tools say it, the most telling first: axolotl has ``rl``, LLaMA-Factory ``stage``, PEFT ``task_type``."""


def method_of(run: RunSummary) -> Method | None:
    """The method that the configuration names; ``None`` where it names none that is known."""
    return method_in(effective(run))


def method_in(settings: Mapping[str, Setting]) -> Method | None:
    """The method that settings name (``lib.core.config.effective.effective``)."""
    for key in _KEYS:
        word = text(value_of(settings, key))
        if word and (method := METHOD_WORDS.get(re.sub(r"[\s-]+", "_", word.casefold()))):
            return method
    return None
