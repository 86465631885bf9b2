"""How many examples an evaluation had, by its time and its rate; and the classes that scores were logged for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.aspects.sizes import Size, evaluated_batch, evaluated_sizes, named_classes
from lib.core.curves.metric_curves import RunCurves, complete_curve


def curve(values):
    unknown = np.full(len(values), np.nan)
    steps = np.arange(1, len(values) + 1, dtype=np.int64) * 10
    return complete_curve(steps, np.array(values, dtype=np.float64), unknown, unknown)


def logged(sizes, seconds, batch=8, name=""):
    """As a trainer rounds what it logs."""
    steps = [-(-size // batch) for size in sizes]
    values = {
        "runtime": [round(each, 4) for each in seconds],
        "samples_per_second": [round(size / each, 3) for size, each in zip(sizes, seconds, strict=True)],
        "steps_per_second": [round(count / each, 3) for count, each in zip(steps, seconds, strict=True)],
    }
    return RunCurves("a", {f"eval_{name}{key}": curve(each) for key, each in values.items()})


@given(
    size=st.integers(1, 20_000),
    batch=st.integers(1, 64),
    seconds=st.lists(st.floats(0.05, 2_000.0), min_size=1, max_size=20),
)
def test_the_size_lies_within_what_rounding_leaves(size, batch, seconds):
    found = evaluated_sizes(logged([size] * len(seconds), seconds, batch)).get("")
    # Many examples in no time leave several numbers, and the bounds still hold the true one.
    assert found is None or found.low <= size <= found.high


def test_an_ordinary_evaluation_has_one_size_and_one_batch():
    curves = logged([1896] * 5, [61.3021, 60.98, 61.5, 61.7777, 60.1])
    assert evaluated_sizes(curves) == {"": Size(1896, 1896)}
    assert evaluated_batch(curves) == 8


def test_named_sets_have_sizes_of_their_own():
    curves = {**logged([500] * 2, [9.0, 9.1]).curves, **logged([70] * 2, [2.0, 2.1], name="dev_").curves}
    assert evaluated_sizes(RunCurves("a", curves)) == {"": Size(500, 500), "dev": Size(70, 70)}


def test_the_size_of_most_evaluations_counts():
    assert evaluated_sizes(logged([500, 500, 900], [9.0, 9.1, 9.2])) == {"": Size(500, 500)}
    assert evaluated_sizes(logged([500, 900], [9.0, 9.1])) == {}


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_a_time_that_is_none_says_nothing(value):
    curves = RunCurves("a", {"eval_runtime": curve([value]), "eval_samples_per_second": curve([50.0])})
    assert evaluated_sizes(curves) == {}
    assert evaluated_batch(curves) is None


CLASSES = {
    "by a slash": ("eval_f1/Cat eval_f1/Dog eval_loss", "cat dog"),
    "by an underline": ("eval_f1_cat eval_f1_dog eval_f1_macro", "cat dog"),
    "before the score": ("eval_LOC_precision eval_LOC_recall eval_PER_precision", "loc per"),
    "of several scores that with most": ("eval_f1/a eval_f1/b eval_recall/a eval_recall/b eval_recall/c", "a b c"),
    "one": ("eval_f1/a", ""),
    "means": ("eval_f1/macro eval_f1/micro eval_f1_weighted_avg eval_precision_macro", ""),
    "cuts": ("eval_precision_at_5 eval_precision_at_10 eval_recall@10", ""),
    "kinds of overlap": ("eval_rouge1_precision eval_rouge2_precision", ""),
    "benchmarks": ("eval_mmlu_accuracy eval_arc_accuracy", ""),
    "sets": ("eval_dev_recall eval_test_recall eval_dev_loss eval_test_runtime", ""),
    "of training": ("train_f1/a train_f1/b", ""),
}


@pytest.mark.parametrize(("names", "classes"), CLASSES.values(), ids=CLASSES)
def test_the_classes_that_scores_were_logged_for(names, classes):
    assert named_classes(names.split()) == frozenset(classes.split())


@pytest.mark.parametrize("name", ["top" + "1" * 200 + "!", "top" + "1k" * 200 + "!", "per_" + "f1" * 200 + "/"])
def test_the_name_of_a_metric_is_read_in_the_time_of_its_length(name):
    # Where each part of a row of digits is tried as a word of its own, this takes longer than there is time.
    assert named_classes([f"eval_f1/{name}", "eval_f1/plain"]) in (frozenset(), {"plain", name})
