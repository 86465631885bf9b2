"""Logs of one program with equal train losses: two runs where the model measured otherwise, whatever the metric is."""

from __future__ import annotations

import pytest

from lib.data.formats.forms.agreement import Verdict, agreement_of_curves
from tests.data.formats.forms.logs import falling, form, series
from tests.data.formats.forms.test_same import DENSE, SPARSE, grouped


def log(path, name, first, *, scale=2.0):
    """A train loss beside ten values that rise from ``first`` in steps of 0.0131."""
    values = series(SPARSE, [first + 0.0131 * at for at in range(len(SPARSE))])
    return form(path, {"train_loss": falling(DENSE, scale, 4), name: values}, "Table")


@pytest.mark.parametrize("name", ["holdout_score", "bleu", "spearman", "pass_at_1", "success_rate"])
def test_another_value_of_the_model_makes_two_runs(name):
    assert grouped(log("x/a.csv", name, 0.5), log("x/b.csv", name, 0.5057)) == [[0], [1]]
    assert grouped(log("x/a.csv", name, 0.5), log("x/b.csv", name, 0.5)) == [[0, 1]]
    assert grouped(log("x/a.csv", name, 0.5), log("x/b.csv", name, 50.0)) == [[0], [1]]


@pytest.mark.parametrize("name", ["dt", "step_time", "gpu_mem", "tokens/s", "grad_norm", "local_loss", "rank_accuracy"])
def test_what_a_clock_or_one_process_measured_makes_no_two_runs(name):
    assert grouped(log("x/rank0.csv", name, 0.5), log("x/rank1.csv", name, 0.5057)) == [[0, 1]]


def test_what_only_one_of_the_logs_has_makes_no_two_runs():
    assert grouped(log("x/train.csv", "bleu", 0.5), log("x/eval.csv", "spearman", 0.5057)) == [[0, 1]]


def test_values_at_both_ends_of_what_a_number_can_be_are_compared():
    ends = [1e308, 2.5, -1e308, -1e308, 2.0, 2.5]
    curve = series(range(1, 7), ends)
    assert agreement_of_curves(curve, curve).verdict is not Verdict.TWO_RUNS
    assert agreement_of_curves(curve, series(range(1, 7), ends[::-1])).verdict is Verdict.TWO_RUNS
