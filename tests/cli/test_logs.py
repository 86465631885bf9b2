"""Logs as trainers leave them, from their folders to the verdict: situations that people met, with numbers made up."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lib.cli.__main__ import main

SAME = {"model_name_or_path": "org/base-1b", "dataset_name": "notes.jsonl", "task_type": "CAUSAL_LM", "seed": 1}
GAP_SIGNS = {"leakage", "negative_gap_open", "overfitting"}

Row = dict[str, Any]


@pytest.fixture
def verdict(tmp_path, capsys):
    """Ask for the verdict on all runs that were written; gives the exit code and the data, or the text."""

    def ask(*arguments, text=False):
        code = main(["verdict", str(tmp_path), *arguments, *([] if text else ["--json"])])
        printed = capsys.readouterr().out
        return code, printed if text else json.loads(printed)

    return ask


def falling(steps: int, level: float = 2.0, **further: float) -> list[Row]:
    """Train losses every 10 steps that fall by 0.025 each: ``level - step / 400``."""
    return [
        {"step": step, "epoch": step / 100, "loss": level - step / 400, "grad_norm": 0.9, **further}
        for step in range(10, steps + 1, 10)
    ]


def evaluated(every: int, **metrics: Sequence[float]) -> list[Row]:
    """Evaluations at every so many steps."""
    return [
        {"step": at * every, "epoch": at * every / 100, **{f"eval_{name}": metrics[name][at - 1] for name in metrics}}
        for at in range(1, len(next(iter(metrics.values()))) + 1)
    ]


def settling(level: float, count: int = 15) -> list[float]:
    """Values that fall to a level, with a little noise; the lowest is just below it."""
    return [level + 0.3 * 0.6**at + 0.0004 * (-1) ** at for at in range(count)]


def leave(
    folder: Path, *rows: Sequence[Row], args: Mapping[str, Any] | None = SAME, name: str = "training_args.json", **state
) -> None:
    """Write what a trainer leaves of these rows."""
    folder.mkdir(parents=True)
    history = sorted((row for part in rows for row in part), key=lambda row: row["step"])
    last = history[-1]["step"]
    content = {"global_step": last, "max_steps": last, "log_history": history, **state}
    (folder / "trainer_state.json").write_text(json.dumps(content))
    if args is not None:
        (folder / name).write_text(json.dumps(args))


def codes(said: Mapping[str, Any]) -> list[str]:
    return [each["code"] for each in said["objections"]]


def values(ranking: Sequence[Mapping[str, Any]]) -> list[tuple[str, float, int]]:
    return [(each["run"], each["value"], each["step"]) for each in ranking]


@pytest.mark.parametrize(
    ("chosen", "decides", "first"),
    [
        ("eval_omega_loss", "eval_omega_loss", "one"),
        ("omega_loss", "eval_omega_loss", "one"),
        # Nothing chose: the first by name, by which the other run is better.
        (None, "eval_beta_loss", "two"),
    ],
)
def test_of_named_evaluation_sets_that_decides_which_the_runs_chose_by(tmp_path, verdict, chosen, decides, first):
    args = SAME if chosen is None else SAME | {"metric_for_best_model": chosen, "greater_is_better": False}
    for name, omega, beta in (("one", [1.5, 1.4, 1.3], [1.9, 1.8, 1.7]), ("two", [1.6, 1.5, 1.4], [1.8, 1.7, 1.6])):
        leave(
            tmp_path / "sweep" / name / "out", falling(300), evaluated(100, omega_loss=omega, beta_loss=beta), args=args
        )
    _, said = verdict()
    assert said["decided_by"] == decides
    best = {"eval_omega_loss": [1.3, 1.4], "eval_beta_loss": [1.6, 1.7]}[decides]
    other = "two" if first == "one" else "one"
    assert values(said["ranking"]) == [(first, best[0], 300), (other, best[1], 300)]
    # Train losses of the last 5 % of 300 steps, 290 and 300: 1.275 and 1.25.
    assert [each["train_loss"] for each in said["ranking"]] == pytest.approx([1.2625, 1.2625])
    assert [each["gap"] for each in said["ranking"]] == pytest.approx([value - 1.2625 for value in best])
    assert {each["checkpoint"]["step"] for each in said["ranking"]} == {300}
    not_deciding = ({"eval_omega_loss", "eval_beta_loss"} - {decides}).pop()
    _, text = verdict(text=True)
    assert f"Also logged: {not_deciding}." in text
    assert "step 300, if saved" in text
    _, turned = verdict("--by", not_deciding)
    assert (turned["decided_by"], turned["ranking"][0]["run"]) == (not_deciding, other)


@pytest.mark.parametrize(
    ("name", "as_text", "checkpoint"),
    [("mydata", False, ""), ("my-data.v2", True, ""), ("held_out", False, "checkpoint-400")],
)
def test_one_named_evaluation_set_is_the_eval_loss(tmp_path, verdict, name, as_text, checkpoint):
    for run, level in (("high", 1.41), ("low", 1.3), ("middle", 1.35)):
        rows = evaluated(40, **{f"{name}_loss": [level + 0.1 * (10 - at) for at in range(1, 11)]})
        if as_text:
            rows = [
                {key: str(value) if key.startswith("eval") else value for key, value in row.items()} for row in rows
            ]
        leave(tmp_path / run / checkpoint, falling(400), rows)
    _, said = verdict()
    assert said["decided_by"] == f"eval_{name}_loss"
    assert values(said["ranking"]) == [("low", 1.3, 400), ("middle", 1.35, 400), ("high", 1.41, 400)]
    assert said["left_out"] == []
    assert all(each["checkpoint"]["step"] == 400 for each in said["ranking"])
    if checkpoint:
        assert said["ranking"][0]["checkpoint"] == {"step": 400, "path": checkpoint, "fate": "kept"}


def rewarded(steps: int, reward: float, **further: float) -> list[Row]:
    """Rows of GRPO: a loss of about 0 that rises with the distance from the reference, and a rising reward."""
    return [
        {"step": step, "loss": step * 1e-6, "reward": reward * step / steps, "reward_std": 0.2, "kl": 0.01, **further}
        for step in range(10, steps + 1, 10)
    ]


@pytest.mark.parametrize("args", [None, SAME | {"rlhf_type": "grpo"}])
def test_a_reward_of_two_evaluations_is_ranked_and_how_sure_cannot_be_told(tmp_path, verdict, args):
    leave(tmp_path / "worse", rewarded(200, 0.7), evaluated(100, reward=[0.5, 0.7], loss=[1e-5, 1e-5]), args=args)
    leave(tmp_path / "better", rewarded(200, 1.1), evaluated(100, reward=[0.8, 1.1], loss=[4e-5, 5e-5]), args=args)
    leave(tmp_path / "sft", falling(200), evaluated(100, loss=[1.4, 1.3]))
    code, said = verdict()
    assert (code, said["recommended"], said["decided_by"], said["sure"]) == (0, "better", "eval_reward", "cannot tell")
    assert values(said["ranking"]) == [("better", 1.1, 200), ("worse", 0.7, 200)]
    assert {(each["score"], each["gap"]) for each in said["ranking"]} == {(None, None)}
    (other,) = said["classes"]
    assert (other["decided_by"], values(other["ranking"])) == ("eval_loss", [("sft", 1.3, 200)])
    assert not GAP_SIGNS & set(codes(said))


def test_a_loss_of_reinforcement_says_nothing_against_a_reward(tmp_path, verdict):
    """The run with the higher reward went further from the reference model, so that its loss is higher and rises."""
    for name, reward, drift in (("far", 1.4, 3.0), ("near", 0.9, 1.0)):
        levels = [reward * (1 - 0.6**at) + 0.002 * (-1) ** at for at in range(1, 11)]
        losses = [drift * at * 1e-4 for at in range(1, 11)]
        leave(tmp_path / name, rewarded(400, reward), evaluated(40, reward=levels, loss=losses))
    code, said = verdict()
    assert (code, said["recommended"], said["decided_by"]) == (0, "far", "eval_reward")
    assert not {"other_metric", *GAP_SIGNS} & set(codes(said))
    assert not {each["code"] for found in said["findings"].values() for each in found} & {"divergence", "eval_rebound"}


def test_without_evaluations_the_mean_reward_of_the_last_tenth_ranks(tmp_path, verdict):
    for name, reward in (("a", 0.6), ("b", 1.2), ("c", 0.9)):
        leave(tmp_path / name, rewarded(200, reward))
    code, said = verdict()
    # Steps above 180: 190 and 200, at which the reward is 0.95 and 1 of its end.
    assert (code, said["decided_by"], said["sure"]) == (0, "reward", "cannot tell")
    assert [each["run"] for each in said["ranking"]] == ["b", "c", "a"]
    assert [each["value"] for each in said["ranking"]] == pytest.approx([1.2 * 0.975, 0.9 * 0.975, 0.6 * 0.975])


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
        (110, 0.0, [1.2, 1.2, 1.2], 100, "Best of these: dead\nUnsure: its training died at step 110\n"),
        # Best in what was no longer trained.
        (
            110,
            math.nan,
            [1.4, 1.2, 1.2],
            200,
            "Best of these: dead\nUnsure: its training died at step 110, before its best evaluation\n",
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
    assert codes(said)[0] == "winner_health"
    assert not GAP_SIGNS & set(codes(said))
    if said["headline"] == "winner":
        assert said["sure"] == "unsure"
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


SCORES = {"focal-loss": (0.25, 0.2), "cross-entropy": (0.8, 0.7), "class-weighted": (0.9, 0.5)}


@pytest.mark.parametrize("metric", ["overall_f1", "macro-avg/f1-score", "accuracy"])
@pytest.mark.parametrize("chose", ["nothing", "by name", "by its best value"])
def test_losses_of_other_formulas_that_a_task_metric_contradicts(tmp_path, verdict, metric, chose):
    for name, (loss, score) in SCORES.items():
        scores = [round(score * (1 - 0.6**at) + 0.001 * (-1) ** at, 5) for at in range(1, 16)]
        args = SAME | ({"metric_for_best_model": metric, "greater_is_better": True} if chose == "by name" else {})
        best = {
            "best_metric": max(scores),
            "best_model_checkpoint": f"/x/checkpoint-{20 * (scores.index(max(scores)) + 1)}",
        }
        rows = evaluated(20, **{"loss": settling(loss), metric: scores})
        leave(
            tmp_path / name, falling(300, loss + 1), rows, args=args, **(best if chose == "by its best value" else {})
        )
    code, said = verdict()
    assert code == 0
    if chose == "nothing":
        assert (said["recommended"], said["decided_by"], said["sure"]) == ("focal-loss", "eval_loss", "unsure")
        strongest = said["objections"][0]
        assert strongest["code"] == "task_metric"
        # Both values: 0.7 and 0.2 less what is left of the rise, 0.6 ** 15 < 0.0005, and the noise.
        assert ", cross-entropy is better beyond the noise: 0.70" in strongest["sentence"]
        assert "against its 0.20" in strongest["sentence"]
        code, said = verdict("--by", f"eval_{metric}")
    assert (code, said["recommended"], said["decided_by"]) == (0, "cross-entropy", f"eval_{metric}")
    assert [each["run"] for each in said["ranking"]] == ["cross-entropy", "class-weighted", "focal-loss"]
    assert "task_metric" not in codes(said)
