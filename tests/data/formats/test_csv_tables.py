from __future__ import annotations

import csv
import io
import math
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.data.formats.csv_tables import read_csv, read_head, table_of
from lib.data.formats.files import NotReadable
from lib.data.formats.tables import csv_rows
from lib.data.formats.tables.table import MOST_COLUMNS, NoTable


def column(content: str | bytes, name: str) -> list[float | None]:
    """A column of numbers, ``None`` where nothing is given."""
    table = table_of(content.encode() if isinstance(content, str) else content)
    numbers = table.numbers[name]
    return [float(value) if given else None for value, given in zip(numbers.values, numbers.given, strict=True)]


def test_what_is_blank_is_missing_and_a_nan_is_a_value() -> None:
    found = column("step,loss\n1,\n2,nan\n3,NaN\n4,inf\n5,-Infinity\n6,NA\n7,null\n", "loss")
    assert found[0] is None
    assert found[5:] == [None, None]
    assert [math.isnan(each) for each in found[1:3]] == [True, True]
    assert found[3:5] == [math.inf, -math.inf]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("step,loss\n1,0.5\n2,0.25\n", [0.5, 0.25]),
        ("step\tloss\n1\t0.5\n2\t0.25\n", [0.5, 0.25]),
        ("step;loss\n1;0,5\n2;0,25\n", [0.5, 0.25]),
        ("step|loss\n1|0.5\n2|0.25\n", [0.5, 0.25]),
        ("\ufeffstep,loss\r\n1,0.5\r\n2,0.25\r\n", [0.5, 0.25]),
        ("step,loss\r1,0.5\r2,0.25\r", [0.5, 0.25]),
        ("   step,     loss\n     1,      0.5\n     2,     0.25\n", [0.5, 0.25]),
        ('"step","loss"\n"1","0.5"\n"2","0.25"\n', [0.5, 0.25]),
        ('step,loss\n1,"1,024.5"\n2,"12,000"\n', [1024.5, 12000.0]),
        ("step,loss\n1,10.00%\n2,20%\n", [10.0, 20.0]),
        ("step,loss\n1,tensor(0.5)\n2,0.25\n", [0.5, 0.25]),
        ("#step,loss\n1,0.5\n2,0.25\n", [0.5, 0.25]),
        ("\n\nstep,loss\n1,0.5\n\n2,0.25\n", [0.5, 0.25]),
        ('step,loss,note\n1,0.5,"two\nlines"\n2,0.25,one\n', [0.5, 0.25]),
        ("step,loss,\n1,0.5,\n2,0.25,\n", [0.5, 0.25]),
        ("step,loss\n1,0.5,\n2,0.25,\n", [0.5, 0.25]),
        ("step,loss,acc\n1,0.5\n2,0.25,0.1\n", [0.5, 0.25]),
        ("step,loss\n1,1:00:00\n2,1 day, 0:00:01\n", None),
        ('step,loss\n1,1:00:00\n2,"1 day, 0:00:01"\n', [3600.0, 86401.0]),
    ],
)
def test_separators_quotes_and_spellings(content, expected) -> None:
    if expected is None:
        # The unquoted comma makes a cell too many: that row is left out, and said.
        assert any("left out" in note for note in table_of(content.encode()).notes)
    else:
        assert column(content, "loss") == expected


def test_utf_16_is_read() -> None:
    assert column("step\tloss\n1\t0.5\n".encode("utf-16"), "loss") == [0.5]


def test_text_that_is_no_utf_8_does_not_hide_the_numbers() -> None:
    assert column("step,loss,wer\n1,0.5,\xfc\n".encode("latin-1"), "loss") == [0.5]


def test_a_header_that_was_written_again_is_no_row_of_numbers() -> None:
    assert column("epoch,loss\n0,2\n1,1\nepoch,loss\n0,3\n", "loss") == [2.0, 1.0, None, 3.0]


def test_equal_names_are_told_apart() -> None:
    assert table_of(b"step,loss,loss\n1,2,3\n").names == ("step", "loss", "loss (2)")


def test_a_type_that_shows_late_is_seen() -> None:
    rows = "".join(f"{step},{step / 7}\n" for step in range(200_000))
    table = table_of(f"step,loss\n{rows}200000,0.125 %\n".encode())
    assert table.rows == 200_001
    assert table.numbers["loss"].values[[7, 200_000]].tolist() == [1.0, 0.125]
    assert table_of(f"step,loss\n{rows}200000,broken\n".encode()).words.keys() == {"loss"}


