"""The saving options of a run: when checkpoints are saved, and how many are kept.

The options and their meaning are those of Hugging Face's ``TrainingArguments`` and ``Trainer``
(https://huggingface.co/docs/transformers/main_classes/trainer), which other tools took over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from lib.core.config.effective import effective
from lib.core.config.places import STATE_SECTION
from lib.core.config.setting import Setting, value_of
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import finite, text, whole

FINAL_SAVE_OPTIONS = ("save_final_model", "save_model_at_end", "save_at_end", "save_final")
"""Options of scripts that save the model once more when training has ended."""


class Strategy(StrEnum):
    """When checkpoints are saved: ``save_strategy``."""

    STEPS = "steps"
    EPOCH = "epoch"
    BEST = "best"
    NO = "no"


@dataclass(frozen=True, slots=True)
class SavePlan:
    """The saving options of a run. ``None``: not recorded, unless said otherwise.

    Attributes:
        strategy: When checkpoints are saved.
        every: The interval in steps, for ``STEPS``.
        limit: How many are kept; 0 for all.
        keeps_best: Whether the best one is kept beyond the limit.
        metric: What the best is chosen by, as a curve's name.
        greater: Whether more of it is better.
        loads_best: Whether the best checkpoint is loaded when training has ended.
        saves_final: Whether the model is saved once more when training has ended.
    """

    strategy: Strategy | None = None
    every: int | None = None
    limit: int | None = None
    keeps_best: bool | None = None
    metric: str | None = None
    greater: bool | None = None
    loads_best: bool | None = None
    saves_final: bool | None = None

    @property
    def by_eval_loss(self) -> bool:
        """The best one is that of the lowest eval loss."""
        return self.metric == "eval_loss" and self.greater is False


def plan_of(run: RunSummary) -> SavePlan:
    """Read the saving options of a run.

    An interval without a strategy is taken as saving by steps, the only strategy in which it has an effect;
    but not where a trainer's state repeats it, which it does whatever the strategy is. The direction in which a
    metric is better is told by its name, as the Trainer does, where it is not stated.
    """
    settings = effective(run)
    strategy = _strategy(settings)
    metric, greater = _metric(settings)
    loads_best = _flag(settings, "load_best_model_at_end")
    finals = (flag for name in FINAL_SAVE_OPTIONS if (flag := _flag(settings, name)) is not None)
    return SavePlan(
        strategy,
        _interval(run, settings) if strategy is Strategy.STEPS else None,
        _limit(settings),
        True if metric is not None else loads_best,
        metric,
        greater,
        loads_best,
        next(finals, None),
    )


def _strategy(settings: Mapping[str, Setting]) -> Strategy | None:
    stated = settings.get("save_strategy")
    if stated is not None and stated.value is not None:
        if stated.value is False:
            # YAML reads an unquoted "no" as false.
            return Strategy.NO
        word = option_word(stated.value)
        return next((each for each in Strategy if each.value == word), None)
    steps = settings.get("save_steps")
    if steps is None or f".{STATE_SECTION}." in steps.source:
        return None
    return Strategy.STEPS


def option_word(value: object) -> str:
    """The value of an option that may be written as an enumeration has it: ``IntervalStrategy.STEPS`` is "steps"."""
    return str(value).strip().casefold().rsplit(".", 1)[-1]


def _interval(run: RunSummary, settings: Mapping[str, Setting]) -> int | None:
    """The steps from one checkpoint to the next; a number below 1 is a share of all steps."""
    steps = finite(value_of(settings, "save_steps"))
    if steps is None or steps <= 0:
        return None
    if steps < 1:
        return math.ceil(steps * run.total_steps) if run.total_steps else None
    return whole(steps)


def _limit(settings: Mapping[str, Setting]) -> int | None:
    """How many checkpoints are kept; a recorded null keeps all, as do 0 and less."""
    setting = settings.get("save_total_limit")
    if setting is None:
        return None
    if setting.value is None:
        return 0
    limit = whole(setting.value)
    return None if limit is None else max(limit, 0)


def _metric(settings: Mapping[str, Setting]) -> tuple[str | None, bool | None]:
    """What the best is chosen by, as a curve's name, and whether more is better."""
    name = text(value_of(settings, "metric_for_best_model"))
    if name is None and "metric_for_best_model" in settings and _flag(settings, "load_best_model_at_end"):
        name = "loss"
    if name is None:
        return None, None
    greater = _flag(settings, "greater_is_better")
    metric = name if name.startswith("eval_") else f"eval_{name}"
    return metric, not name.endswith("loss") if greater is None else greater


def _flag(settings: Mapping[str, Setting], key: str) -> bool | None:
    value = value_of(settings, key)
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().casefold())
    return value if isinstance(value, bool) else None
