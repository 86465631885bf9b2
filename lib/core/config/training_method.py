"""The training method of a run: what its loss is a loss of, by its configuration and by the metrics that it logged."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

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
    RLOO = "RLOO"
    ONLINE = "online DPO"
    REWARD = "reward modelling"
    CLASSIFICATION = "classification"
    DISTILLATION = "distillation"


SURROGATE = frozenset((Method.GRPO, Method.PPO, Method.RLOO, Method.ONLINE))
"""Their loss is a surrogate around the policy of the moment, on texts that it wrote: no measure of fit to data."""

UNNAMED = (Method.SFT, Method.PRETRAINING, Method.CLASSIFICATION, Method.REWARD, Method.DISTILLATION)
"""Their trainers log nothing but losses and rates; those of all others log rewards with every loss."""

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
            Method.RLOO: "rloo rlootrainer",
            Method.ONLINE: "online_dpo onlinedpotrainer xpo xpotrainer nash_md nashmdtrainer",
            Method.REWARD: "rm reward reward_model reward_modeling reward_modelling rewardtrainer",
            Method.DISTILLATION: "gkd gkdtrainer",
            Method.CLASSIFICATION: "classification sequence_classification text_classification seq_cls"
            " token_classification token_cls multi_label_classification",
        }.items()
        for word in words.split()
    }
)
"""What tools write, in lower case with underscores."""

UPDATE_WORDS = frozenset(("lora", "qlora", "dora", "adapter", "peft", "freeze", "full", "full_finetuning"))
"""What tools also write in its place: how weights are updated, which does not change what the loss is a loss of."""

_KEYS = ("rlhf_type", "method", "rl", "stage", "trainer", "trainer_type", "trainer_class", "task", "task_type")
"""Where tools say it, the most telling first: ms-swift has ``rlhf_type``, axolotl ``rl``, LLaMA-Factory ``stage``."""

_SECTIONS = ("", "trl.", "rlhf.", "dpo.", "cpo.")
_FORMULAS = ("pref_loss", "loss_type")
"""Where the trainer of one preference method is told to run another's loss."""

_ADAPTED: Mapping[str, tuple[Method, ...]] = MappingProxyType(
    # An adapter with a new head is a classifier's or a reward model's.
    {"seq_cls": (Method.CLASSIFICATION, Method.REWARD), "token_cls": (Method.CLASSIFICATION,)}
)
_OPTIONS: Mapping[str, tuple[Method, ...]] = MappingProxyType(
    {
        "scale_rewards": (Method.GRPO,),
        "assistant_only_loss": (Method.SFT,),
        "num_generations": (Method.GRPO, Method.RLOO),
        "center_rewards_coefficient": (Method.REWARD,),
        "desirable_weight": (Method.KTO,),
        "reference_free": (Method.DPO,),
        "simpo_gamma": (Method.SIMPO, Method.CPO),
    }
)
"""Options that only these trainers have, where nothing says more."""


class Logged(NamedTuple):
    """What the names of metrics say.

    Attributes:
        methods: Whose trainers log such names, the likeliest first; empty where the names say nothing.
        is_certain: No other trainer logs them, so that a configuration which says otherwise was not what was run.
    """

    methods: tuple[Method, ...] = ()
    is_certain: bool = False


NOTHING = Logged()

_EVALUATED = re.compile(r"^(?:eval|test)[_/]")
_PREFIX = re.compile(r"^(?:(?:eval|test|train)[_/]+)+")


_BY_CLASSES = re.compile(
    r"(?:^|[^a-z0-9])(?:f1|precision|recall|roc_auc|auc|auroc|matthews|mcc|hamming)(?![a-z0-9@]|_at)|f1[-_]?score"
)


class _Names:
    """The names of a log's metrics, without what says at which occasion they were logged."""

    def __init__(self, names: Collection[str]) -> None:
        lowered = {name.casefold() for name in names}
        self.all = frozenset(_PREFIX.sub("", name) for name in lowered)
        self.trained = frozenset(_PREFIX.sub("", name) for name in lowered if not _EVALUATED.match(name))

    def has(self, pattern: str) -> bool:
        """Whether a name has this pattern after its beginning, or after the name of an evaluation set."""
        found = re.compile(rf"(?:^|_)(?:{pattern})")
        return any(found.search(name) for name in self.all)


def logged_methods(names: Collection[str]) -> Logged:
    """What the names of the metrics that a run logged say about its method.

    Args:
        names: As they were logged, with or without ``eval_`` or ``train/`` before them.

    Example:
        >>> logged_methods(["loss", "rewards/chosen", "rewards/accuracies", "nll_loss", "log_odds_ratio"]).methods
        (<Method.ORPO: 'ORPO'>,)
        >>> logged_methods(["loss", "eval_rouge1", "completions/mean_length"]).methods
        (<Method.SFT: 'SFT'>,)
    """
    found = _Names(names)
    return next((said for look in _LOOKS if (said := look(found)).methods), NOTHING)


def logs_training(names: Collection[str]) -> bool:
    """Whether a trainer's own rows are there, so that names which are not in them were not logged."""
    trained = _Names(names).trained
    return bool(trained & {"loss", "train_loss"})


