"""MLflow's tracking database in SQLite: ``mlflow.db``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lib.data.formats.files import NotReadable
from lib.data.formats.logged import FilePath, Folder, Reading, Told
from lib.data.formats.stores.mlflow import Stated, logged_run, with_infinities
from lib.data.formats.stores.points import Gathering, Points, dropped_steps, usable
from lib.data.formats.stores.sqlite_files import MOST_ROWS, WAL, Database, as_text, database, is_named_so, units

MOST_RUNS = 100_000
"""Runs of one database."""
MOST_NAME = 1_000
"""Characters of a metric's name; MLflow allows 250."""
MOST_TEXT = 100_000
"""Characters of a parameter or tag; MLflow allows 8,000."""


class MlflowDatabase:
    """MLflow's database, with the runs of all its experiments."""

    title = "MLflow database"
    reads = "mlflow.db and other SQLite files of MLflow"
    is_general = False

    def matches(self, path: FilePath) -> bool:
        return is_named_so(path)

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        return units(files)

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        path = next(path for path in files if not path[-1].endswith(WAL))
        told: list[Told] = []
        is_ours = "mlflow" in path[-1].lower()
        try:
            with database(root.joinpath(*path)) as found:
                if found is None or not _is_mlflow(found):
                    return None
                is_ours = True
                stated, deleted = _runs(found, path, told)
                metrics, notes = _metrics(found, list(stated), path, told)
        except NotReadable as error:
            # Of what cannot be opened only the name tells whose it is.
            return Reading(unreadable=(Told(path, str(error)),)) if is_ours else None
        unused = (Told(path, f"Runs that were deleted in MLflow: {deleted:,}."),) if deleted else ()
        if not stated and not deleted:
            unused = (Told(path, "A database of MLflow without runs."),)
        return Reading(
            runs=tuple(
                logged_run(each, metrics.get(key, {}), files, notes.get(key, ())) for key, each in stated.items()
            ),
            unreadable=tuple(told),
            unused=unused,
        )


FORMAT = MlflowDatabase()


def _is_mlflow(found: Database) -> bool:
    return (
        found.has("runs", "run_uuid", "status", "experiment_id")
        and found.has("metrics", "run_uuid", "key", "value", "timestamp")
        and found.has("params", "run_uuid", "key", "value")
    )


def _runs(found: Database, path: FilePath, told: list[Told]) -> tuple[dict[str, Stated], int]:
    """The runs by id, the latest first, and how many others were deleted."""
    experiments: dict[Any, tuple[str, bool]] = {}
    if found.has("experiments", "experiment_id", "name", "lifecycle_stage"):
        for number, name, stage in found.rows("SELECT experiment_id, name, lifecycle_stage FROM experiments"):
            experiments[number] = (as_text(name), stage == b"deleted")
    facts = {table: _facts(found, table, path, told) for table in ("params", "tags")}
    optional = ("name", "lifecycle_stage", "start_time", "end_time")
    columns = ", ".join(each if each in found.tables["runs"] else f"NULL AS {each}" for each in optional)
    stated: dict[str, Stated] = {}
    deleted = 0
    for number, status, experiment, name, stage, start, end in found.rows(
        f"SELECT run_uuid, status, experiment_id, {columns} FROM runs ORDER BY start_time DESC LIMIT {MOST_RUNS}"
    ):
        run_id = as_text(number)
        of, is_gone = experiments.get(experiment, ("", False))
        if stage == b"deleted" or is_gone:
            deleted += 1
            continue
        stated[run_id] = Stated(
            run_id=run_id,
            name=as_text(name),
            experiment=of,
            status=as_text(status),
            start_time=start if isinstance(start, int | float) else None,
            end_time=end if isinstance(end, int | float) else None,
            params=facts["params"].get(run_id, {}),
            tags=facts["tags"].get(run_id, {}),
        )
    return stated, deleted


def _facts(found: Database, table: str, path: FilePath, told: list[Told]) -> dict[str, dict[str, str]]:
    """Parameters, or tags, by run and key."""
    facts: dict[str, dict[str, str]] = {}
    if found.has(table, "run_uuid", "key", "value"):
        question = f"SELECT run_uuid, key, substr(value, 1, {MOST_TEXT}) FROM {table} WHERE length(key) <= {MOST_NAME}"
        try:
            for run_id, key, value in found.rows(question):
                facts.setdefault(as_text(run_id), {})[as_text(key)] = as_text(value)
        except NotReadable as error:
            told.append(Told(path, f"Not all {table} were read: {error}"))
    return facts


