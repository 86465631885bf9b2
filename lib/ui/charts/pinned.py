"""The pinned step: every metric of every run there, from all rows."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.metrics import METRICS, metric_of
from lib.core.text import formatting
from lib.ui.charts.on_axis import RunOnAxis, untold, values_at
from lib.ui.frame import messages
from lib.ui.session import link, url


def pinned(runs: Sequence[RunOnAxis]) -> None:
    """Every metric of every run at the pinned position, from all rows."""
    pin = url.value(link.PIN)
    if pin is None:
        return
    st.markdown(f"**Pinned at {url.value(link.AXIS).axis_title.lower()} {formatting.place(pin)}**")
    try:
        columns = {each.compared.label: values_at(each, pin) for each in runs}
    except SourceUnavailable as error:
        messages.error_panel(error, retry="pin")
        return
    logged = {key for column in columns.values() for key in column} - untold(runs)
    known = [key for key in METRICS if key in logged] + sorted(logged - METRICS.keys())
    if not known:
        st.caption("No run has logged anything up to here.")
        return
    table = pd.DataFrame(
        {
            label: [_text(key, *column[key], pin) if key in column else formatting.NOT_RECORDED for key in known]
            for label, column in columns.items()
        },
        index=pd.Index([metric_of(key).axis_title for key in known], name="Metric"),
    )
    st.dataframe(table, height="content", key="pinned")
    st.caption(":small[Where a run logged nothing just there, the last value before it, with its place.]")


def _text(metric: str, value: float, position: float, pin: float) -> str:
    shown = formatting.shower(metric_of(metric).spec)(value)
    return shown if position == pin else f"{shown} (at {formatting.place(position)})"
