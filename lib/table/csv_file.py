"""The summary table as a file for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pandas as pd

from lib.core.text.spreadsheet import inert
from lib.table.columns import COLUMNS, EXTRAS, TEXT, Column


def to_csv(frame: pd.DataFrame, further: Sequence[Column] = ()) -> str:
    """Write the raw values in full precision, with units in the headers.

    What was not recorded is blank, what was logged as NaN is "NaN". Text that a spreadsheet would take
    for a formula gets an apostrophe before it.

    Args:
        frame: Of ``lib.table.cells.summary_frame``.
        further: The columns that it has besides all others.
    """
    columns = (*COLUMNS, *further)
    keys = ["run_id", *(column.key for column in columns), *EXTRAS]
    headers = ["Run id", *(inert(column.raw_header) for column in columns), *(title for title, _ in EXTRAS.values())]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(headers)
    for record in frame.to_dict("records"):
        writer.writerow([_exported(record[key], record.get(key + TEXT, "")) for key in keys])
    return out.getvalue()


def _exported(value: str | float | None, text: str) -> str:
    if isinstance(value, str):
        return inert(value)
    if value is None or pd.isna(value):
        return "NaN" if text == "NaN" else ""
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))
