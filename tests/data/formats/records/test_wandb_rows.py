"""Rows of history that are read together say what they say one by one."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.data.formats.records import wandb_records
from lib.data.formats.records.wandb_records import RunContent
from tests.data.formats import wire

NUMBERS = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**40), 2**70), st.just(-0.0)).map(
    lambda value: json.dumps(value).encode()
)
ODD = st.sampled_from(
    [b'"a"', b"true", b"null", b'{"a": 1}', b'{"_type": "image", "a": 1}', b"[1]", b"NaN", b"-Infinity", b'"NaN"',
     b"", b"1e400", b"-1e400", b"1_0", b"0x10", b" 1", b"1 ", b"-", b"1.", b"12345678" * 20, b"nan", b"-inf", b"1e5"]
)  # fmt: skip
NAMES = st.sampled_from(
    [["loss"], ["train/loss"], ["_step"], ["_timestamp"], ["_runtime"], ["by", "a"], ["by", "a", "b"], ["by", "_type"],
     ["lr"], ["\u00e9"], ["n" * 130], ["_own", "x"], ["by.a"], [""]]
)  # fmt: skip


def item(names: list[str], content: bytes, *, plain: bool) -> bytes:
    told = wire.block(1, names[0]) if plain else b"".join(wire.block(2, each) for each in names)
    return wire.block(1, told + wire.block(16, content))


USUAL = st.tuples(NAMES, NUMBERS, st.booleans())
ITEM = st.one_of(USUAL, USUAL, USUAL, st.tuples(NAMES, ODD, st.booleans()))
ENDS = st.sampled_from([
    b"", wire.block(2, b""), wire.block(2, wire.number(1, 300)), wire.block(2, wire.number(1, -5)),
    wire.block(2, wire.number(1, 7)) + wire.block(2, wire.number(1, 8)), wire.block(2, wire.number(3, 7)),
    wire.block(1, wire.block(2, "loss") + wire.double(6, 0.5)), wire.block(1, b""), wire.number(9, 1),
])  # fmt: skip
BEHIND = st.sampled_from([b"", b"", b"", wire.block(200, b"x"), wire.number(15, 1), b"\xff", b"\x12"])


@st.composite
def records(draw) -> list[bytes]:
    shape = draw(st.lists(st.tuples(NAMES, st.booleans()), min_size=1, max_size=5))
    made = []
    for at in range(draw(st.integers(1, 25))):
        if draw(st.integers(0, 3)):
            items = draw(st.permutations([(names, draw(NUMBERS), plain) for names, plain in shape]))
            rest = b"".join(item(names, content, plain=plain) for names, content, plain in items)
            rest += wire.block(2, wire.number(1, at))
            behind = b""
        else:
            rest = b"".join(item(names, content, plain=plain) for names, content, plain in draw(st.lists(ITEM)))
            rest += draw(ENDS)
            behind = draw(BEHIND)
        made.append(wire.number(1, draw(st.sampled_from([at, 2**20, 2**63]))) + wire.block(2, rest) + behind)
    if draw(st.booleans()):
        made.insert(draw(st.integers(0, len(made))), draw(st.sampled_from([b"", b"\x08", b"\x12", b"\x12\x05", b"x"])))
    if draw(st.booleans()):
        cut = draw(st.integers(0, len(made) - 1))
        made[cut] = made[cut][: draw(st.integers(0, len(made[cut])))]
    return made


def told(contents: list[bytes]) -> str:
    found = RunContent()
    found.take(iter(contents))
    columns = {
        name: (each.rows.tolist(), np.array(each.values).tobytes().hex()) for name, each in found.columns.items()
    }
    return repr((columns, list(columns), found.steps.tolist(), found.summary, found.broken, found.passed, found._items))


@given(records(), st.sampled_from([1, 200, 10**6]), st.sampled_from([3, 20_000]), st.sampled_from([7, 10**6]))
@settings(max_examples=600, deadline=None)
def test_together_and_one_by_one_are_the_same(contents, together, names, most) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wandb_records, "_TOGETHER", together)
        patch.setattr(wandb_records, "_MOST_NAMES", names)
        patch.setattr(wandb_records, "MOST_ITEMS", most)
        patch.setattr(wandb_records, "_FEWEST", 1)
        found = told(contents)
        patch.setattr(wandb_records, "_FEWEST", 10**9)
        assert found == told(contents)


def test_rows_of_known_names_are_read_together(monkeypatch) -> None:
    rows = [wire.row(step, {"loss": 2 / step, "lr": 1e-4}, 1.7e9 + step) for step in range(1, 400)]
    one_by_one = []
    real = RunContent._take_row
    monkeypatch.setattr(wandb_records, "_TOGETHER", 10_000)
    monkeypatch.setattr(RunContent, "_take_row", lambda *given: (one_by_one.append(given), real(*given)))
    found = RunContent()
    found.take(iter(rows))
    assert len(one_by_one) < 200
    assert found.steps.tolist() == list(range(1, 400))
    assert found.columns["loss"].values.tolist() == [2 / step for step in range(1, 400)]
