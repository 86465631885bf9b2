"""The data and the picture of every chart, to keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from lib.charts.export import standalone, to_png, to_svg
from lib.core.curves.metric_curves import FRAME_COLUMNS, frame_of
from lib.core.text.spreadsheet import inert
from lib.ui.charts.chart import Chart
from lib.ui.charts.on_axis import RunOnAxis, every_point
from lib.ui.session import link, url


def downloads(charts: Sequence[Chart], runs: Sequence[RunOnAxis]) -> None:
    """Offer each chart as CSV (all logged rows in view, not the reduced ones), PNG and SVG."""
    if not charts:
        return
    with st.popover("Download a chart", icon=":material/download:"):
        by_key = {chart.key: chart for chart in charts}
        titles = {chart.key: chart.request.title for chart in charts}
        key = st.selectbox("Chart", list(titles), format_func=titles.__getitem__, key="download_chart")
        chosen = by_key[key]
        # What is behind a button is made when it is pressed, outside of this run: it gets values only.
        zoom = url.value(link.ZOOM)
        legend = {each.compared.color: each.compared.label for each in runs}
        with st.container(horizontal=True):
            _button("CSV", chosen, "text/csv", lambda: _csv(chosen.request.metrics, runs, zoom))
            _button("PNG", chosen, "image/png", lambda: to_png(_still(chosen, legend)))
            _button("SVG", chosen, "image/svg+xml", lambda: to_svg(_still(chosen, legend)))


def _button(kind: str, chart: Chart, mime: str, make: Callable[[], bytes]) -> None:
    st.download_button(
        kind, make, f"runoff-{chart.key}.{kind.lower()}", mime, key=f"download_{kind}", on_click="ignore"
    )  # fmt: skip


def _still(chart: Chart, legend: dict[str, str]) -> dict[str, Any]:
    return standalone(chart.layout, chart.data.tables, title=chart.request.title, legend=legend)


def _csv(metrics: Sequence[str], runs: Sequence[RunOnAxis], zoom: tuple[float, float] | None) -> bytes:
    parts = []
    for each in runs:
        curves = every_point(each, metrics)
        if zoom is not None:
            kept = {}
            for metric, curve in curves.curves.items():
                x = each.placing(curve)
                kept[metric] = curve.where((x >= zoom[0]) & (x <= zoom[1]))
            curves = replace(curves, curves=kept)
        part = frame_of([curves], metrics)
        parts.append(part.assign(run_id=inert(each.compared.run.run_id), run=inert(each.compared.label)))
    return pd.concat(parts)[["run", *FRAME_COLUMNS]].to_csv(index=False, na_rep="NaN").encode()
