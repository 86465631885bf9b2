"""MLflow's folders of files: ``mlruns/EXPERIMENT/RUN/{meta.yaml,metrics/KEY,params/KEY,tags/KEY}``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from lib.data.formats.files import NotReadable, read_bytes
from lib.data.formats.logged import FilePath, Folder, Reading, Told
from lib.data.formats.safe_yaml import load_yaml
from lib.data.formats.stores.mlflow import Stated, logged_run
from lib.data.formats.stores.points import MOST_VALUES, Points, dropped_steps, usable

META = "meta.yaml"
METRICS, PARAMS, TAGS = "metrics", "params", "tags"
FACTS = (METRICS, PARAMS, TAGS)
TRASH = ".trash"

MOST_METRIC = 256 * 2**20
"""Bytes of one metric's file: some eight million values of one run."""
MOST_TEXT = 2**20
"""Bytes of a parameter or tag; MLflow keeps at most 8,000 characters."""
MOST_FACTS = 20_000
"""Parameters, and tags, of one run."""

_RUN = re.compile(r"[0-9a-f]{32}")
_LINE = re.compile(rb"^[ \t]*(\d{1,19})(?:\.\d*)? +(\S+)(?: +(-?\d{1,18})(?: .*)?)?[ \t\r]*$", re.MULTILINE)


class MlflowFiles:
    """MLflow's file store, where every run is a folder."""

    title = "MLflow"
    reads = "mlruns folders"
    is_general = False

    def matches(self, path: FilePath) -> bool:
        if TRASH in path or path[-1].startswith("."):
            return False
        # The experiment's own is one level above its runs'.
        return path[-1] == META or _inside(path) is not None

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        found: dict[Folder, list[FilePath]] = {}
        experiments: dict[Folder, FilePath] = {}
        for path in files:
            if (place := _inside(path)) is not None:
                found.setdefault(path[: place + 1], []).append(path)
            elif path[-1] == META:
                experiments[path[:-1]] = path
        for run, paths in found.items():
            if (meta := experiments.get(run[:-1])) is not None:
                paths.append(meta)
        return found

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        own = sorted(path for path in files if path[: len(folder)] == folder)
        told: list[Told] = []
        meta = _meta(root, (*folder, META), own, told)
        experiment = _meta(root, (*folder[:-1], META), files, [])
        if meta is None and not any(path[len(folder)] == METRICS for path in own):
            return None
        if "deleted" in {(meta or {}).get("lifecycle_stage"), (experiment or {}).get("lifecycle_stage")}:
            return Reading(unused=(Told((*folder, META), "The run was deleted in MLflow."),))
        metrics, notes = _metrics(root, folder, own, told)
        if meta is None:
            if not metrics:
                return None
            notes.append("Without a readable meta.yaml: name, times and status of the run are not known.")
        stated = Stated(
            run_id=folder[-1],
            name=_text(meta, "run_name") or _text(meta, "name"),
            experiment=_text(experiment, "name"),
            status=(meta or {}).get("status"),
            start_time=_number(meta, "start_time"),
            end_time=_number(meta, "end_time"),
            params=_texts(root, folder, own, PARAMS, told),
            tags=_texts(root, folder, own, TAGS, told),
        )
        # The file with the longest curve first.
        sources = sorted(own, key=lambda path: -len(metrics.get("/".join(path[len(folder) + 1 :]), ())))
        return Reading(runs=(logged_run(stated, metrics, sources, notes),), unreadable=tuple(told))


FORMAT = MlflowFiles()


def _inside(path: FilePath) -> int | None:
    """The place in a path of the run's folder that the file is a fact of, or ``None``."""
    for place in range(len(path) - 2, -1, -1):
        inner = path[place + 1 :]
        if _RUN.fullmatch(path[place]) and (inner == (META,) or (len(inner) > 1 and inner[0] in FACTS)):
            return place
    return None


def _meta(root: Path, path: FilePath, files: Sequence[FilePath], told: list[Told]) -> dict[str, Any] | None:
    if path not in files:
        return None
    try:
        found = load_yaml(read_bytes(root.joinpath(*path), MOST_TEXT))
    except NotReadable as error:
        told.append(Told(path, str(error)))
        return None
    if not isinstance(found, dict):
        told.append(Told(path, "Expected names and values of a run, found none: it may be half written."))
        return None
    return found


def _text(meta: Mapping[str, Any] | None, key: str) -> str:
    value = (meta or {}).get(key)
    return str(value) if isinstance(value, str | int | float) else ""


