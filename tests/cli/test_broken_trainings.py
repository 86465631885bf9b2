"""Trainings that died, never beat the base model, or logged a loss that is none."""

from __future__ import annotations

import math

import pytest

from tests.cli.logs import GAP_SIGNS, SAME, codes, evaluated, falling, leave, settling, values


@pytest.mark.parametrize(
    ("factor", "settings"),
    [
        (8, {"gradient_accumulation_steps": 8}),
        (4, {"gradient_accumulation_steps": 1, "num_gpus": 4}),
        (16, {"gradient_accumulation_steps": 8, "num_gpus": 2}),
    ],
)
def test_a_train_loss_that_is_a_sum_makes_no_gap_and_no_leak(tmp_path, verdict, factor, settings):
    """The eval loss of the first is 1.10; its train loss is logged as so many times 1.12."""
    summed = [{**row, "loss": factor * (row["loss"] - 0.19)} for row in falling(300)]
    leave(tmp_path / "summed", summed, evaluated(20, loss=settling(1.10)), args=SAME | settings)
    leave(tmp_path / "mean", falling(300), evaluated(20, loss=settling(1.32)), args=SAME)
    code, said = verdict()
    assert (code, said["recommended"]) == (0, "summed")
    first, second = said["ranking"]
    # Both are best at step 280. Of its last 5 % are 270 and 280, with 1.325 and 1.3 of the mean losses. An unknown gap
    # gives 50 points of 30 %.
    assert (first["train_loss"], first["gap"]) == (pytest.approx((1.3125 - 0.19) * factor), None)
    assert first["score"] == pytest.approx(0.7 * 100 + 0.3 * 50)
    assert second["gap"] == pytest.approx(second["eval_loss"] - 1.3125)
    assert not GAP_SIGNS & set(codes(said))
    assert "winner_doubts" in codes(said)
    assert [each["code"] for each in said["findings"]["summed"]].count("implausible_train_loss") == 1


def test_where_nothing_records_over_what_a_train_loss_is_summed_that_is_still_a_possible_cause(tmp_path, verdict):
    summed = [{**row, "loss": 8 * row["loss"]} for row in falling(300)]
    leave(tmp_path / "summed", summed, evaluated(20, loss=settling(1.10)))
    leave(tmp_path / "easier", falling(300), evaluated(20, loss=settling(0.9)))
    for name, cause in (("summed", "a train loss that is a sum"), ("easier", "evaluation data that are easier")):
        _, said = verdict("--run", name)
        (leak,) = [each for each in said["objections"] if each["code"] == "leakage"]
        assert cause in leak["sentence"]


@pytest.mark.parametrize(
    ("dies_at", "norm", "evaluations", "best_step", "first_words"),
    [
        # Best before it died; the same model is measured ever after.
        (110, 0.0, [1.2, 1.2, 1.2], 100, "Best of these: dead\nCannot tell: its training died at step 110\n"),
        # Best in what was no longer trained.
        (
            110,
            math.nan,
            [1.4, 1.2, 1.2],
            200,
            "Best of these: dead\nCannot tell: its training died at step 110, before its best evaluation\n",
        ),
        # Worse ever since: that is its death, and no overfitting.
        (210, 0.0, [1.3, 1.2, 1.5], 200, "Best of these: dead\nUnsure: its training died at step 210\n"),
    ],
)
def test_a_training_that_died_is_said_in_the_first_words(
    tmp_path, verdict, dies_at, norm, evaluations, best_step, first_words
):
    rows = [row | ({"loss": 0.0, "grad_norm": norm} if row["step"] >= dies_at else {}) for row in falling(300)]
    leave(tmp_path / "dead", rows, evaluated(100, loss=evaluations), args=SAME | {"fp16": True})
    leave(tmp_path / "alive", falling(300), evaluated(100, loss=[1.9, 1.8, 1.7]))
    _, said = verdict()
    assert {"code": "dead_training", "severity": "critical", "step": dies_at} in said["findings"]["dead"]
    assert said["findings"]["alive"] == []
    first = said["ranking"][0]
    assert (first["run"], first["value"], first["step"]) == ("dead", 1.2, best_step)
    assert (first["gap"] is None) == (best_step >= dies_at)
    assert first["checkpoint"]["step"] == best_step
    assert codes(said)[0] == "winner_died"
    assert not GAP_SIGNS & set(codes(said))
    if said["headline"] == "winner":
        # What was evaluated after its death tells nothing of the noise.
        assert said["sure"] == "cannot tell"
        assert verdict(text=True)[1].startswith(first_words)


