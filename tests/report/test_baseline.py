"""Reports beside a baseline: the differences stand in them, and the decision on record does not depend on it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lib.core.text.precision import MINUS
from lib.report.changes import About, changes
from lib.report.markdown import comment, report
from lib.report.page import page
from lib.report.record import again, parse, record_of, to_json
from tests.report.judged import judged, run

RUNS = run("a", 0.6), run("b", 0.5), run("c", 0.7, dataset="other/data")


@pytest.fixture(scope="module")
def plain():
    return judged(*RUNS)


@pytest.fixture(scope="module")
def pinned(plain):
    return replace(plain, baseline="a")


@pytest.mark.parametrize("make", [comment, report, page])
def test_what_is_taken_away_has_the_differences_to_it(plain, pinned, make):
    text = make(pinned)
    assert "Eval loss to baseline" in text
    assert "Baseline: a, which the verdict does not depend on." in text
    assert f"{MINUS}0." in text
    assert "better" in text
    assert "c: No difference to a: does not compare, different evaluation data" in text
    assert "to baseline" not in make(plain)


def test_the_same_run_is_shipped_for_the_same_reasons(plain, pinned):
    first, second = report(plain).splitlines(), report(pinned).splitlines()
    assert first[:4] == second[:4]
    assert [line for line in first if not line.startswith("|") and line not in second] == []


def test_the_record_holds_it_as_a_view_that_changes_nothing_of_the_decision(plain, pinned):
    one, other = record_of(plain), parse(to_json(record_of(pinned)))
    view = other.pop("view")
    # The digest of a record is of all that stands in it.
    assert other.pop("sha256") != one.pop("sha256")
    assert other == json.loads(to_json(one))
    assert view["baseline"]["run"] == "a"
    found = {each["run"]: each for each in view["baseline"]["differences"]}
    assert found["b"]["sense"] == "better"
    assert found["b"]["difference"] == pytest.approx(-0.1, abs=0.01)
    assert found["c"]["difference"] is None


def test_a_record_made_beside_a_baseline_is_found_to_be_the_same(plain, pinned):
    recorded = parse(to_json(record_of(pinned)))
    now = again(recorded, plain.stored, plain.curves)
    assert changes(recorded, now) == ()
    recorded["view"] = {"baseline": {"run": "another", "differences": "odd"}}
    assert [each.about for each in changes(parse(json.dumps(recorded)), now)] == [About.RECORD]
