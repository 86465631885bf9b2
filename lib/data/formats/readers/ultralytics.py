"""Ultralytics (YOLO): ``results.csv`` with a row for each epoch, and ``args.yaml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lib.data.formats.csv_tables import read_csv
from lib.data.formats.files import NotReadable, read_bytes
from lib.data.formats.logged import FilePath, Folder, LoggedRun, Reading, Series, Told, by_folder
from lib.data.formats.safe_yaml import MOST_BYTES, load_yaml
from lib.data.formats.tables.axes import Axes, is_count
from lib.data.formats.tables.runs import series_of
from lib.data.formats.tables.table import NoTable, Numbers, Table

_RESULTS, _ARGS = "results.csv", "args.yaml"
_GROUPS = ("train/", "val/", "metrics/", "lr/pg", "x/lr")
_MOST_EPOCHS = 10_000_000


class Ultralytics:
    """Ultralytics and YOLOv5."""

    title = "Ultralytics"
    reads = "results.csv and args.yaml of YOLO"
    is_general = False

    def matches(self, path: FilePath) -> bool:
        return path[-1] in (_RESULTS, _ARGS)

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        return by_folder(files)

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        del folder
        results = next((file for file in files if file[-1] == _RESULTS), None)
        stated = next((file for file in files if file[-1] == _ARGS), None)
        unreadable: list[Told] = []
        args: dict[str, Any] = {}
        if stated is not None:
            try:
                found = load_yaml(read_bytes(root.joinpath(*stated), MOST_BYTES))
                args = found if isinstance(found, dict) else {}
            except NotReadable as error:
                unreadable.append(Told(stated, str(error)))
        is_ours = {"task", "mode", "model"} <= args.keys()
        table: Table | None = None
        if results is not None:
            try:
                table = read_csv(root.joinpath(*results))
            except NotReadable as error:
                unreadable.append(Told(results, str(error)))
            except NoTable as error:
                if is_ours:
                    unreadable.append(Told(results, str(error)))
        if table is not None and not _is_of_yolo(table):
            table = None
            if not is_ours:
                return None
        if table is None and not is_ours:
            return None
        series = {} if table is None else _series(table)
        epochs = args.get("epochs")
        planned = isinstance(epochs, int | float) and not isinstance(epochs, bool) and 0 < epochs <= _MOST_EPOCHS
        run = LoggedRun(
            files=tuple(file for file in (results if series else None, stated) if file is not None),
            series=series,
            counted="epoch",
            config={"args": args} if args else {},
            total_epochs=float(epochs) if planned and epochs is not None else None,
            notes=() if table is None else table.notes,
        )
        unused: tuple[Told, ...] = ()
        if table is not None and results is not None and not series:
            unused = (Told(results, "No epoch has ended yet."),)
        runs = (run,) if run.files else ()
        return Reading(runs, tuple(unreadable), unused)


def _is_of_yolo(table: Table) -> bool:
    """Whether the first column is the epoch and the others are in YOLO's groups."""
    return table.names[0] == "epoch" and sum(name.startswith(_GROUPS) for name in table.names) > len(table.names) / 2


def _series(table: Table) -> dict[str, Series]:
    epoch = table.numbers.get("epoch")
    if epoch is None or not is_count(epoch, np.zeros(table.rows, dtype=np.int64), True):
        return {}
    rows = np.flatnonzero(epoch.given)
    counted = np.where(epoch.given, epoch.values, 0.0).astype(np.int64)
    clock = "time" if "time" in table.numbers else None
    names = {name: name for name in table.numbers if name not in ("epoch", "time") and name}
    found = series_of(table, Axes("epoch", "epoch", None, clock), rows, counted, names)
    # Older versions call the first epoch 0; a row is written when its epoch is done.
    done = 1.0 if _first(epoch) == 0 else 0.0
    return {name: Series(each.step, each.value, each.step + done, each.at) for name, each in found.items()}


def _first(column: Numbers) -> float:
    return float(column.values[column.given].min())


FORMAT = Ultralytics()
