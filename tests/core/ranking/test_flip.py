"""What would flip the verdict, against a scan of everything that could, and against the rules' own judge."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.flip import flip_of
from lib.core.ranking.flip_change import as_run, eval_loss_change, gap_change
from lib.core.ranking.scoring import DEFAULT_POLICY, TIE_DECIMALS, ScoringPolicy, recommend

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WEIGHTS = np.arange(1001) / 1000.0
LOSSES = np.arange(0.0, 2.5, 0.0005) + 1.37e-6
GAPS = np.arange(-0.6, 0.6, 0.0005) + 1.37e-6
BEYOND = 2e-7


def completed(run_id: str = "a", eval_loss=0.5, loss=0.48, **fields) -> RunSummary:
    return RunSummary(
        run_id=run_id, name=run_id, status=RunStatus.COMPLETED, best_eval_loss=eval_loss, loss=loss, **fields
    )


def random_selection(rng: np.random.Generator) -> tuple[list[RunSummary], ScoringPolicy]:
    runs = []
    for number in range(int(rng.integers(0, 6))):
        eval_loss = float(rng.choice([0.0, 0.3, 0.35, 0.5, rng.uniform(0.0, 1.5), rng.uniform(0.3, 0.4), -0.1]))
        gap = float(rng.choice([0.0, 0.05, 0.02, 0.1, -0.02, rng.uniform(-0.1, 0.4), rng.uniform(0.0, 0.1)]))
        if runs and rng.random() < 0.2:
            eval_loss = runs[0].best_eval_loss
        loss = None if rng.random() < 0.15 or math.isnan(eval_loss) else eval_loss - gap
        run = completed(f"run-{number}", eval_loss, loss, completed_at=NOON + timedelta(hours=int(rng.integers(3))))
        if rng.random() < 0.1:
            run = replace(run, status=RunStatus.FAILED)
        if rng.random() < 0.05:
            run = replace(run, best_eval_loss=float("nan"))
        runs.append(run)
    weight = float(rng.choice([0.7, 0.7, 0.7, 0.0, 1.0, 0.5, round(rng.random(), 3)]))
    return runs, ScoringPolicy(eval_weight=weight)


def selections(count: int, seed: int):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        runs, policy = random_selection(rng)
        yield runs, policy, recommend(runs, policy)


def winners_by_weight(recommendation) -> np.ndarray:
    """The winner's id at each of ``WEIGHTS``."""
    # With all points level, the order is that of the tie-breaks alone.
    scores = recommendation.scores
    level = replace(DEFAULT_POLICY, eval_weight=0.0, bands=(replace(DEFAULT_POLICY.bands[-1], points=50.0),))
    order = [one.run_id for one in recommend(map(as_run, scores), level).scores]
    ordered = sorted(scores, key=lambda one: order.index(one.run_id))
    totals = [WEIGHTS * one.loss_points + np.round(1.0 - WEIGHTS, 12) * one.gap_points for one in ordered]
    first = np.round(totals, TIE_DECIMALS).argmax(axis=0)
    return np.array([one.run_id for one in ordered])[first]


def at_an_end(interval, weights: np.ndarray) -> np.ndarray:
    return (np.abs(weights - interval.low) < 1e-9) | (np.abs(weights - interval.high) < 1e-9)


def in_interval(interval, weights: np.ndarray) -> np.ndarray:
    return (weights >= interval.low) & (weights <= interval.high)


def test_the_interval_of_weights_is_that_of_a_scan_of_all_weights():
    compared = flipped = 0
    for _, _, recommendation in selections(2000, seed=11):
        flip = flip_of(recommendation)
        if flip.interval is None:
            assert not recommendation.scores
            continue
        scanned = winners_by_weight(recommendation)
        held, wins = in_interval(flip.interval, WEIGHTS), scanned == recommendation.run_id
        # At an end itself the tie-breaks decide.
        open_to_both = at_an_end(flip.interval, WEIGHTS)
        agree = (held == wins) | open_to_both
        assert agree.all(), recommendation
        assert (flip.interval.below is None) == wins[0]
        assert (flip.interval.above is None) == wins[-1]
        compared += 1
        flipped += not held.all()
    assert compared > 1500
    assert flipped > 300


def test_the_recommendation_itself_agrees_with_the_interval_and_its_rivals():
    for runs, policy, recommendation in selections(400, seed=12):
        flip = flip_of(recommendation)
        if flip.interval is None:
            continue
        interval = flip.interval
        assert interval.low <= policy.eval_weight <= interval.high

        def first(weight, runs=runs):
            return recommend(runs, ScoringPolicy(eval_weight=weight)).run_id

        assert first((interval.low + interval.high) / 2.0) == recommendation.run_id or interval.low == interval.high
        if interval.low > 1e-6:
            assert first(interval.low - 1e-6) == interval.below != recommendation.run_id
        if interval.high < 1.0 - 1e-6:
            assert first(interval.high + 1e-6) == interval.above != recommendation.run_id


def wins(winner, eval_loss: np.ndarray, gap: np.ndarray, policy: ScoringPolicy) -> np.ndarray:
    """Where a run with these numbers has more points than the winner, ties left out."""
    edges = np.array([band.below for band in policy.bands[:-1]])
    points = np.array([band.points for band in policy.bands])[np.searchsorted(edges, np.round(gap, 9), side="right")]
    points = np.where(np.isnan(gap), policy.unknown_band.points, points)
    totals = policy.eval_weight * 100.0 * np.exp(-np.maximum(eval_loss, 0.0)) + policy.gap_weight * points
    return totals > winner.total + 2e-9