def _preference(names: _Names) -> Logged:
    """TRL, LLaMA-Factory and ms-swift log rewards and log-probabilities of the chosen and the rejected answer."""
    if not names.has(r"rewards[/_](?:chosen|rejected|margins|accuracies)$|logps[/_](?:chosen|rejected)$"):
        return NOTHING
    is_paired = names.has(r"rewards[/_]accuracies$")
    if names.has(r"objective[/_]"):
        return Logged((Method.ONLINE,), True)
    if names.has(r"log_odds|odds_ratio"):
        return Logged((Method.ORPO,), True)
    if not is_paired and "kl" in names.all:
        # Its examples are single answers: there is no pair of which one could have the higher reward.
        return Logged((Method.KTO,), True)
    if names.has(r"(?:nll|sft)_loss$"):
        return Logged((Method.CPO, Method.SIMPO, Method.DPO), True)
    # SimPO of LLaMA-Factory is run by its DPO trainer, and logs the same.
    return Logged((Method.DPO, Method.SIMPO) if is_paired else (Method.DPO, Method.SIMPO, Method.KTO), True)


def _policy(names: _Names) -> Logged:
    """Trainers that let the model write, and score what it wrote."""
    has_critic = names.has(r"(?:ppo/)?loss/value|value_loss|critic_loss|vf_loss|val/clipfrac|critic/vf")
    if names.has(r"objective[/_](?:kl|entropy|scores|rlhf_reward|non_score_reward)|policy/|ppo/|env/reward"):
        return Logged((Method.PPO,) if has_critic else (Method.PPO, Method.RLOO), True)
    if names.has(r"actor/(?:pg_loss|ppo_kl|kl_loss)"):
        return Logged((Method.PPO,) if has_critic else (Method.GRPO, Method.RLOO, Method.PPO), True)
    if not names.trained & {"reward", "rewards/mean", "reward/mean"}:
        # A reward of evaluations alone may be how an SFT was judged.
        return NOTHING
    if has_critic:
        return Logged((Method.PPO,), True)
    if names.has(r"reward_std$|completions/|completion_length$|frac_reward_zero_std"):
        return Logged((Method.GRPO, Method.RLOO), True)
    if "kl" in names.all:
        return Logged((Method.GRPO, Method.RLOO, Method.PPO), True)
    return Logged((Method.PPO, Method.GRPO, Method.RLOO))


def _reward(names: _Names) -> Logged:
    is_modelled = {"min_reward", "max_reward"} <= names.all or names.has(r"center_rewards")
    return Logged((Method.REWARD,), True) if is_modelled else NOTHING


def _task(names: _Names) -> Logged:
    """What a model was judged by is a hint: anybody may add metrics to any trainer."""
    if names.has(r"rouge|bleu|sacrebleu|chrf|meteor|gen_len|exact_match|(?:wer|cer)$"):
        return Logged((Method.SFT,))
    if names.has(r"mean_token_accuracy$|perplexity$"):
        return Logged((Method.SFT, Method.PRETRAINING))
    if any(_BY_CLASSES.search(name) for name in names.all):
        return Logged((Method.CLASSIFICATION, Method.SFT))
    return NOTHING


_LOOKS: tuple[Callable[[_Names], Logged], ...] = (_preference, _policy, _reward, _task)


def method_of(run: RunSummary, names: Collection[str] = ()) -> Method | None:
    """The method that a run most likely had; ``None`` where nothing says it.

    Args:
        run: With its configuration.
        names: Of the metrics that it logged.
    """
    return next(iter(methods_run(stated_methods(effective(run)), logged_methods(names))), None)


def methods_run(stated: tuple[Method, ...], logged: Logged) -> tuple[Method, ...]:
    """What was run, by what a configuration states and by what was logged: where these disagree, the log counts.

    Returns:
        One method where it is known; several, the likeliest first, where it is one of them; none where nothing is said.
    """
    both = tuple(method for method in stated if method in logged.methods)
    return both or (logged.methods if logged.is_certain or not stated else stated)


def stated_methods(settings: Mapping[str, Setting]) -> tuple[Method, ...]:
    """The method that settings state (``lib.core.config.effective.effective``), or those that it is one of."""
    for section in _SECTIONS:
        for key in _KEYS:
            if method := _word(settings, section + key):
                return (_refined(settings, method),)
    adapted = text(value_of(settings, "lora.task_type"))
    if adapted and (found := _ADAPTED.get(adapted.casefold())):
        return found
    stated = (f"{section}{option}" for option in _OPTIONS for section in _SECTIONS)
    return next((_OPTIONS[key.rsplit(".", 1)[-1]] for key in stated if key in settings), ())


def states_word(settings: Mapping[str, Setting], word: str) -> bool:
    """Whether settings name the method by this word, in any case."""
    stated = (text(value_of(settings, section + key)) for section in _SECTIONS for key in _KEYS)
    return any(each is not None and each.strip().casefold() == word for each in stated)


def _word(settings: Mapping[str, Setting], key: str) -> Method | None:
    word = text(value_of(settings, key))
    # A class may be stated with its module.
    return METHOD_WORDS.get(re.sub(r"[\s-]+", "_", word.casefold()).rsplit(".", 1)[-1]) if word else None


def _refined(settings: Mapping[str, Setting], method: Method) -> Method:
    if method not in (Method.DPO, Method.CPO):
        return method
    found = {_word(settings, section + key) for section in _SECTIONS for key in _FORMULAS}
    return next((other for other in (Method.ORPO, Method.SIMPO) if other in found), method)
