"""The hyperparameter page: what really changed, which config contradicts itself, and what was in effect."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from tests.app.harness import DIFF, App, plain, write_run

COLUMNS = ["Parameter", "Value", "From", "Other places", "Group"]


@pytest.fixture
def odd(demo) -> list[str]:
    """Runs whose configs have a rank in three places, a stray colon, two eval splits, and warm-up twice."""
    ids = {run.name: run.run_id for run in demo.runs}
    return [demo.longest, demo.hostile, ids["legal-qa-gemma-9b"]]


def effective(app: App) -> pd.DataFrame:
    (table,) = [each.value for each in app.at.dataframe if list(each.value.columns) == COLUMNS]
    return table.set_index("Parameter")


def about(app: App, heading: str) -> list[str]:
    """The sentences below a heading."""
    (text,) = [each.value for each in app.at.markdown if each.value.startswith("- **") and heading in plain(each.value)]
    return [plain(line.removeprefix("- ")) for line in text.splitlines()]


def test_contradictions_name_the_run_both_places_and_the_one_that_counts(opened, demo, odd):
    app = opened(DIFF, run=odd)
    app.assert_sound()
    assert "Contradictions (4)" in app.headings
    rank, *_, split = about(app, "LoRA rank")
    assert rank.startswith(demo.labels[demo.longest])
    for place in ("config.lora.r = 32", "config.training.lora_config.r = 16", "config.training.lora_r = 8"):
        assert place in rank
    assert rank.endswith("The trainer uses config.lora.r.")
    assert "config.eval_split = 0.2, config.data.eval_split = 0.1" in split
    assert "config.eval_split is taken to be the one" in split
    (warmup,) = [line for line in about(app, "LoRA rank") if "warmup_ratio" in line]
    assert "The Hugging Face trainer uses config.training.warmup_steps" in warmup


def test_a_typo_is_told_with_what_was_probably_meant(opened, odd):
    app = opened(DIFF, run=odd)
    assert "Probable typos (1)" in app.headings
    assert about(app, "Target modules")[0].endswith("Probably down_proj was meant.")


def test_configs_in_order_have_a_sentence_of_their_own(opened, demo):
    app = opened(DIFF, run=demo.alike)
    app.assert_sound()
    assert "Contradictions (0)" in app.headings
    assert "No config contradicts itself" in app.text


def test_the_effective_configuration_says_where_values_are_from(opened, odd):
    app = opened(DIFF, run=odd)
    table = effective(app)
    assert list(table.loc["LoRA rank"][["Value", "From"]]) == ["32", "config.lora.r"]
    assert table.loc["LoRA rank", "Other places"] == (
        "overrides config.training.lora_config.r = 16, config.training.lora_r = 8"
    )
    assert table.loc["Effective batch size", "From"].startswith("derived: config.training.batch_size × ")
    assert "tokens per optimizer step on average" in app.text

    app.turn("selectbox", "effective_run", 1)
    app.assert_sound()
    assert effective(app).loc["LoRA rank", "Value"] == "64"


def test_one_run_has_its_effective_configuration_and_no_comparison(opened, demo):
    app = opened(DIFF, run=[demo.longest])
    app.assert_sound()
    table = effective(app)
    assert app.headings[0] == f"Hyperparameters ({len(table)})"
    assert "Effective configuration" not in app.headings


def test_the_search_narrows_every_section(opened, odd):
    app = opened(DIFF, run=odd, find="warm-up")
    app.assert_sound()
    assert {"Warm-up steps", "Warm-up in effect, share"} <= set(effective(app).index)
    assert "Contradictions (1)" in app.headings


def test_another_spelling_of_the_same_configuration_is_no_difference(on_folder: Callable[..., App], tmp_path):
    write_run(
        tmp_path / "a", [1.0], args={"learning_rate": 2e-4, "num_train_epochs": 3, "max_grad_norm": 1.0, "note": None}
    )
    write_run(tmp_path / "b", [1.0], args={"lr": "2e-4", "num_epochs": 3.0, "gradient_clip_val": 1})
    app = on_folder(tmp_path, DIFF, run=["a", "b"])
    app.assert_sound()
    assert "Different values (0)" in app.headings
    assert "The selected runs have the same hyperparameters." in app.text
