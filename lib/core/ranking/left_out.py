"""Which runs are not ranked, and why: by their status, their end, the value that they lack."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lib.core.checks.learning import dead_training
from lib.core.checks.losses import divergence
from lib.core.checks.subject import Subject
from lib.core.curves.evidence import evidence_of
from lib.core.curves.lost_ends import lost_from
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.findings import Severity
from lib.core.facts.runs import TOLD_COMPLETED, RunStatus, RunSummary, eval_losses_of
from lib.core.ranking.deciding import Deciding
from lib.core.ranking.metric_names import EVAL_LOSS
from lib.core.ranking.scoring import LeftOut, Unscorable
from lib.core.text.log_units import unit_of


def left_out(run: RunSummary, curves: RunCurves, standing_for: Mapping[str, str]) -> Unscorable | None:
    """Why a run may not be recommended whatever its values are; ``None`` where it may.

    Args:
        run: The run.
        curves: Its curves.
        standing_for: The run that is ranked for another one of the same training, by the id of that.
    """
    if run.run_id in standing_for:
        return Unscorable(run.run_id, LeftOut.SAME_TRAINING, run.status_text, standing_for[run.run_id])
    if run.status is not RunStatus.COMPLETED:
        return Unscorable(run.run_id, LeftOut(run.status.value), run.status_text)
    # Who says that a training ended does not say how, and the log of this one does.
    if run.raw_status == TOLD_COMPLETED and (lost := lost_from(curves)) is not None:
        return Unscorable(run.run_id, LeftOut.BROKE_DOWN, run.status_text, f"{lost:,}")
    return None


def without_value(run: RunSummary, deciding: Deciding, curves: Mapping[str, RunCurves]) -> Unscorable:
    """Why a completed run has no value by which it can be ranked."""
    logged = tuple(each.metric for each in deciding.candidates if run.run_id in each.run_ids)
    if deciding.metric is not None and deciding.better is None:
        return Unscorable(run.run_id, LeftOut.NO_DIRECTION, run.status_text, deciding.metric, logged)
    evaluated = curves[run.run_id].get(deciding.metric or EVAL_LOSS).finite()
    if len(evaluated) and evaluated.step[-1] <= 0:
        return Unscorable(run.run_id, LeftOut.BASE_ONLY, run.status_text, logged=logged)
    if deciding.metric not in (None, EVAL_LOSS):
        return Unscorable(run.run_id, LeftOut.NO_VALUE, run.status_text, deciding.metric or "", logged)
    if deciding.metric is None and logged:
        return Unscorable(run.run_id, LeftOut.NO_METRIC, run.status_text, logged=logged)
    has_any = EVAL_LOSS in curves[run.run_id].curves or any(value is not None for value in eval_losses_of(run))
    code = LeftOut.NO_FINITE_EVAL_LOSS if has_any else LeftOut.NO_EVAL_LOSS
    return Unscorable(run.run_id, code, run.status_text, logged=logged)


def died_level(
    named: Iterable[RunSummary], level: Iterable[str], broke_down: Callable[[RunSummary], int | None]
) -> dict[str, Unscorable]:
    """The runs of a verdict whose training broke down, where another one that is as good did not.

    Such a one is shipped instead. A run that is better than all others beyond the noise may have a good checkpoint
    of before it broke down, and so may runs that all did.

    Args:
        named: The runs that may be shipped.
        level: All that are as good, these among them.
        broke_down: At which step a training did (``broke_down_at``).

    Returns:
        Why they are left out, by run id.
    """
    runs = {run.run_id: run for run in named}
    lost = {run_id: step for run_id, run in runs.items() if (step := broke_down(run)) is not None}
    if not lost or all(run_id in lost for run_id in level):
        return {}
    return {
        run_id: Unscorable(run_id, LeftOut.DIED_LEVEL, runs[run_id].status_text, f"{unit_of(runs[run_id])} {step:,}")
        for run_id, step in lost.items()
    }


def broke_down_at(run: RunSummary, curves: RunCurves, shipped: int | None) -> int | None:
    """The step from which on a training was lost, to its end; ``None`` where it was not.

    Args:
        run: The run.
        curves: Its curves.
        shipped: The step of its checkpoint to ship. A train loss that rises while the evaluations get better is
            of harder data, or of a loss with more terms.
    """
    lost = lost_from(curves)
    if lost is not None:
        return lost
    subject = Subject(run, curves, evidence_of(curves), None)
    for check in (dead_training, divergence):
        for each in check.of(subject).findings:
            is_over = check is dead_training or (shipped is not None and each.step is not None and shipped < each.step)
            if each.severity is Severity.CRITICAL and is_over:
                return each.step
    return None
