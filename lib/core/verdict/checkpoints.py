"""What is said about the checkpoint to ship: all of it, in a line, and as an objection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from lib.core.checkpoints.advice import CheckpointAdvice, Fate
from lib.core.checkpoints.save_plan import SavePlan, Strategy
from lib.core.checkpoints.saved import Doubt
from lib.core.facts.foreign import isolated
from lib.core.facts.runs import RunStatus, eval_loss_of
from lib.core.text import formatting
from lib.core.text.log_units import unit_of
from lib.core.text.phrases import listed
from lib.core.text.precision import measured

NAME_LIMIT, NAME_TAIL = 40, 20
"""Characters of a checkpoint's folder, and of its end, which names the step."""

GONE: Mapping[Fate, tuple[str, str]] = MappingProxyType(
    {
        Fate.DELETED: ("gone", "has been deleted or was not saved"),
        Fate.NEVER_SAVED: ("never saved", "was not saved"),
        Fate.NOT_FOUND: ("not found", "is not in the run's folder"),
    }
)
"""What became of a checkpoint that does not exist: in short, and after the words that name it."""


def checkpoint_sentence(advice: CheckpointAdvice) -> str:
    """All of it."""
    advice = _readable(advice)
    if advice.eval_loss is None and advice.step is None:
        why = "No eval loss is" if eval_loss_of(advice.run) is None else "Only the last eval loss is"
        known = f" The trainer recorded {advice.recorded} as its best." if advice.recorded else ""
        gone = _not_there(advice) if advice.recorded and advice.is_listed and advice.path is None else ""
        return f"{why} recorded, so no checkpoint can be told to be the best.{known}{gone}"
    measured = f"The lowest eval loss, {formatting.loss(advice.eval_loss)}, was measured at {_place(advice)}."
    if not advice.is_lowest:
        there = "" if advice.eval_loss is None else f"; the eval loss there is {formatting.loss(advice.eval_loss)}"
        measured = f"The best value of what decides was measured at {_place(advice)}{there}."
    if advice.fate is Fate.KEPT and (advice.is_listed or advice.recorded_step == advice.step):
        return f"{measured} Ship {advice.path}."
    said = measured, _recorded(advice), _fate(advice), _possible(advice), _ship(advice), _final(advice)
    return " ".join(filter(None, said))


def checkpoint_name(advice: CheckpointAdvice) -> str:
    """What the checkpoint to ship is called: its folder, else its step."""
    advice = _readable(advice)
    folder = re.split(r"[\\/]", advice.path.rstrip("\\/"))[-1] if advice.path else ""
    if folder and (advice.fate is Fate.KEPT or advice.path_step == advice.saved_step):
        return formatting.shorten_middle(folder, NAME_LIMIT, NAME_TAIL)
    if advice.saved_step is not None:
        return _called(advice, advice.saved_step)
    if advice.step is None:
        return "checkpoint not known"
    return f"{_called(advice, advice.step)}, {'gone' if advice.fate in GONE else 'if saved'}"


def checkpoint_note(advice: CheckpointAdvice) -> str:
    """What exists instead of the best checkpoint, and what became of that; "" where the name says enough."""
    if advice.fate is Fate.KEPT or advice.step is None:
        return ""
    best = _called(advice, advice.step)
    fate = GONE[advice.fate][1] if advice.fate in GONE else "may not be saved"
    if advice.saved_step is None:
        return f"The best one, {best}, {fate}, and no other surely exists." if advice.fate in GONE else ""
    there = "" if advice.saved_eval_loss is None else f" ({measured(advice.saved_eval_loss)})"
    return f"Saved: {checkpoint_name(advice)}{there}. The best one, {best}, {fate}."


def _called(advice: CheckpointAdvice, step: int) -> str:
    """A step by what the run's log counts."""
    return f"{_counted(advice)} {formatting.count(step)}"


def _counted(advice: CheckpointAdvice) -> str:
    return unit_of(advice.run)


def _readable(advice: CheckpointAdvice) -> CheckpointAdvice:
    """With paths as they may stand in a sentence."""
    path, recorded = (value if value is None else isolated(value) for value in (advice.path, advice.recorded))
    return replace(advice, path=path, recorded=recorded)


def missing_checkpoint(advice: CheckpointAdvice) -> str:
    """That the weights that were measured best do not exist, and what does; "" where they may."""
    if advice.fate not in GONE:
        return ""
    best = f"{_counted(advice)} {formatting.count(advice.step)}"
    said = f"The checkpoint of its best evaluation ({best}) {GONE[advice.fate][1]}."
    if advice.saved_step is None:
        return said
    loss = advice.saved_eval_loss
    there = "" if loss is None else f", with an eval loss of {formatting.loss(loss)}"
    return f"{said} The nearest that exists is of {_counted(advice)} {formatting.count(advice.saved_step)}{there}."


def _place(advice: CheckpointAdvice) -> str:
    if advice.step is None:
        return "a step that is not recorded" if advice.epoch is None else f"epoch {advice.epoch:.4g}"
    if advice.run.steps_are_epochs:
        return f"epoch {formatting.count(advice.step)}"
    step = f"step {formatting.count(advice.step)}"
    return step if advice.epoch is None else f"{step} (epoch {advice.epoch:.4g})"


