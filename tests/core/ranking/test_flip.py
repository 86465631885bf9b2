"""What would flip the verdict, against a scan of everything that could, with the score itself."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lib.core.ranking.deciding import EVAL_LOSS_DECIDES, Basis, Deciding
from lib.core.ranking.flip import flip_of
from lib.core.ranking.flip_change import eval_loss_change, gap_change
from lib.core.ranking.policy import DEFAULT_POLICY, ScoringPolicy
from lib.core.ranking.scoring import Recommendation, first_among, ranked
from lib.core.ranking.values import RunValues
from tests.core.ranked_runs import completed, recommend

WEIGHTS = np.arange(101) / 100.0
LOSSES = [*np.arange(0.0, 1.2, 0.004) + 1.37e-6]
GAPS = [*np.arange(-0.3, 0.5, 0.004) + 1.37e-6]
BEYOND = 4e-9
F1 = Deciding("eval_f1", "higher", Basis.CHOSEN)


def random_values(rng: np.random.Generator) -> list[RunValues]:
    found: list[RunValues] = []
    for number in range(int(rng.integers(1, 6))):
        loss = float(rng.choice([0.0, 0.3, 0.35, 0.5, rng.uniform(0.0, 1.0), rng.uniform(0.3, 0.4)]))
        gap = float(rng.choice([0.0, 0.05, 0.02, 0.1, -0.02, rng.uniform(-0.1, 0.4), rng.uniform(0.0, 0.1)]))
        if found and rng.random() < 0.2:
            loss = found[0].value
        error = float(rng.choice([0.0, 0.0, 0.003, 0.02]))
        known = rng.random() > 0.15
        found.append(
            RunValues(
                f"run-{number}",
                loss,
                100,
                loss,
                loss - gap if known else None,
                known,
                gap if known else None,
                train_error=error,
            )
        )
    return found


def selections(count: int, seed: int):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        values = random_values(rng)
        policy = ScoringPolicy(eval_weight=float(rng.choice([0.7, 0.7, 0.0, 1.0, 0.5, round(rng.random(), 3)])))
        yield Recommendation(ranked(values, policy=policy), (), policy)


def first_with(recommendation, moved: RunValues) -> str:
    others = [each.values for each in recommendation.scores if each.run_id != moved.run_id]
    return ranked((*others, moved), EVAL_LOSS_DECIDES, recommendation.policy)[0].run_id


def test_who_would_be_first_among_others_is_who_is_ranked_first():
    found = []
    for recommendation in selections(300, seed=13):
        values = [each.values for each in recommendation.scores]
        for each in values:
            is_first = first_among([other for other in values if other is not each], recommendation.policy)
            found.append(is_first(each))
            assert found[-1] == (each.run_id == recommendation.run_id)
    assert 100 < found.count(True) < len(found)


def test_the_interval_of_weights_is_that_of_a_scan_of_all_weights():
    flipped = 0
    for recommendation in selections(150, seed=11):
        interval = flip_of(recommendation).interval
        values = [each.values for each in recommendation.scores]
        assert interval.low <= recommendation.policy.eval_weight <= interval.high
        for weight in WEIGHTS:
            if min(abs(weight - interval.low), abs(weight - interval.high)) < 1e-9:
                continue
            first = ranked(values, policy=ScoringPolicy(eval_weight=float(weight)))[0].run_id
            assert (interval.low < weight < interval.high) == (first == recommendation.run_id)
            flipped += first != recommendation.run_id
        for end, rival, beyond in ((interval.low, interval.below, -1e-6), (interval.high, interval.above, 1e-6)):
            if 1e-6 < end < 1.0 - 1e-6 and rival is not None:
                assert ranked(values, policy=ScoringPolicy(eval_weight=end + beyond))[0].run_id == rival
    assert flipped > 300


def assert_smallest(change, present: float, scanned, wins) -> None:
    winning = [abs(place - present) for place in scanned if wins(place)]
    if change is None:
        assert not winning
        return
    size = abs(change.target - present)
    assert size <= min(winning, default=math.inf) + 1e-9
    near = [change.target, *(change.target + sign * BEYOND for sign in (-1.0, 1.0))]
    assert any(wins(place) for place in near)


def test_the_changes_are_the_smallest_that_make_the_rival_win():
    """Also where it becomes the lowest and so takes points from all others, and where the gap has an error."""
    seen = {"up": 0, "down": 0, "gap": 0, "none": 0}
    for recommendation in selections(45, seed=13):
        scores, policy = recommendation.scores, recommendation.policy
        for rival in scores[1:2]:
            train = rival.train_loss

            def with_loss(loss, rival=rival, train=train, recommendation=recommendation):
                gap = None if train is None else loss - train
                moved = replace(rival.values, value=loss, eval_loss=loss, gap=gap)
                return loss >= 0.0 and first_with(recommendation, moved) == rival.run_id

            def with_gap(gap, rival=rival, recommendation=recommendation):
                moved = replace(rival.values, train_loss=rival.value - gap, gap=gap)
                return first_with(recommendation, moved) == rival.run_id

            change = eval_loss_change(scores, rival, policy)
            assert_smallest(change, rival.value, LOSSES, with_loss)
            seen["none" if change is None else "up" if change.delta > 0 else "down"] += 1
            of_gap = gap_change(scores, rival, policy)
            assert_smallest(of_gap, rival.gap or 0.0, GAPS, with_gap)
            assert of_gap is None or (of_gap.delta is None) == (rival.gap is None)
            seen["gap"] += of_gap is not None
    assert min(seen.values()) > 1, seen


def test_a_rival_that_becomes_the_lowest_takes_points_from_the_recommended_run():
    runs = [completed("a", 1.0, 0.97), completed("b", 1.02, 0.93)]
    lower = flip_of(recommend(runs)).runner_up.eval_loss
    assert recommend([runs[0], completed("b", lower.target - 1e-6, 0.93)]).run_id == "b"
    assert recommend([runs[0], completed("b", lower.target + 1e-4, 0.93)]).run_id == "a"


def test_no_eval_loss_wins_against_a_perfect_run():
    perfect = completed("a", 0.0, -0.01)
    found = flip_of(recommend([perfect, completed("b", 0.5, 0.2)])).runner_up
    assert found.eval_loss is None


def test_no_run_has_nothing_to_flip_and_one_run_cannot_be_beaten():
    none = flip_of(recommend([]))
    assert (none.interval, none.runner_up) == (None, None)
    one = flip_of(recommend([completed()]))
    assert (one.interval.low, one.interval.high) == (0.0, 1.0)
    assert one.runner_up is None


def test_a_higher_eval_loss_can_win_by_ending_a_negative_gap():
    runs = [completed("best", 0.5, 0.48), completed("leaking", 0.49, 0.491)]
    rival = flip_of(recommend(runs)).runner_up
    assert rival.eval_loss.delta == pytest.approx(0.001)


def test_the_smaller_gap_decides_between_level_runs():
    runs = [completed("a", 0.5, 0.49), completed("b", 0.5, 0.47)]
    rival = flip_of(recommend(runs)).runner_up
    assert rival.gap.target == pytest.approx(0.01, abs=1e-6)
    assert rival.eval_loss.delta == pytest.approx(0.0, abs=1e-8)


def test_by_another_metric_the_value_of_the_best_must_be_passed():
    values = [RunValues(name, value, 100) for name, value in (("a", 0.43), ("b", 0.41))]
    found = flip_of(Recommendation(ranked(values, F1), (), DEFAULT_POLICY, F1))
    assert found.interval is None
    assert found.runner_up.value.target == 0.43
    assert found.runner_up.value.delta == pytest.approx(0.02)
