"""Tables of any program: CSV, TSV, JSON lines and Parquet, by what their columns are called and how they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lib.data.formats.csv_tables import read_csv, read_head
from lib.data.formats.files import NotReadable
from lib.data.formats.logged import FilePath, Folder, Reading, Told, by_file
from lib.data.formats.readers import keras, wandb_csv
from lib.data.formats.tables.axes import may_have_steps
from lib.data.formats.tables.json_lines import read_json_head, read_json_lines
from lib.data.formats.tables.parquet import read_parquet
from lib.data.formats.tables.rows import roles_of
from lib.data.formats.tables.runs import runs_of
from lib.data.formats.tables.table import NoTable, Table
from lib.data.formats.tables.vocabulary import is_measured, is_setting

_ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_NO_COUNT = "No column of steps: looked for step, global_step, iteration, epoch, tokens and the like."


class AnyTable:
    """Files of rows that no program of its own is known for."""

    title = "Table"
    reads = "CSV, TSV, JSON lines and Parquet files with a column of steps or epochs"
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
            table = _table(path, file)
            if table is None:
                return None
            return Reading(runs=tuple(runs_of(_named_by_file(table, file), file)))
        except NotReadable as error:
            return Reading(unreadable=(Told(file, str(error)),))
        except NoTable as error:
            return Reading(unused=(Told(file, str(error)),))


def _table(path: Path, file: FilePath) -> Table | None:
    """The table in a file, ``None`` where another reader knows it.

    Of a large file the first rows are read, and the others only where these can be a log's.

    Raises:
        NotReadable, NoTable: As the readers of each kind.
    """
    name = file[-1].lower()
    if name.endswith(".parquet"):
        table = read_parquet(path, _may_hold_runs)
        if table is None:
            raise NoTable(_NO_COUNT)
        return table
    is_json = name.endswith((".jsonl", ".ndjson"))
    head, whole = read_json_head(path) if is_json else read_head(path)
    if not is_json and (wandb_csv.knows(head) or keras.knows(head)):
        return None
    if not whole:
        if not may_have_steps(head.names) and roles_of(head) is None:
            raise NoTable(_NO_COUNT)
        _check_head(head, file)
        head = read_json_lines(path) if is_json else read_csv(path)
    return head


def _may_hold_runs(names: tuple[str, ...]) -> bool:
    """Whether columns of these names are worth reading."""
    return may_have_steps(names) or (any(map(is_setting, names)) and any(map(is_measured, names)))


def _check_head(head: Table, file: FilePath) -> None:
    """Look for runs in the first rows; what they refuse, many more rows like them would not make a log.

    Raises:
        NoTable: With their reason.
    """
    if roles_of(head) is None and head.rows > 100:
        runs_of(head, file)


def _named_by_file(table: Table, file: FilePath) -> Table:
    """TensorBoard's download of one curve has its name in the file's name only: run-NAME-tag-METRIC.csv."""
    if [name.lower() for name in table.names] != ["wall time", "step", "value"]:
        return table
    stem = file[-1].rpartition(".")[0]
    metric = stem.rpartition("tag-")[2] or "value"
    names = (*table.names[:2], metric)
    numbers = {metric if name == table.names[2] else name: each for name, each in table.numbers.items()}
    return replace(table, names=names, numbers=numbers)


FORMAT = AnyTable()
