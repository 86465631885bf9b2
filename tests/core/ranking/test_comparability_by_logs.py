"""What the logs of two runs, the sizes of their evaluations and their names say of whether they compare."""

from __future__ import annotations

import itertools

import pytest

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunSummary
from lib.core.ranking.comparability import comparability_of
from lib.core.ranking.comparability_aspects import Aspect
from tests.core.ranking.comparable_runs import (
    CLASSIFIER,
    COMPLETE,
    DIFFERENT,
    DPO,
    GRPO,
    NO_SPLIT,
    SAME,
    UNSURE,
    agreement_in,
    curve,
    pair_of,
    run_of,
)

TRAINER = "train_loss grad_norm learning_rate eval_loss"
PAIRED = f"{TRAINER} rewards/chosen rewards/rejected rewards/accuracies logps/chosen"
SINGLE = f"{TRAINER} kl rewards/chosen rewards/rejected rewards/margins logps/chosen"
GROUPED = f"{TRAINER} reward reward_std kl completions/mean_length"
REWARDED = f"{GROUPED} rewards/a/mean rewards/a/std rewards/b/mean rewards/b/std"
SILENT, SFT = {"method": ...}, {"method": "sft"}
CLASSES = f"{TRAINER} eval_f1/a eval_f1/b"

# aspect, one run with the names it logged, the other, their agreement in it
MODELLED = f"{TRAINER} min_reward max_reward mean_reward accuracy"
LOGGED = {
    "DPO beside SFT": ("method", SILENT, PAIRED, SILENT, f"{TRAINER} mean_token_accuracy", DIFFERENT),
    "DPO beside losses": ("method", SILENT, PAIRED, SILENT, TRAINER, DIFFERENT),
    "DPO beside nothing but losses": ("method", SILENT, PAIRED, SILENT, "train_loss eval_loss", DIFFERENT),
    "DPO beside evaluations alone": ("method", SILENT, PAIRED, SILENT, "eval_loss", UNSURE),
    "a reward model beside losses": ("method", SILENT, MODELLED, SILENT, "train_loss eval_loss", DIFFERENT),
    "DPO beside a classifier": ("method", SILENT, PAIRED, SILENT, "eval_macro-avg-f1score eval_loss", DIFFERENT),
    "DPO beside a stated SFT": ("method", SILENT, PAIRED, SFT, "", DIFFERENT),
    "DPO and KTO": ("method", SILENT, PAIRED, SILENT, SINGLE, DIFFERENT),
    "DPO and CPO": ("method", SILENT, PAIRED, SILENT, f"{PAIRED} nll_loss", UNSURE),
    "DPO and ORPO": ("method", SILENT, PAIRED, SILENT, f"{PAIRED} log_odds_ratio", DIFFERENT),
    "DPO twice, one by its losses only": ("method", DPO, PAIRED, DPO, TRAINER, SAME),
    "DPO twice, one stated": ("method", SILENT, PAIRED, DPO, PAIRED, UNSURE),
    "a log against its configuration": ("method", SFT, PAIRED, SFT, TRAINER, DIFFERENT),
    "two logs against their configurations": ("method", SFT, GROUPED, {"method": "dpo"}, GROUPED, UNSURE),
    "GRPO beside losses": ("method", SILENT, GROUPED, SILENT, TRAINER, DIFFERENT),
    "GRPO twice": ("method", GRPO, GROUPED, GRPO, TRAINER, SAME),
    "GRPO and an SFT judged by a reward": ("method", SILENT, GROUPED, SFT, f"{TRAINER} eval_reward", DIFFERENT),
    "SFT twice, one generates": ("method", SFT, f"{TRAINER} eval_rouge1 completions/mean_length", SFT, TRAINER, SAME),
    "GRPO by an option of its own": ("method", {"method": ..., "scale_rewards": True}, GROUPED, GRPO, GROUPED, SAME),
    "the same rewards": ("reward", GRPO, REWARDED, GRPO, f"{GROUPED} rewards/a eval_rewards/b/mean", SAME),
    "one more reward": ("reward", GRPO, f"{GROUPED} rewards/a/mean", GRPO, REWARDED, DIFFERENT),
    "one more that may weigh nothing": (
        "reward", GRPO, f"{GROUPED} rewards/a/mean", {**GRPO, "reward_weights": [1.0, 0.0]}, REWARDED, UNSURE,
    ),
    "rewards by other names": ("reward", GRPO, REWARDED, GRPO, f"{GROUPED} rewards/a/mean rewards/c/mean", UNSURE),
    "rewards that are weighed otherwise": (
        "reward", {**GRPO, "reward_weights": [1.0, 1.0]}, REWARDED, {**GRPO, "reward_weights": [1.0, 0.5]}, REWARDED,
        DIFFERENT,
    ),
    "one reward that was not logged by itself": ("reward", GRPO, GROUPED, GRPO, REWARDED, None),
    "rewards of answers are no functions": ("reward", DPO, PAIRED, DPO, f"{PAIRED} rewards/margins", None),
    "DPO, one with the loss of the chosen": ("loss_type", DPO, PAIRED, DPO, f"{PAIRED} nll_loss", DIFFERENT),
    "the same, by the logs alone": ("loss_type", SILENT, PAIRED, SILENT, f"{PAIRED} nll_loss", UNSURE),
    "the same of evaluations alone": ("loss_type", DPO, "eval_loss", DPO, f"{PAIRED} nll_loss", None),
    "losses twice": ("method", SILENT, TRAINER, SILENT, TRAINER, UNSURE),
    "a word of one's own beside DPO": ("method", {"method": "distil"}, "", SILENT, PAIRED, UNSURE),
    "a word of one's own twice": ("method", {"method": "distil"}, TRAINER, {"method": "distil"}, TRAINER, SAME),
    "the same classes": ("labels", CLASSIFIER, CLASSES, CLASSIFIER, CLASSES, SAME),
    "other classes": ("labels", CLASSIFIER, CLASSES, CLASSIFIER, f"{TRAINER} eval_f1/a eval_f1/c", DIFFERENT),
    "a class that was never met": ("labels", CLASSIFIER, CLASSES, CLASSIFIER, f"{CLASSES} eval_f1/c", UNSURE),
    "means over classes": (
        "labels", CLASSIFIER, "eval_f1_macro eval_f1_micro", CLASSIFIER, "eval_f1_weighted eval_f1_macro", None,
    ),
    "classes of an SFT": ("labels", SFT, CLASSES, SFT, f"{TRAINER} eval_f1/c eval_f1/d", None),
    "entities": (
        "labels", SILENT, "eval_LOC_precision eval_PER_precision eval_f1", SILENT,
        "eval_LOC_precision eval_ORG_precision eval_f1", DIFFERENT,
    ),
    "named sets are no classes": (
        "labels", CLASSIFIER, "eval_dev_precision eval_test_precision eval_dev_loss eval_test_loss", CLASSIFIER,
        "eval_x_precision eval_y_precision eval_x_loss eval_y_loss", None,
    ),
}  # fmt: skip


