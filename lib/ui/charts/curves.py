"""The charts of the main page: loss, the four health metrics, and any further metric."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.core.facts.metrics import FURTHER, LOSS_CHART, METRICS, metric_of
from lib.core.text.labels import LEGEND_LIMIT, LOSS_LEGEND_LIMIT
from lib.data.source import RunSource
from lib.ui.charts.chart import compute
from lib.ui.charts.component import Section, draw, smoothing_is_wanted
from lib.ui.charts.downloads import downloads
from lib.ui.charts.legend import legend
from lib.ui.charts.on_axis import RunOnAxis, axis_extent, runs_on_axis, untold
from lib.ui.charts.options import options, zoom_bar
from lib.ui.charts.pinned import pinned
from lib.ui.frame.after_charts import note_charts
from lib.ui.frame.shell import draw_menu
from lib.ui.panels.findings import worst_findings
from lib.ui.session import link, url
from lib.ui.session.comparison import Comparison

_LOSS = [metric for metric in METRICS.values() if metric.chart == LOSS_CHART]
LOSSES = {
    "train and eval": tuple(metric.key for metric in _LOSS),
    "train": tuple(metric.key for metric in _LOSS if not metric.evaluated),
    "eval": tuple(metric.key for metric in _LOSS if metric.evaluated),
}
SUFFIXES = {metric.key: " (E)" if metric.evaluated else " (T)" for metric in _LOSS}
HEALTH = {
    chart: tuple(key for key, metric in METRICS.items() if metric.chart == chart)
    for chart in dict.fromkeys(metric.chart for metric in METRICS.values())
    if chart not in (LOSS_CHART, FURTHER)
}
"""The charts below the losses, and the metrics of which each shows one."""
LEGEND_KEYS = {
    "(T)": "train loss: solid line",
    "(E)": "eval loss: dashed line, ● each evaluation, ◇ the lowest",
    "▼": "NaN or infinity was logged",
    "■": "noticed in the run's health; hover it",
}


@st.fragment
def curves(source: RunSource, comparison: Comparison, menu: Sequence[DeltaGenerator]) -> None:
    """Draw options, charts, downloads and the pinned step. Reruns by itself when one of them changes."""
    options()
    runs = runs_on_axis(source, comparison)
    zoom_bar(axis_extent(runs))
    further = _further(runs)
    sections = [_losses(comparison, runs), _others(comparison, runs, further)]
    draw(sections, smoothing=smoothing_is_wanted())
    charts = [chart for section in sections for chart in section.charts]
    logged = [chart for chart in charts if not chart.is_empty]
    note_charts(len(logged))
    _choose_more(further)
    worst_findings([each.compared for each in runs])
    downloads(logged, runs)
    pinned(runs)
    url.write()
    draw_menu(menu)


def _losses(comparison: Comparison, runs: Sequence[RunOnAxis]) -> Section:
    metrics = LOSSES[url.value(link.LOSS_MODE)]
    alt = "Train and eval loss of the selected runs"
    chart = compute("loss", "Loss", metrics, comparison, runs, alt=alt, wide=True, suffixes=SUFFIXES)
    shown = legend([each.compared for each in runs], limit=LOSS_LEGEND_LIMIT, most_above=2, keys=LEGEND_KEYS)
    return Section([chart], shown, wide=True)


def _others(comparison: Comparison, runs: Sequence[RunOnAxis], further: Sequence[str]) -> Section:
    """The health charts, and one for each of the ``further`` metrics that is chosen."""
    health = {chart: _most_logged(metrics, runs) for chart, metrics in HEALTH.items()}
    more = {f"more_{metric}": metric for metric in url.value(link.MORE_METRICS) if metric in further}
    charts = []
    for key, metric in (health | more).items():
        shown = metric_of(metric)
        alt = f"{shown.title} of the selected runs"
        charts.append(compute(key, shown.axis_title, (metric,), comparison, runs, alt=alt))
    return Section(charts, legend([each.compared for each in runs], limit=LEGEND_LIMIT, most_above=3))


def _most_logged(metrics: Sequence[str], runs: Sequence[RunOnAxis]) -> str:
    """The metric that most runs log; units are never mixed in one chart."""
    return max(metrics, key=lambda key: sum(run.curve(key) is not None for run in runs))


def _further(runs: Sequence[RunOnAxis]) -> list[str]:
    """The metrics that the runs log and that have no chart of their own."""
    shown = {_most_logged(metrics, runs) for metrics in HEALTH.values()}.union(*LOSSES.values())
    return sorted({key for run in runs for key in run.logged()} - shown - untold(runs))


def _choose_more(logged: Sequence[str]) -> None:
    st.multiselect(
        "Further metrics",
        logged,
        format_func=lambda key: metric_of(key).axis_title,
        placeholder="Perplexity, GPU utilisation, …" if logged else "These runs log no further metric",
        disabled=not logged,
        **url.widget(link.MORE_METRICS, [key for key in url.value(link.MORE_METRICS) if key in logged], adopt=tuple),
    )
