"""Reading rows of the two database tables: a jobs row into a run, metrics rows into a metric frame.

Rows come from a database client, a JSON answer or a Parquet file, so a value may be a number, its text,
a numpy scalar, a ``Decimal`` or one of pandas' nulls. All of them are understood here and nowhere else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from lib.core.errors import MalformedRow
from lib.core.metric_frame import empty_metric_frame, tidy_metric_frame
from lib.core.metrics import METRICS
from lib.core.runs import RunStatus, RunSummary, normalise_status
from lib.core.values import finite, moment, number, text, whole

JOBS_TABLE = "local_training_jobs"
SHORT_ID_LENGTH = 8
"""What a run without any name is called: so many characters of its id, as far as the first hyphen of a uuid."""

_READERS = {
    number: (
        "current_epoch total_epochs learning_rate max_learning_rate min_learning_rate"
        " loss final_loss eval_loss final_eval_loss best_eval_loss best_epoch perplexity train_perplexity"
        " grad_norm gpu_memory_allocated_gb gpu_memory_reserved_gb gpu_utilization_percent"
        " samples_per_second tokens_per_second"
    ),
    whole: (
        "current_step total_steps batch_size gradient_accumulation_steps warmup_steps num_gpus best_step"
        " total_samples train_samples val_samples total_tokens_processed"
    ),
    moment: "created_at started_at completed_at updated_at",
    text: "base_model distributed_strategy best_checkpoint_path resumed_from_checkpoint error_message",
}
_FIELDS = {name: read for read, names in _READERS.items() for name in names.split()}
_EXPECTED = {number: "a number", whole: "a whole number", moment: "a moment", text: "text"}
_RENAMED = {"id", "model_name", "status", "dataset_path", "resumed_from_job_id", "config", "progress"}

_CREDENTIAL = re.compile(
    r"(?<![a-z])(token|key|apikey|secrets?|passw(or)?d|passphrase|authorization|credentials?|bearer)(?![a-z])"
)
"""Words of a column's name that say it holds a credential. "tokens" is a count, and no such word."""

_PLACE_COLUMNS = frozenset({"id", "job_id", "step", "epoch", "timestamp"})
_NEVER = np.iinfo(np.int64).min


def run_from_row(row: Mapping[str, Any], table: str = JOBS_TABLE) -> RunSummary:
    """Read one row of the jobs table.

    Columns may be missing. What a column holds and cannot be read as is left out and named in ``notes``.
    Columns without a field of their own go to ``extra``, except nulls and credentials: those, above all
    ``job_token``, are kept nowhere.

    Args:
        row: Column name to value.
        table: The table's name, for the error message.

    Raises:
        MalformedRow: If the row has no id.
    """
    values = {name: plain for name, value in row.items() if (plain := _plain(value)) is not None}
    run_id = _text(values.get("id"))
    if run_id is None:
        raise MalformedRow(
            f"Table {table}, column id: expected the id of a run, got {row.get('id', 'no such column')!r}.",
            hint="Check that the table name in the settings is the jobs table and that id is its primary key.",
        )
    notes: list[str] = []
    facts = {name: _read(values, name, read, notes) for name, read in _FIELDS.items() if name in values}
    raw_status = _text(values.get("status"))
    status = normalise_status(raw_status)
    base_model = facts.pop("base_model", None)
    return RunSummary(
        run_id=run_id,
        name=_text(values.get("model_name")) or base_model or run_id[:SHORT_ID_LENGTH],
        status=status,
        raw_status=raw_status,
        dataset=_text(values.get("dataset_path")),
        base_model=base_model,
        duration_s=_duration(facts, finite(values.get("elapsed_seconds")), status, notes),
        progress=_progress(facts, _read(values, "progress", number, notes)),
        resumed_from_run_id=_text(values.get("resumed_from_job_id")),
        config=_config(values.get("config"), notes),
        extra=_extra(values),
        notes=tuple(notes),
        **facts,
    )


