"""A line whose shape is known is read as one that is not."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from lib.data.formats.text.counters import found_in
from lib.data.formats.text.shapes import Shapes

PIECES = [
    "step",
    "epoch",
    "loss",
    "lr",
    "time",
    "train",
    "val",
    ":",
    "=",
    " ",
    " ",
    ", ",
    " | ",
    "/",
    "-",
    "(",
    ")",
    "ms",
    "%",
]
PIECES += ["s", "nan", "{'", "': ", "[", "]", "e", ".", ",", "per"]
NUMBERS = st.sampled_from(
    ["7", "12", "100", "2024", "10:30", "1,234", "0.5", "1e-05", "3.25e+03", "00012", "1.2.3", "9" * 17]
)


def same(one, other) -> bool:
    if one is None or other is None:
        return one is other
    keys = ("head", "step", "total", "epoch", "epochs", "part", "parts", "clock", "values")
    return repr([getattr(one, key) for key in keys]) == repr([getattr(other, key) for key in keys])


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), NUMBERS), max_size=25), st.randoms())
def test_lines_of_one_shape(pieces, chance: random.Random) -> None:
    shapes = Shapes()
    for _ in range(4):
        line = "".join(
            "".join(str(chance.randrange(10)) if letter.isdigit() else letter for letter in piece) for piece in pieces
        )
        assert same(shapes.found_in(line), found_in(line)), line


def test_lines_of_a_log_are_of_few_shapes() -> None:
    shapes = Shapes()
    for step in range(1000, 3000):
        line = f"step:{step}/5000 train_loss:{4 - step / 1000:.4f} train_time:{step * 100}ms step_avg:nanms"
        assert same(shapes.found_in(line), found_in(line))
    assert len(shapes._plans) <= 4


def test_names_with_digits_are_not_confused() -> None:
    shapes = Shapes()
    for line in ("step 1 loss_1: 0.5 loss_2: 0.4", "step 2 loss_2: 0.5 loss_1: 0.4", "step 3 loss_3: 0.5 loss_4: 0.4"):
        assert same(shapes.found_in(line), found_in(line))