def assert_smallest(change, present, candidates: np.ndarray, winning: np.ndarray, judge) -> None:
    if change is None:
        assert not winning.any()
        return
    at = 0.0 if present is None else present
    size = abs(change.target - at)
    assert change.delta is None or change.delta == change.target - at
    if winning.any():
        assert size <= np.abs(candidates[winning] - at).min() + 1e-12
    if change.reached:
        assert judge(change.target)
    else:
        towards = math.copysign(1.0, change.target - at) if size else -1.0
        assert judge(change.target + towards * BEYOND) or judge(change.target - towards * BEYOND)


def test_the_change_of_eval_loss_is_the_smallest_that_makes_the_rival_win():
    seen = {"up": 0, "down": 0, "none": 0}
    for _, policy, recommendation in selections(500, seed=13):
        scores = recommendation.scores
        for rival in scores[1:]:
            change = eval_loss_change(scores[0], rival, policy)
            gaps = LOSSES - (math.nan if rival.train_loss is None else rival.train_loss)

            def judge(value, rival=rival, best=scores[0], policy=policy):
                moved = as_run(replace(rival, eval_loss=value))
                return recommend([moved, as_run(best)], policy).scores[0].run_id == rival.run_id

            assert_smallest(change, rival.eval_loss, LOSSES, wins(scores[0], LOSSES, gaps, policy), judge)
            seen["none" if change is None else "up" if change.delta > 0 else "down"] += 1
    assert min(seen.values()) > 20, seen


def test_the_change_to_a_lower_eval_loss_is_the_smallest_of_those():
    seen = {"lower": 0, "none": 0}
    for _, policy, recommendation in selections(500, seed=15):
        scores = recommendation.scores
        for rival in scores[1:]:
            change = eval_loss_change(scores[0], rival, policy, rival.eval_loss)
            lower = LOSSES[rival.eval_loss > LOSSES]
            gaps = lower - (math.nan if rival.train_loss is None else rival.train_loss)

            def judge(value, rival=rival, best=scores[0], policy=policy):
                moved = as_run(replace(rival, eval_loss=value))
                return recommend([moved, as_run(best)], policy).scores[0].run_id == rival.run_id

            assert change is None or change.delta <= 0.0
            assert_smallest(change, rival.eval_loss, lower, wins(scores[0], lower, gaps, policy), judge)
            seen["none" if change is None else "lower"] += 1
    assert min(seen.values()) > 20, seen


def test_a_rival_that_is_behind_by_its_gap_wins_by_reaching_the_next_band():
    runs = [completed("a", 0.60, 0.59), completed("b", 0.61, 0.55)]
    lower = flip_of(recommend(runs)).runner_up.lower_eval_loss
    assert lower.target == pytest.approx(0.60)
    assert recommend([runs[0], completed("b", lower.target - 1e-6, 0.55)]).run_id == "b"


def test_no_lower_eval_loss_wins_against_a_perfect_run():
    perfect = completed("a", 0.0, 0.0)
    for loss in (0.2, None):
        assert flip_of(recommend([perfect, completed("b", 0.5, loss)])).runner_up.lower_eval_loss is None


def test_the_change_of_gap_is_the_smallest_that_makes_the_rival_win():
    seen = {"change": 0, "none": 0}
    for _, policy, recommendation in selections(500, seed=14):
        scores = recommendation.scores
        for rival in scores[1:]:
            change = gap_change(scores[0], rival, policy)

            def judge(value, rival=rival, best=scores[0], policy=policy):
                moved = as_run(replace(rival, train_loss=rival.eval_loss - value))
                return recommend([moved, as_run(best)], policy).scores[0].run_id == rival.run_id

            winning = wins(scores[0], np.full(len(GAPS), rival.eval_loss), GAPS, policy)
            assert_smallest(change, rival.gap, GAPS, winning, judge)
            seen["none" if change is None else "change"] += 1
    assert min(seen.values()) > 20, seen


def test_no_run_has_nothing_to_flip_and_one_run_cannot_be_beaten():
    none = flip_of(recommend([replace(completed(), status=RunStatus.RUNNING)]))
    assert (none.interval, none.runner_up) == (None, None)
    one = flip_of(recommend([completed()]))
    assert (one.interval.low, one.interval.high) == (0.0, 1.0)
    assert one.runner_up is None


def test_beyond_a_border_the_other_run_wins():
    # 60 and 50 eval points against 30 and 40 gap points: level at one half, where the lower eval loss wins.
    bands = tuple(
        replace(band, points=points) for band, points in zip(DEFAULT_POLICY.bands, (0, 40, 30, 0, 0), strict=True)
    )
    low, high = -math.log(0.6), -math.log(0.5)
    runs = [completed("low", low, low - 0.07), completed("high", high, high - 0.01)]
    at_most = flip_of(recommend(runs, ScoringPolicy(eval_weight=0.3, bands=bands))).interval
    at_least = flip_of(recommend(runs, ScoringPolicy(eval_weight=0.7, bands=bands))).interval
    assert at_most.high == pytest.approx(0.5) == at_least.low
    assert at_most.above == "low"
    assert at_least.below == "high"


def test_a_higher_eval_loss_can_win_by_ending_a_negative_gap():
    runs = [completed("best", 0.5, 0.48), completed("leaking", 0.45, 0.451)]
    rival = flip_of(recommend(runs)).runner_up
    assert rival.eval_loss.delta == pytest.approx(0.001)
    assert rival.eval_loss.reached
    assert rival.eval_loss.crosses
    assert rival.eval_loss.band == "excellent"


def test_the_smaller_gap_decides_between_level_runs():
    runs = [completed("a", 0.5, 0.49), completed("b", 0.5, 0.47)]
    rival = flip_of(recommend(runs)).runner_up
    assert rival.gap.target == pytest.approx(0.01)
    assert not rival.gap.reached
    assert rival.eval_loss.delta == pytest.approx(0.0, abs=1e-12)
