"""The one DataFrame shape that metric curves travel in.

One row is one logged value: *run* x *metric* x *step*. Long, not wide, so that a metric which a run
never logged is absent instead of a column of blanks.

===========  ========  ===========================================================================
column       dtype     meaning
===========  ========  ===========================================================================
run_id       str       ``RunSummary.run_id``
metric       str       a key of ``lib.core.metrics.METRICS``, or the source's own name
step         int64     optimizer step, >= 0, strictly increasing in a curve
epoch        float64   epochs done at that step; NaN where not logged
elapsed_s    float64   seconds since the run's first logged row; NaN where not logged
value        float64   in the metric's unit; NaN or an infinity where the run logged just that
===========  ========  ===========================================================================

A null is not a value: it has no row. Rows are sorted by run, metric, step.
"""

from __future__ import annotations

from types import MappingProxyType

import pandas as pd

METRIC_FRAME_DTYPES = MappingProxyType(
    {
        "run_id": "str",
        "metric": "str",
        "step": "int64",
        "epoch": "float64",
        "elapsed_s": "float64",
        "value": "float64",
    }
)
CURVE = ["run_id", "metric"]


def empty_metric_frame() -> pd.DataFrame:
    """A frame with no rows but every column and dtype, so that callers need no special case."""
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in METRIC_FRAME_DTYPES.items()})


def tidy_metric_frame(rows: pd.DataFrame) -> pd.DataFrame:
    """Make a metric frame of logged values in the order in which they were written.

    Where one step of a curve was written more than once (train and eval values as separate rows, a
    resumed run that repeats steps), the last one written wins.

    Args:
        rows: The schema's columns, one row per non-null value, in (timestamp, id) order.
    """
    if rows.empty:
        return empty_metric_frame()
    frame = rows.drop_duplicates([*CURVE, "step"], keep="last")
    frame = frame.sort_values([*CURVE, "step"], ignore_index=True)
    return frame[list(METRIC_FRAME_DTYPES)].astype(dict(METRIC_FRAME_DTYPES))


def extend_metric_frame(frame: pd.DataFrame, new: pd.DataFrame, after: int) -> pd.DataFrame:
    """Put the rows from step ``after`` on in the place of those that ``frame`` holds from there on.

    Args:
        frame: A metric frame.
        new: All rows of the same runs from that step on, a metric frame too.
        after: The first step of ``new`` that may differ.
    """
    if new.empty:
        return frame
    kept = frame[frame["step"] < after]
    return tidy_metric_frame(pd.concat([kept, new], ignore_index=True) if len(kept) else new)


def check_metric_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return ``frame`` unchanged, or say exactly how it breaks the schema.

    Raises:
        ValueError: If a column is missing or of another dtype, or a curve repeats a step or goes back.
    """
    problems = [
        f"column {name!r} is {'missing' if name not in frame else frame[name].dtype}, expected {dtype}"
        for name, dtype in METRIC_FRAME_DTYPES.items()
        if name not in frame or frame[name].dtype != pd.Series(dtype=dtype).dtype
    ]
    if problems:
        raise ValueError("Not a metric frame: " + "; ".join(problems) + ".")
    backwards = frame.groupby(CURVE, sort=False)["step"].diff() <= 0
    if backwards.any():
        bad = frame.loc[backwards].iloc[0]
        raise ValueError(
            f"Not a metric frame: {bad.metric!r} of run {bad.run_id!r} does not increase at step {bad.step}."
        )
    return frame
