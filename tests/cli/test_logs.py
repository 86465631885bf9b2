"""Logs as trainers leave them, from their folders to the verdict: situations that people met, with numbers made up."""

from __future__ import annotations

import pytest

from tests.cli.logs import GAP_SIGNS, SAME, Row, codes, evaluated, falling, leave, settling, values


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
