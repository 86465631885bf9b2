"""Runs apart, and leaders that cannot be compared; the other sentences stand in test_verdict_words.py."""

from __future__ import annotations

from lib.core.facts.runs import RunStatus
from lib.core.ranking.decision import decide
from lib.core.ranking.scoring import DEFAULT_POLICY, recommend
from lib.core.verdict.summary import SummaryInput
from lib.core.verdict.trophy import apart_lines, leader_so_far
from tests.core.decided_runs import curves_of, run


def test_runs_of_other_classes_say_what_differs_and_how_far_they_came():
    runs = [run("a"), run("b"), run("c"), run("d", dataset="x/y"), run("e", 0.6, dataset="x/y")]
    curves = {"d": curves_of("d", 0.5, noise=0.0, start=1.0)}
    decision = decide(runs, curves, DEFAULT_POLICY)
    assert apart_lines(decision, {"d": "D"}) == [
        "D (number 1 of its own class): different evaluation data; by 50%.",
        "e (number 2 of its own class): different evaluation data; cannot tell.",
    ]
    assert apart_lines(decide(runs[:3], {}, DEFAULT_POLICY), {}) == []


def test_runs_whose_losses_do_not_compare_have_no_leader():
    def said(*runs):
        rows = [SummaryInput(run=each, label=each.run_id) for each in runs]
        return leader_so_far(rows, recommend(runs), {})

    running = RunStatus.RUNNING
    assert said(run("a", 0.5, running), run("b", 0.4, running)).startswith("Leader so far by eval loss: b")
    assert said(run("a", 0.5, running), run("b", 0.4, running, dataset="x/y")) == (
        "There is no leader so far: the eval losses cannot be compared (different evaluation data)."
    )
    assert said(run("a", 0.5, running), run("b", 0.4, running, dataset=...)).startswith("Leader so far")
