"""Lightning's CSVLogger: ``version_N`` with ``metrics.csv`` and ``hparams.yaml``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lib.data.formats.csv_tables import read_csv, read_head
from lib.data.formats.files import NotReadable
from lib.data.formats.logged import FilePath, Folder, LoggedRun, Reading, Series, Told, by_folder
from lib.data.formats.safe_yaml import settings_of
from lib.data.formats.tables.axes import Axes, is_count
from lib.data.formats.tables.runs import series_of
from lib.data.formats.tables.table import NoTable, Numbers, Table

_METRICS, _SETTINGS = "metrics.csv", "hparams.yaml"
_VERSION = re.compile(r"version_\d+")
_MOST_NAMED = 3


class Lightning:
    """PyTorch Lightning and Fabric."""

    title = "Lightning"
    reads = "metrics.csv and hparams.yaml of Lightning"
    is_general = False

    def matches(self, path: FilePath) -> bool:
        return path[-1] in (_METRICS, _SETTINGS)

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        return by_folder(files)

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        metrics = next((file for file in files if file[-1] == _METRICS), None)
        settings = next((file for file in files if file[-1] == _SETTINGS), None)
        unreadable: list[Told] = []
        unused: list[Told] = []
        config: Mapping[str, Any] = {}
        if settings is not None:
            try:
                config = settings_of(root.joinpath(*settings), "hparams")
            except NotReadable as error:
                unreadable.append(Told(settings, str(error)))
        series: dict[str, Series] = {}
        notes: tuple[str, ...] = ()
        if metrics is not None:
            try:
                head, whole = read_head(root.joinpath(*metrics))
                if head.rows and not _may_be_lightning(head, folder):
                    return None
                table = head if whole else read_csv(root.joinpath(*metrics))
                steps = table.numbers.get("step")
                if table.rows and not _is_lightning(table, steps, folder):
                    return None
                if steps is not None:
                    series, notes = _series(table, steps)
                if not series:
                    unused.append(Told(metrics, "No metric was logged."))
            except NotReadable as error:
                unreadable.append(Told(metrics, str(error)))
            except NoTable as error:
                if settings is None:
                    return None
                unreadable.append(Told(metrics, str(error)))
        elif not config and not unreadable and settings is not None:
            unused.append(Told(settings, "No settings, and no metrics.csv beside it."))
        if not series and not config:
            return Reading(unreadable=tuple(unreadable), unused=tuple(unused))
        found = tuple(file for file in (metrics if series else None, settings) if file is not None)
        run = LoggedRun(files=found, series=series, config=config, notes=notes)
        return Reading((run,), tuple(unreadable), tuple(unused))


def _is_lightning(table: Table, steps: Numbers | None, folder: Folder) -> bool:
    """Whether a ``metrics.csv`` is Lightning's: it has a step, and epochs or a version's folder.

    Fabric writes no settings, and epochs only where a program gives them; many others write an ``hparams.yaml``.
    """
    if steps is None or not is_count(steps, np.zeros(table.rows, dtype=np.int64), True):
        return False
    return _may_be_lightning(table, folder) and bool(steps.given.all())


def _may_be_lightning(table: Table, folder: Folder) -> bool:
    """The same by the names of its columns, which the first rows of a long one show."""
    is_versioned = bool(folder) and _VERSION.fullmatch(folder[-1]) is not None
    return "step" in table.names and ("epoch" in table.names or is_versioned)


def _series(table: Table, steps: Numbers) -> tuple[dict[str, Series], tuple[str, ...]]:
    """The curves, each from the rows that have it: training and validation write rows of their own for one step."""
    # Of millions of rows half as much is held.
    rows = np.flatnonzero(steps.given).astype(np.int32)
    epoch = "epoch" if "epoch" in table.numbers else None
    names = {name: name for name in table.numbers if name not in ("epoch", "step") and name}
    counted = np.where(steps.given, steps.values, 0.0).astype(np.int64)
    series = series_of(table, Axes("step", "step", epoch), rows, counted, names)
    notes = list(table.notes)
    twins = [name.removesuffix("_step") for name in series if name.endswith("_step")]
    twins = [name for name in twins if f"{name}_epoch" in series]
    if twins:
        more = "" if len(twins) <= _MOST_NAMED else f" and {len(twins) - _MOST_NAMED} more"
        listed = ", ".join(twins[:_MOST_NAMED]) + more
        notes.append(f"Logged twice, at steps and as means of epochs (_step, _epoch): {listed}.")
    if any((np.diff(each.step) < 0).any() for each in series.values()):
        notes.append("Steps go back: it was logged again from an earlier step.")
    return series, tuple(notes)


FORMAT = Lightning()
