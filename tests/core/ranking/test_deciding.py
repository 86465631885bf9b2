"""Which metric decides, and in which direction: as runs were logged, with every rule before the next."""

from __future__ import annotations

import numpy as np
import pytest

from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.deciding import Basis, Candidate, RunMetrics, best_of, deciding_of
from lib.core.ranking.metric_names import direction_in, follows_from_loss, is_loss, may_decide, named_set


def logged(run_id="a", config=None, best=None, path=None, **metrics):
    """A run and its curves: evaluations at 100, 200 and so on."""
    curves = {}
    for name, values in metrics.items():
        steps = np.arange(1, len(values) + 1, dtype=np.int64) * 100
        nothing = np.full(len(values), np.nan)
        curves[name.replace("__", "/")] = complete_curve(steps, np.array(values, dtype=float), nothing, nothing)
    run = RunSummary(
        run_id=run_id,
        name=run_id,
        status=RunStatus.COMPLETED,
        config={"training": config or {}},
        extra={} if best is None else {"best_metric": best},
        best_checkpoint_path=path,
    )
    return run, RunCurves(run_id, curves)


def decided(*found, **how):
    return deciding_of([RunMetrics(run, curves) for run, curves in found], **how)


def told(*found, **how):
    deciding = decided(*found, **how)
    return deciding.metric, deciding.better, deciding.basis


LOSS = {"eval_loss": [1.0, 0.8]}


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("eval_loss", "lower"), ("eval_f1", "higher"), ("eval_macro-avg-f1score", "higher"),
        ("eval_macro_f1", "higher"),
        ("eval_wer", "lower"), ("eval_cer", "lower"), ("eval_word_error_rate", "lower"), ("eval_RMSE", "lower"),
        ("eval_rougeLsum", "higher"), ("eval_sacrebleu", "higher"), ("eval_mAP50", "higher"),
        ("eval_roc_auc", "higher"),
        ("eval_exact_match", "higher"), ("eval_win_rate", "higher"), ("eval_r2", "higher"),
        ("eval_rewards/accuracies", "higher"), ("eval_f1_loss", "lower"), ("eval_matthews_correlation", "higher"),
        ("eval_power", None), ("eval_answer", None), ("eval_certainty", None), ("eval_heatmap", None),
        ("eval_layer2", None), ("eval_dev_spearman_cosine", "higher"), ("eval_score", None),
        ("eval_accuracy_thresh", "higher"),
    ],
)  # fmt: skip
def test_a_direction_is_told_by_a_part_of_the_name(name, better):
    assert direction_in(name) == better


@pytest.mark.parametrize(
    "name",
    ["eval_runtime", "eval_samples_per_second", "eval_steps_per_second", "eval_reward_std", "eval_logps/chosen",
     "eval_rewards/chosen", "eval_rewards/format_reward/mean", "eval_num_tokens", "eval_logits/rejected", "train_loss",
     "learning_rate", "reward", "completions/mean_length"],
)  # fmt: skip
def test_timings_counts_and_parts_of_a_loss_never_decide(name):
    assert not may_decide(name)


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("val_accuracy", "higher"), ("val/f1", "higher"), ("validation acc", "higher"), ("metrics/mAP50(B)", "higher"),
        ("metrics/mAP50-95(B)", "higher"), ("val/box_loss", "lower"), ("dev_wer", "lower"), ("val_acc1", "higher"),
        ("test_mIoU", "higher"), ("valid_ppl", "lower"), ("eval_top1", "higher"), ("val_something", None),
    ],
)  # fmt: skip
def test_evaluations_of_any_program_may_decide(name, better):
    assert may_decide(name)
    assert direction_in(name) == better


@pytest.mark.parametrize(
    "name",
    [
        "val_runtime",
        "val/samples",
        "eval_cossim_f1_threshold",
        "validation time",
        "test_std",
        "value_loss",
        "accuracy",
        "val",
    ],
)
def test_what_is_no_quality_of_an_evaluation_never_decides(name):
    assert not may_decide(name)


def test_a_loss_on_any_part_of_the_data_compares_as_losses_do():
    assert all(map(follows_from_loss, ("val/box_loss", "test_loss", "valid_ppl", "eval_loss", "perplexity")))
    assert not any(map(follows_from_loss, ("val_accuracy", "metrics/mAP50(B)")))


