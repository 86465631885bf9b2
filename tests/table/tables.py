"""The summary table as a frame, for tests: of each column the raw value, the shown text and the tooltip."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from lib.table.cells import summary_of
from lib.table.columns import Column
from lib.table.inputs import Cell, Summary, SummaryInput
from lib.table.marks import Alike, marks

TEXT, NOTE = "_text", "_note"


def summary_frame(rows: Sequence[SummaryInput], further: Sequence[Column] = ()) -> pd.DataFrame:
    return frame_of(summary_of(rows, further))


def frame_of(summary: Summary) -> pd.DataFrame:
    data: dict[str, object] = {"run_id": list(summary.run_ids)}
    for column in summary.columns:
        cells = summary.cells[column.key]
        is_number = column.show is not None
        data[column.key] = pd.array([each.value for each in cells], dtype="float64" if is_number else "str")
        data[column.key + TEXT] = [each.text for each in cells]
        data[column.key + NOTE] = [each.note for each in cells]
    data |= {key: list(values) for key, values in summary.extras.items()}
    return pd.DataFrame(data)


def summary_with(column: Column, run_ids: Sequence[str], values: Sequence[float]) -> Summary:
    """A table of one column."""
    return Summary(tuple(run_ids), (column,), {column.key: [Cell(each, str(each)) for each in values]}, {})


def marked(summary: Summary, alike: Alike | None = None) -> pd.DataFrame:
    """The marks by column, "" for none."""
    return pd.DataFrame({key: [each.mark or "" for each in cells] for key, cells in marks(summary, alike).items()})


def mark_notes(summary: Summary, alike: Alike | None = None) -> dict[str, list[str]]:
    return {key: [each.note for each in cells] for key, cells in marks(summary, alike).items()}
