"""Metrics that nobody logs: worked out of what is logged and configured, and shown where they tell something new."""

from __future__ import annotations

import math
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from lib.core.curves.derived import DERIVATIONS, DERIVED, divided, logged_for, telling, with_derived
from lib.core.curves.evidence import median_of
from lib.core.curves.metric_curves import RunCurves, complete_curve, cut, extended
from lib.core.facts.metrics import METRICS
from lib.core.facts.runs import RunSummary
from tests.curves import check_curve, reduced

PER_GPU = "tokens_per_second_per_gpu"


def curves_of(values=(8.0, math.nan, 16.0, 24.0), unread=()):
    step = np.arange(1, len(values) + 1)
    speed = complete_curve(step, np.array(values, "float64"), step / 2.0, step * 1.0)
    return RunCurves("r", MappingProxyType({"tokens_per_second": speed}), tuple(unread))


def run_of(num_gpus):
    return RunSummary(run_id="r", name="r", num_gpus=num_gpus)


def test_every_derived_metric_has_a_function_of_its_name():
    assert DERIVATIONS.keys() == DERIVED


def test_throughput_is_divided_by_the_number_of_gpus():
    curve = with_derived(curves_of(), run_of(4)).get(PER_GPU)
    check_curve(curve)
    assert np.array_equal(curve.value, [2.0, math.nan, 4.0, 6.0], equal_nan=True)
    assert (curve.logged, curve.lost, median_of(curve)) == (4, 1, 4.0)


def test_of_a_reduced_curve_the_extremes_and_the_median_are_those_of_all_values():
    values = 1000.0 + np.random.default_rng(7).normal(0.0, 50.0, 5000)
    values[4321] = 9000.0
    whole = curves_of(values).get("tokens_per_second")
    few = replace(reduced(whole, 20), median=median_of(whole))
    derived = with_derived(RunCurves("r", {"tokens_per_second": few}), run_of(8)).get(PER_GPU)
    every = divided(whole, 8)
    assert len(derived) < derived.logged == 5000
    assert derived.value.max() == every.value.max() == 1125.0
    assert derived.value.min() == every.value.min()
    assert median_of(derived) == pytest.approx(median_of(every), rel=1e-12)


@pytest.mark.parametrize("gpus", [None, 0, -1])
def test_an_unknown_number_of_gpus_is_never_guessed(gpus):
    derived = with_derived(curves_of(), run_of(gpus))
    assert PER_GPU not in derived.curves
    assert telling([derived]) == set()


def test_one_gpu_says_nothing_new_unless_it_is_beside_several():
    one, four = (with_derived(curves_of(), run_of(gpus)) for gpus in (1, 4))
    assert one.get(PER_GPU) is one.get("tokens_per_second")
    assert telling([one, one]) == set()
    assert telling([one, four]) == {PER_GPU}
    assert telling([]) == set()


def test_without_throughput_there_is_none():
    assert with_derived(RunCurves("r"), run_of(4)).curves == {}


def test_what_a_metric_is_derived_from_is_asked_for_in_its_place():
    assert logged_for(["train_loss", PER_GPU, "tokens_per_second", "own"]) == ("train_loss", "tokens_per_second", "own")
    assert logged_for([]) == ()


def test_a_metric_whose_parts_were_not_asked_for_is_unread_as_they_are():
    found = with_derived(RunCurves("r", unread=("tokens_per_second", "perplexity")), run_of(4))
    assert found.unread[:2] == ("tokens_per_second", "perplexity")
    assert PER_GPU in found.unread
    assert PER_GPU in telling([found])
    read = with_derived(replace(curves_of(), unread=found.unread[1:]), run_of(4))
    assert PER_GPU not in read.unread


def test_what_grows_or_is_cut_is_derived_anew():
    held = with_derived(curves_of(), run_of(4))
    step = np.array([4, 5])
    news = RunCurves("r", {"tokens_per_second": complete_curve(step, np.array([40.0, 80.0]), step / 2.0, step * 1.0)})
    grown = with_derived(extended(held, news, 4), run_of(4))
    assert grown.get(PER_GPU).value.tolist()[-2:] == [10.0, 20.0]
    assert len(grown.get(PER_GPU)) == 5
    assert with_derived(cut(held, 4, 4), run_of(2)).get(PER_GPU).value.tolist() == [12.0]


def test_titles_say_that_it_is_derived():
    metric = METRICS[PER_GPU]
    assert "derived" in metric.axis_title
    assert metric.column is not None
    assert "Derived" in metric.column.meaning
