"""The charts of the main page: loss, the four health metrics, and any further metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.core.labels import LEGEND_LIMIT, LOSS_LEGEND_LIMIT
from lib.core.metrics import metric_of
from lib.data.source import RunSource
from lib.ui import url
from lib.ui.after_charts import note_charts
from lib.ui.chart import Chart, compute
from lib.ui.chart_options import options, zoom_bar
from lib.ui.comparison import Comparison
from lib.ui.downloads import downloads
from lib.ui.legend import legend
from lib.ui.noticed import worst_noticed
from lib.ui.pinned import pinned
from lib.ui.placed import PlacedRun, axis_extent, placed_runs
from lib.ui.shell import draw_menu
from lib.ui.surface import draw, smoothing_is_wanted

HEALTH = ("learning_rate", "grad_norm", "throughput", "gpu_memory_allocated_gb")
THROUGHPUT = ("tokens_per_second", "samples_per_second")
LOSSES = {"train and eval": ("train_loss", "eval_loss"), "train": ("train_loss",), "eval": ("eval_loss",)}
SUFFIXES = {"train_loss": " (T)", "eval_loss": " (E)"}
LEGEND_KEYS = {
    "(T)": "train loss: solid line",
    "(E)": "eval loss: dashed line, ● each evaluation, ◇ the lowest",
    "▼": "NaN or infinity was logged",
    "■": "noticed in the run's health; hover it",
}
BESIDE = [5.2, 1]
"""Widths of a chart and of the legend at its right."""


@st.fragment
def curves(source: RunSource, comparison: Comparison, menu: Sequence[DeltaGenerator]) -> None:
    """Draw options, charts, downloads and the pinned step. Reruns by itself when one of them changes."""
    options()
    placed = placed_runs(source, comparison)
    zoom_bar(axis_extent(placed))
    smoothing = smoothing_is_wanted()
    charts = [
        *_loss_chart(comparison, placed, smoothing),
        *_health_charts(comparison, placed, smoothing),
        *_more_charts(comparison, placed, smoothing),
    ]
    logged = [chart for chart in charts if not chart.is_empty]
    note_charts(len(logged))
    worst_noticed([each.compared for each in placed])
    downloads(logged, placed)
    pinned(placed)
    url.write()
    draw_menu(menu)


def _loss_chart(comparison: Comparison, runs: Sequence[PlacedRun], smoothing: bool) -> list[Chart]:
    alt = "Train and eval loss of the selected runs"
    metrics = LOSSES[url.LOSS_MODE.value]
    chart = compute("loss", "Loss", metrics, comparison, runs, alt=alt, wide=True, suffixes=SUFFIXES)
    with _beside_legend(runs, most_above=2, limit=LOSS_LEGEND_LIMIT, keys=LEGEND_KEYS):
        draw("loss", [chart], wide=True, smoothing=smoothing)
    return [chart]


def _health_charts(comparison: Comparison, runs: Sequence[PlacedRun], smoothing: bool) -> list[Chart]:
    charts = [
        _metric_chart(name, _throughput(runs) if name == "throughput" else name, comparison, runs) for name in HEALTH
    ]
    with _beside_legend(runs, most_above=3, limit=LEGEND_LIMIT):
        draw("health", charts, smoothing=smoothing)
    return charts


def _metric_chart(key: str, metric_key: str, comparison: Comparison, runs: Sequence[PlacedRun]) -> Chart:
    metric = metric_of(metric_key)
    return compute(key, metric.axis_title, (metric_key,), comparison, runs, alt=f"{metric.title} of the selected runs")


def _beside_legend(
    runs: Sequence[PlacedRun], *, most_above: int, limit: int, keys: Mapping[str, str] | None = None
) -> DeltaGenerator:
    """Draw the legend, above up to so many runs and else at the right; return the place for the charts."""
    vertical = len(runs) > most_above
    left, right = st.columns(BESIDE) if vertical else (st.container(), st.container())
    with right if vertical else left:
        legend([each.compared for each in runs], limit=limit, vertical=vertical, keys=keys)
    return left


def _throughput(runs: Sequence[PlacedRun]) -> str:
    """The throughput that most runs log; units are never mixed in one chart."""
    return max(THROUGHPUT, key=lambda key: sum(run.curve(key) is not None for run in runs))


def _more_charts(comparison: Comparison, runs: Sequence[PlacedRun], smoothing: bool) -> list[Chart]:
    """Any further metric of the rows."""
    drawn = {"train_loss", "eval_loss", _throughput(runs), *HEALTH}
    logged = sorted({key for run in runs for key in run.logged()} - drawn)
    chosen = [key for key in url.MORE_METRICS.value if key in logged]
    st.multiselect(
        "Further metrics",
        logged,
        format_func=lambda key: metric_of(key).axis_title,
        placeholder="Perplexity, GPU utilisation, …" if logged else "These runs log no further metric",
        disabled=not logged,
        **url.MORE_METRICS.widget(chosen, adopt=tuple),
    )
    charts = [_metric_chart(f"more_{key}", key, comparison, runs) for key in chosen]
    if charts:
        draw("more", charts, smoothing=smoothing)
    return charts
