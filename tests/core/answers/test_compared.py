from __future__ import annotations

import numpy as np
import pytest

from lib.core.answers.compared import compared
from lib.core.config.diff import DiffRow, differences
from lib.core.config.report import effective_table, to_csv
from lib.core.curves.metric_curves import MetricCurve, complete_curve
from lib.core.facts.runs import RunSummary

LORA = {"lora_r": 16, "lora_alpha": 32, "lora_dropout": 0.05, "lora_target_modules": ["q_proj", "v_proj"]}


def run(number: int, config=None, **columns) -> RunSummary:
    return RunSummary(run_id=f"r{number}", name="r", config=config or {}, **columns)


def rows(*runs: RunSummary, rates=None) -> dict[str, DiffRow]:
    return {row.key: row for row in compared(runs, rates)}


def falling(peak: float, total: int, every: int) -> MetricCurve:
    """A rate that falls in a straight line to 0, logged at every so many steps."""
    steps = np.arange(every, total + 1, every)
    nothing = np.full(len(steps), np.nan)
    return complete_curve(steps, peak * (1 - steps / total), nothing, nothing)


def test_configured_and_logged_rates_are_one_row_that_tells_both():
    found = rows(
        run(1, {"learning_rate": 2e-4}, max_learning_rate=1.99e-4, min_learning_rate=0.0),
        run(2, {"learning_rate": 1e-4}, max_learning_rate=1e-4, min_learning_rate=1e-9),
    )
    assert set(found) == {"learning_rate"}
    row = found["learning_rate"]
    assert row.shown == ("2e-4", "1e-4")
    assert [others for *_, others, _ in effective_table([row], 0)] == ["highest logged 1.99e-4; lowest logged 0"]


def test_a_schedule_that_is_configured_to_rise_higher_keeps_its_row():
    found = rows(run(1, {"learning_rate": 1e-5, "max_lr": 1e-3}), run(2, {"learning_rate": 1e-5, "max_lr": 1e-2}))
    assert [key for key, row in found.items() if row.differs] == ["max_learning_rate"]


@pytest.mark.parametrize(
    ("configured", "logged", "differs"),
    [
        # A schedule that is logged every 10 of 3,000 steps shows 0.3% less than its peak.
        (5e-7, 4.983e-7, False),
        (3e-5, 2.8499999999999998e-5, True),
        (3e-5, 3.2e-5, True),
        (3e-5, 0.0, True),
    ],
)
def test_what_a_log_rounds_away_is_no_difference(configured, logged, differs):
    found = rows(run(1, {"learning_rate": configured}), run(2, max_learning_rate=logged))
    assert found["learning_rate"].differs == differs


def test_a_peak_that_a_log_cannot_have_shown_is_no_difference():
    # Logged once an epoch of twenty: the first value is 5% below the peak.
    rates = {"r2": falling(3e-5, 53940, 2697)}
    assert float(rates["r2"].value[0]) == pytest.approx(2.85e-5)
    coarse = run(2, max_learning_rate=2.8499999999999998e-5, total_steps=53940)
    found = rows(run(1, {"learning_rate": 3e-5}), coarse, rates=rates)["learning_rate"]
    assert (found.differs, found.shown) == (False, ("3e-5", "2.85e-5"))
    assert rows(run(1, {"learning_rate": 4e-5}), coarse, rates=rates)["learning_rate"].differs
    fine = {"r2": falling(2.85e-5, 53940, 10)}
    assert rows(run(1, {"learning_rate": 3e-5}), coarse, rates=fine)["learning_rate"].differs


def test_two_logs_of_one_rate_agree_in_all_digits_but_the_last():
    found = rows(run(1, max_learning_rate=2.85e-5), run(2, max_learning_rate=2.8499999999999998e-5))
    assert not found["learning_rate"].differs


def test_of_several_only_the_rounded_one_joins_and_the_odd_one_is_marked():
    configured = [run(number, {"learning_rate": 5e-7}) for number in (1, 2)]
    found = rows(*configured, run(3, max_learning_rate=4.983e-7), run(4, {"learning_rate": 1e-6}))["learning_rate"]
    assert found.differs
    assert found.odd == (False, False, False, True)


def test_a_column_of_whole_epochs_does_not_contradict_a_fraction():
    half = run(1, {"num_train_epochs": 2.5})
    assert not rows(half, run(2, total_epochs=3))["total_epochs"].differs
    assert rows(half, run(2, total_epochs=4))["total_epochs"].differs
    assert rows(run(1, {"num_train_epochs": 2.0}), run(2, total_epochs=3))["total_epochs"].differs


def test_the_settings_of_a_method_that_one_run_does_not_use_are_one_difference():
    adapter, full = run(1, {"seed": 1, **LORA}), run(2, {"seed": 1})
    found = rows(adapter, full)
    assert [row.key for row in differences(found.values())] == ["uses LoRA"]
    assert found["uses LoRA"].shown == ("rank 16, alpha 32", "no LoRA")
    assert found["lora_dropout"].shown == ("0.05", "no LoRA")
    assert "no LoRA" in to_csv(tuple(found.values()), ["a", "b"])


def test_runs_that_use_a_method_differently_still_differ_beside_one_that_does_not():
    found = rows(run(1, {"seed": 1, **LORA}), run(2, {"seed": 1, **LORA, "lora_r": 8}), run(3, {"seed": 1}))
    assert {row.key for row in differences(found.values())} == {"uses LoRA", "lora_r", "lora_scaling"}
    assert found["lora_r"].shown == ("16", "8", "no LoRA")


def test_a_run_that_says_full_uses_no_adapter_whatever_else_stands_there():
    found = rows(
        run(1, {"finetuning_type": "lora", **LORA}),
        run(2, {"finetuning_type": "full", **LORA, "lora_r": 8}),
    )
    assert {row.key for row in differences(found.values())} == {"uses LoRA", "finetuning_type"}


def test_a_run_without_a_configuration_has_not_recorded_a_method():
    found = rows(run(1, {"seed": 1, **LORA}), run(2, {"trainer_state": {"num_train_epochs": 3}}))
    assert found["uses LoRA"].shown == ("rank 16, alpha 32", "not recorded")
    assert not found["uses LoRA"].differs


def test_sections_of_which_a_run_has_nothing_are_one_row_and_those_that_all_have_are_not():
    dpo = {"dpo": {"beta": 0.1, "label_smoothing": 0.0, "reference_free": False}, "seed": 1}
    found = rows(run(1, dpo), run(2, {"seed": 1}))
    (row,) = differences(found.values())
    assert row.shown[1] == "no DPO"
    data = {"data": {"format": "chat", "shuffle": True}, "seed": 1}
    assert {each.key for each in differences(compared([run(1, data), run(2, {"seed": 1})]))} == {
        "data.format", "data.shuffle"
    }  # fmt: skip
