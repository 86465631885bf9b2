"""What was found of a run as a short list: many spikes of one metric are one line, all else stays."""

from __future__ import annotations

import numpy as np

from lib.core.answers.grouped import grouped
from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.findings import Severity
from lib.core.facts.runs import RunSummary
from lib.report.compared import judge


def found(spikes, **facts):
    """What is found of a run whose gradient norms have these spikes, by step."""
    step = np.arange(1, 1001)
    norms = 1.0 + 0.05 * np.random.default_rng(3).normal(size=len(step))
    for at, height in spikes.items():
        norms[at - 1] = height
    nothing = np.full(len(step), np.nan)
    curves = {"a": RunCurves("a", {"grad_norm": complete_curve(step, norms, nothing, nothing)})}
    run = RunSummary(run_id="a", name="a", **facts)
    compared = judge([run], curves, {"a": "a"}, None)
    return grouped(compared.assessed["a"].checks, run)


def test_many_spikes_of_a_metric_are_one_line_with_the_largest():
    spikes = {100 * at: 5.0 + at for at in range(1, 9)} | {900: 34.1}
    lines = found(spikes)
    assert (Severity.WARNING, "9 spikes of gradient norm, the largest 34.1 at step 900.") in lines
    assert sum("spikes" in sentence for _, sentence in lines) == 1


def test_one_spike_is_told_as_it_is():
    (said,) = [sentence for _, sentence in found({500: 20.0}) if "spike" in sentence]
    assert said.startswith("Gradient norm spikes to 20.0 at step 500")


def test_a_log_of_epochs_is_told_in_epochs():
    lines = found({100: 9.0, 300: 12.0}, current_step=1000, current_epoch=1000.0)
    assert any(sentence == "2 spikes of gradient norm, the largest 12.0 at epoch 300." for _, sentence in lines)
