"""What a chart draws, as a file for spreadsheets: smoothed and cut as it is shown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from lib.charts.still import ShownCurve, shown_curves
from lib.core.text.spreadsheet import inert

COLUMNS = ("run", "metric", "drawn_as")
"""Before the position on the x axis, which has the axis's title, and the value."""
BEYOND = "beyond_y_axis"
"""Whether a point lies beyond the end of the y axis, where outliers are ignored."""


def drawn_csv(
    head: Mapping[str, Any],
    tables: Mapping[str, pa.Table],
    metrics: Sequence[str],
    names: Mapping[int, str],
    mode: str,
    *,
    clips: bool,
) -> str:
    """Write every point that is drawn in the range in view.

    A line is a ``line``, or ``smoothed`` with the ``raw`` one behind it; the marks of evaluations and of the best are
    rows of their own, and so is what is no number. Text that a spreadsheet would take for a formula gets an apostrophe.

    Args:
        head: Of the chart, as it travels to the browser.
        tables: Its datasets (``lib.charts.layout``).
        metrics: The metric of each of its curves.
        names: The runs' names by slot.
        mode: Which losses are shown, as a link has it.
        clips: Whether outliers are ignored.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    value = f"difference to {head['baseline']}" if head["minus"] else "value"
    writer.writerow([*COLUMNS, inert(head["axis"]), inert(value), BEYOND])
    first, last = [*tables["extent"]["x"].to_pylist(), *(None, None)][:2]
    bounds = head["bounds"].get(mode) if clips else None
    for curve in shown_curves(head, tables, mode):
        start = (inert(names[curve.slot]), inert(metrics[curve.number]))
        for kind, x, y in _points(curve, tables):
            if first is None or last is None or not first <= x <= last:
                continue
            beyond = bounds is not None and y is not None and not bounds[0] <= y <= bounds[1]
            writer.writerow([*start, kind, _number(x), "NaN" if y is None else _number(y), "yes" if beyond else "no"])
    return out.getvalue()


def _points(curve: ShownCurve, tables: Mapping[str, pa.Table]) -> Iterator[tuple[str, float, float | None]]:
    is_smoothed = len(curve.of("faint")[0]) > 0
    named = {"faint": "raw", "line": "smoothed" if is_smoothed else "line", "evals": "mark", "best": "best"}
    for name, kind in named.items():
        for x, y in zip(*(column.tolist() for column in curve.of(name)), strict=True):
            yield kind, x, y
    lost = tables["nonfinite"]
    for number, x in zip(lost["curve"].to_pylist(), lost["x"].to_pylist(), strict=True):
        if number == curve.number and x is not None:
            yield "no number", float(x), None


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
