"""Reading rows of the metrics table into curves.

Columns may come as numbers or as text: JSON has no NaN, so that a writer's NaN can make text of a
whole column. Null is no value, NaN is one: validity is Arrow's, pandas does not know the difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lib.core.curves.metric_curves import MetricCurve, RunCurves, complete_curve, tidy_curve
from lib.core.curves.row_facts import row_facts
from lib.core.facts.errors import MalformedRow
from lib.core.facts.metrics import LOGGED
from lib.core.facts.sizes import LARGEST_STEP
from lib.core.facts.values import clock_unit
from lib.data.tables.job_rows import is_credential

PLACES = frozenset({"id", "job_id", "step", "epoch", "timestamp"})
"""The columns that say where a value belongs."""
_NEVER = -(2**63)
_CLOCK_TEXT = r"^\s*(?:[+-][0-9]+|[0-9]{1,7}|[0-9]{9,})(?:\.[0-9]*)?\s*$"
"""What a clock shows as a number, in a text: eight digits are a date, 20260101."""
_FIRST_SHOWN_S, _NONE_SHOWN_S = 1e8, 1e11
"""Since 1970: what is before 1973 is rather since the run began, and after the year 5000 there is nothing."""


def curves_of_table(table: pa.Table, run_ids: Iterable[str]) -> dict[str, RunCurves]:
    """The curves of some runs of a table of metrics; runs without rows are absent.

    Args:
        table: A column ``job_id`` and those of ``curves_of_rows``.
        run_ids: Which runs.

    Raises:
        MalformedRow: If ``job_id`` or ``step`` is no column of the table.
    """
    _require(table, "job_id")
    ids = table["job_id"].cast(pa.string())
    found = {}
    for run_id in dict.fromkeys(run_ids):
        rows = table.filter(pc.equal(ids, pa.scalar(run_id)))
        if rows.num_rows:
            found[run_id] = curves_of_rows(run_id, rows.drop_columns("job_id"))
    return found


def curves_of_rows(
    run_id: str,
    rows: pa.Table,
    *,
    expected: int | None = None,
    started_us: int | None = None,
    as_written: bool = True,
) -> RunCurves:
    """Make curves of rows of one run.

    The catalogue's metrics are read whatever type their column has, further columns where they are
    numeric. Of the values of one step the last in (timestamp, id) order wins; rows without a timestamp
    come first. Rows without a whole step from 0 on have no place in a curve and are left out.

    Args:
        run_id: The run.
        rows: A column ``step``; optionally ``id``, ``epoch``, ``timestamp`` and metrics.
        expected: How many rows there should be, where that is known.
        started_us: When the run's first row was written, in microseconds since 1970, where it is not
            among these rows.
        as_written: Where there are no ids: the rows come in the order in which they were written.

    Raises:
        MalformedRow: If ``step`` is no column of the table.
    """
    _require(rows, "step")
    received = rows.num_rows
    rows = rows.combine_chunks()
    placed = _placed(rows["step"])
    if placed is not None:
        rows = rows.filter(pa.array(placed))
    step = _floats(rows["step"])[0].astype("int64") if rows["step"].type != pa.int64() else rows["step"].to_numpy()
    epoch = _floats(rows["epoch"])[0] if "epoch" in rows.column_names else np.full(len(step), np.nan)
    written_us = _microseconds(rows)
    logged = {name: _floats(rows[name]) for name in rows.column_names if _is_metric(rows, name)}
    facts = row_facts(
        step,
        written_us,
        {name: valid for name, (_, valid) in logged.items()},
        ids=_id_ranks(rows) if "id" in rows.column_names and pa.types.is_integer(rows["id"].type) else None,
        as_written=as_written,
        expected=expected,
        left_out=received - len(step),
    )
    # Text that is no number is there, and is no value.
    unread = sum(len(rows) - rows[name].null_count - _valid(logged[name][1], len(rows)) for name in logged)
    facts = replace(facts, unread=unread) if unread else facts
    elapsed = _elapsed_seconds(written_us, started_us)
    order = _write_order(rows, written_us)
    if order is not None:
        step, epoch, elapsed = step[order], epoch[order], elapsed[order]
        logged = {
            name: (value[order], None if valid is None else valid[order]) for name, (value, valid) in logged.items()
        }
    return RunCurves(run_id, MappingProxyType(_curves(logged, step, epoch, elapsed)), rows=facts)


def _valid(valid: np.ndarray | None, rows: int) -> int:
    return rows if valid is None else int(np.count_nonzero(valid))


def _curves(
    logged: Mapping[str, tuple[np.ndarray, np.ndarray | None]],
    step: np.ndarray,
    epoch: np.ndarray,
    elapsed: np.ndarray,
) -> dict[str, MetricCurve]:
    """Curves of columns in the order in which their rows were written."""
    curves: dict[str, MetricCurve] = {}
    make = complete_curve if (step[1:] > step[:-1]).all() else tidy_curve
    # Metrics that are logged at the same rows share the arrays of their places.
    alike: list[tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]] = []
    for name, (value, valid) in logged.items():
        places = (step, epoch, elapsed)
        if valid is not None:
            value = value[valid]
            shared = next((places for mask, places in alike if np.array_equal(mask, valid)), None)
            if shared is None:
                shared = (step[valid], epoch[valid], elapsed[valid])
                alike.append((valid, shared))
            places = shared
        if len(value):
            curves[name] = make(places[0], value, *places[1:])
    return curves


def _require(table: pa.Table, column: str) -> None:
    if column not in table.column_names:
        raise MalformedRow(
            f"Table of metrics, column {column}: expected it beside the metrics, got no such column.",
            hint="Check that the table name in the settings is the metrics table.",
        )


def _placed(column: pa.ChunkedArray[Any]) -> np.ndarray | None:
    """Which rows have a whole step from 0 on; ``None`` where all have."""
    if pa.types.is_integer(column.type) and not column.null_count:
        placed = (column.to_numpy() >= 0) & (column.to_numpy() <= LARGEST_STEP)
        return None if placed.all() else placed
    steps, valid = _floats(column)
    placed = np.isfinite(steps) & (steps >= 0) & (steps <= LARGEST_STEP) & (steps == np.floor(steps))
    if valid is not None:
        placed &= valid
    return None if placed.all() else placed


def _is_metric(table: pa.Table, name: str) -> bool:
    if name in LOGGED:
        return True
    kind = table.schema.field(name).type
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return numeric and may_be_metric(name)


def may_be_metric(column: str) -> bool:
    """Whether a numeric column of this name is a metric: not a place, a reference or a credential.

    Example:
        >>> may_be_metric("eval_accuracy"), may_be_metric("job_id"), may_be_metric("api_token")
        (True, False, False)
    """
    return column not in PLACES and not column.endswith("_id") and not is_credential(column)


def _floats(column: pa.ChunkedArray[Any]) -> tuple[np.ndarray, np.ndarray | None]:
    """Values as float64, and which of them are values: not null, and not text that is no number.

    ``None`` for the second where all of them are.
    """
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        written = column.to_pandas()
        parsed = pd.to_numeric(written, errors="coerce").to_numpy("float64")
        is_nan = written.str.strip().str.lower().eq("nan").to_numpy("bool")
        return parsed, is_nan | ~np.isnan(parsed)
    numbers = column if pa.types.is_float64(column.type) else column.cast(pa.float64(), safe=False)
    if not column.null_count:
        return numbers.to_numpy(), None
    return numbers.fill_null(pa.scalar(math.nan)).to_numpy(), column.is_valid().to_numpy()


def _microseconds(table: pa.Table) -> np.ndarray:
    """When each row was written, in microseconds since 1970; the lowest integer where that is unknown."""
    if "timestamp" not in table.column_names:
        return np.full(table.num_rows, _NEVER)
    column = table["timestamp"]
    if pa.types.is_timestamp(column.type):
        return _of_moments(column)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return _of_clock(_floats(column)[0])
    try:
        texts = column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return np.full(table.num_rows, _NEVER)
    shown = pc.match_substring_regex(texts, _CLOCK_TEXT).fill_null(False)
    is_shown = shown.to_numpy()
    dates = pc.if_else(shown, None, texts) if is_shown.any() else texts
    stamps = pd.to_datetime(dates.to_pandas(), utc=True, format="ISO8601", errors="coerce")
    written_us = _of_moments(pa.chunked_array([pa.Array.from_pandas(stamps)]))
    if dates is texts:
        return written_us
    numbers = pd.to_numeric(pc.if_else(shown, texts, None).to_pandas(), errors="coerce").to_numpy("float64")
    return np.where(is_shown, _of_clock(numbers), written_us)


def _of_moments(column: pa.ChunkedArray[Any]) -> np.ndarray:
    stamped = column.cast(pa.timestamp("us", tz="UTC"), safe=False)
    return stamped.cast(pa.int64()).fill_null(pa.scalar(_NEVER, pa.int64())).to_numpy()


def _of_clock(shown: np.ndarray) -> np.ndarray:
    """The same of numbers since 1970, in seconds or a finer unit, which is that of most of them."""
    written = np.full(len(shown), _NEVER)
    numbers = shown[np.isfinite(shown)]
    if not numbers.size:
        return written
    seconds = shown * clock_unit(float(np.median(numbers)))
    with np.errstate(invalid="ignore"):
        known = (seconds >= _FIRST_SHOWN_S) & (seconds < _NONE_SHOWN_S)
    written[known] = np.round(seconds[known] * 1e6).astype("int64")
    return written


def _write_order(table: pa.Table, written_us: np.ndarray) -> np.ndarray | None:
    """The rows' order of being written, by time and then by id; ``None`` where they lie in it."""
    if (written_us[1:] > written_us[:-1]).all():
        return None
    ranks = _id_ranks(table)
    if (written_us[1:] >= written_us[:-1]).all() and (ranks[1:] >= ranks[:-1]).all():
        return None
    return np.lexsort((ranks, written_us))


def _id_ranks(table: pa.Table) -> np.ndarray:
    """Ranks of the ids; the rows' own order where the table has no ids."""
    if "id" not in table.column_names:
        return np.arange(table.num_rows)
    column = table["id"]
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64(), safe=False).fill_null(pa.scalar(_NEVER, pa.int64())).to_numpy()
    ids = column.to_pandas()
    numbers = pd.to_numeric(ids, errors="coerce")
    return (numbers if numbers.notna().all() else ids).rank(method="first", na_option="top").to_numpy()


def _elapsed_seconds(written_us: np.ndarray, started_us: int | None) -> np.ndarray:
    known = written_us != _NEVER
    if not known.any():
        return np.full(len(written_us), np.nan)
    if not known.all():
        elapsed = np.full(len(written_us), np.nan)
        elapsed[known] = _elapsed_seconds(written_us[known], started_us)
        return elapsed
    first = int(written_us.min())
    return (written_us - (first if started_us is None else min(first, started_us))) / 1e6
