"""Winner or tie: held to simulated runs with known truth, and to laws."""

from __future__ import annotations

import numpy as np
import pytest

from bench.ties import SETTINGS, best_held, curves_with, false_winners, judged, simulated, winners_found
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.eval_noise import NoiseUnknown
from lib.core.ranking.score_tie import composite_range, score_tie
from lib.core.ranking.scoring import DEFAULT_POLICY, recommend
from lib.core.ranking.tie import (
    SHARED_FREEDOM,
    Estimate,
    TieKind,
    comparison_quantile,
    moderated,
    seed_spread,
    verdict_on,
    welch_freedom,
)

MIXED = next(setting for setting in SETTINGS if setting.name == "mixed")


def run(run_id: str, **fields) -> RunSummary:
    return RunSummary(run_id=run_id, name=run_id, status=RunStatus.COMPLETED, **fields)


def flat(losses: dict[str, float], noise: float = 0.01, count: int = 40, seed: int = 0) -> dict[str, RunCurves]:
    rng = np.random.default_rng(seed)
    steps = np.arange(1, count + 1, dtype="int64") * 10
    unknown = np.full(count, np.nan)
    return {
        run_id: curves_with(run_id, steps, loss + noise * rng.standard_normal(count), unknown)
        for run_id, loss in losses.items()
    }


@pytest.mark.parametrize("setting", SETTINGS[:6], ids=lambda setting: setting.name)
@pytest.mark.parametrize("count", [6, 30])
def test_equal_runs_hardly_ever_have_a_winner(setting, count):
    assert false_winners(setting, count, 60, seed=7) <= 0.05


@pytest.mark.parametrize("setting", SETTINGS[:6], ids=lambda setting: setting.name)
@pytest.mark.parametrize("count", [6, 30])
def test_the_set_holds_the_truly_best_run(setting, count):
    assert best_held(setting, count, 60, seed=8) >= 0.88


def test_a_clear_lead_is_found_and_more_often_the_clearer_it_is():
    found = [winners_found(MIXED, 30, 2, lead, 60, seed=9) for lead in (0, 2, 4, 8)]
    assert found == sorted(found)
    assert found[0] <= 0.05
    assert found[2] >= 0.7
    assert found[3] >= 0.95


def test_the_verdict_does_not_depend_on_the_order_of_the_runs():
    curves = simulated([1.0, 1.02, 1.5], 20, 0.01, MIXED, np.random.default_rng(3))
    runs = [run(run_id) for run_id in curves]
    assert verdict_on(curves, runs) == verdict_on(curves, runs[::-1])


def test_a_run_far_behind_is_out_and_the_winner_is_alone():
    verdict = judged(flat({"a": 1.0, "b": 1.5}))
    assert (verdict.kind, verdict.best_set) == (TieKind.WINNER, ("a",))
    assert list(verdict.beaten) == ["b"]
    assert verdict.beaten["b"].by == "a"
    assert verdict.beaten["b"].behind == pytest.approx(0.5, abs=0.02)
    assert verdict.beaten["b"].within < 0.5


def test_a_tie_has_its_members():
    verdict = verdict_on(flat({"a": 1.0, "b": 1.0, "c": 2.0}), [run("a"), run("b"), run("c")])
    assert verdict.kind is TieKind.TIE
    assert set(verdict.best_set) == {"a", "b"}
    assert verdict.noises["a"].noise == pytest.approx(0.01, rel=0.6)


def test_the_same_run_twice_is_a_tie():
    curves = flat({"a": 1.0})
    twin = RunCurves("b", curves["a"].curves)
    assert judged({**curves, "b": twin}).best_set == ("a", "b")


def test_equal_constants_tie_and_different_ones_do_not():
    assert judged(flat({"a": 1.0, "b": 1.0}, noise=0.0)).kind is TieKind.TIE
    assert judged(flat({"a": 1.0, "b": 1.001}, noise=0.0)).best_set == ("a",)


