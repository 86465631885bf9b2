"""Settings whose names or values look the same and are not, and names from right to left."""

from __future__ import annotations

import csv
import io

import pytest

from lib.core.answers.settings import settings_answer
from lib.core.config.diff import DiffRow, diff, search
from lib.core.config.report import to_csv
from lib.core.facts.foreign import END_OF_ISOLATE, ISOLATE
from lib.core.facts.runs import RunSummary
from lib.core.text.looks import look

HEBREW = "\u05e0\u05d9\u05e1\u05d5\u05d9"


def compared(*configs: dict) -> dict[str, DiffRow]:
    runs = [RunSummary(run_id=str(at), name="run", config={"training": config}) for at, config in enumerate(configs)]
    return {row.key: row for row in diff(runs)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("caf\xe9", "cafe\u0301"),
        ("data-run", "d\u0430ta-run"),
        ("a b", "a\xa0b"),
        ("a b", "a  b"),
        ("a\nb", "a\r\nb"),
        ("run", "run\u200d"),
        ("run", "run\u3164"),
        (["q", "v"], ["q", "v\u2060"]),
    ],
)
def test_values_that_differ_look_different(one, other):
    (row,) = compared({"note": one}, {"note": other}).values()
    assert row.differs
    first, second = row.shown
    assert look(first) != look(second)
    assert compared({"note": other}, {"note": other})["note"].shown[0] == compared({"note": other})["note"].shown[0]


@pytest.mark.parametrize(
    ("one", "other"), [("caf\xe9", "cafe\u0301"), ("data", "d\u0430ta"), ("__proto__", "proto"), ("a", "a\u200b")]
)
def test_settings_whose_names_look_the_same_have_titles_that_do_not(one, other):
    rows = compared({one: 1, other: 2}, {one: 2, other: 1})
    first, second = (row.title for row in rows.values())
    assert look(first) != look(second)


def test_a_name_from_right_to_left_is_isolated_once_and_whole():
    name = f"{HEBREW} (base)"
    rows = compared({name: 1, "deep": {name: 1}}, {name: 2, "deep": {name: 2}})
    isolated = f"{ISOLATE}{name}{END_OF_ISOLATE}"
    assert [row.title for row in rows.values()] == ["Deep › " + isolated, isolated]
    assert isolated in settings_answer([*rows.values()], 2).headline
    assert len(search(rows.values(), HEBREW)) == 2
    (value,) = compared({"note": name}).values()
    assert value.shown == (isolated,)


def test_in_a_file_for_programs_a_name_is_what_it_is():
    rows = compared({HEBREW: HEBREW}, {HEBREW: "x"})
    written = [*csv.DictReader(io.StringIO(to_csv([*rows.values()], [f"{ISOLATE}{HEBREW}{END_OF_ISOLATE}", "b"])))]
    assert written[0]["Key"] == HEBREW
    assert written[0][HEBREW] == HEBREW


def test_a_formula_that_is_isolated_is_none_either():
    formula = f"={HEBREW}()"
    rows = compared({"note": formula}, {"note": "x"})
    written = [*csv.DictReader(io.StringIO(to_csv([*rows.values()], ["a", "b"])))]
    assert written[0]["a"] == f"'{formula}"
