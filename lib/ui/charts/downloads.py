"""The data and the pictures of the charts, to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from lib.charts.export import standalone, to_png, to_svg
from lib.charts.still import Look
from lib.charts.theme import COLORS
from lib.core.curves.metric_curves import FRAME_COLUMNS, frame_of
from lib.core.text.spreadsheet import inert
from lib.ui.charts.chart import Chart
from lib.ui.charts.on_axis import RunOnAxis, every_point
from lib.ui.session import link, url

CSV = "download_csv"
"""The key of the button, which the charts' own menu presses: only Streamlit can make a file when it is asked for."""


KINDS = {"png": (to_png, "image/png"), "svg": (to_svg, "image/svg+xml")}
"""The kinds of pictures."""

_ASKED = "charts:picture"


def ask_for_picture(asked: object) -> None:
    """Remember which picture somebody wants, in the words of a browser; what makes no sense is none.

    It is offered from then on: what is still being made is not taken away when the page changes.

    Args:
        asked: ``chart`` (its key), ``kind``, and ``turn`` (a number that tells one wish from another).
    """
    match asked:
        case {"chart": str(chart), "kind": str(kind), "turn": int(turn)} if kind in KINDS:
            st.session_state[_ASKED] = (chart, kind, turn)


def picture(charts: Sequence[Chart], runs: Sequence[Mapping[str, Any]], notes: Mapping[str, str]) -> None:
    """Offer the picture that was asked for, as it is looked at now. No button for each, which most visits never press.

    Args:
        charts: Those with curves.
        runs: What they are called (``slot``, ``label``) and which are recommended (``first``).
        notes: What the loss chart shows, by the choice of losses.
    """
    key, kind, turn = st.session_state.get(_ASKED, ("", "", 0))
    chart = next((each for each in charts if each.key == key), None)
    if chart is None:
        return
    make, mime = KINDS[kind]
    mode, is_dark = url.value(link.LOSS_MODE), st.context.theme.type == "dark"
    look = Look(
        {run["slot"]: run["label"] for run in runs},
        [run["slot"] for run in runs if run["first"]],
        mode,
        _clips(chart, mode),
        {name: COLORS[name][is_dark] for name in ("text", "muted", "grid", "control", "ground")},
    )
    note = notes[mode] if chart.key == "loss" and not chart.request.is_difference else chart.head["note"]
    st.download_button(
        "Download the picture",
        lambda: make(standalone(chart.head, chart.data.tables, look, note)),
        f"runoff-{chart.key}.{kind}",
        mime,
        key=f"download_picture_{turn}",
        on_click="ignore",
    )


def _clips(chart: Chart, mode: str) -> bool:
    """Whether a chart leaves out what counts as an outlier in it."""
    bounds, outliers = chart.head["bounds"].get(mode), url.value(link.OUTLIERS)
    return bounds is not None and (outliers == "ignored" or (outliers == "auto" and bounds[4]))


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
