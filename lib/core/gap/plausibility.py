"""Whether a logged train loss can be the mean loss of a sample or token at all, before anything is made of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from lib.core.config.derived import gpus_of
from lib.core.config.effective import effective
from lib.core.config.setting import value_of
from lib.core.config.training_method import SURROGATE, method_of
from lib.core.facts.limits import Count, Limit
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import finite, whole

# fmt: off
MULTIPLE_WITHIN = Limit(0.1, "Multiple within",
    "A train loss within this share of k times the eval loss is a sum over k: accumulated batches or processes. The"
    " two losses of one model differ by that much themselves.")
MULTIPLE_LEAST = Count(2, "Multiple least", "The least k: with 1 the two losses simply agree.")
# fmt: on

_VOCABULARY = frozenset(("vocab_size", "n_vocab", "vocabulary_size", "padded_vocab_size"))


class Implausible(StrEnum):
    """Why a logged train loss is no mean loss that an eval loss compares with."""

    ZERO = "exactly 0"
    NO_VALUE = "no finite value"
    MULTIPLE = "a multiple of the eval loss"
    ABOVE_GUESSING = "above the loss of guessing"


@dataclass(frozen=True, slots=True)
class LossScale:
    """What the configuration says that bears on the size of a train loss; ``None`` where it does not say.

    Attributes:
        accumulation: Batches accumulated for a step.
        processes: How many compute side by side.
        vocabulary: Tokens that a language model chooses from.
    """

    accumulation: int | None = None
    processes: int | None = None
    vocabulary: int | None = None

    @property
    def factors(self) -> tuple[tuple[int, str], ...]:
        """What a loss may have been summed over, by its number and in words."""
        steps, processes = max(self.accumulation or 1, 1), max(self.processes or 1, 1)
        named = [(steps, f"{steps} accumulation steps"), (processes, f"{processes} processes")]
        if steps > 1 and processes > 1:
            named.append((steps * processes, f"{steps} accumulation steps and {processes} processes"))
        return tuple((factor, words) for factor, words in named if factor >= MULTIPLE_LEAST)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is wrong with a train loss.

    Attributes:
        code: The kind.
        factor: How many times too high it is, where it is a sum.
        over: What it was summed over, in words ("8 accumulation steps"); empty where that is not known.
    """

    code: Implausible
    factor: int | None = None
    over: str = ""


def scale_of(run: RunSummary) -> LossScale:
    """What the configuration of a run says that bears on the size of its train loss."""
    settings = effective(run)
    sizes = (whole(setting.value) for key, setting in settings.items() if key.rsplit(".", 1)[-1] in _VOCABULARY)
    return LossScale(
        whole(value_of(settings, "gradient_accumulation_steps")),
        gpus_of(settings),
        max((size for size in sizes if size is not None and size > 1), default=None),
    )


def implausible(train_loss: float | None, eval_loss: float, scale: LossScale) -> Doubt | None:
    """What is wrong with the train loss that stands beside an eval loss; ``None`` where nothing is.

    Args:
        train_loss: The mean over the steps up to the evaluation; ``None`` where none of its values is finite.
        eval_loss: Finite.
        scale: Of the same run.
    """
    train_loss = finite(train_loss)
    if train_loss is None:
        return Doubt(Implausible.NO_VALUE)
    if train_loss == 0.0:
        return Doubt(Implausible.ZERO)
    for factor, over in scale.factors:
        expected = factor * eval_loss
        if expected > 0.0 and abs(train_loss - expected) <= MULTIPLE_WITHIN * expected:
            return Doubt(Implausible.MULTIPLE, factor, over)
    if scale.vocabulary is not None and eval_loss <= math.log(scale.vocabulary) < train_loss:
        return Doubt(Implausible.ABOVE_GUESSING)
    return None


_PREFERENCE = ("logps/", "rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies")
_REINFORCED = ("rewards/", "completions/", "completion_length", "clip_ratio", "frac_reward_zero_std", "policy/approx",
               "objective/kl", "objective/scores")  # fmt: skip


def no_measure(run: RunSummary, metrics: Iterable[str]) -> str | None:
    """Why the loss of a run is no measure of fit to data; ``None`` where it is one, as far as anybody says.

    Args:
        run: Its configuration may name the method.
        metrics: What it logs. Rewards of completions are those of reinforcement; rewards of chosen and rejected
            answers are not, they go with a loss that measures fit.
    """
    metrics = tuple(metrics)
    method = method_of(run, metrics)
    if method in SURROGATE:
        return f"the loss of {method.value} is no measure of fit to the data"
    names = [name.removeprefix("train/").removeprefix("eval_") for name in metrics]
    if method is None and not any(name.startswith(_PREFERENCE) for name in names):
        marks = sorted(name for name in names if name == "reward" or name.startswith(_REINFORCED))
        if marks:
            return f"it logs {marks[0]}, so that its loss is one of reinforcement and no measure of fit to the data"
    return None
