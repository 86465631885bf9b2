"""Lines as cells and as objects come to the same numbers."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.data.formats import json_columns
from lib.data.formats.json_columns import lines_of
from lib.data.formats.readers import llamafactory, ms_swift
from lib.data.formats.tables import json_lines
from lib.data.formats.tables.table import NoTable

VALUES = st.one_of(
    st.floats(),
    st.integers(-(2**70), 2**70),
    st.none(),
    st.booleans(),
    st.sampled_from(
        [
            "",
            "7/9",
            " 10 / 100 ",
            "x/9",
            "1h 2m 3s",
            "5m",
            "2d 0h 0m 1.5s",
            "1s 2h",
            "soon",
            "10.00%",
            "%",
            "0.5",
            "NaN",
        ]
    ),
    st.sampled_from(["0:01:03", "3 days, 17:51:32", "59:59", "1 day, 0:00:01", "a, 0:01", "1_0", "\u00e9"]),
    st.dictionaries(st.sampled_from(["a", "b"]), st.floats() | st.text(max_size=2), max_size=2),
    st.lists(st.integers(), max_size=2),
)
SWIFT = [
    "loss",
    "global_step/max_steps",
    "epoch",
    "elapsed_time",
    "percentage",
    "remaining_time",
    "train_runtime",
    "step",
]
FACTORY = ["loss", "current_steps", "total_steps", "epoch", "elapsed_time", "percentage", "remaining_time", "reward"]
USUAL = {
    ms_swift: {"loss": 0.5, "epoch": 1, "global_step/max_steps": "7/9", "elapsed_time": "1h 2m 3s", "acc": "5.00%"},
    llamafactory: {"current_steps": 7, "total_steps": 9, "loss": 0.5, "elapsed_time": "0:01:03"},
}
NAMES = {ms_swift: SWIFT, llamafactory: FACTORY}
ODD_LINES = st.sampled_from(
    [b"", b"{}", b"x", b"[1]", b'{"loss": 1}{"loss": 2}', b'{"loss": 1, "loss": 2}', b'{"loss": Inf}',
     b'{"loss": Infinity}', b'{"loss": 1e400}', b'{"loss": "\\ud800"}', b'{"note": "\xff"}', b'{"loss": 01}',
     b'{"loss": 1,}', b'\x00']
)  # fmt: skip


@contextmanager
def in_parts(size: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_columns, "PART", size)
        patch.setattr(json_columns, "_LEAST", size)
        patch.setattr(json_columns, "_MOST_FAILED", 10**6)
        yield patch


def told(reader, content: bytes) -> str:
    """All that a reader makes of the lines."""
    logged = reader._Logged(content)
    runs = (
        reader._runs(logged, (("log",),), {}, [])
        if reader is ms_swift
        else reader._runs(logged, (("log",),), {}, {}, [])
    )
    series = [
        {
            name: tuple(None if each is None else each.tolist() for each in (s.step, s.value, s.epoch, s.at))
            for name, s in sorted(run.series.items())
        }
        for run in runs
    ]
    facts = [(run.key, run.status, run.last, run.total_steps, run.notes) for run in runs]
    return repr((series, facts, logged.has_steps, logged.wrong))


@pytest.mark.parametrize("reader", [ms_swift, llamafactory])
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_cells_and_objects_are_the_same(reader, data) -> None:
    names = st.sampled_from(NAMES[reader])
    usual = st.builds(
        lambda more: json.dumps(USUAL[reader] | more).encode(), st.dictionaries(names, VALUES, max_size=1)
    )
    odd = st.dictionaries(names, VALUES, max_size=5).map(lambda row: json.dumps(row).encode())
    lines = data.draw(st.lists(usual | st.just(json.dumps(USUAL[reader]).encode()) | odd | ODD_LINES, max_size=15))
    content = b"\n".join(lines) + data.draw(st.sampled_from([b"", b"\n", b'\n{"loss": 0.']))
    with in_parts(data.draw(st.sampled_from([1, 150, 400]))) as patch:
        found = told(reader, content)
        patch.setattr(json_columns._Fields, "read", lambda *_: None)
        assert found == told(reader, content)


@pytest.mark.parametrize("reader", [ms_swift, llamafactory])
def test_most_lines_are_read_as_cells(reader) -> None:
    rows = [USUAL[reader] | ({"eval_loss": 0.25} if step % 10 == 0 else {}) for step in range(100)]
    content = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    with in_parts(1000):
        parts = list(lines_of(content))
    assert [each.cells is not None for each in parts] == [False, *[True] * (len(parts) - 1)]
    assert len(parts) > 5


def test_a_log_that_is_never_regular_is_read_as_objects() -> None:
    content = "".join(f'{{"step": {step}, "list": [1]}}\n' for step in range(100)).encode()
    with in_parts(200):
        assert all(each.cells is None for each in lines_of(content))


TABLE_NAMES = ["step", "loss", "eval", "eval/a", "note", "at", "x"]
TABLE_VALUES = VALUES | st.sampled_from(["a", "b", " a ", "NA", "n" * 500, "n" * 400, -0.0, 10**400, {"a": {"b": 1}}])
TABLE_USUAL = {"step": 7, "loss": 0.5, "train": {"lr": 1e-4, "why": {"note": "NaN"}}, "note": "warm", "at": "12:01"}
TABLE_ODD = st.sampled_from(
    [b'{"step": -0}', b'{"step": -0.0, "loss": 1E5}', b'{"eval/a": 1, "eval": {"a": 2}}', b"  ", b'{"step": 1} x']
)


def table_told(content: bytes) -> str:
    """All that a table of the lines says, bit by bit."""
    try:
        table = json_lines.table_of_lines(content)
    except NoTable as error:
        return str(error)
    numbers = {name: (each.values.tobytes(), each.given.tobytes()) for name, each in table.numbers.items()}
    words = {name: (each.codes.tolist(), list(each.words)) for name, each in table.words.items()}
    return repr((table.names, table.rows, table.notes, numbers, words))


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_a_table_of_cells_and_one_of_objects_are_the_same(data) -> None:
    names, usual = st.sampled_from(TABLE_NAMES), json.dumps(TABLE_USUAL).encode()
    near = st.builds(
        lambda more: json.dumps(TABLE_USUAL | more).encode(), st.dictionaries(names, TABLE_VALUES, max_size=1)
    )
    odd = st.dictionaries(names, TABLE_VALUES, max_size=4).map(lambda row: json.dumps(row).encode())
    lines = data.draw(st.lists(st.just(usual) | st.just(usual) | near | odd | ODD_LINES | TABLE_ODD, max_size=20))
    content = b"\n".join(lines) + data.draw(st.sampled_from([b"", b"\n", b'\n{"loss": 0.', b"\n\xff\n"]))
    with in_parts(data.draw(st.sampled_from([1, 150, 400]))) as patch:
        patch.setattr(json_lines, "_MOST_WORDS", data.draw(st.sampled_from([1, 2, 100_000])))
        patch.setattr(json_lines, "MOST_COLUMNS", data.draw(st.sampled_from([3, 10_000])))
        patch.setattr(json_lines, "_ROWS_AT_ONCE", data.draw(st.sampled_from([1, 3, 4096])))
        found = table_told(content)
        patch.setattr(json_columns._Fields, "read", lambda *_: None)
        assert found == table_told(content)
        patch.setattr(json_columns, "PART", 10**9)
        patch.setattr(json_columns, "_LEAST", 10**9)
        patch.setattr(json_lines, "_plain", lambda *_: None)
        assert found == table_told(content)


def test_a_table_of_lines_is_read_as_cells(monkeypatch) -> None:
    rows = [TABLE_USUAL | {"step": step} for step in range(200)]
    content = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    taken = []
    real = json_lines._Lines.take_cells
    monkeypatch.setattr(
        json_lines._Lines, "take_cells", lambda self, *cells: real(self, *cells) and (taken.append(cells[1]) or True)
    )
    with in_parts(1000):
        table = json_lines.table_of_lines(content)
    assert sum(taken) > 150
    assert table.rows == 200
    assert table.words["note"].words == ["warm"]
    assert table.numbers["train/lr"].values.tolist() == [1e-4] * 200
