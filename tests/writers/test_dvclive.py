"""DVCLive's folders."""

from __future__ import annotations

import pytest

from lib.data.formats.readers.dvclive import FORMAT
from tests.writers.reading import runs_in
from tests.writers.told import AGAIN, FIRST, HARD, LONG, MANY, NESTED, SECOND, assert_has, points


@pytest.fixture(scope="module")
def runs(written):
    return runs_in(FORMAT, written("dvclive"))


def test_every_run_is_one(runs) -> None:
    assert runs.keys() == {"hard", "again", "resumed", "failed", "many", "killed"}


@pytest.mark.parametrize(
    ("name", "rows"),
    [("hard", HARD), ("again", AGAIN), ("resumed", [*FIRST, *SECOND]), ("many", MANY), ("killed", LONG)],
)
def test_values_are_those_that_were_logged(runs, name, rows) -> None:
    assert_has(runs[name], points(rows))
    assert runs[name].notes == ()
    assert runs[name].last == {}


def test_settings_and_texts_are_those_of_the_run(runs) -> None:
    assert runs["hard"].config == {"params": NESTED}
    assert runs["hard"].tags == {"note": "halfway: 50 %"}
