"""What makes two eval losses comparable, aspect by aspect.

An aspect decides where its difference changes what is averaged: another loss, other examples, other tokens.
It is a caution where the difference only matters for some of the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lib.core.config.base_models import tokenizer_family
from lib.core.config.datasets import same_dataset, shown_dataset
from lib.core.config.setting import Setting
from lib.core.config.training_method import UPDATE_WORDS, Method
from lib.core.facts.values import finite, text
from lib.core.ranking.comparability_facts import (
    EVAL_DATASETS,
    NOT_RECORDED,
    SEEDS,
    Outcome,
    RunFacts,
    compare_settings,
    share_of,
    shown_setting,
)

Judged = tuple[Outcome, str, str, bool]
"""The outcome, the two values as text, and whether a difference makes the losses incomparable."""

Judge = Callable[[RunFacts, RunFacts], Judged | None]

PER_EXAMPLE = frozenset((Method.CLASSIFICATION, Method.REWARD))
"""Their loss is averaged over examples: how a text is cut into tokens does not change what is counted."""

REFERENCED = frozenset((Method.DPO, Method.KTO))
"""Their loss is measured against the model that training started from."""

PREFERENCE = frozenset((Method.DPO, Method.KTO, Method.ORPO, Method.CPO, Method.SIMPO))
"""Their loss is scaled by ``beta``."""


@dataclass(frozen=True, slots=True)
class AspectResult:
    """What was found out about one aspect of a pair.

    Attributes:
        shown: The two values as text, "not recorded" among them.
        decides: Whether a difference makes the losses incomparable; else it is a caution.
    """

    aspect: Aspect
    outcome: Outcome
    shown: tuple[str, str]
    decides: bool


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing that eval losses depend on.

    Attributes:
        key: Stable name.
        title: For people, with a capital letter.
        why: What a difference does, as the middle of a sentence.
        judge: Compares two runs; ``None`` where the aspect means nothing for them.
    """

    key: str
    title: str
    why: str
    judge: Judge = field(repr=False, compare=False)

    def compare(self, first: RunFacts, second: RunFacts) -> AspectResult | None:
        """The outcome for two runs; the same, with the values exchanged, when they are."""
        judged = self.judge(first, second)
        if judged is None:
            return None
        outcome, one, other, decides = judged
        return AspectResult(self, outcome, (one, other), decides)


def _method(first: RunFacts, second: RunFacts) -> Judged:
    stated = [facts.first("method") for facts in (first, second)]
    shown = [
        facts.method.value if facts.method else shown_setting(setting)
        for facts, setting in zip((first, second), stated, strict=True)
    ]
    if first.method and second.method:
        outcome = Outcome.SAME if first.method is second.method else Outcome.DIFFERENT
    elif first.method is second.method and NOT_RECORDED not in shown and shown[0].casefold() == shown[1].casefold():
        # One word that is not in the catalogue; but how weights are updated says nothing about the loss.
        outcome = Outcome.CANNOT_TELL if shown[0].casefold() in UPDATE_WORDS else Outcome.SAME
    else:
        outcome = Outcome.CANNOT_TELL
    return outcome, *shown, True


def _dataset(first: RunFacts, second: RunFacts) -> Judged:
    held_out = first.first(*EVAL_DATASETS), second.first(*EVAL_DATASETS)
    if all(held_out):
        one, other = (_path(setting) for setting in held_out)
    elif any(held_out):
        # The one may have been cut out of the other's data, or not.
        return Outcome.CANNOT_TELL, *(shown_setting(setting) for setting in held_out), True
    else:
        one, other = (_path(facts.first("dataset")) for facts in (first, second))
    shown = [(shown_dataset(value) if value is not None else "") or NOT_RECORDED for value in (one, other)]
    same = same_dataset(one, other)
    counts = [(facts.run.train_samples, facts.run.val_samples) for facts in (first, second)]
    if same is None and one is not None and other is not None and counts[0] == counts[1] and None not in counts[0]:
        # One name and twice as many examples for training and for evaluation: uploaded twice.
        same = shown[0] == shown[1] or None
    outcome = {True: Outcome.SAME, False: Outcome.DIFFERENT, None: Outcome.CANNOT_TELL}[same]
    return outcome, *shown, True