ALPACA, CHAT = {"path": "tatsu-lab/alpaca", "type": "alpaca"}, {"path": "x/chat", "type": "chat"}
LISTED = {
    "the same, in another order": ({"datasets": [ALPACA, CHAT]}, {"datasets": [CHAT, ALPACA]}, SAME),
    "one more": ({"datasets": [ALPACA]}, {"datasets": [ALPACA, CHAT]}, DIFFERENT),
    "another": ({"datasets": [ALPACA]}, {"datasets": [CHAT]}, DIFFERENT),
    "another part of the same": ({"datasets": [ALPACA]}, {"datasets": [{**ALPACA, "split": "train[:50%]"}]}, UNSURE),
    "by another template": ({"datasets": [ALPACA]}, {"datasets": [{**ALPACA, "type": "chat"}]}, UNSURE),
    "one by its name alone": ({"datasets": [{"path": "tatsu-lab/alpaca"}]}, {"dataset": "tatsu-lab/alpaca"}, UNSURE),
    "held out": (
        {"datasets": [ALPACA], "test_datasets": [CHAT]}, {"datasets": [ALPACA], "test_datasets": [CHAT]}, SAME,
    ),
    "one is cut out": ({"datasets": [ALPACA], "test_datasets": [CHAT]}, {"datasets": [ALPACA]}, UNSURE),
    "none": ({"datasets": []}, {"datasets": [ALPACA]}, UNSURE),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other", "agreement"), LISTED.values(), ids=LISTED)
def test_a_labelled_pair_by_lists_of_datasets(one, other, agreement):
    first, second = ({"dataset": ..., **each} for each in (one, other))
    for pair in (
        pair_of(run_of("a", **first), run_of("b", **second)),
        pair_of(run_of("a", **second), run_of("b", **first)),
    ):
        assert agreement_in(pair, "dataset") is agreement


def logged_by(run_id, names):
    return RunCurves(run_id, {name: curve([1.0, 0.9]) for name in names.split()})


@pytest.mark.parametrize(("key", "first", "ones", "second", "others", "agreement"), LOGGED.values(), ids=LOGGED)
def test_a_labelled_pair_of_logs(key, first, ones, second, others, agreement):
    for (one, of_one), (other, of_other) in itertools.permutations([(first, ones), (second, others)]):
        curves = {"a": logged_by("a", of_one), "b": logged_by("b", of_other)}
        (pair,) = comparability_of([run_of("a", **one), run_of("b", **other)], curves).pairs
        assert agreement_in(pair, key) is agreement


def timed(run_id, *sizes, runtime=12.3456, rounded=3, **more):
    """Evaluations of so many examples, as a trainer logs their times and rates."""
    seconds = [round(runtime + 0.01 * turn, 4) for turn in range(len(sizes))]
    rates = [round(size / each, rounded) for size, each in zip(sizes, seconds, strict=True)]
    curves = {"eval_loss": [0.5] * len(sizes), "eval_runtime": seconds, "eval_samples_per_second": rates, **more}
    return RunCurves(run_id, {name: curve(values) for name, values in curves.items()})


# one run with the sizes of its evaluations, the other, their agreement in the split
SIZED = {
    "one size": ({}, [500] * 3, {}, [500] * 3, SAME),
    "two sizes": ({}, [500] * 3, {}, [480] * 3, DIFFERENT),
    "two sizes, splits not recorded": (NO_SPLIT, [500] * 3, NO_SPLIT, [501] * 3, DIFFERENT),
    "one size, splits not recorded": (NO_SPLIT, [500] * 3, NO_SPLIT, [500] * 9, SAME),
    "a large size, rounded": (NO_SPLIT, [200_000] * 3, NO_SPLIT, [200_000], SAME),
    "the test set at the end": (NO_SPLIT, [500, 500, 500, 900], NO_SPLIT, [500] * 3, SAME),
    "evaluations that do not agree": (NO_SPLIT, [500, 900], NO_SPLIT, [500, 500], UNSURE),
    "the last batch dropped": ({"eval_batch_size": 8}, [500] * 3, {"eval_batch_size": 8}, [496] * 3, UNSURE),
    "the last batch filled up": (
        {"eval_batch_size": 8, "num_gpus": 4}, [500] * 3, {"eval_batch_size": 8}, [512] * 3, UNSURE,
    ),
    "more than a batch": ({"eval_batch_size": 8}, [500] * 3, {"eval_batch_size": 8}, [480] * 3, DIFFERENT),
    "other shares, as many": ({}, [500] * 3, {"eval_split": 0.2}, [500] * 3, UNSURE),
    "other names, as many": ({"eval_split": "validation"}, [500], {"eval_split": "test"}, [500], DIFFERENT),
    "packed texts are no examples": ({"packing": True}, [500] * 3, {}, [140] * 3, SAME),
    "other data need no size": ({}, [500] * 3, {"dataset": "x/other"}, [480] * 3, None),
    "one eval set, other sizes": (
        {"eval_file": "d/a.jsonl"}, [500] * 3, {"eval_file": "d/a.jsonl"}, [400] * 3, DIFFERENT,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("first", "ones", "second", "others", "agreement"), SIZED.values(), ids=SIZED)
def test_a_labelled_pair_by_the_sizes_of_evaluations(first, ones, second, others, agreement):
    for (one, of_one), (other, of_other) in itertools.permutations([(first, ones), (second, others)]):
        curves = {"a": timed("a", *of_one), "b": timed("b", *of_other, runtime=3.2109)}
        (pair,) = comparability_of([run_of("a", **one), run_of("b", **other)], curves).pairs
        assert agreement_in(pair, "eval_split") is agreement


def test_sizes_of_named_sets_are_compared_set_by_set():
    runs = [run_of("a"), run_of("b")]
    named = {"eval_dev_runtime": [2.0, 2.0], "eval_dev_samples_per_second": [50.0, 50.0]}
    other = {**named, "eval_dev_samples_per_second": [60.0, 60.0]}
    curves = {"a": timed("a", 500, 500, **named), "b": timed("b", 500, 500, **other)}
    (pair,) = comparability_of(runs, curves).pairs
    assert pair.aspects[Aspect.EVAL_SPLIT].shown == ("100 eval examples of dev", "120 eval examples of dev")


@pytest.mark.parametrize(
    ("losses", "others", "agreement"),
    [([2.0, 1.5], [1.8, 1.2], None), ([2.0, 1.5], [700.0, 420.0], UNSURE), ([1e25, 1e25], [700.0, 420.0], None)],
)
def test_losses_that_no_mean_can_be_may_be_sums(losses, others, agreement):
    curves = {name: RunCurves(name, {"eval_loss": curve(each)}) for name, each in (("a", losses), ("b", others))}
    (pair,) = comparability_of([run_of("a"), run_of("b")], curves).pairs
    assert agreement_in(pair, "reduction") is agreement


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("focal-loss", "cross-entropy"), ("focal loss by its name", "cross entropy by its name")),
        (("focal-loss", "baseline"), ("focal loss by its name", None)),
        (("focal-1", "focal-2"), None),
        (("balance", "dicey"), None),
        (("baseline", "second"), None),
    ],
)
def test_the_name_of_a_run_is_a_hint_at_its_formula_and_no_more(names, shown):
    first, second = (RunSummary(run_id=name, name=name, config={"training": {**COMPLETE}}) for name in names)
    pair = comparability_of([second, first]).pairs[0]
    found = pair.aspects.get(Aspect.LOSS_TYPE)
    if shown is None:
        assert found is None
    else:
        assert (found.agreement, set(found.shown)) == (UNSURE, set(shown))
