from __future__ import annotations

from lib.core.config.diff import diff
from lib.core.config.report import effective_table, odd_settings, tokens_per_step
from lib.core.config.setting import Oddity
from lib.core.facts.runs import RunSummary

ODD = {
    "lora": {"r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "down_proj:"]},
    "training": {
        "lora_config": {"r": 16}, "lora_r": 8, "warmup_steps": 10, "warmup_ratio": 0.1, "batch_size": 4,
        "packing": None,
    },
    "provider": {"api_key": "sk-0123456789"},
}  # fmt: skip


def run(number, config=None, **columns):
    return RunSummary(run_id=f"r{number}", name="r", config=config or {}, **columns)


def test_what_is_odd_is_told_once_for_each_run_with_places_and_the_one_that_counts():
    found = odd_settings(diff([run(1, {"seed": 1}), run(2, ODD)]))
    assert [(one.run, one.kind, one.titles) for one in found] == [
        (1, Oddity.CONTRADICTION, ("Warm-up steps", "Warm-up ratio")),
        (1, Oddity.CONTRADICTION, ("LoRA rank",)),
        (1, Oddity.TYPO, ("Target modules",)),
    ]
    assert found[0].used == "config.training.warmup_steps"
    assert found[1].places == (("config.lora.r", "8"), ("config.training.lora_config.r", "16"))
    assert found[1].used == "config.lora.r"
    assert odd_settings(diff([run(1, {"seed": 1})])) == ()


def test_the_effective_table_names_the_places_that_are_overridden_and_those_that_agree():
    table = {title: rest for title, *rest in effective_table(diff([run(1), run(2, ODD, batch_size=4)]), 1)}
    assert table["LoRA rank"] == [
        "8", "config.lora.r", "overrides config.training.lora_config.r = 16; same in config.training.lora_r", "LoRA",
    ]  # fmt: skip
    assert table["Batch size"] == ["4", "config.training.batch_size", "same in column batch_size", "batch"]
    assert table["Packing"][0] == "null"
    assert table["Warm-up in effect, share"][:2] == [
        "cannot tell", "derived: config.training.warmup_steps, all steps not known",
    ]  # fmt: skip
    assert table["Warm-up ratio"][2] == ""


def test_a_run_that_does_not_state_a_parameter_has_no_row_for_it():
    assert effective_table(diff([run(1), run(2, ODD)]), 0) == []


def test_no_secret_is_in_the_report():
    rows = diff([run(1, ODD), run(2, ODD | {"training": {"api_key": "sk-9876543210"}, "api_key": "sk-1111111111"})])
    report = repr([effective_table(rows, number) for number in range(2)]) + repr(odd_settings(rows))
    assert "sk-" not in report
    assert "••••" in report


def test_tokens_per_step_are_those_that_the_job_counted():
    assert tokens_per_step(run(1, total_tokens_processed=1000, current_step=10)) == 100
    assert tokens_per_step(run(1, total_tokens_processed=1000)) is None
    assert tokens_per_step(run(1, total_tokens_processed=1000, current_step=0)) is None
    assert tokens_per_step(run(1, total_tokens_processed=1000, current_step=9, resumed_from_run_id="r0")) is None
