"""What holds of every curve, wherever it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from lib.core.curves.metric_curves import FRAME_COLUMNS, MetricCurve, RunCurves, frame_of, tidy_curve
from lib.core.curves.series import POINTS_PER_BUCKET, bucket_of, reduce_indices

FRAME_DTYPES = dict(zip(FRAME_COLUMNS, ("str", "str", "int64", "float64", "float64", "float64"), strict=True))


def curves_of_frame(frame: pd.DataFrame) -> dict[str, RunCurves]:
    """The curves of a table as ``frame_of`` makes it, in whatever order its rows were written, by run id."""
    found: dict[str, dict[str, MetricCurve]] = {}
    for (run_id, metric), rows in frame.groupby(["run_id", "metric"], sort=True):
        columns = (rows[name].to_numpy() for name in ("step", "value", "epoch", "elapsed_s"))
        found.setdefault(str(run_id), {})[str(metric)] = tidy_curve(*columns)
    return {run_id: RunCurves(run_id, MappingProxyType(curves)) for run_id, curves in found.items()}


def check_curve(curve: MetricCurve) -> None:
    columns = curve.columns
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


def reduced(curve: MetricCurve, buckets: int) -> MetricCurve:
    """What a source that reduces its curves keeps of one: what a drawing of so many buckets of steps shows.

    Of the finite values those of ``lib.core.curves.series.reduce_indices`` stay; of the others, which have
    buckets of their own, the first and the last of each. What was logged and lost is counted as before.
    """
    if len(curve) <= POINTS_PER_BUCKET * buckets and not curve.lost:
        return curve
    kept = reduce_indices(curve.step, curve.value, buckets)
    if curve.lost:
        lost = np.flatnonzero(~np.isfinite(curve.value))
        bucket = bucket_of(curve.step[lost], buckets)
        borders = bucket[1:] != bucket[:-1]
        kept = np.sort(np.concatenate((kept, lost[np.append(True, borders) | np.append(borders, True)])))
    return replace(curve.where(kept), logged=curve.logged, lost=curve.lost, median=curve.median)
