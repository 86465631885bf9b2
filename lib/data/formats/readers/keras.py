"""Keras' CSVLogger: a row for each epoch, in a file of any name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lib.data.formats.csv_tables import MOST_BYTES, first_bytes, read_csv, read_head
from lib.data.formats.files import NotReadable
from lib.data.formats.logged import FilePath, Folder, LoggedRun, Reading, Series, Told, by_file
from lib.data.formats.tables.axes import STEP_NAMES, Axes, named
from lib.data.formats.tables.runs import series_of
from lib.data.formats.tables.table import NoTable, Numbers, Table

_STARTS, _LETTERS = (b"epoch", b'"epoch"', b"\xef\xbb\xbfepoch"), 16
_ENDINGS = (".csv", ".tsv", ".log", ".txt")


def knows(table: Table) -> bool:
    """Whether columns are those of a CSVLogger: whole epochs, then sorted names, with a loss and no step among them.

    Where the first epoch has no validation, the sorted names stand there once more for it, with ``val_``.
    """
    epoch = table.numbers.get("epoch")
    if len(table.names) < 2 or table.names[0] != "epoch" or epoch is None or not _counts(epoch):
        return False
    others = table.names[1:]
    first = others[: len(others) // 2]
    is_sorted = list(others) == sorted(others)
    is_twice = list(first) == sorted(first) and others == (*first, *(f"val_{name}" for name in first))
    if not (is_sorted or is_twice) or "loss" not in others or any("/" in name for name in others):
        return False
    return not named(others, STEP_NAMES)


class Keras:
    """Keras' CSVLogger."""

    title = "Keras CSVLogger"
    reads = "CSV files with an epoch in each row"
    is_general = True

    def matches(self, path: FilePath) -> bool:
        return path[-1].lower().endswith(_ENDINGS)

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        return by_file(files)

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        del folder
        file = files[0]
        path = root.joinpath(*file)
        try:
            if not first_bytes(path, MOST_BYTES, _LETTERS)[0].startswith(_STARTS):
                # Text logs have the same endings, and most files end here.
                return None
            head, whole = read_head(path)
            if not knows(head):
                return None
            table = head if whole else read_csv(path)
        except (NotReadable, NoTable):
            # Whoever reads files of any kind says why not.
            return None
        epoch = table.numbers.get("epoch")
        if epoch is None or not _counts(epoch):
            return Reading(unreadable=(Told(file, "Expected whole epochs in its first column, found others."),))
        return Reading(runs=(_run(table, epoch, file),))


def _counts(epoch: Numbers) -> bool:
    values = epoch.values[epoch.given]
    if not (np.isfinite(values).all() and (values >= 0).all() and (values < 1e9).all() and (values % 1 == 0).all()):
        return False
    # Several rows of an epoch are batches, which Keras does not write.
    return bool(2 * np.unique(values).size >= values.size)


def _run(table: Table, epoch: Numbers, file: FilePath) -> LoggedRun:
    rows = np.flatnonzero(epoch.given)
    counted = np.where(epoch.given, epoch.values, 0.0).astype(np.int64)
    names = {name: name for name in table.numbers if name != "epoch"}
    notes = list(table.notes)
    if rows.size and np.unique(counted[rows]).size < rows.size:
        notes.append("Epochs repeat: it was continued in the same file.")
    elif (np.diff(counted[rows]) < 0).any():
        notes.append('Its rows are not in the order of "epoch": they are read in that order.')
    series = {
        # Whether the first epoch is called 0 or 1 is only known of the whole log.
        name: Series(each.step, each.value)
        for name, each in series_of(table, Axes("epoch", "epoch"), rows, counted, names).items()
    }
    return LoggedRun(files=(file,), series=series, counted="epoch", notes=tuple(notes))


FORMAT = Keras()