def _metrics(
    found: Database, runs: list[str], path: FilePath, told: list[Told]
) -> tuple[dict[str, dict[str, Points]], dict[str, list[str]]]:
    """Metrics by run and key, and sentences by run; what ends the reading is told.

    One pass over the table, in the order in which it was written, is the same work whether or not there is an index.
    """
    chosen = _chosen(found, runs, path, told)
    where = "" if chosen is None else "AND run_uuid IN (SELECT value FROM json_each(?))"
    step = "step" if "step" in found.tables["metrics"] else "0"
    value = "CASE WHEN is_nan THEN NULL ELSE value END" if "is_nan" in found.tables["metrics"] else "value"
    question = (
        f"SELECT run_uuid, key, {step}, timestamp, {value} FROM metrics NOT INDEXED "
        f"WHERE typeof({step}) = 'integer' AND typeof(timestamp) = 'integer' AND typeof(value) IN ('real', 'integer') "
        f"AND typeof(key) = 'text' AND typeof(run_uuid) = 'text' AND length(key) <= {MOST_NAME} {where}"
    )
    gathering = Gathering()
    try:
        for chunk in found.chunks(question, [] if chosen is None else [json.dumps(chosen)]):
            _take(gathering, chunk)
    except NotReadable as error:
        told.append(Told(path, str(error)))
    metrics: dict[str, dict[str, Points]] = {}
    impossible: dict[str, int] = {}
    wanted = set(runs)
    for run_id, key, points in gathering.points():
        if run_id in wanted:
            good, bad = usable(points)
            impossible[run_id] = impossible.get(run_id, 0) + bad
            if len(good):
                metrics.setdefault(run_id, {})[key] = good
    if gathering.too_many:
        told.append(Told(path, "The database has metrics of too many names; not all were read."))
    return metrics, {run_id: dropped_steps(bad) for run_id, bad in impossible.items()}


def _chosen(found: Database, runs: list[str], path: FilePath, told: list[Told]) -> list[str] | None:
    """Which runs to read of a database that has more than can be held: the latest; ``None`` for all."""
    try:
        ((rows,),) = found.rows("SELECT count(*) FROM metrics")
    except NotReadable:
        # An index is damaged; the table itself may not be, and says so where it is.
        return None
    if rows <= MOST_ROWS:
        return None
    counts = {
        as_text(run_id): count for run_id, count in found.rows("SELECT run_uuid, count(*) FROM metrics GROUP BY 1")
    }
    chosen, room = [], MOST_ROWS
    for run_id in runs:
        if counts.get(run_id, 0) <= room:
            room -= counts.get(run_id, 0)
            chosen.append(run_id)
    if len(chosen) < len(runs):
        told.append(
            Told(
                path,
                f"The database has {rows:,} values, more than {MOST_ROWS:,}: of {len(runs) - len(chosen):,} runs, "
                "the oldest and the longest, the metrics were not read.",
            )
        )
    return chosen


def _take(gathering: Gathering, rows: list[tuple[Any, ...]]) -> None:
    """Keep some rows of run, key, step, milliseconds and value; ``None`` is a value that was not a number."""
    import pyarrow as pa

    runs, keys, steps, times, values = zip(*rows, strict=True)
    run = pa.array(runs, pa.binary()).dictionary_encode()
    key = pa.array(keys, pa.binary()).dictionary_encode()
    run_names, key_names = ([as_text(name) for name in each.dictionary.to_pylist()] for each in (run, key))
    pair = run.indices.to_numpy().astype(np.int64) * len(key_names) + key.indices.to_numpy()
    distinct, which = np.unique(pair, return_inverse=True)
    gathering.add(
        [(run_names[each // len(key_names)], key_names[each % len(key_names)]) for each in distinct.tolist()],
        which,
        np.array(steps, dtype=np.int64),
        np.array(times, dtype=np.float64) / 1000,
        with_infinities(np.array(values, dtype=np.float64)),
    )
