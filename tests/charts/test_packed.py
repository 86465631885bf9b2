from __future__ import annotations

import itertools
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lib.charts.datasets import FindingMark, chart_data
from lib.charts.drawn import Curve, View
from lib.charts.packed import opened, packed
from tests.charts_sent import Part, unpacked

HOSTILE = [
    "", " ", "        ", '"', "\\", "</script>", "<img src=x onerror=alert(1)>", "\0", "\u2028\u2029",
    "客服 🦙\U000e0041", "日本\u202e", "y\ny", "__proto__", "tables", "at", "runs", "NaN", "null", '{"at":0,"count":1}',
]  # fmt: skip
NOT_IN_JSON = [math.nan, math.inf, -math.inf]
quick = settings(deadline=None, max_examples=60)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(HOSTILE)
numbers = arrays.arrays("uint64", st.integers(0, 40)).map(lambda bits: bits.view("float64"))


def only(message: bytes) -> Part:
    (part,) = unpacked(message)
    return part


def bits(column: np.ndarray) -> list[int]:
    return np.ascontiguousarray(column, "<f8").view("<u8").tolist()


def chunked(values: np.ndarray, cuts: list[int]) -> pa.ChunkedArray:
    pieces = np.split(values, sorted(cut % (len(values) + 1) for cut in cuts))
    return pa.chunked_array([pa.array(piece) for piece in pieces], pa.float64())


def codes(values: list[str]) -> pa.Array:
    return pa.array(values, pa.string()).dictionary_encode()


def test_a_part_is_two_lengths_a_padded_text_and_the_numbers():
    text = b'{"a":1,"tables":{"t":{"x":{"at":0,"count":2}}}}'
    assert len(text) == 47
    expected = b"\x30\0\0\0" + b"\x10\0\0\0" + text + b" " + b"\0\0\0\0\0\0\xf0\x3f" + b"\0\0\0\0\0\0\0\xc0"
    assert packed({"a": 1}, {"t": pa.table({"x": [1.0, -2.0]})}) == expected


@quick
@given(st.lists(numbers, max_size=5), st.lists(st.integers(0, 40), max_size=3))
def test_numbers_arrive_bit_for_bit(columns, cuts):
    tables = {str(at): pa.table({"x": chunked(values, cuts)}) for at, values in enumerate(columns)}
    part = only(packed({}, tables))
    assert list(part.tables) == list(tables)
    for at, values in enumerate(columns):
        assert bits(part.tables[str(at)]["x"]) == bits(values)


def test_numbers_that_are_not_finite_arrive_as_they_are():
    values = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 0.1]
    sent = only(packed({}, {"t": pa.table({"x": values})})).tables["t"]["x"]
    assert bits(sent) == bits(np.array(values))


@quick
@given(st.lists(numbers, min_size=1, max_size=6))
def test_numbers_of_all_tables_lie_behind_each_other_each_once(columns):
    length = min(map(len, columns))
    tables = {
        "one": pa.table({str(at): values[:length] for at, values in enumerate(columns)}),
        "other": pa.table({"x": columns[0]}),
    }
    part = only(packed({}, tables))
    at = 0
    for found in part.columns.values():
        for column in found.values():
            assert column["at"] == at
            at += column["count"]
    assert at == length * len(columns) + len(columns[0])


@quick
@given(st.lists(st.tuples(texts, st.integers(1, 30)), max_size=6))
def test_texts_that_stay_the_same_arrive_and_travel_once_a_stretch(stretches):
    values = [text for text, count in stretches for _ in range(count)]
    part = only(packed({}, {"t": pa.table({"color": codes(values)})}))
    assert part.tables["t"]["color"] == values
    runs = part.columns["t"]["color"]["runs"]
    assert len(runs) <= len(stretches)
    assert all(count > 0 for _, count in runs)
    assert all(one[0] != other[0] for one, other in itertools.pairwise(runs))


@quick
@given(st.lists(st.tuples(st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(1, 30)), max_size=6))
def test_numbers_that_stay_the_same_arrive_and_travel_once_a_stretch(stretches):
    values = [number for number, count in stretches for _ in range(count)]
    part = only(packed({}, {"t": pa.table({"opacity": pa.array(values, pa.float32())})}))
    assert part.tables["t"]["opacity"] == values
    runs = part.columns["t"]["opacity"]["runs"]
    assert len(runs) <= len(stretches)
    assert all(one[0] != other[0] for one, other in itertools.pairwise(runs))


@quick
@given(st.lists(st.none() | texts, max_size=8), st.lists(st.none() | st.integers(-(2**53), 2**53), max_size=8))
def test_texts_and_whole_numbers_arrive_one_by_one(words, whole):
    tables = {"w": pa.table({"text": pa.array(words, pa.string())}), "n": pa.table({"n": pa.array(whole, pa.int64())})}
    part = only(packed({}, tables))
    assert part.tables == {"w": {"text": words}, "n": {"n": whole}}


@quick
@given(texts, texts, texts)
def test_any_name_and_any_text_stays_what_it_is(name, column, text):
    part = only(packed({"said": text}, {name: pa.table({column: pa.array([text, text])})}))
    assert part.head == {"said": text}
    assert part.tables == {name: {column: [text, text]}}


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_ends_what_it_stands_in(text):
    message = packed({text: text}, {"t": pa.table({text: codes([text])}), text: pa.table({"x": [0.5]})})
    part = only(message)
    assert part.head.get(text, text) == text
    assert part.tables["t"] == {text: [text]}
    assert part.tables[text]["x"].tolist() == [0.5]