def metric_frame_from_table(table: pa.Table) -> pd.DataFrame:
    """Make a metric frame of rows of the metrics table.

    The catalogue's metrics are read whatever type their column has, further columns where they are
    numeric. Null is no row, NaN is a row: validity is Arrow's, pandas does not know the difference.
    Of the values of one step the last in (timestamp, id) order wins; rows without a timestamp come
    first. Rows that have no place in a curve (no run, or no whole step from 0 on) are left out.

    Args:
        table: Columns ``job_id`` and ``step``; optionally ``id``, ``epoch``, ``timestamp`` and metrics.
            ``elapsed_s`` counts from the earliest timestamp of each run *in this table*.

    Raises:
        MalformedRow: If ``job_id`` or ``step`` is no column of the table.
    """
    table = table.filter(pa.array(_placed(table)))
    metrics = [name for name in table.column_names if name in METRICS or _is_further_metric(table, name)]
    if not table.num_rows or not metrics:
        return empty_metric_frame()
    written_us = _microseconds(table)
    order = np.lexsort((_write_order(table), written_us))
    run_codes, run_ids = pd.factorize(pd.Series(table["job_id"].cast(pa.string()), dtype="str"))
    elapsed = _elapsed_seconds(written_us, run_codes)
    steps = _floats(table["step"])[0].astype("int64")
    epochs = _floats(table["epoch"])[0] if "epoch" in table.column_names else np.full(len(steps), np.nan)

    rows, metric_codes, values = [], [], []
    for code, name in enumerate(metrics):
        column, valid = _floats(table[name])
        logged = order[valid[order]]
        rows.append(logged)
        metric_codes.append(np.full(len(logged), code))
        values.append(column[logged])
    at = np.concatenate(rows)
    return tidy_metric_frame(
        pd.DataFrame(
            {
                "run_id": run_ids.take(run_codes[at]),
                "metric": pd.Index(metrics, dtype="str").take(np.concatenate(metric_codes)),
                "step": steps[at],
                "epoch": epochs[at],
                "elapsed_s": elapsed[at],
                "value": np.concatenate(values),
            }
        )
    )


def is_credential(column: str) -> bool:
    """Tell whether a column's name says that it holds a credential.

    Example:
        >>> is_credential("job_token"), is_credential("wandbApiKey"), is_credential("total_tokens_processed")
        (True, True, False)
    """
    return bool(_CREDENTIAL.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column).lower()))


