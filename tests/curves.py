"""What holds of every curve, wherever it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from lib.core.curves.metric_curves import FRAME_COLUMNS, MetricCurve, RunCurves, frame_of, tidy_curve

FRAME_DTYPES = dict(zip(FRAME_COLUMNS, ("str", "str", "int64", "float64", "float64", "float64"), strict=True))


def curves_of_frame(frame: pd.DataFrame) -> dict[str, RunCurves]:
    """The curves of a table as ``frame_of`` makes it, in whatever order its rows were written, by run id."""
    found: dict[str, dict[str, MetricCurve]] = {}
    for (run_id, metric), rows in frame.groupby(["run_id", "metric"], sort=True):
        columns = (rows[name].to_numpy() for name in ("step", "value", "epoch", "elapsed_s"))
        found.setdefault(str(run_id), {})[str(metric)] = tidy_curve(*columns)
    return {run_id: RunCurves(run_id, MappingProxyType(curves)) for run_id, curves in found.items()}


def check_curve(curve: MetricCurve) -> None:
    columns = (curve.step, curve.value, curve.epoch, curve.elapsed_s)
    assert [column.dtype for column in columns] == [np.int64, np.float64, np.float64, np.float64]
    assert {column.shape for column in columns} == {(len(curve),)}
    assert (np.diff(curve.step) > 0).all(), "steps do not increase"
    assert not len(curve) or curve.step[0] >= 0
    assert not any(column.flags.writeable for column in columns), "curves are shared"
    assert type(curve.logged) is type(curve.lost) is int
    lost = int((~np.isfinite(curve.value)).sum())
    assert curve.logged >= len(curve)
    assert lost <= curve.lost <= curve.logged - (len(curve) - lost)
    if curve.is_complete:
        assert curve.lost == lost


def checked(curves: Mapping[str, RunCurves]) -> pd.DataFrame:
    """All points as a table, once every curve holds what a curve promises."""
    for run_id, run in curves.items():
        assert run.run_id == run_id
        for metric, curve in run.curves.items():
            assert len(curve), f"{metric} of {run_id} has no points and should be absent"
            check_curve(curve)
    frame = frame_of(curves.values())
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == FRAME_DTYPES
    assert len(frame) == sum(run.points for run in curves.values())
    return frame


def run_of_frame(frame: pd.DataFrame, run_id: str = "r") -> RunCurves:
    """The curves of one run of a table; without any where it has no rows of it."""
    return curves_of_frame(frame).get(run_id, RunCurves(run_id))
