"""Runs inside others: which settings of the outer ones are theirs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lib.core.facts.runs import RunSummary
from lib.data.formats.forms.parents import outer_forms, with_settings_of


@dataclass(frozen=True)
class Log:
    identity: str
    parent: str = ""
    format: str = "MLflow"


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        ([Log("a"), Log("b")], {}),
        ([Log("a"), Log("b", "a"), Log("c", "a")], {1: (0,), 2: (0,)}),
        ([Log("c", "b"), Log("b", "a"), Log("a")], {0: (1, 2), 1: (2,)}),
        # The outer one is elsewhere, or another program's.
        ([Log("b", "a")], {}),
        ([Log("a", format="W&B"), Log("b", "a")], {}),
        # What never ends.
        ([Log("a", "a")], {}),
        ([Log("a", "b"), Log("b", "a")], {0: (1,), 1: (0,)}),
        ([Log(""), Log("b", "")], {}),
    ],
)
def test_a_run_is_inside_those_that_it_names(logs, expected) -> None:
    assert outer_forms(logs) == expected


def test_settings_of_outer_runs_count_where_a_run_states_none_itself() -> None:
    run = RunSummary(run_id="c", name="c", config={"params": {"lr": 0.1}, "note": "own"})
    outer = [
        ("fold", {"params": {"lr": 1.0, "batch_size": 8}, "note": {"a": 1}, "text": "x"}),
        ("search", {"params": {"batch_size": 16, "model_name_or_path": "org/tiny"}, "other": {"seed": 7}}),
    ]
    found = with_settings_of(run, outer)
    assert found.config == {
        "params": {"lr": 0.1, "batch_size": 8, "model_name_or_path": "org/tiny"},
        "note": "own",
        "other": {"seed": 7},
    }
    assert (found.batch_size, found.base_model) == (8, "org/tiny")
    assert found.notes == (
        '1 setting that it does not state itself is that of the run that it is inside of, "fold".',
        '2 settings that it does not state itself are those of the run that it is inside of, "search".',
    )
    assert run.config == {"params": {"lr": 0.1}, "note": "own"}


def test_a_run_that_states_all_itself_stays_as_it_is() -> None:
    run = RunSummary(run_id="c", name="c", config={"params": {"lr": 0.1}})
    assert with_settings_of(run, [("outer", {"params": {"lr": 1.0}}), ("more", {})]) is run