def _plain(value: Any) -> Any:
    """``value`` as a Python object; every kind of null as ``None``. NaN is not a null."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
        return None if value is pd.NaT else value.to_pydatetime(warn=False)
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime(warn=False)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return value


def _text(value: Any) -> str | None:
    """As ``text``; the NaN that pandas leaves in the gaps of a text column is a gap."""
    return None if isinstance(value, float) and value != value else text(value)


def _read(values: Mapping[str, Any], name: str, read: Any, notes: list[str]) -> Any:
    value = values.get(name)
    parsed = _text(value) if read is text else read(value)
    if parsed is None and read is not text and _text(value) is not None:
        notes.append(f"Column {name}: expected {_EXPECTED[read]}, got {str(value)[:40]!r}; left out.")
    return parsed


def _duration(facts: Mapping[str, Any], elapsed: float | None, status: RunStatus, notes: list[str]) -> float | None:
    """Seconds from start to end. A run without an end has none that could be read off a clock."""
    started, completed, updated = (facts.get(f"{name}_at") for name in ("started", "completed", "updated"))
    if _seconds(started, completed) is not None:
        return _seconds(started, completed)
    if started and completed:
        notes.append("Completed before it started, by its own clock; the duration is taken from elsewhere.")
    if elapsed is not None and elapsed >= 0:
        return elapsed
    return None if status is RunStatus.RUNNING else _seconds(started, updated)


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end and end >= start else None


def _progress(facts: Mapping[str, Any], percent: float | None) -> float | None:
    share = finite(percent)
    if share is not None:
        return min(max(share / 100.0, 0.0), 1.0)
    done, total = facts.get("current_step"), facts.get("total_steps")
    return min(max(done / total, 0.0), 1.0) if done is not None and total and total > 0 else None


def _config(value: Any, notes: list[str]) -> Mapping[str, Any]:
    # A JSON document that was stored as a JSON string is text twice over.
    for _ in range(2):
        if not isinstance(value, str) or not value.strip():
            break
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            notes.append("Column config: expected JSON, got text that is not JSON; the configuration is left out.")
            return {}
    if isinstance(value, Mapping):
        return dict(value)
    if value is not None and _text(value) is not None:
        notes.append(f"Column config: expected a JSON object, got {type(value).__name__}; it is left out.")
    return {}


def _extra(values: Mapping[str, Any]) -> dict[str, Any]:
    known = _FIELDS.keys() | _RENAMED
    return {name: value for name, value in values.items() if name not in known and not is_credential(name)}


def _placed(table: pa.Table) -> np.ndarray:
    if missing := [name for name in ("job_id", "step") if name not in table.column_names]:
        raise MalformedRow(
            f"Table of metrics, column {missing[0]}: expected it beside the metrics, got no such column.",
            hint="Check that the table name in the settings is the metrics table.",
        )
    steps, valid = _floats(table["step"])
    whole_step = valid & np.isfinite(steps) & (steps >= 0) & (steps == np.floor(steps))
    return whole_step & table["job_id"].is_valid().to_numpy()


def _is_further_metric(table: pa.Table, name: str) -> bool:
    kind = table.schema.field(name).type
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return numeric and name not in _PLACE_COLUMNS and not name.endswith("_id") and not is_credential(name)


def _floats(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Values as float64, and which of them are values: not null, and not text that is no number."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        # JSON has no NaN, so a writer's NaN may come as text and make text of the whole column.
        written = column.to_pandas()
        parsed = pd.to_numeric(written, errors="coerce").to_numpy("float64")
        is_nan = written.str.strip().str.lower().eq("nan").to_numpy("bool")
        return parsed, is_nan | ~np.isnan(parsed)
    valid = column.is_valid().to_numpy()
    return column.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy(), valid


def _microseconds(table: pa.Table) -> np.ndarray:
    """When each row was written, in microseconds since 1970; the lowest integer where that is unknown."""
    if "timestamp" not in table.column_names:
        return np.full(table.num_rows, _NEVER)
    column = table["timestamp"]
    if not pa.types.is_timestamp(column.type):
        stamps = pd.to_datetime(column.to_pandas(), utc=True, format="ISO8601", errors="coerce")
        column = pa.chunked_array([pa.Array.from_pandas(stamps)])
    stamped = column.cast(pa.timestamp("us", tz="UTC"), safe=False)
    return stamped.cast(pa.int64()).fill_null(_NEVER).to_numpy()


def _write_order(table: pa.Table) -> np.ndarray:
    """Ranks of the ids; the rows' own order where the table has no ids."""
    if "id" not in table.column_names:
        return np.arange(table.num_rows)
    column = table["id"]
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64(), safe=False).fill_null(_NEVER).to_numpy()
    ids = column.to_pandas()
    numbers = pd.to_numeric(ids, errors="coerce")
    return (numbers if numbers.notna().all() else ids).rank(method="first", na_option="top").to_numpy()


def _elapsed_seconds(written_us: np.ndarray, run_codes: np.ndarray) -> np.ndarray:
    known = written_us != _NEVER
    first = np.full(run_codes.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, run_codes[known], written_us[known])
    elapsed = np.full(len(written_us), np.nan)
    elapsed[known] = (written_us[known] - first[run_codes[known]]) / 1e6
    return elapsed