def test_a_run_without_a_noise_estimate_may_be_the_best():
    curves = flat({"a": 1.0, "b": 1.5}) | flat({"few": 0.9}, count=3)
    verdict = judged(curves)
    assert verdict.kind is TieKind.CANNOT_TELL
    assert verdict.best_set == ("a", "few")
    assert verdict.undecided == ("few",)
    assert verdict.noises["few"].unknown is NoiseUnknown.TOO_FEW
    tie = judged(flat({"a": 1.0, "b": 1.0}) | flat({"few": 0.9}, count=3))
    assert tie.kind is TieKind.TIE
    assert tie.best_set[-1] == "few"


def test_a_stored_eval_loss_without_a_curve_is_undecided_and_none_at_all_is_not_compared():
    curves = flat({"a": 1.0, "b": 1.5})
    stored = verdict_on(curves, [run("a"), run("b"), run("stored", best_eval_loss=1.2), run("none")])
    assert stored.undecided == ("stored",)
    assert "none" not in stored.best_set
    assert verdict_on(curves, [run("a"), run("b"), run("none")]).kind is TieKind.WINNER


@pytest.mark.parametrize("ids", [[], ["a"], ["none"]])
def test_fewer_than_two_runs_cannot_be_compared(ids):
    verdict = verdict_on(flat({"a": 1.0}), [run(run_id) for run_id in ids])
    assert verdict.kind is TieKind.CANNOT_TELL


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 90.0])
def test_a_level_is_a_share(level):
    with pytest.raises(ValueError, match="level"):
        verdict_on({}, [], level=level)


def test_a_higher_level_never_shrinks_the_set():
    rng = np.random.default_rng(4)
    for _ in range(20):
        curves = simulated([1.0, 1.01, 1.03], 12, 0.01, MIXED, rng)
        runs = [run(run_id) for run_id in curves]
        low, high = (set(verdict_on(curves, runs, level=level).best_set) for level in (0.8, 0.99))
        assert low <= high


def test_repeats_bring_the_spread_of_seeds_in():
    losses = {"a1": 1.0, "a2": 1.2, "a3": 1.1, "b1": 1.3, "b2": 1.42, "b3": 1.2}
    curves, runs = flat(losses), [run(run_id) for run_id in losses]
    assert verdict_on(curves, runs).best_set == ("a1",)
    verdict = verdict_on(curves, runs, repeats={run_id: run_id[0] for run_id in losses})
    assert verdict.kind is TieKind.TIE
    assert {"a1", "a2", "a3"} <= set(verdict.best_set)
    assert verdict.seeds == 4


def test_one_seed_trained_twice_is_no_repeat():
    curves = flat({"a": 1.0, "b": 1.0})
    runs = [run("a", config={"seed": 1}), run("b", config={"seed": 1})]
    assert verdict_on(curves, runs, repeats={"a": "g", "b": "g"}).seeds == 0
    others = [run("a", config={"seed": 1}), run("b", config={"seed": 2})]
    assert verdict_on(curves, others, repeats={"a": "g", "b": "g"}).seeds == 1


def test_equal_configurations_have_no_winner_though_their_seeds_differ():
    rng = np.random.default_rng(6)
    kinds, held = [], 0
    for _ in range(80):
        losses = {f"{group}{seed}": 1.0 + 0.05 * rng.standard_normal() for group in "ab" for seed in range(3)}
        curves = flat(losses, seed=int(rng.integers(10**6)))
        groups = {run_id: run_id[0] for run_id in losses}
        verdict = verdict_on(curves, [run(run_id) for run_id in losses], repeats=groups)
        kinds.append(verdict.kind)
        held += {groups[run_id] for run_id in verdict.best_set} == {"a", "b"}
    assert kinds.count(TieKind.WINNER) <= 4
    assert held >= 0.88 * len(kinds)


def test_the_spread_of_repeats_is_the_pooled_deviation_within_groups():
    estimates = [Estimate(name, loss, 0.0, 1.0) for name, loss in (("a", 1.0), ("b", 3.0), ("c", 5.0), ("d", 5.0))]
    assert seed_spread(estimates, {"a": 1, "b": 1, "c": 2}) == (pytest.approx(np.sqrt(2.0)), 1)
    assert seed_spread(estimates, {"a": 1, "b": 1, "c": 2, "d": 2}) == (pytest.approx(1.0), 2)
    assert seed_spread(estimates, {"a": 1, "b": 2}) == (0.0, 0)


