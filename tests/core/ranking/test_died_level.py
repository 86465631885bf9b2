"""Runs that broke down and are no better than one that was trained to its end: none of them is named to be shipped."""

from __future__ import annotations

import numpy as np
import pytest

from lib.core.curves.evidence import evidence_of
from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.glance.glance import glance_of
from lib.core.glance.rows import FIRST, LEVEL, PICK, SHIP
from lib.core.noise.best_set import Outcome
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.ranking.scoring import LeftOut
from lib.core.verdict.assessment import assess
from lib.core.verdict.grounds import grounds_of
from lib.core.verdict.overview import HeadlineKind, overview_of
from tests.core.decided_runs import run

COUNT = 30


def logged(run_id, best, end="", scatter=0.02, seed=0):
    """A run whose loss falls to about ``best`` by step 200 of 300, and what becomes of its training then."""
    rng = np.random.default_rng([seed, *run_id.encode()])
    steps = np.arange(1, COUNT + 1, dtype=np.int64) * 10
    evals = best + np.exp(-steps / 20.0) + rng.normal(0.0, scatter, COUNT)
    evals[19] = best - 1.5 * scatter
    at = np.arange(1, 301, dtype=np.int64)
    train = best - 0.07 + np.exp(-at / 20.0) + rng.normal(0.0, scatter, 300)
    if end == "nan":
        train[250:], evals[25:] = np.nan, np.nan
    if end == "nan, and no evaluation":
        train[250:], evals, steps = np.nan, evals[:25], steps[:25]
    if end == "zero":
        train[250:], evals[25:] = 0.0, evals[25] + 2.0
    if end == "diverged":
        train[220:] += np.linspace(0.5, 6.0, 80)
        evals[22:] += np.linspace(0.5, 6.0, 8)
    if end == "harder data":
        train[150:] += 0.8
    nothing = [np.full(len(steps), np.nan)] * 2
    return RunCurves(
        run_id,
        {
            "eval_loss": complete_curve(steps, evals, *nothing),
            "train_loss": complete_curve(at, train, *[np.full(300, np.nan)] * 2),
        },
    )


def said(ends, configs=None, levels=None):
    """What is said of runs that are about as good, by how each of them ended."""
    runs, curves, assessed = [], {}, {}
    for run_id, end in ends.items():
        own = logged(run_id, (levels or {}).get(run_id, 1.0), end)
        evidence = evidence_of(own)
        shown = run(run_id, evidence.best_eval_loss, **(configs or {}).get(run_id, {}))
        runs.append(shown)
        curves[run_id] = own
        assessed[run_id] = assess(shown, shown, own, evidence, None)
    decision = decide(runs, curves, DEFAULT_POLICY)
    overview = overview_of(grounds_of(decision, runs), runs, assessed)
    return decision, overview, glance_of(overview, runs, assessed)


def named(decision, overview, glance):
    """All runs that anything names to be shipped."""
    starred = [row.run_id for row in glance.ranking.rows if row.mark in (SHIP, FIRST, PICK, LEVEL)]
    return {decision.recommended, *decision.tied, *overview.headline.run_ids, *glance.run_ids, *starred}


@pytest.mark.parametrize("end", ["nan", "nan, and no evaluation", "zero", "diverged"])
@pytest.mark.parametrize("dead", ["a", "b", "ab", "ac", "abcd", "bcde", "e", "c"])
@pytest.mark.parametrize("many", [2, 5])
def test_of_runs_that_are_level_only_those_are_named_that_were_trained_to_their_end(end, dead, many):
    ids = "abcde"[:many]
    dead = set(dead) & set(ids)
    if not dead or len(dead) == many:
        return
    found = said({run_id: end if run_id in dead else "" for run_id in ids})
    decision, _, glance = found
    assert dead.isdisjoint(named(*found))
    codes = {each.run_id: each.code for each in decision.recommendation.unscorable}
    # One that noise puts behind them stays where it is.
    assert set(codes) <= dead
    assert set(codes.values()) <= {LeftOut.DIED_LEVEL}
    marks = {row.run_id: row.mark for row in glance.ranking.rows}
    assert {marks[run_id] for run_id in codes} <= {"broke down"}


def test_why_such_a_run_is_left_out_is_said_wherever_reasons_are():
    _, overview, glance = said({"a": "nan", "b": ""})
    assert overview.headline.run_ids == ("b",)
    assert overview.grounds.left_out == {
        "a": "its training broke down at step 251, and one that did not may be as good"
    }
    assert glance.headline({"b": "B"}) == "Only choice: B"
    assert "the only one with an eval loss among the selected that did not break down" in glance.texts["Why"]


@pytest.mark.parametrize("end", ["nan", "zero", "diverged"])
def test_where_the_training_of_each_broke_down_the_best_is_named_and_nothing_is_to_be_shipped(end):
    decision, overview, glance = said(dict.fromkeys("abc", end))
    assert decision.recommendation.unscorable == ()
    if overview.headline.kind is HeadlineKind.TIE:
        assert glance.verb == "Best of these:"
        assert overview.headline.caveat == "the training of each broke down"


def test_a_run_that_broke_down_and_is_better_beyond_the_noise_is_first_all_the_same():
    decision, _, glance = said({"a": "nan", "b": ""}, levels={"a": 0.7})
    assert (decision.recommended, decision.lead.outcome) == ("a", Outcome.WINNER)
    assert glance.verb == "Best of these:"


def test_a_train_loss_that_rises_while_evaluations_get_better_is_no_end():
    ends = {"a": "harder data", "b": ""}
    decision, _, _ = said(ends)
    assert decision.recommendation.unscorable == ()


@pytest.mark.parametrize("dead", ["a0", "a1", "a2"])
@pytest.mark.parametrize("rival", [False, True])
def test_of_the_seeds_of_one_configuration_one_that_was_trained_to_its_end_is_named(dead, rival):
    ids = ["a0", "a1", "a2", *(["b0", "b1"] if rival else [])]
    configs = {each: {"learning_rate": 1e-4 if each[0] == "a" else 2e-4, "seed": int(each[1])} for each in ids}
    levels = {each: (1.0 if each[0] == "a" else 1.3) - (0.001 if each == dead else 0.0) for each in ids}
    found = said({each: "nan" if each == dead else "" for each in ids}, configs, levels)
    assert dead not in named(*found)
    assert found[0].recommended[0] == "a"


def test_the_order_of_the_runs_changes_nothing():
    ends = {"a": "nan", "b": "", "c": "diverged", "d": ""}
    one, other = said(ends), said(dict(reversed(ends.items())))
    assert one[0].recommended == other[0].recommended
    assert one[0].tied == other[0].tied