def test_a_metric_that_the_runs_chose_by_is_found_under_its_own_name():
    chose = {"metric_for_best_model": "val_f1", "greater_is_better": True}
    assert told(logged(config=chose, val_f1=[0.5, 0.7], **LOSS)) == ("val_f1", "higher", Basis.OWN_CHOICE)


def test_a_named_set_is_told_by_its_loss():
    assert [named_set(name) for name in ("eval_alpha_loss", "eval_loss", "eval_my_set_loss", "eval_f1")] == [
        "alpha", None, "my_set", None,
    ]  # fmt: skip
    assert named_set("eval_alpha/loss") == named_set("eval/alpha_loss") == "alpha"
    assert is_loss("eval_alpha_loss")
    assert not is_loss("eval_f1")


def test_what_the_runs_chose_by_goes_before_the_loss():
    chose = {"metric_for_best_model": "f1", "greater_is_better": True}
    found = [logged(name, chose, eval_f1=[0.5, 0.7], **LOSS) for name in "ab"]
    assert told(*found) == ("eval_f1", "higher", Basis.OWN_CHOICE)
    other = logged("c", {"metric_for_best_model": "eval_loss"}, eval_f1=[0.5, 0.7], **LOSS)
    assert told(*found, other) == ("eval_loss", "lower", Basis.EVAL_LOSS), "they do not name the same"
    assert told(logged(config={"metric_for_best_model": "never_logged"}, **LOSS))[0] == "eval_loss"


def test_the_best_metric_names_what_it_equals_at_the_best_checkpoint_and_shows_its_direction():
    found = logged(best=0.43, path="D:\\models\\checkpoint-200", eval_thing=[0.2, 0.43, 0.3], **LOSS)
    assert told(found) == ("eval_thing", "higher", Basis.OWN_CHOICE)
    low = logged(best=0.2, path="out/checkpoint-100", eval_thing=[0.2, 0.43, 0.3], **LOSS)
    assert told(low) == ("eval_thing", "lower", Basis.OWN_CHOICE)
    elsewhere = logged(best=0.43, path="out/checkpoint-300", eval_thing=[0.2, 0.43, 0.3], **LOSS)
    assert told(elsewhere)[2] is Basis.EVAL_LOSS


def test_values_of_two_digits_leave_several_open_and_all_runs_together_one():
    path = "out/checkpoint-200"
    first = logged("a", best=0.4, path=path, eval_f1=[0.3, 0.4], eval_recall=[0.1, 0.4], **LOSS)
    second = logged("b", best=0.5, path=path, eval_f1=[0.3, 0.5], eval_recall=[0.1, 0.7], **LOSS)
    assert told(first)[0] == "eval_loss"
    assert told(first, second)[0] == "eval_f1"
    nested = logged("a", best=0.4, path=path, eval_f1=[0.3, 0.4], eval_report__f1=[0.1, 0.4], **LOSS)
    assert told(nested)[0] == "eval_f1"


def test_a_loss_that_measures_no_fit_or_goes_below_zero_never_decides():
    surrogate = logged(reward=[0.1, 0.2], eval_loss=[1e-5, 2e-5], eval_reward=[0.7, 1.1])
    assert told(surrogate) == ("eval_reward", "higher", Basis.EVAL_REWARD)
    below = logged(eval_loss=[-0.01, -0.02], reward=[1.6] * 10)
    assert told(below) == ("reward", "higher", Basis.TRAIN_REWARD)
    chose = {"metric_for_best_model": "loss"}
    assert told(logged(config=chose, reward=[0.1], eval_loss=[1e-5], eval_reward=[0.7]))[0] == "eval_reward"
    assert told(logged(eval_loss=[-0.1, -0.2], eval_thing=[1.0])) == (None, None, Basis.NONE)


def test_a_loss_that_measures_no_fit_measures_no_quality_either():
    surrogate = decided(
        logged(reward=[0.1, 0.2], eval_loss=[1e-5, 2e-5], eval_perplexity=[1.0, 1.1], eval_reward=[0.7])
    )
    assert {each.metric: each.measures for each in surrogate.candidates} == {
        "eval_loss": False,
        "eval_perplexity": False,
        "eval_reward": True,
    }
    assert all(each.measures for each in decided(logged(eval_f1=[0.1], **LOSS)).candidates)