def _path(setting: Setting | None) -> object:
    """The dataset as it was stated: the effective setting holds only its name."""
    if setting is None:
        return None
    if setting.places:
        return setting.places[0][1]
    return setting.value


def _split(first: RunFacts, second: RunFacts) -> Judged | None:
    if _dataset(first, second)[0] is Outcome.DIFFERENT:
        # Splits of different data have nothing in common to compare.
        return None
    counts = first.run.val_samples, second.run.val_samples
    if None not in counts and counts[0] != counts[1]:
        return Outcome.DIFFERENT, *(f"{count} eval examples" for count in counts), True
    if all(facts.first(*EVAL_DATASETS) for facts in (first, second)):
        return None
    one, other = first.first("eval_split"), second.first("eval_split")
    shown = shown_setting(one), shown_setting(other)
    outcome = compare_settings(one, other)
    numbers = [None if setting is None else finite(share_of(setting.value)) for setting in (one, other)]
    if outcome is Outcome.DIFFERENT and _kind(numbers[0]) != _kind(numbers[1]):
        # A share, a count and a name may mean the same examples.
        outcome = Outcome.CANNOT_TELL
    if outcome is Outcome.CANNOT_TELL and one is other is None and None not in counts:
        outcome, shown = Outcome.SAME, tuple(f"{count} eval examples" for count in counts)
    if outcome is Outcome.SAME and _kind(numbers[0]) != "name":
        seeds = first.first(*SEEDS), second.first(*SEEDS)
        if all(seeds) and compare_settings(*seeds) is not Outcome.SAME:
            # Which examples a share holds may depend on the seed, or not.
            return (
                Outcome.CANNOT_TELL,
                *(f"{text} with seed {shown_setting(seed)}" for text, seed in zip(shown, seeds, strict=True)),
                True,
            )
    return outcome, *shown, True


def _kind(number: float | None) -> str:
    if number is None:
        return "name"
    return "share" if 0.0 < number < 1.0 else "count"


def _tokenizer(first: RunFacts, second: RunFacts) -> Judged | None:
    if {first.method, second.method} <= PER_EXAMPLE:
        return None
    names = [_tokenizer_name(facts) for facts in (first, second)]
    shown = [name or NOT_RECORDED for name in names]
    if None in names:
        return Outcome.CANNOT_TELL, *shown, True
    families = [tokenizer_family(name) for name in names]
    if names[0].casefold() == names[1].casefold() or (families[0] and families[0] == families[1]):
        outcome = Outcome.SAME
    elif all(families):
        outcome = Outcome.DIFFERENT
        shown = [f"{name}: {family.name}" for name, family in zip(names, families, strict=True)]
    else:
        outcome = Outcome.CANNOT_TELL
    return outcome, *shown, True


def _tokenizer_name(facts: RunFacts) -> str | None:
    own = facts.first(
        "tokenizer_name", "tokenizer_name_or_path", "tokenizer", "tokenizer.name", "tokenizer.name_or_path"
    )
    for setting in (own, facts.first("base_model")):
        if setting is not None and isinstance(setting.value, str) and (name := text(setting.value)):
            return name
    return None


def _reference(first: RunFacts, second: RunFacts) -> Judged | None:
    if not {first.method, second.method} <= REFERENCED:
        return None
    one, other = (
        facts.first("ref_model", "reference_model", "ref_model_name_or_path", "base_model") for facts in (first, second)
    )
    outcome = compare_settings(one, other)
    if outcome is Outcome.DIFFERENT and str(one.value).rsplit("/", 1)[-1] == str(other.value).rsplit("/", 1)[-1]:
        # A copy of a model under another owner or folder.
        outcome = Outcome.CANNOT_TELL
    return outcome, shown_setting(one), shown_setting(other), True


