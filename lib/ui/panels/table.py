"""The summary table: what stands in it, its choice of columns, its export."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from lib.core.config.effective import configured_learning_rate, effective_batch
from lib.core.curves.derived import DERIVED, telling
from lib.core.curves.evidence import median_of, stored_differs
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import AppError, SignInExpired
from lib.core.facts.metrics import MEDIANS, Better, metric_of
from lib.core.facts.selection import MOST_NAMED, is_uploaded
from lib.core.ranking.comparability import Comparability, classed
from lib.core.ranking.metric_names import EVAL_LOSS
from lib.core.text.phrases import counted, first_of
from lib.data.source import RunSource
from lib.table.against import with_baseline
from lib.table.cells import summary_of
from lib.table.columns import COLUMNS, Column, Group
from lib.table.csv_file import to_csv
from lib.table.further import further_columns
from lib.table.inputs import Summary, SummaryInput
from lib.table.layout import Layout, laid_out
from lib.table.marks import Alike, Mark, Marked, marks
from lib.ui.frame import messages
from lib.ui.frame.after_charts import Kind, after_charts
from lib.ui.frame.escape import md
from lib.ui.panels.grid import draw_grid, grid_frame, height_px, options_of
from lib.ui.panels.table_html import TITLE, cards, legend
from lib.ui.session import link, reads, url
from lib.ui.session.assessments import checks_of_run
from lib.ui.session.comparison import ComparedRun, Comparison

TROPHY = "🏆 "


@dataclass(frozen=True)
class View:
    """The table as it is drawn; made once for a comparison and a choice of columns, and then never changed.

    Attributes:
        summary: What is exported.
        layout: What of it is shown.
        grid: The grid's data, with its options and its height in pixels.
        cards: The same as HTML for narrow windows.
        legend: The line below it, HTML.
    """

    summary: Summary
    layout: Layout
    grid: pd.DataFrame
    options: Mapping[str, Any]
    height: int
    cards: str
    legend: str


def summary_table(source: RunSource, comparison: Comparison) -> None:
    """Draw the table with its column choice and its export."""
    offered, further = comparison.computed("columns", comparison.how, lambda: _offered(comparison))
    _drop_unknown(comparison, (*offered, *further))
    names = url.value(link.COLUMNS)
    metric = comparison.decision.deciding.metric
    chosen = [each for each in further if (each.in_link in names if names else each.metric == metric)]
    known = {"run", *(each.key for each in (*offered, *further))}
    read = {each.run.run_id: _read(source, each, chosen) for each in comparison.runs}
    view = comparison.computed(
        "table",
        (comparison.how, comparison.base, names, tuple(curves.points for curves in read.values())),
        lambda: _view(comparison, chosen, known, read),
    )
    with st.container(key="summary_card"):
        with st.container(key="summary_head", horizontal=True, vertical_alignment="center"):
            st.html(TITLE)
            choose = st.popover("Columns", icon=":material/view_column:", key="columns", on_change="rerun")
            if choose.open:
                with choose:
                    _choose_columns((*offered, *further), view.layout)
            st.download_button(
                "CSV",
                lambda: to_csv(view.summary),
                "runoff-summary.csv",
                "text/csv",
                icon=":material/download:",
                on_click="ignore",
                key="summary_csv",
            )
        _rows_after_charts(view)
        if view.legend:
            st.html(view.legend)


@st.fragment
def _rows_after_charts(view: View) -> None:
    """Draw the rows when there are charts: to open a grid takes the browser long, to change it does not."""
    match after_charts():
        case Kind.GRID:
            draw_grid(view.grid, view.options, view.height)
        case Kind.CARDS:
            st.html(view.cards)
        case Kind.NOT_YET:
            st.skeleton(height=view.height)


def _view(
    comparison: Comparison, chosen: Sequence[Column], known: Collection[str], read: Mapping[str, RunCurves]
) -> View:
    decision, labels = comparison.decision, comparison.labels
    runs = comparison.in_order
    rows = [_input(each, comparison, chosen, read[each.run.run_id]) for each in runs]
    summary = with_baseline(summary_of(rows, chosen), comparison.baseline)
    names = url.value(link.COLUMNS)
    keys = [column.key for column in summary.columns if column.in_link in names and column.key in known]
    by_score = decision.recommendation.gaps_count and len(decision.ranked) > 1
    recommended = comparison.decision.recommended
    layout = laid_out(
        summary, decision.deciding.metric, keys, by_score=by_score, labels=labels, recommended=recommended
    )
    alike = _alike(comparison)
    found = marks(summary, alike)
    signs = _trophies(comparison, summary, found, alike)
    slots = {each.run.run_id: each.slot for each in runs}
    grid = grid_frame(summary, layout, found, slots, recommended, comparison.grounds.why_first, signs)
    shown = [each.column.key for each in layout.columns]
    line = legend(
        layout.alike,
        len(runs),
        {each.mark for key in shown for each in found[key] if each.mark},
        is_recommended=recommended is not None,
        has_trophy=any(any(signs[key]) for key in signs if key in shown),
        has_uploaded=any(is_uploaded(each.run.run_id) for each in runs),
        counts_epochs=summary.in_epochs,
        baseline=comparison.labels.get(comparison.base, ""),
        has_mean="train_loss" in shown
        and any(one is not None and one.is_matched for run_id in slots for _, one in (decision.shipped(run_id),)),
    )
    return View(
        summary,
        layout,
        grid,
        options_of(layout, grid.columns),
        height_px(len(runs), is_tall=layout.is_tall),
        cards(summary, layout, found, slots, recommended, signs),
        line,
    )


def _trophies(
    comparison: Comparison, summary: Summary, found: Mapping[str, Sequence[Marked]], alike: Alike | None
) -> dict[str, list[str]]:
    """What stands before the eval losses: a trophy where it is the lowest."""
    lowest = comparison.grounds.lowest
    # A run that compares with no other is not the lowest of anything.
    several = alike is not None and len(alike.losses) > 1
    return {
        "eval_loss": [
            TROPHY
            if len(summary.run_ids) > 1
            and run_id in lowest
            and (not several or each.mark in (Mark.BEST, Mark.TIE_BEST))
            else ""
            for run_id, each in zip(summary.run_ids, found["eval_loss"], strict=True)
        ]
    }


def _alike(comparison: Comparison) -> Alike | None:
    """The classes of runs that compare; ``None`` where nothing is ranked, so that nothing is known to part them.

    Runs that are left out stand with the ranked ones where they compare.
    """
    decision = comparison.decision
    if not decision.scores:
        return None
    scored = sorted(decision.scores)
    found = classed(scored, comparison.pairs.among(scored))

    def classes(of: Comparability) -> list[set[str]]:
        first = set(decision.ranked[:1])
        return [{*each.run_ids, *(decision.alongside if first & set(each.run_ids) else ())} for each in of.classes]

    return Alike(classes(found), classes(found.but_for_loss))


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
        messages.incomplete(each.label, error)
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


def _choose_columns(offered: Sequence[Column], layout: Layout) -> None:
    """Let columns be chosen, in groups; what is typed leaves those that it names."""
    typed = st.text_input(
        "Find a column",
        key="column_search",
        type="search",
        live="200ms",
        placeholder="Find a column",
        label_visibility="collapsed",
    )
    wanted = typed.casefold().split()
    shown = {each.column.key for each in layout.columns}
    found = [each for each in offered if all(word in f"{each.group} {each.header}".casefold() for word in wanted)]
    for group in Group:
        named = {column.in_link: column for column in found if column.group is group}
        key = f"widget:{link.COLUMNS.name}:{group.name.lower()}"
        if named:
            st.session_state[key] = [name for name, column in named.items() if column.key in shown]
            st.pills(
                group.value,
                list(named),
                selection_mode="multi",
                format_func=lambda name, of=named: md(of[name].header),
                key=key,
                on_change=_take_columns,
                args=(key, tuple(named), tuple(offered), layout),
            )
    if not found:
        st.caption("No column is called so.")


def _take_columns(key: str, named: Sequence[str], offered: Sequence[Column], layout: Layout) -> None:
    """Show the columns that are chosen in one group beside those of the others; the default ones are no choice."""
    edited, shown = set(st.session_state[key]), {each.column.key for each in layout.columns}
    chosen = [each for each in offered if (each.in_link in edited if each.in_link in named else each.key in shown)]
    is_default = {each.key for each in chosen} == set(layout.default)
    url.put(link.COLUMNS, () if is_default else tuple(each.in_link for each in chosen))
