"""Of a large answer is read what somebody may look at, whatever else stands in it."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.facts.sizes import LONGEST_VALUE, Cut
from lib.data.tables import large_json
from lib.data.tables.job_rows import run_from_row
from lib.data.tables.json_rows import Broken, rows_of_json, value_of_json
from lib.data.tables.large_json import LARGE, MOST_VALUES, Shortened

MANY = MOST_VALUES + 1
ID = "11111111-1111-4111-8111-111111111111"
HOSTILE = st.sampled_from(['"', "\\", '\\"', '\\\\"', "[", "]", "{", "}", ",", "a", "é", "😀", "\n", '"[,]'])
TEXT = st.lists(HOSTILE, max_size=6).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | TEXT,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXT, inner, max_size=6),
    max_leaves=30,
)


def marks(value: Any) -> int:
    """Brackets that open, those that close inside, and commas of a value."""
    if not isinstance(value, list | dict):
        return 0
    items = list(value.values()) if isinstance(value, dict) else value
    return 1 + max(0, len(items) - 1) + sum(marks(item) + isinstance(item, list | dict) for item in items)


def kept(value: Any, most: int) -> Any:
    """What is read of a value, as the rule says it."""
    if marks(value) <= most:
        return value
    own = list(value.values()) if isinstance(value, dict) else value
    large = [item for item in own if marks(item) > most]
    if marks(value) - sum(map(marks, large)) > most:
        return "…"
    if isinstance(value, dict):
        return {key: "…" if marks(item) > most else item for key, item in value.items()}
    return ["…" if marks(item) > most else item for item in value]


@given(st.lists(st.dictionaries(TEXT, VALUES, max_size=4), max_size=4), st.integers(1, 12), st.integers(1, 40))
def test_only_what_has_too_many_values_is_cut_out(rows, most, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large_json, "LARGE", 0)
        patch.setattr(large_json, "MOST_VALUES", most)
        patch.setattr(large_json, "_CHUNK", chunk)
        for ascii_only in (True, False):
            body = json.dumps(rows, ensure_ascii=ascii_only).encode()
            shortened = Shortened(body, level=2)
            read = shortened.told(orjson.loads(shortened.body))
            assert read == [{name: kept(value, most) for name, value in row.items()} for row in rows]


def row(**columns: Any) -> bytes:
    return json.dumps([{"id": ID, "model_name": "m", **columns}]).encode()


@pytest.mark.parametrize(
    "written",
    [
        row(config={"learning_rate": 1e-4, "vocab": list(range(MANY))}),
        row(config={"learning_rate": 1e-4, "vocab": [[]] * MANY}),
        row(config={"vocab": {f"token{at}": at for at in range(MANY)}, "learning_rate": 1e-4}),
        row(config=json.dumps({"learning_rate": 1e-4, "vocab": list(range(MANY))})),
        row(config={"learning_rate": 1e-4}, error_message=list(range(MANY))),
        # Nested so deeply that no parser of Python's follows.
        row(config={"learning_rate": 1e-4, "vocab": 0}).replace(b": 0}", b": " + b"[" * MANY + b"]" * MANY + b"}"),
    ],
    ids=["numbers", "empty lists", "an object", "as a text", "another column", "deep"],
)
def test_what_stands_beside_a_section_with_too_many_values_is_read(written):
    (read,) = rows_of_json(written)
    run = run_from_row(read)
    assert run.config["learning_rate"] == 1e-4
    assert (run.run_id, run.name) == (ID, "m")


def test_what_was_cut_is_said_with_how_much_there_was():
    (read,) = rows_of_json(row(config={"vocab": list(range(MANY))}))
    assert any("500,001 values in 3.9 MB" in note for note in run_from_row(read).notes)
    (read,) = rows_of_json(row(config=list(range(MANY))))
    run = run_from_row(read)
    assert run.config == {}
    assert any(note.startswith("Column config: too large to be used: 500,001 values") for note in run.notes)


def test_two_that_differ_in_what_was_cut_are_two():
    first, second = (rows_of_json(row(config={"vocab": [*range(MANY), last]}))[0] for last in (1, 2))
    assert run_from_row(first).version != run_from_row(second).version


def test_a_vocabulary_is_whole():
    vocabulary = {f"token {at}": at for at in range(200_000)}
    (read,) = rows_of_json(row(config={"vocab": vocabulary}, error_message="[,]" * 100_000))
    assert read["config"]["vocab"] == vocabulary
    assert read["error_message"] == "[,]" * 100_000


TEXTS = {
    "words": "Loss is NaN, [stopped]; " * 200_000,
    "lines": "a line\n" * 500_000,
    "not ASCII": "Änderung 😀 " * 300_000,
    "one quote": "x" * LARGE + '"' + "y" * LARGE + '\\"' + "\\",
    "backslashes": "\\" * LARGE,
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_of_an_enormous_text_its_beginning_is_kept_wherever_it_stands(name, ascii_only):
    long = TEXTS[name]
    rows = [
        {"id": ID, "error_message": long, "config": {"deep": [{"prompt": long, "rate": 1e-4}], "last": 2}},
        {"id": ID, long: 1, "model_name": "m"},
    ]
    read = rows_of_json(json.dumps(rows, ensure_ascii=ascii_only).encode())
    assert [each.get("model_name") for each in read] == [None, "m"]
    config = read[0]["config"]
    assert (config["last"], config["deep"][0]["rate"]) == (2, 1e-4)
    for text in (read[0]["error_message"], config["deep"][0]["prompt"], list(read[1])[1]):
        assert isinstance(text, Cut)
        assert text.startswith(long[:LONGEST_VALUE])
        assert len(text) < LONGEST_VALUE + 100
        assert "MB" in text.what
    assert run_from_row(read[0]).error_message.startswith(long[:1000])
    assert run_from_row(read[0]).config["deep"][0]["rate"] == 1e-4


def test_two_enormous_texts_that_differ_at_their_ends_are_two():
    first, second = (rows_of_json(row(error_message="x" * LARGE + end))[0] for end in "ab")
    assert run_from_row(first).version != run_from_row(second).version
    (again,) = rows_of_json(row(error_message="x" * LARGE + "a"))
    assert run_from_row(again).version == run_from_row(first).version


def test_what_has_no_texts_in_it_is_no_long_text():
    numbers = [0.123456789] * (MOST_VALUES // 3)
    (read,) = rows_of_json(row(config={"first": numbers, ",": numbers, ":": [], "x": "y" * LARGE}))
    assert (read["config"]["first"], read["config"][","]) == (numbers, numbers)


@given(st.lists(st.dictionaries(TEXT, VALUES, max_size=4), max_size=4), st.integers(1, 12))
def test_a_text_is_cut_or_is_what_it_was(rows, longest):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large_json, "LARGE", 0)
        patch.setattr(large_json, "LONG_TEXT", longest)
        for ascii_only in (True, False):
            read = rows_of_json(json.dumps(rows, ensure_ascii=ascii_only).encode())
            assert same(read, rows)


def same(read: Any, written: Any) -> bool:
    if isinstance(read, Cut):
        return isinstance(written, str) and read.startswith(written)
    if isinstance(written, dict):
        return len(read) == len(written) and all(map(same, (*read, *read.values()), (*written, *written.values())))
    return all(map(same, read, written)) and len(read) == len(written) if isinstance(written, list) else read == written


def test_a_large_answer_that_is_no_json_is_said_to_be_none():
    assert isinstance(value_of_json("[," * LARGE), Broken)
    assert not isinstance(value_of_json(json.dumps("x" * LARGE)), Cut)
