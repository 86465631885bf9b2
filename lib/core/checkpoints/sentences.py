"""What is said about the checkpoint to ship."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lib.core.checkpoints.save_plan import SavePlan, Strategy
from lib.core.checkpoints.saved import SavedCheckpoints
from lib.core.facts.runs import RunStatus, RunSummary


class Fate(StrEnum):
    """What became of the checkpoint of the best evaluation."""

    KEPT = "kept"
    DELETED = "deleted"
    NEVER_SAVED = "never saved"
    NOT_FOUND = "not among those that the source found"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class BestEvaluation:
    """The lowest eval loss, and the checkpoint that the trainer recorded as its best.

    Attributes:
        step: ``None`` where it is not recorded; so for the others.
        epoch: At that step.
        loss: Nats.
        recorded: The path of the trainer's best checkpoint.
        recorded_step: The step that it names.
    """

    step: int | None
    epoch: float | None
    loss: float
    recorded: str | None
    recorded_step: int | None

    @property
    def sentence(self) -> str:
        """Where it was measured."""
        if self.step is None:
            place = "a step that is not recorded" if self.epoch is None else f"epoch {self.epoch:.4g}"
        else:
            place = f"step {self.step}" if self.epoch is None else f"step {self.step} (epoch {self.epoch:.4g})"
        return f"The lowest eval loss, {self.loss:.4f}, was measured at {place}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What is known about the checkpoints of a run.

    Attributes:
        found: The saved ones; ``None`` where it is not recorded when they are saved.
        fate: Of the best evaluation's.
        ship: The step of the nearest one that certainly exists.
        ship_path: Its path; the recorded one where there is none.
        ship_loss: The eval loss there.
        possible: The step of one that is nearer and of which it cannot be told whether it exists.
        ends_at_best: Training ended at the best evaluation.
    """

    run: RunSummary
    plan: SavePlan
    best: BestEvaluation
    found: SavedCheckpoints | None
    fate: Fate
    ship: int | None
    ship_path: str | None
    ship_loss: float | None
    possible: int | None
    ends_at_best: bool


def sentence_of(weighed: Weighed) -> str:
    """All of it for people."""
    said = (
        weighed.best.sentence,
        _recorded(weighed.best),
        _fate(weighed),
        _possible(weighed),
        _ship(weighed),
        _final(weighed),
    )
    return " ".join(filter(None, said))


def _recorded(best: BestEvaluation) -> str:
    if best.recorded is None:
        return ""
    if best.recorded_step is None or best.step is None:
        reason = "its step is not in its name" if best.recorded_step is None else f"it is of step {best.recorded_step}"
        return f"The trainer recorded {best.recorded} as its best; {reason}."
    return (
        f"The trainer kept {best.recorded}, of step {best.recorded_step}, as its best, perhaps by another metric"
        " than the eval loss."
    )


def _fate(weighed: Weighed) -> str:
    best, plan, found = weighed.best, weighed.plan, weighed.found
    if best.step is None:
        return "" if best.recorded else "The path of its checkpoint is not recorded."
    if found is None:
        return "" if best.recorded else f"Whether a checkpoint of it was saved cannot be told: {_missing(plan)}."
    as_of = " so far" if weighed.run.status in (RunStatus.RUNNING, RunStatus.PAUSED) else ""
    match weighed.fate:
        case Fate.NOT_FOUND:
            return "There is no checkpoint of that step in the run's folder."
        case Fate.NEVER_SAVED if plan.strategy is Strategy.NO:
            return "No checkpoint was saved: save_strategy is no."
        case Fate.NEVER_SAVED:
            return f"No checkpoint was saved at that step{as_of}: {_schedule(plan)}."
        case Fate.DELETED if best.step not in found.saved:
            return "No checkpoint of that step exists: it was not saved, or has been deleted."
        case Fate.DELETED:
            kept = "one checkpoint is" if plan.limit == 1 else f"{plan.limit} checkpoints are"
            return f"A checkpoint was saved at that step and has been deleted since: only {kept} kept."
        case Fate.CANNOT_TELL if best.step in found.saved:
            return f"A checkpoint was saved at that step; whether it still exists cannot be told: {found.reason}."
        case Fate.CANNOT_TELL:
            return f"Whether a checkpoint of that step exists cannot be told: {found.reason}."
    return ""


def _possible(weighed: Weighed) -> str:
    if weighed.possible is None or weighed.possible == weighed.best.step:
        return ""
    reason = weighed.found.reason
    return f"One of step {weighed.possible} is nearest and may exist; whether it does cannot be told: {reason}."


def _ship(weighed: Weighed) -> str:
    ship, path, best = weighed.ship, weighed.ship_path, weighed.best
    if ship is None:
        nothing = weighed.found is not None and not len(weighed.found.may_exist) and not best.recorded
        return "No checkpoint exists." if nothing and weighed.plan.strategy is not Strategy.NO else ""
    at = path or f"the checkpoint of step {ship}"
    if weighed.fate is Fate.KEPT:
        return f"Ship {at}." if path else f"Ship {at}; its path is not recorded."
    if weighed.found is None:
        # The trainer's own best is all there is, and was named already.
        return ""
    apart = f"{abs(ship - best.step)} steps {'later' if ship > best.step else 'earlier'}"
    there = "" if weighed.ship_loss is None else f", eval loss {weighed.ship_loss:.4f}"
    certain = "exists" if weighed.possible is None else "certainly exists"
    return f"The nearest that {certain} is {at} ({apart}{there})."


def _final(weighed: Weighed) -> str:
    """What the model is that many scripts save at the end: few record whether they do."""
    best, plan = weighed.best, weighed.plan
    is_over = weighed.run.status is RunStatus.COMPLETED
    if weighed.fate is Fate.KEPT or not is_over or best.step is None or best.recorded or plan.saves_final is False:
        return ""
    model = (
        "The model saved at the end is"
        if plan.saves_final
        else "If the script saved a model at the end, which is not recorded, it is"
    )
    if plan.loads_best:
        return f"{model} that of the checkpoint kept as the best."
    return f"{model} that of this step." if plan.loads_best is False and weighed.ends_at_best else ""


def _schedule(plan: SavePlan) -> str:
    match plan.strategy:
        case Strategy.STEPS:
            return f"one is saved every {plan.every} steps"
        case Strategy.EPOCH:
            return "one is saved at the end of every epoch"
        case _:
            return f"one is saved when {plan.metric} is better than before"


def _missing(plan: SavePlan) -> str:
    match plan.strategy:
        case Strategy.STEPS:
            return "save_steps is not recorded, or not a number of steps"
        case Strategy.EPOCH:
            return "it is not recorded how many steps an epoch has"
        case Strategy.BEST:
            return "metric_for_best_model is not recorded, or not logged"
        case _:
            return "it is not recorded when checkpoints are saved (save_strategy, save_steps)"