def test_perplexity_follows_from_the_loss_on_whatever_set_it_was_measured():
    follows = "perplexity", "eval_perplexity", "eval_alpha_perplexity", "eval_alpha_loss"
    assert all(follows_from_loss(metric) for metric in follows)
    assert not follows_from_loss("eval_alpha_f1")


def test_of_named_sets_that_decides_which_most_logged_then_the_first():
    both = logged("a", eval_beta_loss=[1.0], eval_alpha_loss=[1.1])
    one = logged("b", eval_beta_loss=[1.0])
    assert told(both) == ("eval_alpha_loss", "lower", Basis.NAMED_SET)
    assert told(both, one)[0] == "eval_beta_loss"


def test_a_choice_goes_before_every_rule_and_may_say_the_direction():
    found = logged(eval_thing=[0.2, 0.4], eval_f1=[0.1], **LOSS)
    assert told(found, by="eval_f1") == ("eval_f1", "higher", Basis.CHOSEN)
    assert told(found, by="eval_thing") == ("eval_thing", None, Basis.CHOSEN)
    assert told(found, by="eval_thing", direction="lower") == ("eval_thing", "lower", Basis.CHOSEN)
    assert told(found, by="nobody_logged_it")[2] is Basis.EVAL_LOSS


def test_a_direction_that_is_said_counts_where_the_rules_give_the_metric_and_nothing_else_tells_it():
    chose = {"metric_for_best_model": "thing"}
    assert told(logged(config=chose, eval_thing=[0.2, 0.4], **LOSS), direction="higher") == (
        "eval_thing",
        "higher",
        Basis.OWN_CHOICE,
    )
    known = logged(config={"metric_for_best_model": "f1"}, eval_f1=[0.2, 0.4], **LOSS)
    assert told(known, direction="lower") == ("eval_f1", "higher", Basis.OWN_CHOICE)


def test_of_a_loss_lower_is_better_whatever_is_said():
    assert told(logged(**LOSS), by="eval_loss", direction="higher") == ("eval_loss", "lower", Basis.CHOSEN)
    chose = {"metric_for_best_model": "eval_alpha_loss", "greater_is_better": True}
    assert told(logged(config=chose, eval_alpha_loss=[1.0, 0.9]))[:2] == ("eval_alpha_loss", "lower")


def test_candidates_are_listed_with_direction_and_runs():
    found = decided(logged("a", eval_thing=[1.0], **LOSS), logged("b", eval_runtime=[3.0], **LOSS))
    assert [(each.metric, each.better, each.run_ids) for each in found.candidates] == [
        ("eval_loss", "lower", ("a", "b")),
        ("eval_thing", None, ("a",)),
    ]


def test_a_direction_that_somebody_says_counts_where_nothing_else_tells_it():
    chosen = {"metric_for_best_model": "thing"}
    found = decided(logged("a", chosen, eval_thing=[1.0, 2.0], **LOSS), direction="higher")
    assert (found.metric, found.better, found.basis) == ("eval_thing", "higher", Basis.OWN_CHOICE)
    assert decided(logged("a", **LOSS), direction="higher").better == "lower", "what is known is not asked for"


def test_the_best_of_a_run_by_a_candidate():
    (accuracy, thing) = (
        Candidate(metric, better, ("a",)) for metric, better in (("eval_f1", "higher"), ("eval_x", None))
    )
    run, curves = logged("a", eval_f1=[0.5, 0.9, 0.7], eval_x=[1.0])
    assert best_of(accuracy, run, curves) == 0.9
    assert best_of(thing, run, curves) is None
    assert best_of(accuracy, RunSummary(run_id="b", name="b"), None) is None
    stored = RunSummary(run_id="a", name="a", best_eval_loss=0.4)
    assert best_of(Candidate("eval_loss", "lower", ("a",)), stored, None) == 0.4


def test_values_stored_without_a_series_are_an_eval_loss():
    run = RunSummary(run_id="a", name="a", status=RunStatus.COMPLETED, best_eval_loss=0.4)
    assert deciding_of([RunMetrics(run, RunCurves(run.run_id))]).metric == "eval_loss"