@pytest.mark.parametrize(
    ("tail", "kept"),
    [
        ("3,0.25", True),
        ("3,0.3", True),
        ("3,0.", False),
        ("3,", True),
        ("3", False),
        ("", False),
        ('"3","0.1', False),
        ('"3","0.1"', True),
        ("3,2e-0", False),
    ],
)
def test_a_last_row_without_its_end_counts_where_it_looks_whole(tail, kept) -> None:
    table = table_of(f"step,loss\n1,0.5\n2,0.25\n{tail}".encode())
    assert table.rows == 2 + kept
    assert bool(table.notes) is (not kept and bool(tail))


def test_a_count_that_was_cut_does_not_go_back() -> None:
    rows = "".join(f"{step / 8},{step}\n" for step in range(990, 1001))
    assert table_of(f"loss,step\n{rows}3.5,100".encode()).rows == 11
    assert table_of(f"loss,step\n{rows}3.5,1001".encode()).rows == 12


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"step,loss",
        b"just a text\nof lines\n",
        b"\x00\x01\x02,\n",
        b'"step,loss\n1,2\n',
        ",".join(f"c{place}" for place in range(MOST_COLUMNS + 1)).encode() + b"\n1\n",
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(content) -> None:
    with pytest.raises(NoTable, match=r"\.$"):
        table_of(content)


def test_a_header_alone_has_no_rows() -> None:
    assert table_of(b"step,loss\n").rows == 0


