"""Runs of any length, and how they get to where each source reads them."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from tests.supabase.project import Project
from tests.supabase.seed import JOBS, METRICS

SIX = ("train_loss", "learning_rate", "grad_norm", "tokens_per_second", "samples_per_second", "gpu_memory_allocated_gb")
"""What a long run logs at every step."""

BEGAN_US = 1_767_225_600_000_000
_NAMES_IN_STATE = {"train_loss": "loss"}


def run_id(number: int) -> str:
    """The id of the run with a number: a UUID, as the tables have them, and good for a folder's name."""
    return str(uuid.UUID(int=10**9 + number))


def run_table(number: int, step: np.ndarray, epoch: np.ndarray, written_us: np.ndarray, values: dict) -> pa.Table:
    """Rows of one run in the metrics table's shape; ``values`` are arrays by metric, masked ones where null."""
    rows = len(step)
    return pa.table(
        {
            "id": pa.array(number * 10_000_000 + np.arange(1, rows + 1)),
            "job_id": pa.array([run_id(number)] * rows),
            "step": pa.array(step),
            "epoch": pa.array(epoch),
            **{
                name: pa.array(np.ma.getdata(column), mask=np.ma.getmaskarray(column))
                for name, column in values.items()
            },
            "timestamp": pa.array(written_us).cast(pa.timestamp("us", tz="UTC")),
        }
    )


def long_run(number: int, steps: int) -> pa.Table:
    """A run that logs ``SIX`` at every step, with as many decimals as trackers keep."""
    random = np.random.default_rng(number)
    step = np.arange(steps)
    share = step / steps
    values = {
        "train_loss": (0.5 + 2.0 * np.exp(-3.0 * share) + random.normal(0.0, 0.05, steps)).round(4),
        "learning_rate": (5e-5 * np.minimum(1.0, share / 0.03) * (1.0 + np.cos(np.pi * share))).round(12),
        "grad_norm": np.exp(random.normal(0.0, 0.3, steps)).round(4),
        "tokens_per_second": random.normal(9000.0, 200.0, steps).round(),
        "samples_per_second": random.normal(9.0, 0.2, steps).round(2),
        "gpu_memory_allocated_gb": random.uniform(40.0, 41.0, steps).round(2),
    }
    written_us = BEGAN_US + step * 700_000 + random.integers(0, 1000, steps)
    return run_table(number, step, (3.0 * share).round(4), written_us, values)


def write_parquet(path: Path, tables: Iterable[pa.Table]) -> None:
    """Write a metrics file of the embedded source: each run is a row group of its own."""
    writer = None
    for table in tables:
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=table.num_rows)
    if writer is not None:
        writer.close()


def write_states(root: Path, tables: Iterable[pa.Table]) -> list[Path]:
    """Write the runs as the Hugging Face Trainer does: a folder each, named for the run, and a log in it."""
    paths = []
    for table in tables:
        seconds = table["timestamp"].cast(pa.int64()).to_numpy() / 1e6
        columns = table.drop_columns(["id", "job_id", "timestamp"])
        names = [_NAMES_IN_STATE.get(name, name) for name in columns.column_names]
        history = [
            {key: value for key, value in row.items() if value is not None} | {"timestamp": when}
            for row, when in zip(columns.rename_columns(names).to_pylist(), seconds.tolist(), strict=True)
        ]
        path = root / table["job_id"][0].as_py() / "trainer_state.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"global_step": history[-1]["step"], "log_history": history}))
        paths.append(path)
    return paths


def insert(project: Project, tables: Iterable[pa.Table]) -> None:
    """Add the runs to a project, as Ann's."""
    for table in tables:
        text = io.BytesIO()
        pa.csv.write_csv(table, text, pa.csv.WriteOptions(include_header=False))
        job, columns = table["job_id"][0].as_py(), ", ".join(f'"{name}"' for name in table.column_names)
        project.execute(
            f"insert into {JOBS} (id, user_id, model_name) values ('{job}', '{project.users['ann'].id}', 'bench');\n"
            f"copy {METRICS} ({columns}) from stdin with (format csv);\n{text.getvalue().decode()}\\.\n"
        )
    project.execute(f"analyze {METRICS}")
