"""The summary table as a file for spreadsheets."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence

from lib.core.baseline.words import SENSES
from lib.core.config.values import settled
from lib.core.text.spreadsheet import inert
from lib.table.columns import EXTRAS, Column
from lib.table.inputs import Summary


def to_csv(summary: Summary) -> str:
    """Write the raw values in full precision, with units in the headers.

    What was not recorded is blank, what was logged as NaN is "NaN". Text that a spreadsheet would take
    for a formula gets an apostrophe before it. Beside a baseline each column that differs from it is followed by the
    difference, its share of the baseline's value, and what it means.
    """
    columns = [column for column in summary.columns if column.exported]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    beside = [column for column in columns if column.show and any(each.against for each in summary.cells[column.key])]
    writer.writerow(
        [
            "Run id",
            *(inert(column.raw_header) for column in columns),
            *EXTRAS.values(),
            *(["Baseline"] if summary.baseline else []),
            *(inert(f"{column.raw_header}{what}") for column in beside for what in _BESIDE),
        ]
    )
    values = [[cell.value for cell in summary.cells[column.key]] for column in columns]
    against = [*_against(summary, beside)]
    for record in zip(summary.run_ids, *values, *(summary.extras[key] for key in EXTRAS), *against, strict=True):
        writer.writerow([_exported(value) for value in record])
    return out.getvalue()


_BESIDE = (": difference to the baseline", ": share of the baseline", ": better or worse")


def _against(summary: Summary, columns: Sequence[Column]) -> Iterator[list[str | float | None]]:
    """The columns of the differences, and before them which run is the baseline."""
    if summary.baseline:
        yield ["yes" if run_id == summary.baseline else "no" for run_id in summary.run_ids]
    for column in columns:
        found = [each.against for each in summary.cells[column.key]]
        # The rounding error of the subtraction is no digit of a difference.
        yield [None if each is None or each.value is None else settled(each.value) for each in found]
        yield [None if each is None else each.share for each in found]
        yield [None if each is None else SENSES[each.sense] for each in found]


def _exported(value: str | float | None) -> str:
    if isinstance(value, str):
        return inert(value)
    if value is None:
        return ""
    if math.isnan(value):
        return "NaN"
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))
