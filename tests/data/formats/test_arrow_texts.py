"""Many texts of Arrow's as a clock: the same moments as one by one."""

from __future__ import annotations

import pytest

from lib.data.formats.csv_tables import table_of
from lib.data.formats.tables import arrow, axes, csv_rows


@pytest.mark.parametrize(
    ("spelled", "is_clock"),
    [
        ("2026-01-02 03:04:{:02}.123457", True),
        ("2026-01-02T03:04:{:02}", True),
        ("2026-01-02 03:04:{:02}Z", True),
        ("2026-01-02 03:04:{:02}+02:00", True),
        ("1969-12-31 23:59:{:02}.5", True),
        ("soon {:02}", False),
    ],
)
def test_dates_of_a_long_table_are_its_clock(monkeypatch, spelled, is_clock) -> None:
    rows = "".join(f"{step},{step / 7},{'' if step == 30 else spelled.format(step)}\n" for step in range(60))
    content = f"step,loss,timestamp\n{rows}".encode()
    few = axes.clock_of(table_of(content), "timestamp")
    for module, name, value in (
        (arrow, "_MANY", 5),
        (axes, "_MOST_CLOCK_WORDS", 10),
        (csv_rows, "_MANY_WORDS", 10),
        (csv_rows, "BLOCK_BYTES", 400),
    ):
        monkeypatch.setattr(module, name, value)
    table = table_of(content)
    assert isinstance(table.words["timestamp"].words, arrow.ArrowTexts)
    many = axes.clock_of(table, "timestamp")
    assert (few is not None, many is not None) == (is_clock, is_clock)
    if few is not None and many is not None:
        assert many.given.tolist() == few.given.tolist() == [step != 30 for step in range(60)]
        assert many.values[many.given].tolist() == few.values[few.given].tolist()
