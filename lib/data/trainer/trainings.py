"""Which logs are of one training: copies and earlier states of it, and which are of another in the same folder.

A state carries the log of what was trained before it, so two states of one training share their beginning exactly.
After a resume the same steps may be logged again with slightly other values. Two trainings that were started in one
folder differ from their first shared steps on, by their losses or by their learning rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lib.data.trainer.hf_log import TrainerLog

if TYPE_CHECKING:
    import pandas as pd

LEAST_ROWS = 3
"""Shorter logs may be equal by chance, and prove nothing."""
LEAST_VALUES = 3
"""Shared values that it takes to tell two trainings apart."""
SHARED_BEGINNING = 0.1
"""Share of the shared steps that is equal to the last digit in a training that was resumed, at least."""
LEARNED_BY = 10
"""From this step on two trainings differ in their losses. Before, during a warm-up, they may still be equal."""
RERUN_NOISE = 1e-3
"""Relative difference of losses that one and the same training shows when its first steps are repeated."""
RATE_NOISE = 1e-2
"""The same of learning rates, which may have been rounded."""
RESUMED_NOISE = 0.1
"""The same of losses logged anew after a resume, which may have seen the data in another order."""

_COMPARED = ("train_loss", "eval_loss", "reward", "eval_reward", "learning_rate", "grad_norm")
"""Where losses are about 0, as in reinforcement learning, rewards and gradients tell trainings apart."""
_EXACT = 1e-9


def is_beginning(one: TrainerLog, other: TrainerLog) -> bool:
    """Whether all that ``one`` logged is how ``other`` begins; equal logs are too, very short ones never."""
    return LEAST_ROWS <= one.rows <= other.rows and one.points.begins(other.points)


def is_one_training(one: TrainerLog, other: TrainerLog) -> bool:
    """Whether two logs certainly are of one training: one is the beginning of the other, or they share much of it."""
    if is_beginning(one, other) or is_beginning(other, one):
        return True
    shared = _shared(one, other)
    return shared.is_resumed and not shared.is_other_plan and min(one.rows, other.rows) >= LEAST_ROWS


def are_two_trainings(one: TrainerLog, other: TrainerLog) -> bool:
    """Whether two logs certainly are of different trainings."""
    shorter, longer = sorted((one, other), key=lambda log: len(log.points))
    if shorter.points.begins(longer.points):
        return False
    shared = _shared(one, other)
    if shared.values < (LEAST_VALUES if one.planned == other.planned else 2):
        return False
    if shared.is_resumed:
        return shared.is_other_plan
    return shared.rates > RATE_NOISE or shared.first_losses > RERUN_NOISE


def parted(logs: Sequence[TrainerLog]) -> list[list[int]]:
    """Part logs into trainings.

    Args:
        logs: Those of one folder, the one that tells most last.

    Returns:
        The positions of the logs of each training, in their order; the training of the last log first. A log that
        may be of several is with the one that is planned for as many steps, else with the first.
    """
    found: list[list[int]] = []
    for at in reversed(range(len(logs))):
        fitting = [group for group in found if not any(are_two_trainings(logs[at], logs[other]) for other in group)]
        fitting.sort(key=lambda group: (not _surely(logs, at, group), logs[group[-1]].planned != logs[at].planned))
        if fitting:
            fitting[0].insert(0, at)
        else:
            found.append([at])
    return found


def _surely(logs: Sequence[TrainerLog], at: int, group: Sequence[int]) -> bool:
    return any(is_one_training(logs[at], logs[other]) for other in group)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What two logs say of the same steps; rewards count as losses.

    Attributes:
        values: How many values of the same steps there are.
        is_resumed: They agree exactly on a beginning that is too long for chance, or wherever they meet.
        is_other_plan: After that beginning they differ by more than logging the same steps again explains.
        rates, first_losses: Typical relative difference of learning rates, and of the first losses that differ.
    """

    values: int = 0
    is_resumed: bool = False
    is_other_plan: bool = False
    rates: float = 0.0
    first_losses: float = 0.0


def _shared(one: TrainerLog, other: TrainerLog) -> _Shared:
    # It takes longer to load than to read a hundred logs, and most folders have one.
    import pandas as pd

    both = _last_values(one).merge(_last_values(other), on=["metric", "step"], suffixes=("", "_other"))
    if both.empty:
        return _Shared()
    both = both.sort_values("step", kind="stable")
    first, second = both["value"].to_numpy(), both["value_other"].to_numpy()
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        apart = np.abs(first - second) / np.maximum(np.maximum(np.abs(first), np.abs(second)), 1e-300)
    # Both NaN, or both the same infinity.
    apart = np.where((first == second) | (np.isnan(first) & np.isnan(second)), 0.0, np.nan_to_num(apart, nan=1.0))
    steps, is_rate = both["step"].to_numpy(), (both["metric"] == "learning_rate").to_numpy()
    is_loss = ~is_rate & (both["metric"] != "grad_norm").to_numpy()
    differs = apart > _EXACT
    if not differs.any():
        return _Shared(len(both), is_resumed=True)
    common = np.unique(steps)
    alike = int(np.searchsorted(common, steps[differs][0]))
    has_learned = alike > 0 and bool(common[alike - 1] >= LEARNED_BY)
    later = steps >= steps[differs][0]
    losses = pd.Series(apart[later & is_loss]).groupby(steps[later & is_loss]).max().to_numpy()
    rates = _typical(apart[later & is_rate])
    is_other = rates > RATE_NOISE or (one.planned != other.planned and _typical(losses) > RESUMED_NOISE)
    return _Shared(
        len(both),
        alike >= SHARED_BEGINNING * len(common) and (alike >= LEAST_ROWS or has_learned),
        is_other,
        rates,
        _typical(losses[:5]),
    )


def _last_values(log: TrainerLog) -> pd.DataFrame:
    return log.points.frame(_COMPARED).drop_duplicates(["metric", "step"], keep="last")


def _typical(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) else 0.0