def _number(meta: Mapping[str, Any] | None, key: str) -> float | None:
    value = (meta or {}).get(key)
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15 else None
    )


def _texts(root: Path, folder: Folder, files: Sequence[FilePath], kind: str, told: list[Told]) -> dict[str, str]:
    """Parameters or tags by key; a slash in a key is a folder."""
    found: dict[str, str] = {}
    for path in files:
        if path[len(folder)] != kind or len(path) < len(folder) + 2:
            continue
        if len(found) >= MOST_FACTS:
            told.append(Told(path, f"This run has more than {MOST_FACTS:,} {kind}; the others are not read."))
            break
        try:
            content = read_bytes(root.joinpath(*path), MOST_TEXT)
        except NotReadable as error:
            told.append(Told(path, str(error)))
        else:
            found["/".join(path[len(folder) + 1 :])] = content.decode("utf-8", "replace").rstrip("\r\n")
    return found


def _metrics(
    root: Path, folder: Folder, files: Sequence[FilePath], told: list[Told]
) -> tuple[dict[str, Points], list[str]]:
    """Metrics by key, and sentences on what of them was dropped."""
    found: dict[str, Points] = {}
    values = impossible = torn = bad = 0
    for path in files:
        if path[len(folder)] != METRICS or len(path) < len(folder) + 2:
            continue
        if values > MOST_VALUES:
            told.append(Told(path, f"This run has more than {MOST_VALUES:,} values; the other metrics are not read."))
            break
        try:
            points, is_torn, passed_over = _points(read_bytes(root.joinpath(*path), MOST_METRIC))
        except NotReadable as error:
            told.append(Told(path, str(error)))
            continue
        points, dropped = usable(points)
        torn += is_torn
        bad += passed_over
        impossible += dropped
        values += len(points)
        if len(points):
            found["/".join(path[len(folder) + 1 :])] = points
    notes = dropped_steps(impossible)
    if bad:
        notes.append(f"Lines that are not time, value and step, left out: {bad:,}.")
    if torn:
        notes.append("The last line of a metric is not finished and was left out.")
    return found, notes


def _points(content: bytes) -> tuple[Points, bool, int]:
    """The points of a metric's file, whether its last line is unfinished, and how many lines are no points.

    Raises:
        NotReadable: If there is text, and no line of it is "time value step".
    """
    end = content.rfind(b"\n") + 1
    # A single line was written at once, or its end was cut off by an editor.
    is_torn = bool(content[end:].strip()) and (end > 0 or len(content.split()) < 3)
    if is_torn:
        content = content[:end]
    if not content.strip():
        return Points(np.empty(0, np.int64), np.empty(0), np.empty(0)), is_torn, 0
    if (points := _by_columns(content)) is not None:
        return points, is_torn, 0
    points = _by_lines(content)
    lines = sum(1 for line in content.splitlines() if line.strip())
    return points, is_torn, lines - len(points)


def _by_columns(content: bytes) -> Points | None:
    """The points of a file all whose lines have the same columns; ``None`` for any other."""
    import pyarrow as pa
    from pyarrow import csv

    columns = dict(zip(("at", "value", "step"), (pa.int64(), pa.float64(), pa.int64()), strict=True))
    width = len(BytesIO(content).readline().split())
    names = list(columns)[:width]
    if not 2 <= width <= 3:
        return None
    try:
        table = csv.read_csv(
            BytesIO(content),
            # Threads only pay on large files.
            read_options=csv.ReadOptions(column_names=names, use_threads=len(content) > 2**22),
            parse_options=csv.ParseOptions(delimiter=" ", quote_char=False),
            # By default "nan" would count as missing.
            convert_options=csv.ConvertOptions(column_types={name: columns[name] for name in names}, null_values=[]),
        )
    except pa.ArrowInvalid:
        return None
    if any(column.null_count for column in table.columns):
        return None
    step = table["step"].to_numpy() if width == 3 else np.zeros(table.num_rows, np.int64)
    return Points(step, table["at"].to_numpy() / 1000, table["value"].to_numpy())


def _by_lines(content: bytes) -> Points:
    """The points of a file with lines of several kinds: those that are no points are passed over."""
    step, at, value = [], [], []
    for time, text, count in _LINE.findall(content):
        try:
            value.append(float(text))
        except ValueError:
            continue
        at.append(int(time) / 1000)
        step.append(int(count or 0))
    if not value:
        raise NotReadable("Expected lines of time, value and step, found none.")
    return Points(np.array(step, np.int64), np.array(at), np.array(value))
