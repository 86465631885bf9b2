"""The tables of CatBoost: in a folder one of what it learns from, one of what it evaluates on, and one of the time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lib.data.formats.csv_tables import read_csv
from lib.data.formats.files import NotReadable
from lib.data.formats.logged import FilePath, LoggedRun, Reading, Series, Told
from lib.data.formats.tables.table import NoTable, Table

COUNT = "iter"
_TIME = "time_left.tsv"
_SIDES = {"learn_error.tsv": "train", "test_error.tsv": "eval"}
"""What it calls "test" it chooses its best iteration by."""
FILES = frozenset((*_SIDES, _TIME))
_OF_SET = re.compile(r"(?P<metric>.+):(?P<set>\d{1,3})")
"""Of several evaluation sets all but the last, which it chooses by, have a number behind the metric's name."""
_NOTE = "A step is one more tree; what CatBoost calls test are its evaluations."


def read_boosted(root: Path, files: Sequence[FilePath]) -> Reading | None:
    """The run in a folder of CatBoost; ``None`` where its tables are of another program after all.

    Args:
        root: What the paths are below.
        files: Those of ``FILES`` that lie in the folder.
    """
    tables: dict[str, Table] = {}
    unreadable = []
    for file in files:
        try:
            table = read_csv(root.joinpath(*file))
        except NotReadable as error:
            unreadable.append(Told(file, str(error)))
            continue
        except NoTable:
            # Nothing but the header yet.
            continue
        if table.names[:1] != (COUNT,) or COUNT not in table.numbers:
            return None
        tables[file[-1]] = table
    at = _clock(tables.pop(_TIME, None))
    series: dict[str, Series] = {}
    for name, table in tables.items():
        step = table.numbers[COUNT]
        for column, numbers in table.numbers.items():
            here = numbers.given & step.given & (step.values >= 0)
            if column == COUNT or not here.any():
                continue
            # Its first iteration, 0, has learned a tree.
            steps = step.values[here].astype(np.int64) + 1
            clock = np.array([at.get(each, np.nan) for each in steps.tolist()]) if at else None
            series[_named(_SIDES[name], column)] = Series(steps, numbers.values[here], at=clock)
    if not series:
        return Reading((), tuple(unreadable)) if unreadable else None
    read = tuple(file for file in files if file[-1] in _SIDES and file[-1] in tables)
    notes = tuple(dict.fromkeys((_NOTE, *(note for table in tables.values() for note in table.notes))))
    return Reading((LoggedRun(files=read, series=series, notes=notes),), tuple(unreadable))


def _named(side: str, column: str) -> str:
    numbered = _OF_SET.fullmatch(column)
    return f"{side}_{numbered['set']}/{numbered['metric']}" if numbered else f"{side}/{column}"


def _clock(table: Table | None) -> dict[int, float]:
    """By step the seconds since the start."""
    passed = table.numbers.get("Passed") if table is not None else None
    if table is None or passed is None:
        return {}
    step = table.numbers[COUNT]
    here = passed.given & step.given
    return dict(
        zip((step.values[here] + 1).astype(np.int64).tolist(), (passed.values[here] / 1e3).tolist(), strict=True)
    )
