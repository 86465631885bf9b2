"""Trackio's projects: a database ``PROJECT.db``, or ``PROJECT.parquet`` with its ``_configs`` and ``_system``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lib.data.formats.files import NotReadable
from lib.data.formats.logged import FilePath, Folder, Reading, Told
from lib.data.formats.stores import sqlite_files
from lib.data.formats.stores.json_numbers import number_columns, parsed_rows
from lib.data.formats.stores.points import Gathering
from lib.data.formats.stores.sqlite_files import Database, as_text, database, is_named_so
from lib.data.formats.stores.trackio_project import MOST_RUNS, OLD_ID, Project, Seconds, gather
from lib.data.formats.stores.trackio_tables import CONFIGS, PARQUET, SYSTEM, read_tables

ROWS_AT_ONCE = 4_000
MOST_ROW = 2**18
"""Bytes of what was logged at once: numbers, not tables or pictures in them."""


class Trackio:
    """Trackio's projects, as a database or as its Parquet files."""

    title = "Trackio"
    reads = "a project's .db or .parquet"
    is_general = False

    def matches(self, path: FilePath) -> bool:
        return is_named_so(path) or path[-1].endswith(PARQUET)

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        tables = [path for path in files if path[-1].endswith(PARQUET)]
        found = sqlite_files.units([path for path in files if not path[-1].endswith(PARQUET)])
        there = set(tables)
        for path in tables:
            stem = path[-1].removesuffix(PARQUET)
            for part in (CONFIGS, SYSTEM):
                if stem.endswith(part) and (whole := (*path[:-1], stem.removesuffix(part) + PARQUET)) in there:
                    break
            else:
                whole = path
            found.setdefault(whole, []).append(path)
            found[whole].sort(key=lambda each: (each != whole, each))
        return found

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        # A unit goes by the file with the metrics.
        project = Project(sorted(files, key=lambda each: (each != folder, each)))
        path = project.path
        try:
            if path[-1].endswith(PARQUET):
                is_ours = read_tables(root, project)
            else:
                with database(root.joinpath(*path)) as found:
                    is_ours = found is not None and _is_trackio(found) and _read_database(found, project)
        except NotReadable as error:
            # Any table may be a Parquet file; only its companions tell that it is a project's.
            is_ours = not path[-1].endswith(PARQUET) or len(files) > 1
            return Reading(unreadable=(Told(path, str(error)),)) if is_ours else None
        return project.reading() if is_ours else None


FORMAT = Trackio()


def _is_trackio(found: Database) -> bool:
    return found.has("metrics", "id", "run_name", "timestamp", "step", "metrics")


def _read_database(found: Database, project: Project) -> bool:
    try:
        _read_rows(found, project, "metrics", project.metrics)
        if found.has("configs", "run_name", "config", "created_at"):
            run_id = _id_column(found, "configs")
            for run, name, text, created in found.rows(
                f"SELECT {run_id}, run_name, config, created_at FROM configs "
                f"WHERE length(config) <= {MOST_ROW} ORDER BY rowid LIMIT {MOST_RUNS}"
            ):
                (config,) = parsed_rows([text if isinstance(text, bytes) else b""])
                project.configure(as_text(run), as_text(name), config or {}, as_text(created))
        if found.has("system_metrics", "run_name", "timestamp", "metrics"):
            _read_rows(found, project, "system_metrics", project.system)
    except NotReadable as error:
        project.unreadable.append(Told(project.path, str(error)))
    return True


def _id_column(found: Database, table: str) -> str:
    return "run_id" if "run_id" in found.tables[table] else OLD_ID


def _read_rows(found: Database, project: Project, table: str, gathering: Gathering) -> None:
    """Gather the rows of a table in the order in which they were written, and keep the names of their runs."""
    step = "step" if "step" in found.tables[table] else "0"
    question = (
        f"SELECT {_id_column(found, table)}, run_name, {step}, timestamp, metrics FROM {table} NOT INDEXED "
        f"WHERE typeof({step}) = 'integer' AND typeof(metrics) IN ('text', 'blob') AND length(metrics) <= {MOST_ROW} "
        "ORDER BY rowid"
    )
    seconds = Seconds()
    for chunk in found.chunks(question, at_once=ROWS_AT_ONCE):
        ids, names, steps, times, texts = zip(*chunk, strict=True)
        # Rows of one run mostly follow each other, and there are few runs in all.
        distinct = {pair: place for place, pair in enumerate(dict.fromkeys(zip(ids, names, strict=True)))}
        runs = [as_text(run) for run, _ in distinct]
        for run, (_, name) in zip(runs, distinct, strict=True):
            if len(project.names) < MOST_RUNS:
                project.names.setdefault(run, as_text(name))
        which = np.array([distinct[pair] for pair in zip(ids, names, strict=True)], dtype=np.int64)
        objects = parsed_rows(texts)
        project.bad += objects.count(None)
        gather(gathering, number_columns(objects), runs, which, np.array(steps, dtype=np.int64), seconds.of(times))