def test_the_first_rows_of_a_large_file_are_whole(tmp_path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n" + "".join(f"{step},{step / 3:.12f}\n" for step in range(50_000)))
    head, whole = read_head(path)
    assert not whole
    assert 0 < head.rows < 50_000
    assert head.numbers["step"].values[-1] == head.rows - 1
    assert head.notes == ()
    assert read_csv(path).rows == 50_000


def test_a_folder_and_a_pipe_are_no_file(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path, tmp_path / "pipe.csv", tmp_path / "none.csv"):
        with pytest.raises(NotReadable):
            read_head(path)


WHOLE = b"step,loss,acc\n" + b"".join(b"%d,%.6f,0.%d5\n" % (step, 2 / (step + 1), step % 9 + 1) for step in range(40))


@given(st.integers(0, len(WHOLE)))
@settings(max_examples=200, deadline=None)
def test_whole_rows_before_a_cut_are_read(cut) -> None:
    content = WHOLE[:cut]
    rows = max(0, content.count(b"\n") - 1)
    try:
        table = table_of(content)
    except NoTable:
        assert content.count(b"\n") == 0
        return
    assert rows <= table.rows <= rows + 1
    if rows:
        assert np.array_equal(table.numbers["step"].values[:rows], np.arange(rows))


@given(st.binary(max_size=400) | st.text('0123456789,;"\n\r\t.e-na', max_size=200).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_table_or_refused(content) -> None:
    try:
        table = table_of(content)
    except NoTable:
        return
    assert {len(each.values) for each in table.numbers.values()} <= {table.rows}
    assert {len(each.codes) for each in table.words.values()} <= {table.rows}


NASTY_CELLS = st.sampled_from(
    [
        "", " ", "NA", " NA", "null", "-", "nan", "NaN", "NAN", "inf", "-Infinity", "1", "2.5", " 3.25 ", "+4", "1e400",
        "-0.0", "1_000", "0x10", "1,024", "12,5", "5%", "1.5k", "tensor(0.5)", "0:01:02", "x", "two\nlines", 'a"b', ",",
        ";", "# note", "\u00e9", "2026-01-02 00:00:01", "loss", "step", "True", "9007199254740993", "\u00a07", "5 ft",
    ]
)  # fmt: skip
NASTY_ROWS = st.lists(st.lists(NASTY_CELLS, min_size=1, max_size=5), max_size=12)


def written(rows, separator, end, quoting, tail) -> bytes:
    """A table of three columns in which most rows are as they should be."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerow(["step", "loss", "note"])
    for place, row in enumerate(rows):
        writer.writerow([place, place / 7, "a"])
        writer.writerow(row)
    return (text.getvalue() + tail).encode()


def seen(content: bytes) -> object:
    """All that is told of a table, or why it is none."""
    try:
        table = table_of(content)
    except NoTable as error:
        return str(error)
    numbers = {name: (each.values.tolist(), each.given.tolist()) for name, each in table.numbers.items()}
    words = {name: [each.at(row) for row in range(table.rows)] for name, each in table.words.items()}
    return repr((table.names, table.rows, numbers, words, table.notes))


@given(
    NASTY_ROWS,
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["", "9,0.5,b", "9,0.", '"9","0', "\n\n", "step,loss,note\n", "# end\n"]),
    st.sampled_from([1, 40, 300]),
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_in_blocks_at_once_and_row_by_row_a_table_is_the_same(
    rows, separator, end, quoting, tail, size, has_bom
) -> None:
    content = (b"\xef\xbb\xbf" if has_bom else b"") + written(rows, separator, end, quoting, tail)
    whole = seen(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_rows, "BLOCK_BYTES", size)
        assert seen(content) == whole
        patch.setattr(csv_rows, "_parsed", lambda *_: None)
        assert seen(content) == whole
        patch.setattr(csv_rows, "BLOCK_BYTES", 2**20)
        assert seen(content) == whole


def test_rows_of_another_length_count_as_much_in_a_large_file(monkeypatch) -> None:
    monkeypatch.setattr(csv_rows, "BLOCK_BYTES", 1000)
    rows = [f"{step},{step / 7},{step / 9}\n" for step in range(5000)]
    rows[1000], rows[2000], rows[3000] = "1000,0.5\n", "2000,0.5,0.25,\n", "3000,0.5,0.25,1\n"
    table = table_of(("step,loss,acc\n" + "".join(rows)).encode())
    assert table.rows == 4999
    assert table.notes == ("1 of its rows have another number of cells than the header and were left out.",)
    assert table.numbers["acc"].given.tolist() == [step != 1000 for step in range(5000) if step != 3000]
    assert table.numbers["loss"].values[[1000, 2000]].tolist() == [0.5, 0.5]


def test_texts_that_come_late_are_texts_from_the_first_row_on(monkeypatch) -> None:
    monkeypatch.setattr(csv_rows, "BLOCK_BYTES", 1000)
    rows = "".join(f"{step},{step / 8},{'best' if step == 4999 else ''}\n" for step in range(5000))
    table = table_of(f"step,loss,note\n{rows}5000,broken,\n".encode())
    assert table.words.keys() == {"loss", "note"}
    assert [table.words["loss"].at(row) for row in (1, 4999, 5000)] == ["0.125", "624.875", "broken"]
    assert table.words["note"].at(4999) == "best"


def test_a_quote_that_ends_nothing_is_a_letter(monkeypatch) -> None:
    monkeypatch.setattr(csv_rows, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(csv_rows, "_MOST_QUOTED_BYTES", 5000)
    rows = "".join(f'{step},{step / 8},5" pipe\n' for step in range(5000, 5999))
    content = f"step,loss,note\n{rows}".encode()
    table = table_of(content)
    assert table.rows == 999
    assert table.words["note"].at(7) == '5" pipe'


def test_a_file_that_is_truncated_while_it_is_read_has_what_is_left(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(csv_rows, "BLOCK_BYTES", 1000)
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n" + "".join(f"{step},{step / 8}\n" for step in range(5000)))
    parse = csv_rows._parsed

    def cut(*asked):
        os.truncate(path, 2000)
        return parse(*asked)

    monkeypatch.setattr(csv_rows, "_parsed", cut)
    assert 0 < read_csv(path).rows < 5000


def test_many_texts_are_read_only_where_somebody_looks() -> None:
    rows = "".join(f"{step},{step / 8},run {step}\n" for step in range(20_000))
    words = table_of(f"step,loss,note\n{rows}".encode()).words["note"]
    assert not isinstance(words.words, list)
    assert (len(words.words), words.at(19_999), words.words[:2]) == (20_000, "run 19999", ["run 0", "run 1"])
    assert list(words.words)[12_345] == "run 12345"
    spaced = table_of(f"step,loss,note\n{rows.replace('run 7,', ' run 7 ,')}".encode()).words["note"]
    assert list(spaced.words) == list(words.words)


@pytest.mark.parametrize("line", ["sep=;\n", '"sep=;"\r\n', "SEP=;\n\n"])
def test_a_line_for_excel_is_no_header(line):
    table = table_of(f"{line}step;loss\n1;0,5\n2;0,25\n".encode())
    assert table.names == ("step", "loss")
    assert table.numbers["loss"].values.tolist() == [0.5, 0.25]
