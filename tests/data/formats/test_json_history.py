"""Long histories are read in parts, and come to what the whole is."""

from __future__ import annotations

import json
import math

import pytest

from lib.data.formats import json_history
from lib.data.formats.json_history import History


def state(rows, **more):
    return {"best": None, "log_history": rows, "max_steps": 5, "stateful": {"a": [{"b": 1}, {"c": 2}]}, **more}


ROWS = [
    {"step": 1, "loss": 0.5},
    {"step": 2, "loss": float("nan"), "grad": float("inf"), "low": float("-inf")},
    {"step": 3, "inner": {"a": {"b": 1}}, "list": [{"x": 1}, {"y": 2}]},
    {"step": 4, "text": 'a }, { "b": NaN ] [ \\" \n'},
    {"step": 5, "many": [float("nan"), 1]},
    {},
] * 40


def of_parts(data):
    history = History(data, "log_history")
    rows = [row for part in history.parts() for row in part]
    return {**history.rest, "log_history": rows}


def plain(content):
    """The same with texts for numbers that are not finite: as such they may be read, and NaN is equal to itself."""
    if isinstance(content, dict):
        return {key: plain(value) for key, value in content.items()}
    if isinstance(content, list):
        return [plain(value) for value in content]
    return json.dumps(content) if isinstance(content, float) and not math.isfinite(content) else content


@pytest.fixture(autouse=True)
def short_parts(monkeypatch):
    monkeypatch.setattr(json_history, "PART", 200)
    monkeypatch.setattr(json_history, "_LEAST", 0)


@pytest.mark.parametrize("indent", [None, 0, 2, "\t"])
@pytest.mark.parametrize("separators", [None, (",", ":")])
def test_parts_are_the_whole(indent, separators) -> None:
    data = json.dumps(state(ROWS), indent=indent, separators=separators).encode()
    assert plain(of_parts(data)) == plain(json.loads(data))
    assert len(list(History(data, "log_history").parts())) > 10


@pytest.mark.parametrize(
    "data",
    [
        json.dumps({"a": {"log_history": ROWS}}).encode(),
        json.dumps(state(ROWS)).encode()[:-1] + b', "log_history": []}',
        json.dumps(state(ROWS)).encode()[:-30],
        json.dumps(state(ROWS)).encode()[:4000],
        json.dumps(state(ROWS)).encode() + b"}",
        json.dumps([state(ROWS)]).encode(),
        json.dumps(state({"a": 1})).encode(),
        json.dumps(state(ROWS)).encode().replace(b'"step": 5', b'"step": 05'),
        json.dumps(state([{"a": "\ud800", "n": float("nan")}] * 90)).encode(),
        b"",
    ],
)
def test_what_cannot_be_read_in_parts_is_refused(data) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (any: the file is then read as a whole)
        of_parts(data)


def test_a_cut_anywhere_never_gives_something_else() -> None:
    data = json.dumps(state(ROWS[:12]), indent=2).encode()
    for end in range(len(data)):
        with pytest.raises(ValueError):  # noqa: PT011
            of_parts(data[:end])