@pytest.mark.parametrize(
    "kind", [pa.float64(), pa.float32(), pa.string(), pa.int64(), pa.dictionary(pa.int8(), pa.string())], ids=str
)
@pytest.mark.parametrize("chunks", [0, 1, 2])
def test_a_table_without_rows_keeps_its_columns(kind, chunks):
    column = pa.chunked_array([pa.array([], kind)] * chunks, kind)
    part = only(packed({}, {"t": pa.table({"a": column, "b": column}), "behind": pa.table({"x": [1.0]})}))
    assert list(part.tables["t"]) == ["a", "b"]
    assert all(len(values) == 0 for values in part.tables["t"].values())
    assert part.frames["t"].empty
    assert part.tables["behind"]["x"].tolist() == [1.0]


@pytest.mark.parametrize("tables", [None, {}])
def test_a_head_can_travel_alone(tables):
    part = only(packed({"pin": None, "wide": True}, tables))
    assert part.head == {"pin": None, "wide": True}
    assert part.tables == {}


def test_columns_and_tables_keep_their_order():
    names = ["z", "● b", "a", "10", "2"]
    part = only(packed({}, {name: pa.table({each: [1.0] for each in names}) for name in names}))
    assert list(part.tables) == names
    assert all(list(columns) == names for columns in part.tables.values())


@pytest.mark.parametrize("number", NOT_IN_JSON)
@pytest.mark.parametrize("head", [lambda x: {"pin": x}, lambda x: {"a": [{"b": (0, x)}]}], ids=["flat", "nested"])
def test_a_head_with_a_number_that_json_lacks_is_refused(number, head):
    with pytest.raises(ValueError, match="JSON"):
        packed(head(number))


@pytest.mark.parametrize("number", NOT_IN_JSON)
@pytest.mark.parametrize("kind", [pa.float32(), pa.list_(pa.float64())], ids=str)
def test_a_list_with_a_number_that_json_lacks_is_refused(number, kind):
    values = [number] if kind == pa.float32() else [[number]]
    with pytest.raises(ValueError, match="JSON"):
        packed({}, {"t": pa.table({"x": pa.array(values, kind)})})


@quick
@given(st.lists(st.tuples(texts, numbers, st.lists(texts, max_size=4)), min_size=1, max_size=5))
def test_every_part_of_a_message_begins_at_a_multiple_of_eight(given_parts):
    message = b"".join(
        packed({"said": said}, {"t": pa.table({"x": values}), "w": pa.table({"text": pa.array(words, pa.string())})})
        for said, values, words in given_parts
    )
    parts = unpacked(message)
    assert len(message) % 8 == 0
    assert [place % 8 for part in parts for place in part.places] == [0] * 3 * len(parts)
    assert [part.head["said"] for part in parts] == [said for said, _, _ in given_parts]
    for part, (_, values, words) in zip(parts, given_parts, strict=True):
        assert bits(part.tables["t"]["x"]) == bits(values)
        assert part.tables["w"]["text"] == words


def test_a_part_in_a_message_is_what_it_is_alone():
    # The browser compares bytes to see whether a chart has changed.
    one, other = packed({"a": 1}, {"t": pa.table({"x": [1.0]})}), packed({"b": "é"})
    assert one == packed({"a": 1}, {"t": pa.table({"x": [1.0]})})
    (_, start, _), (cut, _, _) = (part.places for part in unpacked(one + other))
    assert (start, cut) == (8, len(one))
    assert (one + other)[cut:] == other


@pytest.mark.parametrize("log_y", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.6])
def test_what_a_chart_shows_arrives_as_it_was_computed(log_y, smoothing):
    steps = np.arange(500.0)
    values = np.random.default_rng(1).normal(2, 1, 500)
    values[[3, 4]] = np.nan, np.inf
    curves = [
        Curve("● a", 0, steps, values, ".4f"),
        Curve("● b", 1, steps, values[::-1], ".4f", evaluated=True, best=7),
    ]
    view = View("Step", None, None, smoothing, log_y)
    tables = chart_data(curves, view, [FindingMark(0, "spike", 1.0, 3.0, "w")]).tables
    message = packed({}, tables)
    part = only(message)
    assert {name: {key: list(values) for key, values in columns.items()} for name, columns in part.tables.items()} == {
        name: table.to_pydict() for name, table in tables.items()
    }
    assert len(part.columns["lines"]["curve"]["runs"]) < 5, "once a curve, not once a point"


def test_a_part_can_be_opened_again():
    given_curves = [
        Curve("● a", 0, np.arange(40.0), np.arange(40.0) % 7, ".4f"),
        Curve("● b", 2, np.arange(40.0), np.where(np.arange(40) == 5, np.nan, 1.5), ".4f", evaluated=True, best=3),
    ]
    data = chart_data(given_curves, View("Step"), [FindingMark(0, "spike", 3.0, 3.0, "客服")])
    head = {"title": "Loss", "bounds": {"train": [0.0, 1.0, 2, 3, True]}, "order": data.order}
    found, tables = opened(packed(head, data.tables))
    assert found == head
    assert {name: table.to_pydict() for name, table in tables.items()} == {
        name: table.to_pydict() for name, table in data.tables.items()
    }
    assert [table.schema for table in tables.values()] == [table.schema for table in data.tables.values()]
