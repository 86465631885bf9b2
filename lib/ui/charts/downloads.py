"""The data of the charts, to keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from lib.core.curves.metric_curves import FRAME_COLUMNS, frame_of
from lib.core.text.spreadsheet import inert
from lib.ui.charts.chart import Chart
from lib.ui.charts.on_axis import RunOnAxis, every_point
from lib.ui.session import link, url

CSV = "download_csv"
"""The key of the button, which the charts' own menu presses: only Streamlit can make a file when it is asked for."""


def downloads(charts: Sequence[Chart], runs: Sequence[RunOnAxis]) -> None:
    """Offer what the charts show as CSV: all logged rows in view, not the reduced ones."""
    metrics = tuple(dict.fromkeys(metric for chart in charts for metric in chart.request.metrics))
    if not metrics:
        return
    # What is behind a button is made when it is pressed, outside of this run: it gets values only.
    zoom = url.value(link.ZOOM)
    st.download_button(
        "Download as CSV",
        lambda: _csv(metrics, runs, zoom),
        "runoff-curves.csv",
        "text/csv",
        key=CSV,
        on_click="ignore",
    )


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