@pytest.mark.parametrize("count", [3, 12])
def test_what_is_measured_before_training_is_of_the_base_model(tmp_path, verdict, count):
    """One run begins at 1.50 and only gets worse from 1.58 on, the other comes from 1.53 to 1.51."""
    ruined = [1.58 + 0.06 * at for at in range(count)]
    good = [1.51 + 0.02 * 0.5**at * (at < count - 1) for at in range(count)]
    before = [{"step": 0, "epoch": 0.0, "eval_loss": 1.5}]
    leave(tmp_path / "a-ruined", falling(100 * count, 4.0), before, evaluated(100, loss=ruined))
    before[0]["eval_loss"] = 1.6
    leave(tmp_path / "b-good", falling(100 * count, 4.0), before, evaluated(100, loss=good))
    _, said = verdict()
    assert values(said["ranking"]) == [("b-good", 1.51, 100 * count), ("a-ruined", 1.58, 100)]
    assert (said["headline"], said["recommended"]) == ("winner", "b-good")
    assert "base_not_beaten" in [each["code"] for each in said["findings"]["a-ruined"]]
    assert "never_better" not in codes(said)
    code, alone = verdict("--run", "a-ruined")
    assert (code, alone["recommended"], alone["ranking"][0]["value"]) == (0, "a-ruined", 1.58)
    assert "never_better" in codes(alone)


def test_a_metric_that_is_to_be_high_is_not_best_before_training_either(tmp_path, verdict):
    args = SAME | {"metric_for_best_model": "accuracy", "greater_is_better": True}
    before = [{"step": 0, "eval_loss": 1.5, "eval_accuracy": 0.6}]
    for name, level in (("x", 0.5), ("y", 0.64)):
        scores = [level + 0.001 * at for at in range(10)]
        leave(tmp_path / name, falling(400), before, evaluated(40, loss=settling(1.2, 10), accuracy=scores), args=args)
    code, said = verdict()
    assert (code, said["recommended"], said["decided_by"]) == (0, "y", "eval_accuracy")
    assert values(said["ranking"]) == [("y", pytest.approx(0.649), 400), ("x", pytest.approx(0.509), 400)]


@pytest.mark.parametrize(
    ("last", "shown", "gap"),
    [
        # Of the last 5 % of 300 steps 290 is finite: 2 - 290 / 400 = 1.275.
        ([math.nan], "NaN", 1.2996 - 1.275),
        (["NaN"], "NaN", 1.2996 - 1.275),
        ([math.inf], "∞", 1.2996 - 1.275),
        # Nothing there is finite.
        ([math.nan, math.nan], "NaN", None),
    ],
)
def test_a_last_train_loss_that_is_no_number_is_said_and_the_gap_is_of_finite_values(
    tmp_path, verdict, last, shown, gap
):
    rows = falling(300)
    for row, loss in zip(reversed(rows), last, strict=False):
        row["loss"] = loss
    losses = [*settling(1.3)[:-1], 1.2996]
    leave(tmp_path / "run", rows, evaluated(20, loss=losses))
    leave(tmp_path / "other", falling(300), evaluated(20, loss=settling(1.6)))
    code, said = verdict()
    assert (code, said["recommended"], said["sure"]) == (0, "run", "unsure")
    first = said["ranking"][0]
    assert (first["value"], first["step"]) == (1.2996, 300)
    assert first["gap"] == (None if gap is None else pytest.approx(gap))
    found = [each for each in said["objections"] if f"the last train loss is {shown}" in each["sentence"]]
    assert [each["code"] for each in found] == ["winner_health"]
    begins = 300 - 10 * (len(last) - 1)
    assert {"code": "nonfinite_value", "severity": "critical", "step": begins} in said["findings"]["run"]
