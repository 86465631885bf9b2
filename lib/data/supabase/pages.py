"""Pages of the metrics table as CSV: a third of the bytes of JSON; null is empty, and NaN is "NaN".

One column comes first and once more as the last: a row that was cut off shows.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import IO, cast

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from lib.core.facts.sizes import plain_text
from lib.data.supabase.client import Answer, Damaged

AGAIN = "again"
"""What the column is called that repeats another one."""


def can_be_read(column: str) -> bool:
    """Whether a page can have this column: PostgREST writes names into the first line as they are.

    Half a character is in no name of PostgreSQL's, and can be asked for by nobody.
    """
    return column == plain_text(column) and column != AGAIN and not set(column) & set(',"\\\r\n')


def written(column: str) -> str:
    """A column's name in a query (``can_be_read``): quoted where it holds what means something there."""
    return column if re.fullmatch(r"\w+", column) else f'"{column}"'


def rows_of_page(answer: Answer, columns: Sequence[str]) -> pa.Table:
    """Read a page of CSV: these columns, and the step once more.

    A column with a value that is no number comes as text: the other values of it, and the other columns, are none the
    worse for it.

    Raises:
        Damaged: If it is not whole.
    """
    names = [*columns, AGAIN]
    kinds: dict[str, pa.DataType] = {name: pa.string() if name == "timestamp" else pa.float64() for name in names}
    if not answer.body.strip():
        # A server says how many rows it sends: a body that got lost is not taken for none.
        if answer.rows != 0:
            raise Damaged
        return pa.schema(kinds.items()).empty_table().drop_columns([AGAIN])
    try:
        page = _parsed(answer.body, kinds)
    except pa.ArrowInvalid as error:
        try:
            as_text = _parsed(answer.body, dict.fromkeys(names, pa.string()))
        except pa.ArrowInvalid:
            raise Damaged from error
        _check(as_text, names, answer)
        return _with_numbers(as_text.drop_columns([AGAIN]))
    _check(page, names, answer)
    return page.drop_columns([AGAIN])


def only_value(answer: Answer) -> str | None:
    """The value of an answer of at most one row, which holds it twice."""
    lines = list(csv.reader(answer.body.decode("utf-8", "replace").splitlines()))[1:]
    if answer.rows == 0 and not lines:
        return None
    if len(lines) != 1 or len(lines[0]) != 2 or lines[0][0] != lines[0][1]:
        raise Damaged
    return lines[0][0]


def _parsed(body: bytes, kinds: dict[str, pa.DataType]) -> pa.Table:
    if b"\n" not in body:
        # To Arrow the names of the columns alone are no table.
        body += b"\n"
    # Arrow takes "NaN" for a null by default.
    return pyarrow.csv.read_csv(
        # Its types do not say that Arrow takes readers of its own.
        cast("IO[bytes]", pa.BufferReader(body)),
        read_options=pyarrow.csv.ReadOptions(use_threads=False),
        convert_options=pyarrow.csv.ConvertOptions(column_types=kinds, null_values=[""], strings_can_be_null=True),
    )


def _with_numbers(page: pa.Table) -> pa.Table:
    """The columns of text as numbers, where all their values are some."""
    for place, name in enumerate(page.column_names):
        if name == "timestamp":
            continue
        try:
            column = page[name].cast(pa.float64())
        except pa.ArrowInvalid:
            if name != "step":
                continue
            # Pages go on from step to step.
            column = pa.chunked_array(
                [pa.array(pd.to_numeric(page[name].to_pandas(), errors="coerce"), from_pandas=True)]
            )
        page = page.set_column(place, name, column)
    return page


def _check(page: pa.Table, names: Sequence[str], answer: Answer) -> None:
    try:
        is_asked_for = page.column_names == list(names)
    except UnicodeDecodeError:
        # Bytes that are no text may look like a table with one name.
        is_asked_for = False
    if not is_asked_for or answer.rows not in (None, page.num_rows):
        raise Damaged
    if not page["step"].equals(page[AGAIN]):
        raise Damaged
