"""The data and the pictures of the charts, to keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from lib.charts.drawn_file import drawn_csv
from lib.charts.export import standalone, to_png, to_svg
from lib.charts.packed import opened
from lib.charts.still import Look
from lib.charts.theme import COLORS
from lib.core.curves.metric_curves import FRAME_COLUMNS, frame_of
from lib.core.text.file_names import in_file_name
from lib.core.text.spreadsheet import inert
from lib.ui.charts.chart import Chart
from lib.ui.charts.on_axis import RunOnAxis, every_point
from lib.ui.session import link, url

CSV = "download_csv"
"""The key of the button, which the charts' own menu presses: only Streamlit can make a file when it is asked for."""


PICTURES = {"png": (to_png, "image/png"), "svg": (to_svg, "image/svg+xml")}
TABLES = {"csv": "drawn", "points": "points"}
"""What is drawn, or all points that were logged in view: kind and the end of the file's name."""

_ASKED = "charts:file"


def ask_for_file(asked: object) -> None:
    """Remember which file of which chart somebody wants, in the words of a browser; what makes no sense is none.

    It is offered from then on: what is still being made is not taken away when the page changes.

    Args:
        asked: ``chart`` (its key), ``kind``, and ``turn`` (a number that tells one wish from another).
    """
    match asked:
        case {"chart": str(chart), "kind": str(kind), "turn": int(turn)} if kind in PICTURES or kind in TABLES:
            st.session_state[_ASKED] = (chart, kind, turn)


def asked_file(
    charts: Sequence[Chart],
    runs: Sequence[RunOnAxis],
    named: Sequence[Mapping[str, Any]],
    notes: Mapping[str, str],
) -> None:
    """Offer the file that was asked for, as it is looked at now. No button for each, which most visits never press.

    Args:
        charts: Those with curves.
        runs: The runs in them.
        named: What they are called (``slot``, ``label``) and which are recommended (``first``).
        notes: What the loss chart shows, by the choice of losses.
    """
    key, kind, turn = st.session_state.get(_ASKED, ("", "", 0))
    chart = next((each for each in charts if each.key == key), None)
    if chart is None:
        return
    name = in_file_name(key)
    head, tables = opened(chart.sent)
    mode = url.value(link.LOSS_MODE)
    clips = _clips(head, mode)
    if kind in PICTURES:
        make, mime = PICTURES[kind]
        look, note = _look(mode, named, clips=clips), _note(chart, head, notes)
        _offer(turn, lambda: make(standalone(head, tables, look, note)), f"{name}.{kind}", mime)
        return
    # What is behind a button is made when it is pressed, outside of this run: it gets values only.
    zoom, names = url.value(link.ZOOM), {run["slot"]: run["label"] for run in named}
    metrics = [one.metric for one in chart.asked]
    makers: Mapping[str, Callable[[], bytes]] = {
        "csv": lambda: drawn_csv(head, tables, metrics, names, mode, clips=clips).encode(),
        "points": lambda: _csv(chart.request.metrics, runs, zoom),
    }
    _offer(turn, makers[kind], f"{name}-{TABLES[kind]}.csv", "text/csv")


def _offer(turn: int, make: Callable[[], bytes], name: str, mime: str) -> None:
    st.download_button("Download", make, f"runoff-{name}", mime, key=f"download_file_{turn}", on_click="ignore")


def _look(mode: str, named: Sequence[Mapping[str, Any]], *, clips: bool) -> Look:
    is_dark = st.context.theme.type == "dark"
    return Look(
        {run["slot"]: run["label"] for run in named},
        [run["slot"] for run in named if run["first"]],
        mode,
        clips,
        {name: COLORS[name][is_dark] for name in ("text", "muted", "grid", "control", "ground")},
    )


def _note(chart: Chart, head: Mapping[str, Any], notes: Mapping[str, str]) -> str:
    """What the lines of a chart are, as the page says beside its title."""
    is_loss = chart.key == "loss"
    said = notes[url.value(link.LOSS_MODE)] if is_loss else ""
    return " · ".join(filter(None, (said, head["note"] if chart.request.is_difference or not is_loss else "")))


def _clips(head: Mapping[str, Any], mode: str) -> bool:
    """Whether a chart leaves out what counts as an outlier in it."""
    bounds, outliers = head["bounds"].get(mode), url.value(link.OUTLIERS)
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
        names = {"run_id": inert(each.compared.run.run_id), "run": inert(each.compared.label)}
        parts.append(part.assign(**names, metric=part["metric"].map(inert)))
    return pd.concat(parts)[["run", *FRAME_COLUMNS]].to_csv(index=False, na_rep="NaN").encode()
