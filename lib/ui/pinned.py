"""The pinned step: every metric of every run there, from all rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from lib.core import formatting
from lib.core.metrics import METRICS, metric_of
from lib.ui import url
from lib.ui.chart import PlacedRun


def pinned(runs: Sequence[PlacedRun]) -> None:
    """Every metric of every run at the pinned position, from all rows."""
    pin = url.PIN.value
    if pin is None:
        return
    st.markdown(f"**Pinned at {url.AXIS.value.axis_title.lower()} {formatting.place(pin)}**")
    columns = {each.compared.label: _column(each, pin) for each in runs}
    known = [key for key in _metric_order(runs) if any(key in column for column in columns.values())]
    if not known:
        st.caption("No run has logged anything up to here.")
        return
    table = pd.DataFrame(
        {label: [column.get(key, formatting.NOT_RECORDED) for key in known] for label, column in columns.items()},
        index=pd.Index([metric_of(key).axis_title for key in known], name="Metric"),
    )
    st.dataframe(table, height="content", key="pinned")
    st.caption(":small[Where a run logged nothing just there, the last value before it, with its place.]")


def _metric_order(runs: Sequence[PlacedRun]) -> list[str]:
    logged = {key for run in runs for key in run.compared.curves.metrics}
    return [key for key in METRICS if key in logged] + sorted(logged - set(METRICS))


def _column(run: PlacedRun, pin: float) -> dict[str, str]:
    """The values of one run at ``pin``, as text by metric."""
    column = {}
    for key in run.compared.curves.metrics:
        x, y = run.points(key)
        before = np.flatnonzero(x <= pin)
        if len(before):
            # Positions may go back where a clock jumped: the latest place counts, not the latest row.
            at = before[np.lexsort((before, x[before]))[-1]]
            exact = x[at] == pin
            column[key] = formatting.figure(y[at], metric_of(key).spec) + (
                "" if exact else f" (at {formatting.place(x[at])})"
            )
    return column