def test_errors_of_few_evaluations_are_drawn_towards_those_of_the_other_runs():
    loud, quiet = moderated([Estimate("loud", 1.0, 0.3, 2.0), Estimate("quiet", 1.0, 0.1, 20.0)])
    assert 0.1 < quiet.error < 0.13 < loud.error < 0.3
    assert (loud.freedom, quiet.freedom) == (2.0 + SHARED_FREEDOM, 22.0)
    alone = Estimate("alone", 1.0, 0.3, 2.0)
    assert moderated([alone]) == [alone]
    assert moderated([]) == []


def test_quantiles_grow_with_the_number_of_runs_and_the_level():
    assert comparison_quantile(20, 2) < comparison_quantile(20, 5) < comparison_quantile(20, 5, 0.99)
    # Two runs at 90 %: a two-sided 5 % test.
    assert comparison_quantile(20, 2, 0.90) == pytest.approx(2.086, abs=1e-3)
    assert welch_freedom(Estimate("a", 0, 1, 5), Estimate("b", 0, 1, 5)) == pytest.approx(10.0)
    assert welch_freedom(Estimate("a", 0, 1, 5), Estimate("b", 0, 0, 9)) == pytest.approx(5.0)


def scored(losses: dict[str, float], gap: float, noise: float = 0.001, **gaps: float):
    curves = flat(losses, noise=noise)
    lowest = {run_id: float(curve.get("eval_loss").value.min()) for run_id, curve in curves.items()}
    runs = [run(name, best_eval_loss=loss, loss=loss - gaps.get(name, gap)) for name, loss in lowest.items()]
    return score_tie(recommend(runs), verdict_on(curves, runs))


def test_a_lead_in_the_score_is_within_the_noise_exactly_when_the_losses_are_in_one_band():
    assert scored({"a": 0.5, "b": 0.6}, 0.02).kind is TieKind.WINNER
    tie = scored({"a": 0.5, "b": 0.5}, 0.02)
    assert tie.kind is TieKind.TIE
    assert len(tie.level_with) == 1
    assert tie.band_may_change == ()


def test_a_lead_that_rests_on_a_band_edge_is_within_the_noise():
    near = scored({"a": 0.500, "b": 0.480}, 0.0, a=0.0498, b=0.07)
    assert near.level_with == ("b",)
    assert near.band_may_change == ("a",)
    far = scored({"a": 0.500, "b": 0.480}, 0.0, a=0.025, b=0.07)
    assert (far.kind, far.level_with) == (TieKind.WINNER, ())


def test_a_score_without_noise_is_undecided_and_one_run_has_no_lead():
    curves = flat({"a": 0.5})
    runs = [run("a", best_eval_loss=0.5, loss=0.48), run("b", best_eval_loss=0.7, loss=0.68)]
    tie = score_tie(recommend(runs), verdict_on(curves, runs))
    assert (tie.kind, tie.undecided) == (TieKind.CANNOT_TELL, ("b",))
    for few in (runs[:1], []):
        alone = score_tie(recommend(few), verdict_on(curves, few))
        assert (alone.kind, alone.level_with, alone.undecided) == (TieKind.CANNOT_TELL, (), ())


@pytest.mark.parametrize("loss", [None, 0.3, 0.48, 0.55])
def test_the_range_of_composites_is_that_of_a_scan(loss):
    low, high = 0.4, 0.7
    (score,) = recommend([run("a", best_eval_loss=0.5, loss=loss)]).scores
    scan = [
        recommend([run("a", best_eval_loss=value, loss=loss)]).scores[0].total for value in np.linspace(low, high, 3001)
    ]
    lowest, highest = composite_range(score, low, high, DEFAULT_POLICY)
    # Just before a band edge the composite comes as near to its extreme as one likes.
    assert lowest == pytest.approx(min(scan), abs=0.02)
    assert highest == pytest.approx(max(scan), abs=0.02)
    assert lowest <= min(scan) + 1e-9
    assert highest >= max(scan) - 1e-9
