"""Tables of any program: CSV, TSV, JSON lines and Parquet, by what their columns are called and how they run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lib.data.formats.csv_tables import MOST_BYTES, first_bytes, read_csv, read_head
from lib.data.formats.files import NotReadable
from lib.data.formats.logged import EMPTY, FilePath, Folder, Reading, Told
from lib.data.formats.readers import keras, wandb_csv
from lib.data.formats.tables.axes import EPOCH_NAMES, STEP_NAMES, may_have_steps, named
from lib.data.formats.tables.boosted import FILES as OF_CATBOOST
from lib.data.formats.tables.boosted import read_boosted
from lib.data.formats.tables.json_lines import read_json_head, read_json_lines
from lib.data.formats.tables.parquet import read_parquet
from lib.data.formats.tables.rows import roles_of
from lib.data.formats.tables.runs import runs_of
from lib.data.formats.tables.table import NoTable, Table
from lib.data.formats.tables.vocabulary import is_measured, is_setting

_ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_LINES = (".jsonl", ".ndjson", ".json")
_LINES_IN_JSON = ("metrics.json", "scalars.json", "result.json", ".log.json")
"""Files of detectron2, OpenMMLab and Ray Tune, which hold an object in each line for all that they are called."""
_TEXTS = (".log", ".txt")
"""Such a file is a table where its first line is a header with a column of steps or epochs."""
_TEXT_LETTERS = 4096
_ONE_CURVE = re.compile(r"(?>(?:run-)?(?P<run>.+?)-tag-).+\.csv|(?:Train|Eval|Test|Validation)_Samples_.+\.csv")
"""TensorBoard's downloads and DeepSpeed's CSV monitor write a file for each curve."""
_NO_COUNT = "No column of steps: looked for step, global_step, iteration, epoch, tokens and the like."


class AnyTable:
    """Files of rows that no program of its own is known for."""

    title = "Table"
    reads = "CSV, TSV, JSON lines and Parquet files with a column of steps or epochs"
    is_general = True

    def matches(self, path: FilePath) -> bool:
        return path[-1].lower().endswith((*_ENDINGS, *_LINES_IN_JSON, *_TEXTS))

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        """Every file, but those that hold one curve each, or one side of a run, together."""
        found: dict[Folder, list[FilePath]] = {}
        for path in files:
            curve = _ONE_CURVE.fullmatch(path[-1])
            run = path if curve is None else path[:-1] if curve["run"] is None else (*path[:-1], curve["run"])
            run = path[:-1] if path[-1] in OF_CATBOOST else run
            found.setdefault(run, []).append(path)
        return found

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        del folder
        boosted = [file for file in files if file[-1] in OF_CATBOOST]
        if boosted and (reading := read_boosted(root, boosted)) is not None:
            return reading
        readings = [found for file in files if (found := self._read_file(root, file)) is not None]
        if len(readings) < 2:
            return readings[0] if readings else None
        runs = tuple(run for found in readings for run in found.runs)
        if len(runs) > 1:
            series = {name: each for run in reversed(runs) for name, each in run.series.items()}
            notes = tuple(dict.fromkeys(note for run in runs for note in run.notes))
            read = tuple(file for run in runs for file in run.files)
            runs = (replace(runs[0], key="", files=tuple(dict.fromkeys(read)), series=series, notes=notes),)
        return Reading(
            runs,
            tuple(told for found in readings for told in found.unreadable),
            tuple(told for found in readings for told in found.unused),
        )

    def _read_file(self, root: Path, file: FilePath) -> Reading | None:
        path = root.joinpath(*file)
        is_log = _ONE_CURVE.fullmatch(file[-1]) is not None
        is_text = file[-1].lower().endswith(_TEXTS)
        try:
            if is_text and not _has_header(path):
                return None
            table = _table(path, file)
            if table is None:
                return None
            return Reading(runs=tuple(runs_of(_named_by_file(table, file), file, is_log=is_log)))
        except NotReadable as error:
            return None if is_text else Reading(unreadable=(Told(file, str(error)),))
        except NoTable as error:
            return None if is_text else Reading(unused=(Told(file, EMPTY if _is_empty(path) else str(error)),))


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
    is_json = name.endswith(_LINES)
    try:
        head, whole = read_json_head(path) if is_json else read_head(path)
    except NoTable:
        if name.endswith(".json"):
            # Most files of this name are one object, in many lines.
            return None
        raise
    if name.endswith(".json") and head.rows < 2:
        return None
    if not is_json and (wandb_csv.knows(head) or keras.knows(head)):
        return None
    if not whole:
        if not may_have_steps(head.names) and roles_of(head) is None:
            raise NoTable(_NO_COUNT)
        _check_head(head, file)
        head = read_json_lines(path) if is_json else read_csv(path)
    return head


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except OSError:
        return False


def _has_header(path: Path) -> bool:
    """Whether a text begins with names between commas or tabs, one of them of steps or epochs.

    Raises:
        NotReadable: If it cannot be opened.
    """
    line = first_bytes(path, MOST_BYTES, _TEXT_LETTERS)[0].partition(b"\n")[0].decode("utf-8", "replace")
    names = max((line.split(each) for each in ",\t;"), key=len)
    return len(names) > 1 and bool(named(names, (*STEP_NAMES, *EPOCH_NAMES)))


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
