"""Classes of runs that compare, by what decides; and how far a run came from its first evaluation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.comparability import comparability_of, relative_improvement
from lib.core.ranking.comparability_aspects import Aspect
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.ranking.scoring import LeftOut
from lib.core.verdict.reasons import LEFT_OUT as WORDS
from tests.core.ranking.comparable_runs import DIFFERENT, DPO, LABELS, LLAMA_3_8B, LLAMA_3_70B, curve, run_of


def classes_of(runs, **how):
    return [each.run_ids for each in comparability_of(runs, **how).classes]


def test_nothing_recorded_is_one_class_with_doubts():
    runs = [RunSummary(run_id=name, name=name) for name in "abc"]
    found = comparability_of(runs)
    assert classes_of(runs) == [("a", "b", "c")]
    assert found.classes[0].unsure


def test_a_run_that_says_nothing_joins_no_one_of_two_classes_that_differ():
    silent = RunSummary(run_id="z", name="z")
    first, again, other = run_of("a"), run_of("b"), run_of("c", packing=True)
    assert classes_of([first, again, silent]) == [("a", "b", "z")]
    assert classes_of([first, again, silent, other]) == [("a", "b"), ("c",), ("z",)]


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one(count):
    runs = [run_of("a")][:count]
    found = comparability_of(runs)
    assert (len(found.classes), found.pairs) == (count, ())


@given(
    configs=st.lists(
        st.fixed_dictionaries(
            {
                "method": st.sampled_from(["sft", "dpo", ...]),
                "packing": st.sampled_from([True, False, ...]),
                "base_model": st.sampled_from([LLAMA_3_8B, LLAMA_3_70B, "Qwen/Qwen3-8B", "mine", ...]),
                "eval_split": st.sampled_from([0.1, 0.2, ...]),
            }
        ),
        min_size=1,
        max_size=5,
    ),
    shuffle=st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=40)
def test_classes_are_an_equivalence_relation_whatever_the_order(configs, shuffle):
    runs = [run_of(str(position), **config) for position, config in enumerate(configs)]
    found = comparability_of(runs)
    ids = [run_id for each in found.classes for run_id in each.run_ids]
    # Each run is in one class: the relation is reflexive, symmetric and transitive.
    assert sorted(ids) == sorted(run.run_id for run in runs)
    for pair in found.pairs:
        first, second = pair.run_ids
        together = found.class_of(first) is found.class_of(second)
        assert not (together and pair.agreement is DIFFERENT)
    shuffled = list(runs)
    shuffle.shuffle(shuffled)
    assert comparability_of(shuffled) == found


def test_a_run_that_was_not_compared_has_no_class():
    with pytest.raises(KeyError):
        comparability_of([run_of("a")]).class_of("b")


OF_LOSS = {
    "loss_type": ({**DPO, "loss_type": "ipo"}, {**DPO, "loss_type": "sigmoid"}),
    "label_smoothing": ({"label_smoothing_factor": 0.1}, {"label_smoothing_factor": 0.0}),
    "masking": ({}, {"completion_only_loss": False}),
    "packing": ({}, {"packing": True}),
    "tokenizer": ({}, {"base_model": "Qwen/Qwen2.5-7B"}),
    "max_seq_length": ({"packing": True}, {"packing": True, "max_length": 4096}),
    "reduction": ({"loss_reduction": "sum"}, {"loss_reduction": "mean"}),
    "chat_template": ({"template": "llama3"}, {"template": "qwen"}),
    "vocabulary": ({"vocab_size": 100_000}, {"vocab_size": 128_000}),
    "beta": (DPO, {**DPO, "beta": 0.5}),
    "reference": (DPO, {**DPO, "base_model": LLAMA_3_70B}),
}
"""What differs in an aspect that only matters for a loss."""


@pytest.mark.parametrize(("key", "configs"), OF_LOSS.items(), ids=OF_LOSS)
def test_aspects_of_the_loss_keep_apart_only_where_a_loss_decides(key, configs):
    runs = [run_of(name, **config) for name, config in zip("ab", configs, strict=True)]
    assert Aspect(key).of_loss
    assert len(comparability_of(runs).classes) == 2
    assert classes_of(runs, of_loss=False) == [("a", "b")]


def test_data_labels_and_method_keep_apart_whatever_decides():
    always = {aspect for aspect in Aspect if not (aspect.of_loss or aspect.of_reward)}
    assert always == {Aspect.METHOD, Aspect.DATASET, Aspect.EVAL_SPLIT, Aspect.LABELS, Aspect.QUANTIZATION}
    for other in (DPO, {"dataset": "x/other"}, {"eval_split": 0.2}):
        assert len(classes_of([run_of("a"), run_of("b", **other)], of_loss=False)) == 2
    assert len(classes_of([run_of("a", **LABELS(2)), run_of("b", **LABELS(3))], of_loss=False)) == 2


def test_leaving_the_loss_out_is_the_same_as_never_having_looked_at_it():
    runs = [run_of("a"), run_of("b", packing=True), run_of("c", dataset="x/other"), run_of("d", method=...)]
    found = comparability_of(runs)
    assert found.but_for_loss == comparability_of(runs, of_loss=False)
    assert found.but_for_loss.but_for_loss == found.but_for_loss
    assert comparability_of(runs[:1]).but_for_loss == comparability_of(runs[:1])


@pytest.mark.parametrize(
    ("values", "share"),
    [
        ([2.0, 1.5, 1.0, 1.2], 0.5),
        ([1.0, 1.5], 0.0),
        ([1.0, 0.0], 1.0),
        ([1.0, np.nan, 0.75], 0.25),
        ([1.0], None),
        ([], None),
        ([np.nan, 1.0], None),
        ([0.0, 1.0], None),
        ([-1.0, -2.0], None),
        ([1.0, -2.0], None),
    ],
)
def test_the_improvement_on_the_first_evaluation(values, share):
    assert relative_improvement(curve(values)) == share


def test_repeats_are_not_evaluations():
    assert relative_improvement(curve([2.0, 1.0, 0.5]).where(np.array([True, True, False]))) == 0.5
    assert relative_improvement(curve([2.0, 1.0]).where(np.array([True, False]))) is None


def rewarded(run_id, *functions, **more):
    names = ["reward", "eval_reward", *(f"rewards/{name}/mean" for name in functions), *more]
    curves = {name: curve(more.get(name, [0.1, 0.4, 0.5, 0.6])) for name in names}
    return run_of(run_id, method="grpo"), RunCurves(run_id, curves)


def ranked_apart(*both, by=None):
    runs = [replace(run, status=RunStatus.COMPLETED) for run, _ in both]
    decision = decide(runs, {run.run_id: curves for run, curves in both}, DEFAULT_POLICY, by=by)
    return [(other.run_ids, other.differing) for other in decision.other_classes]


def test_an_evaluation_before_training_alone_is_none_of_the_run():
    base = RunCurves("b", {"eval_loss": curve([2.5])})
    runs = [replace(run_of(name), status=RunStatus.COMPLETED) for name in "ab"]
    curves = {"a": RunCurves("a", {"eval_loss": curve([2.5, 1.5, 1.2])}), "b": base}
    (left_out,) = decide(runs, curves, DEFAULT_POLICY).recommendation.unscorable
    assert (left_out.run_id, left_out.code) == ("b", LeftOut.BASE_ONLY)
    assert WORDS[left_out.code] == "evaluated only before training, as the base model"


def test_rewards_of_other_functions_are_apart_where_a_reward_decides_and_nowhere_else():
    score = {"eval_accuracy": [0.1, 0.4, 0.5, 0.6]}
    same = rewarded("a", "length", **score), rewarded("b", "length", **score)
    other = rewarded("c", "length", "format", **score)
    assert ranked_apart(*same) == []
    assert ranked_apart(*same, other) == [(("c",), (Aspect.REWARD,))]
    assert ranked_apart(*same, other, by="eval_accuracy") == []
