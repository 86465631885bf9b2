"""The summary table as a file for spreadsheets."""

from __future__ import annotations

import csv
import io
import math

from lib.core.text.spreadsheet import inert
from lib.table.columns import EXTRAS
from lib.table.inputs import Summary


def to_csv(summary: Summary) -> str:
    """Write the raw values in full precision, with units in the headers.

    What was not recorded is blank, what was logged as NaN is "NaN". Text that a spreadsheet would take
    for a formula gets an apostrophe before it.
    """
    columns = [column for column in summary.columns if column.exported]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["Run id", *(inert(column.raw_header) for column in columns), *EXTRAS.values()])
    values = [[cell.value for cell in summary.cells[column.key]] for column in columns]
    for record in zip(summary.run_ids, *values, *(summary.extras[key] for key in EXTRAS), strict=True):
        writer.writerow([_exported(value) for value in record])
    return out.getvalue()


def _exported(value: str | float | None) -> str:
    if isinstance(value, str):
        return inert(value)
    if value is None:
        return ""
    if math.isnan(value):
        return "NaN"
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))
