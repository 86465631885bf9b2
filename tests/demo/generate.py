"""Make the demo runs anew: ``make demo``.

Writes ``demo_jobs.parquet`` and ``demo_metrics.parquet`` into ``lib/data/demo``, in the shape of the two
database tables. The same program makes the same files.
"""

from __future__ import annotations

import json
import math
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lib.data.demo.source import JOBS_FILE, METRICS_FILE
from tests.demo.configs import config_of, output_dir
from tests.demo.curves import SAVE_SECONDS, metric_rows
from tests.demo.runs import demo_runs
from tests.demo.specs import DEMO_NOW, DemoRun, demo_id

_MOMENT = pa.timestamp("us", tz="UTC")
_EVAL_COLUMNS = ("eval_loss", "perplexity")
_VALUE_COLUMNS = (
    *("train_loss", "eval_loss", "perplexity", "train_perplexity", "learning_rate", "grad_norm"),
    *("tokens_per_second", "samples_per_second"),
    *("gpu_memory_allocated_gb", "gpu_memory_reserved_gb", "gpu_utilization_percent"),
)
_JOB_TYPES = {
    pa.string(): (
        "id user_id status model_name dataset_path base_model distributed_strategy loss_trend"
        " best_checkpoint_path config resumed_from_job_id resumed_from_checkpoint error_message"
        " parameter_updates"
    ),
    pa.int64(): (
        "current_step total_steps current_epoch total_epochs batch_size gradient_accumulation_steps"
        " warmup_steps num_gpus best_epoch best_step epochs_without_improvement total_samples train_samples"
        " val_samples total_tokens_processed"
    ),
    pa.float64(): (
        "progress learning_rate max_learning_rate min_learning_rate loss eval_loss grad_norm perplexity"
        " train_perplexity best_eval_loss final_loss final_eval_loss gpu_memory_allocated_gb"
        " gpu_memory_reserved_gb gpu_utilization_percent samples_per_second elapsed_seconds remaining_seconds"
    ),
    _MOMENT: "created_at started_at completed_at updated_at",
}
JOBS_SCHEMA = pa.schema([(name, kind) for kind, names in _JOB_TYPES.items() for name in names.split()])
METRICS_SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("job_id", pa.string()),
        ("step", pa.int64()),
        ("epoch", pa.float64()),
        *((name, pa.float64()) for name in _VALUE_COLUMNS),
        ("timestamp", _MOMENT),
    ]
)


def make_tables() -> tuple[pa.Table, pa.Table]:
    """The jobs table and the metrics table."""
    written = [(run, metric_rows(run)) for run in demo_runs()]
    jobs = pa.Table.from_pylist([_job_row(run, rows) for run, rows in written], schema=JOBS_SCHEMA)
    return jobs, _metrics_table([(run, rows) for run, rows in written if len(rows)])


def write(jobs: pa.Table, metrics: pa.Table) -> None:
    """Write both files; each run's metrics are a row group, so that one run can be read alone."""
    options = {"compression": "zstd", "compression_level": 15}
    pq.write_table(jobs, JOBS_FILE, **options)
    with pq.ParquetWriter(METRICS_FILE, METRICS_SCHEMA, **options) as file:
        for run_id in metrics["job_id"].unique():
            file.write_table(metrics.filter(pc.equal(metrics["job_id"], run_id)))


def _metrics_table(written: list[tuple[DemoRun, pd.DataFrame]]) -> pa.Table:
    rows = pd.concat([frame.assign(job_id=run.run_id) for run, frame in written], ignore_index=True)
    # One sequence numbers the rows of all runs as they come in.
    rows["id"] = rows["timestamp"].rank(method="first").astype("int64")
    columns = {}
    for name in METRICS_SCHEMA.names:
        values = rows[name]
        if name in _VALUE_COLUMNS:
            logged = ~rows["is_train"] if name in _EVAL_COLUMNS else rows["is_train"]
            unlogged = rows["job_id"].isin([run.run_id for run, _ in written if name in run.unlogged])
            null = values.isna() & (~logged | unlogged)
            columns[name] = pa.array(values.to_numpy(), mask=null.to_numpy(), from_pandas=False)
        else:
            columns[name] = pa.array(values)
    return pa.table(columns, schema=METRICS_SCHEMA)


