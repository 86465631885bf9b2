"""The summary table: what stands in it, its choice of columns, its export."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from lib.core.config.effective import configured_learning_rate, effective_batch
from lib.core.curves.derived import DERIVED, telling
from lib.core.curves.evidence import median_of, stored_differs
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import AppError, SignInExpired
from lib.core.facts.metrics import MEDIANS, Better, metric_of
from lib.core.facts.selection import MOST_NAMED
from lib.core.gap.overfitting import GAP_WARNING
from lib.core.ranking.metric_names import EVAL_LOSS
from lib.core.text.phrases import counted, first_of
from lib.data.source import RunSource
from lib.table.cells import summary_frame
from lib.table.columns import COLUMNS, Column
from lib.table.csv_file import to_csv
from lib.table.further import further_columns
from lib.table.inputs import SummaryInput
from lib.ui.frame.escape import md
from lib.ui.panels.grid import grid_after_charts, grid_frame
from lib.ui.session import link, reads, url
from lib.ui.session.assessments import checks_of_run
from lib.ui.session.comparison import ComparedRun, Comparison

ESSENTIAL = frozenset(column.key for column in COLUMNS if column.essential)


def summary_table(source: RunSource, comparison: Comparison) -> None:
    """Draw the table with its column choice and its export."""
    offered, further = _offered(comparison)
    _drop_unknown(comparison, (*offered, *further))
    chosen = [column for column in further if column.in_link in url.value(link.COLUMNS)]
    read = {each.run.run_id: _read(source, each, chosen) for each in comparison.runs}
    frame = comparison.computed(
        "summary",
        (comparison.how, tuple(column.key for column in chosen), tuple(curves.points for curves in read.values())),
        lambda: summary_frame(
            [_input(each, comparison, chosen, read[each.run.run_id]) for each in comparison.runs], chosen
        ),
    )
    title, choose, save = st.columns([6, 1.4, 1.4], vertical_alignment="bottom")
    title.subheader("Summary", anchor=False)
    with choose.popover("Columns", icon=":material/view_column:", width="stretch"):
        shown = _choose_columns((*offered, *further))
    save.download_button(
        "CSV",
        lambda: to_csv(frame, chosen),
        "runoff-summary.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
        key="summary_csv",
    )
    every = (*COLUMNS, *chosen)
    columns = [column for column in every if column.key in shown]
    grid = comparison.computed(
        "grid",
        (comparison.how, shown, tuple(curves.points for curves in read.values())),
        lambda: grid_frame(frame, columns, comparison, every),
    )
    grid_after_charts(grid, columns)
    st.caption(
        ":small[★ recommended · 🏆 lowest eval loss · ✔ best, ✔= tied for best, ▽ worst of a column"
        f" · ⚠ gap above {GAP_WARNING:g} · ⚑ gap below 0."
        " Hover a cell or a header for details; click a header to sort.]"
    )


def _read(source: RunSource, each: ComparedRun, chosen: Sequence[Column]) -> RunCurves:
    """The curves of a run with those of the chosen metrics that were not read at first."""
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
        st.warning(f"{md(each.label)} is not complete in the table. {md(str(error))}", icon=":material/cloud_off:")
        return curves
    return RunCurves(curves.run_id, {**curves.curves, **more.curves}, curves.unread)


def _input(each: ComparedRun, comparison: Comparison, further: Sequence[Column], curves: RunCurves) -> SummaryInput:
    batch = each.data.batch if each.data else effective_batch(each.run)
    rate = each.data.configured_learning_rate if each.data else configured_learning_rate(each.run)
    run_id = each.run.run_id
    values, deciding = comparison.decision.values.get(run_id), comparison.decision.deciding_of(run_id)
    metrics = ["perplexity", *(column.metric for column in further if column.metric is not None)]
    return SummaryInput(
        run=each.run,
        label=each.label,
        values=values,
        deciding=deciding.metric,
        loss_metric=deciding.metric if deciding.is_loss and deciding.metric else EVAL_LOSS,
        shipped={} if values is None else _at_step(curves, metrics, values.step),
        score=comparison.decision.scores.get(run_id),
        unscorable=comparison.grounds.left_out.get(run_id),
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


def _drop_unknown(comparison: Comparison, known: Sequence[Column]) -> None:
    """Take what is no column out of the link, and say so; not where a run that was not read may have logged it."""
    names = {"run", *(column.in_link for column in (*COLUMNS, *known))}
    unknown = [name for name in url.value(link.COLUMNS) if name not in names]
    is_told = all(
        each.data is not None and each.error is None and not each.data.curves.may_have_more for each in comparison.runs
    )
    if unknown and is_told:
        url.put(link.COLUMNS, tuple(name for name in url.value(link.COLUMNS) if name in names))
        what = counted(len(unknown), "column of the link", "columns of the link")
        st.warning(
            f"{what} left out: {md(first_of(unknown, MOST_NAMED))}. No selected run logged it.",
            icon=":material/link_off:",
        )


def _choose_columns(optional: Sequence[Column]) -> tuple[str, ...]:
    """The keys of the columns to show: the chosen ones, the run always first."""
    default = [column.in_link for column in optional if column.key in ESSENTIAL]
    named = {column.in_link: column for column in optional}
    chosen = [name for name in url.value(link.COLUMNS) if name in named] or default
    st.pills(
        "Columns",
        list(named),
        selection_mode="multi",
        format_func=lambda name: md(named[name].header),
        label_visibility="collapsed",
        **url.widget(link.COLUMNS, chosen, adopt=lambda names: () if set(names) == set(default) else tuple(names)),
    )
    return ("run", *(named[name].key for name in chosen))
