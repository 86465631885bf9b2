"""The summary table of the compared runs, with what of it is shown."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from lib.core.config.effective import configured_learning_rate, effective_batch
from lib.core.curves.derived import DERIVED, telling
from lib.core.curves.evidence import median_of, stored_differs
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import AppError, SignInExpired
from lib.core.facts.metrics import MEDIANS, Better, metric_of
from lib.core.ranking.metric_names import EVAL_LOSS
from lib.data.source import RunSource
from lib.table.against import with_baseline
from lib.table.cells import summary_of
from lib.table.columns import COLUMNS, Column
from lib.table.further import further_columns
from lib.table.inputs import Summary, SummaryInput
from lib.table.layout import Layout, laid_out
from lib.ui.frame import messages
from lib.ui.session import link, reads, url
from lib.ui.session.assessments import checks_of_run
from lib.ui.session.comparison import ComparedRun, Comparison


@dataclass(frozen=True)
class Table:
    """The table of a comparison with a choice of columns.

    Attributes:
        summary: All of it.
        layout: What of it is shown.
        key: All that both depend on, beside the versions of the runs.
    """

    summary: Summary
    layout: Layout
    key: Hashable


def offered(comparison: Comparison) -> tuple[list[Column], list[Column]]:
    """The columns that can be chosen: those with an entry, and those of the other metrics that a run logged.

    Derived ones are among them where they say something new of one of the runs.
    """
    return comparison.computed("columns", comparison.how, lambda: _offered(comparison))


def table_of(source: RunSource, comparison: Comparison) -> Table:
    """The table with the columns that the link names, or that decide or differ; metrics that it needs are read."""
    own, further = offered(comparison)
    names = url.value(link.COLUMNS)
    metric = comparison.decision.deciding.metric
    chosen = [each for each in further if (each.in_link in names if names else each.metric == metric)]
    failed: list[tuple[str, AppError]] = []
    read = {each.run.run_id: _read(source, each, chosen, failed) for each in comparison.runs}
    messages.incomplete(failed, "complete in the table", comparison)
    key = comparison.how, comparison.base, names, tuple(curves.points for curves in read.values())

    def make() -> Table:
        runs = comparison.in_order
        rows = [_input(each, comparison, chosen, read[each.run.run_id]) for each in runs]
        summary = with_baseline(summary_of(rows, chosen), comparison.baseline)
        known = {"run", *(each.key for each in (*own, *further))}
        keys = [column.key for column in summary.columns if column.in_link in names and column.key in known]
        decision = comparison.decision
        by_score = decision.recommendation.gaps_count and len(decision.ranked) > 1
        layout = laid_out(
            summary,
            decision.deciding.metric,
            keys,
            by_score=by_score,
            labels=comparison.labels,
            recommended=decision.recommended,
        )
        return Table(summary, layout, key)

    return comparison.computed("summary", key, make)


def _read(
    source: RunSource, each: ComparedRun, chosen: Sequence[Column], failed: list[tuple[str, AppError]]
) -> RunCurves:
    """The curves of a run with those of the chosen metrics that were not read at first; ``failed`` takes why not."""
    if each.data is None:
        return RunCurves(each.run.run_id)
    curves = each.data.curves
    wanted = [column.metric for column in chosen if column.metric is not None and column.metric in curves.unread]
    if not wanted:
        return curves
    try:
        more = reads.load_metrics(source, each.data, wanted)
    except SignInExpired:
        raise
    except AppError as error:
        failed.append((each.label, error))
        return curves
    return RunCurves(curves.run_id, {**curves.curves, **more.curves}, curves.unread)


def _input(each: ComparedRun, comparison: Comparison, further: Sequence[Column], curves: RunCurves) -> SummaryInput:
    batch = each.data.batch if each.data else effective_batch(each.run)
    rate = each.data.configured_learning_rate if each.data else configured_learning_rate(each.run)
    run_id = each.run.run_id
    deciding, values = comparison.decision.shipped(run_id)
    ranked = comparison.decision.ranked if comparison.decision.has_main_class else ()
    metrics = ["perplexity", *(column.metric for column in further if column.metric is not None)]
    return SummaryInput(
        run=each.run,
        label=each.label,
        values=values,
        deciding=deciding.metric,
        loss_metric=deciding.metric if deciding.is_loss and deciding.metric else EVAL_LOSS,
        shipped={} if values is None else _at_step(curves, metrics, values.step),
        rank=ranked.index(run_id) + 1 if run_id in ranked else None,
        recommended=run_id == comparison.decision.recommended,
        score=comparison.decision.common_score(run_id),
        unscorable=comparison.grounds.why_without_score(run_id),
        configured_learning_rate=rate,
        batch=batch.batch,
        effective_batch=batch.effective,
        effective_batch_text=batch.source,
        stored_note=stored_differs(each.stored, each.data.evidence) if each.data else None,
        checks=checks_of_run(each, comparison.runs),
        medians={key: median_of(curves.get(key)) for key in (*MEDIANS, *metrics) if key in curves.curves},
    )


def _at_step(curves: RunCurves, metrics: Sequence[str], step: int | None) -> dict[str, float]:
    """The values that evaluations at a step gave."""
    found = {}
    for metric in metrics:
        if step is not None and metric_of(metric).evaluated and metric in curves.curves:
            curve = curves.curves[metric]
            at = int(np.searchsorted(curve.step, step))
            if at < len(curve) and curve.step[at] == step:
                found[metric] = float(curve.value[at])
    return found


def _offered(comparison: Comparison) -> tuple[list[Column], list[Column]]:
    """The columns that can be chosen: those with an entry, and those of the other metrics that a run logged.

    Derived ones are among them where they say something new of one of the runs.
    """
    curves = [each.data.curves for each in comparison.runs if each.data is not None]
    untold = DERIVED - telling(curves)
    logged = {metric for each in curves for metric in (*each.curves, *each.unread)}
    directions: dict[str, Better | None] = {
        each.metric: each.better
        for part in comparison.decision.parts
        for each in part.deciding.candidates
        if each.better is not None
    }
    own = [column for column in COLUMNS if column.key != "run" and column.metric not in untold]
    return own, [column for column in further_columns(logged, directions) if column.metric not in untold]
