"""Trackio's Parquet files: a column for each metric, beside files of the configurations and of system metrics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.data.formats.files import NotReadable
from lib.data.formats.logged import Told
from lib.data.formats.stores.parquet_files import encoded, has_columns, number_leaves, parquet
from lib.data.formats.stores.points import MOST_VALUES, Gathering
from lib.data.formats.stores.trackio_project import MOST_RUNS, OLD_ID, Project, Seconds, gather

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet as pq

PARQUET, CONFIGS, SYSTEM = ".parquet", "_configs", "_system"

_NOT_METRICS = frozenset({"id", "run_id", "timestamp", "run_name", "step", "log_id", "space_id"})
_NOT_CONFIG = frozenset({"id", "run_id", "run_name", "created_at"})


def read_tables(root: Path, project: Project) -> bool:
    """Read a project's Parquet files.

    Args:
        root: The folder that their paths begin at.
        project: Gets what they hold.

    Returns:
        Whether they are of Trackio.

    Raises:
        NotReadable: If the one with the metrics is damaged.
    """
    whole, *others = project.files
    with parquet(root.joinpath(*whole)) as file:
        if file is None or not has_columns(file, ("id", "run_name", "timestamp", "step")):
            return False
        _read_columns(file, project, project.metrics)
    for path in others:
        try:
            with parquet(root.joinpath(*path)) as file:
                if file is not None and path[-1].endswith(SYSTEM + PARQUET) and has_columns(file, ("timestamp",)):
                    _read_columns(file, project, project.system)
                elif file is not None and has_columns(file, ("run_name", "created_at")):
                    _read_configs(file, project)
        except NotReadable as error:
            project.unreadable.append(Told(path, str(error)))
    return True


def _read_columns(file: pq.ParquetFile, project: Project, gathering: Gathering) -> None:
    there = file.schema_arrow.names
    run_id = "run_id" if "run_id" in there else OLD_ID
    if not {run_id, "run_name"} <= set(there):
        return
    seconds = Seconds()
    values = 0
    for group in range(file.num_row_groups):
        head = file.read_row_group(group, columns=[each for each in there if each in _NOT_METRICS])
        runs, which = encoded(head[run_id])
        names, called = encoded(head["run_name"])
        # The first row of each run.
        firsts = np.unique(which, return_index=True)[1]
        for run, row in zip(runs, firsts, strict=True):
            project.names.setdefault(run, names[called[row]])
        rows = head.num_rows
        step = _numbers(head["step"]) if "step" in there else np.zeros(rows, np.int64)
        texts, place = encoded(head["timestamp"])
        at = seconds.of(texts)[place] if texts else np.empty(0)
        for name in there:
            if name in _NOT_METRICS or values > MOST_VALUES:
                continue
            table = file.read_row_group(group, columns=[name])
            if name not in table.column_names:
                continue
            columns = list(number_leaves(name, table[name]))
            values += sum(len(numbers) for _, _, numbers in columns)
            gather(gathering, columns, runs, which, step, at)
    if values > MOST_VALUES:
        raise NotReadable(f"The file has more than {MOST_VALUES:,} values; the others were not read.")


def _numbers(column: pa.ChunkedArray[Any]) -> np.ndarray:
    """Steps; what is no number becomes -1, which is left out."""
    step = np.full(len(column), -1, dtype=np.int64)
    for _, rows, values in number_leaves("", column):
        step[rows] = np.clip(np.nan_to_num(values, nan=-1.0), -1, 2.0**62)
    return step


def _read_configs(file: pq.ParquetFile, project: Project) -> None:
    for batch in file.iter_batches(batch_size=256):
        for row in batch.to_pylist():
            run, name = row.get("run_id") or row.get(OLD_ID), row.get("run_name")
            if not isinstance(run, str) or len(project.configs) > MOST_RUNS:
                continue
            # A column is there for all runs if one of them has it; null is what the others did not state.
            config = {key: value for key, value in row.items() if key not in _NOT_CONFIG and value is not None}
            project.configure(run, name if isinstance(name, str) else run, config, row.get("created_at"))