COUNTS_PROMPTS: dict[str, bool] = {
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
"""Options about which tokens the loss counts, and whether they count the prompts' where they are on."""


def prompts_counted(facts: RunFacts) -> bool | None:
    """Whether the loss counts the tokens of prompts; ``None`` where that is not recorded or contradictory."""
    said = set()
    for name, counted in COUNTS_PROMPTS.items():
        setting = facts.first(name)
        value = None if setting is None else setting.value
        if isinstance(value, bool):
            said.add(value is counted)
    return said.pop() if len(said) == 1 else None


def _masking(first: RunFacts, second: RunFacts) -> Judged | None:
    if {first.method, second.method} & (PER_EXAMPLE | PREFERENCE | {Method.GRPO, Method.PPO, Method.PRETRAINING}):
        return None
    counted = [prompts_counted(facts) for facts in (first, second)]
    words = {True: "prompts counted", False: "completions only", None: NOT_RECORDED}
    if None in counted:
        outcome = Outcome.CANNOT_TELL
    else:
        outcome = Outcome.SAME if counted[0] is counted[1] else Outcome.DIFFERENT
    return outcome, *(words[each] for each in counted), True


def _packed(facts: RunFacts) -> Setting | None:
    return facts.first("eval_packing", "eval_sample_packing", "packing")


def _packing(first: RunFacts, second: RunFacts) -> Judged | None:
    if {first.method, second.method} & (PER_EXAMPLE | PREFERENCE | {Method.GRPO, Method.PPO}):
        return None
    one, other = _packed(first), _packed(second)
    return compare_settings(one, other), shown_setting(one), shown_setting(other), True


def _length(first: RunFacts, second: RunFacts) -> Judged:
    one, other = first.first("max_seq_length"), second.first("max_seq_length")
    # Packed data are cut into pieces of that length: it is then the context of every token.
    packed = [setting is not None and setting.value is True for setting in (_packed(first), _packed(second))]
    return compare_settings(one, other), shown_setting(one), shown_setting(other), all(packed)


def _option(*names: str, methods: frozenset[Method] | None = None) -> Judge:
    """An option that changes the loss where it is set; where neither run sets it, both have the default."""

    def judge(first: RunFacts, second: RunFacts) -> Judged | None:
        if methods is not None and not {first.method, second.method} & methods:
            return None
        one, other = first.first(*names), second.first(*names)
        if one is None and other is None:
            return None
        return compare_settings(one, other), shown_setting(one), shown_setting(other), True

    return judge


ASPECTS: tuple[Aspect, ...] = (
    Aspect("method", "Method", "each method has a loss of its own", _method),
    Aspect("dataset", "Evaluation data", "a loss is an average over the examples it is measured on", _dataset),
    Aspect("eval_split", "Eval split", "a loss is an average over the examples it is measured on", _split),
    Aspect("tokenizer", "Tokenizer", "a loss per token means something else where tokens are others", _tokenizer),
    Aspect("reference", "Reference model", "the loss is measured against the model it started from", _reference),
    Aspect("masking", "Masking", "prompts are counted in one and not in the other", _masking),
    Aspect("packing", "Packing", "packed texts are cut, averaged and predicted in other contexts", _packing),
    Aspect("loss_type", "Loss type", "another formula gives another number",
        _option("loss_type", "pref_loss", "dpo_loss")),
    Aspect("beta", "Beta", "it scales the loss of preference methods",
        _option("beta", "pref_beta", "dpo_beta", methods=PREFERENCE)),
    Aspect("label_smoothing", "Label smoothing", "it adds to the loss of every token",
        _option("label_smoothing_factor", "label_smoothing")),
    Aspect("max_seq_length", "Sequence length", "longer texts are cut, and other tokens are counted of them", _length),
)  # fmt: skip
"""What is compared, the most telling first."""