def _recorded(advice: CheckpointAdvice) -> str:
    path, step = advice.recorded, advice.recorded_step
    if path is None:
        return ""
    if step is None or advice.step is None:
        of = f"it is of {_counted(advice)} {formatting.count(step)}"
        reason = f"its {_counted(advice)} is not in its name" if step is None else of
        return f"The trainer recorded {path} as its best; {reason}."
    if advice.is_listed:
        return f"The trainer recorded {path} as its best."
    kept = f"The trainer kept {path}, of {_counted(advice)} {formatting.count(step)}, as its best"
    return f"{kept}, perhaps by another metric than the eval loss."


def _not_there(advice: CheckpointAdvice) -> str:
    return " It is not in the run's folder." if advice.none_exists or advice.saved_step is None else ""


def _fate(advice: CheckpointAdvice) -> str:
    plan, unit = advice.plan, _counted(advice)
    if advice.step is None:
        return "" if advice.recorded else "The path of its checkpoint is not recorded."
    if advice.doubt is Doubt.SCHEDULE:
        return "" if advice.recorded else f"Whether a checkpoint of it was saved cannot be told: {_missing(plan)}."
    match advice.fate:
        case Fate.NOT_FOUND:
            return _absent(advice)
        case Fate.NEVER_SAVED if plan.strategy is Strategy.NO:
            return "No checkpoint was saved: save_strategy is no."
        case Fate.NEVER_SAVED:
            as_of = " so far" if advice.run.status in (RunStatus.RUNNING, RunStatus.PAUSED) else ""
            return f"No checkpoint was saved at that {unit}{as_of}: {_schedule(plan)}."
        case Fate.DELETED if not advice.was_saved:
            return f"No checkpoint of that {unit} exists: it was not saved, or has been deleted."
        case Fate.DELETED:
            kept = "one checkpoint is" if plan.limit == 1 else f"{plan.limit} checkpoints are"
            return f"A checkpoint was saved at that {unit} and has been deleted since: only {kept} kept."
        case Fate.CANNOT_TELL if advice.was_saved:
            return f"A checkpoint was saved at that {unit}; whether it still exists cannot be told: {_doubt(advice)}."
        case Fate.CANNOT_TELL:
            return f"Whether a checkpoint of that {unit} exists cannot be told: {_doubt(advice)}."
    return ""


def _absent(advice: CheckpointAdvice) -> str:
    for checkpoint in advice.run.checkpoints or ():
        if checkpoint.step == advice.step:
            return (
                f"The checkpoint of that {_counted(advice)}, {isolated(checkpoint.folder)}, was not saved to its end."
            )
    unplaced = [isolated(each.folder) for each in advice.run.checkpoints or () if each.step is None]
    said = f"There is no checkpoint of that {_counted(advice)} in the run's folder."
    return f"{said} Of which {_counted(advice)} {listed(unplaced)} is cannot be told." if unplaced else said


def _possible(advice: CheckpointAdvice) -> str:
    step = advice.possible_step
    if step is None or step == advice.step:
        return ""
    nearest = f"One of {_counted(advice)} {formatting.count(step)} is nearest and may exist"
    return f"{nearest}; whether it does cannot be told: {_doubt(advice)}."


def _ship(advice: CheckpointAdvice) -> str:
    if advice.saved_step is None or advice.step is None:
        nothing = advice.none_exists and not advice.recorded and advice.plan.strategy is not Strategy.NO
        return "No checkpoint exists." if nothing else ""
    at = advice.path or f"the checkpoint of {_counted(advice)} {formatting.count(advice.saved_step)}"
    if advice.fate is Fate.KEPT:
        return f"Ship {at}." if advice.path else f"Ship {at}; its path is not recorded."
    if advice.doubt is Doubt.SCHEDULE:
        # The trainer's own best is all there is, and was named already.
        return ""
    away = advice.saved_step - advice.step
    there = "" if advice.saved_eval_loss is None else f", eval loss {formatting.loss(advice.saved_eval_loss)}"
    certain = "exists" if advice.possible_step is None else "certainly exists"
    how_far = f"{abs(away)} {_counted(advice)}s {'later' if away > 0 else 'earlier'}"
    return f"The nearest that {certain} is {at} ({how_far}{there})."


def _final(advice: CheckpointAdvice) -> str:
    """What the model is that many scripts save at the end: few record whether they do."""
    plan, is_over = advice.plan, advice.run.status is RunStatus.COMPLETED
    if advice.fate is Fate.KEPT or not is_over or advice.step is None or advice.recorded or plan.saves_final is False:
        return ""
    model = (
        "The model saved at the end is"
        if plan.saves_final
        else "If the script saved a model at the end, which is not recorded, it is"
    )
    if plan.loads_best:
        return f"{model} that of the checkpoint kept as the best."
    return f"{model} that of this {_counted(advice)}." if plan.loads_best is False and advice.ends_at_best else ""


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


def _doubt(advice: CheckpointAdvice) -> str:
    match advice.doubt:
        case Doubt.OPTIONS:
            return f"{listed(advice.unknown)} {'is' if len(advice.unknown) == 1 else 'are'} not recorded"
        case Doubt.BEST:
            return f"which one was best by {advice.plan.metric} is not known"
        case Doubt.LAST_STEP:
            return "the last logged step is not the last one planned"
        case _:
            return "versions of the trainer differ in that"