def _job_row(run: DemoRun, rows: pd.DataFrame) -> dict[str, Any]:
    row = {
        "id": run.run_id,
        "user_id": demo_id("user"),
        "status": run.status,
        "model_name": run.name,
        "dataset_path": run.data.path,
        "base_model": run.model.name,
        "distributed_strategy": run.strategy,
        "config": json.dumps(config_of(run), ensure_ascii=False),
        "resumed_from_job_id": demo_id(run.resumed_from) if run.resumed_from else None,
        "error_message": run.error,
        "total_steps": run.total_steps,
        "total_epochs": run.epochs,
        "max_learning_rate": run.learning_rate,
        "min_learning_rate": run.learning_rate * run.min_rate_share,
        "batch_size": run.batch_size,
        "gradient_accumulation_steps": run.accumulation,
        "warmup_steps": run.warmup_steps,
        "num_gpus": run.gpus,
        "total_samples": run.data.samples,
        "train_samples": run.data.samples - run.data.val_samples,
        "val_samples": run.data.val_samples,
        "current_step": 0,
        "progress": 0.0,
        "created_at": run.created,
        "updated_at": run.created,
    }
    if run.resumed_from:
        parent = next(other for other in demo_runs() if other.key == run.resumed_from)
        row["resumed_from_checkpoint"] = f"{output_dir(parent)}/checkpoint-{run.first_step}"
    return row | _progress(run, rows) | _outcome(run, rows) if len(rows) else row


def _progress(run: DemoRun, rows: pd.DataFrame) -> dict[str, Any]:
    """How far the run came, and when."""
    step = run.done_steps
    last = rows["timestamp"].iloc[-1].to_pydatetime()
    started = run.created + timedelta(minutes=run.queue_minutes)
    row: dict[str, Any] = {
        "current_step": step,
        "current_epoch": min(step // run.steps_per_epoch + 1, run.epochs),
        "progress": round(100.0 * step / run.total_steps, 1),
        "total_tokens_processed": step * run.effective_batch * run.data.tokens,
        "started_at": started,
        "updated_at": last,
        "elapsed_seconds": (last - started).total_seconds(),
    }
    if run.stops_at == 1.0:
        row["completed_at"] = row["updated_at"] = last + timedelta(seconds=SAVE_SECONDS)
        row["elapsed_seconds"] = (row["completed_at"] - started).total_seconds()
        row["remaining_seconds"] = 0.0
    elif run.status == "running":
        row["remaining_seconds"] = round((DEMO_NOW - started).total_seconds() * (1 / run.stops_at - 1))
    else:
        # Its program had no time left to write its end; somebody else set the status, later.
        row["updated_at"] = last + timedelta(minutes=2)
        row["elapsed_seconds"] = None
    return row


def _outcome(run: DemoRun, rows: pd.DataFrame) -> dict[str, Any]:
    """What the run's program had last seen, and what it took for its best."""
    train, evals = rows[rows["is_train"]], rows[~rows["is_train"]]
    last = train.iloc[-1]
    row: dict[str, Any] = {
        name: _value(last[name])
        for name in METRICS_SCHEMA.names
        if name in ("learning_rate", "grad_norm", "train_perplexity", "samples_per_second")
        or (name.startswith("gpu_") and name in rows)
    }
    row |= {
        "loss": _value(last["train_loss"]),
        "eval_loss": _value(evals["eval_loss"].iloc[-1]),
        "perplexity": _value(evals["perplexity"].iloc[-1]),
        "samples_per_second": _speed(run, row["samples_per_second"]),
        **_best(run, evals),
    }
    if run.stops_at == 1.0:
        row |= {"final_loss": row["loss"], "final_eval_loss": row["eval_loss"]}
    return row


def _best(run: DemoRun, evals: pd.DataFrame) -> dict[str, Any]:
    """The writer's own rule: the best evaluation among those at which a checkpoint was saved."""
    saved = evals[evals["step"] % run.save_steps == 0]
    best = saved.loc[saved["eval_loss"].idxmin()]
    step = int(best["step"])
    since = (evals["step"].iloc[-1] - step) / run.steps_per_epoch
    return {
        "best_eval_loss": _value(best["eval_loss"]),
        "best_step": step,
        "best_epoch": int(best["epoch"]) + 1,
        "epochs_without_improvement": int(since),
        "loss_trend": "increasing" if since > 1 else "stable" if since > 0.5 else "decreasing",
        "best_checkpoint_path": f"{output_dir(run)}/checkpoint-{step}" if run.keeps_best else None,
    }


def _speed(run: DemoRun, samples_per_second: float) -> float | None:
    """What ended up in ``samples_per_second``: some writers put steps there, some late ones null."""
    match run.speed_column:
        case "steps":
            return round(samples_per_second / run.effective_batch, 3)
        case "none":
            return None
        case _:
            return samples_per_second


def _value(value: float) -> float:
    return math.nan if np.isnan(value) else float(value)


if __name__ == "__main__":
    write(*make_tables())
