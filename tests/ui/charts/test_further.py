"""Further metrics are offered in groups."""

from __future__ import annotations

from lib.ui.charts.further import groups


def titles(metrics, chosen=()):
    return {group["title"]: [each["key"] for each in group["metrics"]] for group in groups(metrics, chosen)}


def test_metrics_of_one_kind_are_a_group_and_the_others_stand_alone():
    classes = [f"eval_f1/class {number}" for number in range(20)]
    speed = ["eval_runtime", "eval_samples_per_second", "eval_steps_per_second"]
    found = titles([*classes, "eval_accuracy", *speed, "rewards/chosen", "rewards/rejected"])
    assert found == {
        "": ["eval_accuracy", "rewards/chosen", "rewards/rejected"],
        "F1": classes,
        "Evaluation speed": speed,
    }


def test_what_a_trainer_puts_before_every_name_is_no_kind():
    assert list(titles(["eval/a", "eval/b", "eval/c", "train/a", "train/b", "train/d"])) == [""]


def test_every_metric_is_offered_once_and_says_whether_it_is_chosen():
    metrics = ["a/x", "a/y", "a/z", "b", "perplexity"]
    found = [each for group in groups(metrics, ["a/y", "not logged"]) for each in group["metrics"]]
    assert sorted(each["key"] for each in found) == sorted(metrics)
    assert [each["key"] for each in found if each["chosen"]] == ["a/y"]
    assert groups([], []) == []
