"""The hyperparameter page: what really changed, which config contradicts itself, and what was in effect."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest

from tests.app.cards import Cards
from tests.app.harness import DIFF, App, write_run


@pytest.fixture
def odd(demo) -> list[str]:
    """Runs whose configs have a rank in three places, a stray colon, two eval splits, and warm-up twice."""
    ids = {run.name: run.run_id for run in demo.runs}
    return [demo.longest, demo.hostile, ids["legal-qa-gemma-9b"]]


def notes(app: App) -> dict[str, list[str]]:
    """By heading, what is odd about single configurations."""
    (body,) = [body for body in app.html_bodies if 'aria-label="Notes"' in body]
    (card,) = re.findall(r'<section class="card" aria-label="Notes">.*?</section>', body)
    found = {}
    for heading, said in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", card):
        found[heading] = [Cards([each]).text for each in (re.findall(r"<p.*?</p>", said) or [said])]
    return found


def test_contradictions_name_the_run_both_places_and_the_one_that_counts(opened, demo, odd):
    app = opened(DIFF, run=odd)
    app.assert_sound()
    found = notes(app)["Contradictions (4)"]
    (rank,) = [line for line in found if "LoRA rank" in line]
    (split,) = [line for line in found if "config.eval_split = 0.2, config" in line and line.startswith("legal")]
    assert rank.startswith(demo.labels[demo.longest][:10])
    for place in ("config.lora.r = 32", "config.training.lora_config.r = 16", "config.training.lora_r = 8"):
        assert place in rank
    assert rank.endswith("The trainer uses config.lora.r.")
    assert "config.eval_split = 0.2, config.data.eval_split = 0.1" in split
    assert "config.eval_split is taken to be the one" in split
    (warmup,) = [line for line in found if "warmup_ratio" in line]
    assert "The Hugging Face trainer uses config.training.warmup_steps" in warmup


def test_a_typo_is_told_with_what_was_probably_meant(opened, odd):
    (typo,) = notes(opened(DIFF, run=odd))["Probable typos (1)"]
    assert "Target modules" in typo
    assert typo.endswith("Probably down_proj was meant.")


def test_configs_in_order_have_a_sentence_of_their_own(opened, demo):
    app = opened(DIFF, run=demo.alike)
    app.assert_sound()
    assert notes(app) == {"Contradictions": ["None found."]}


def test_the_page_opens_with_what_differs_and_the_recommended_run_stands_first(opened, demo):
    app = opened(DIFF, run=demo.alike)
    app.assert_sound()
    assert app.headings[0] == "3 of 55 settings differ: learning rate, LoRA rank, LoRA scaling"
    heads, *rows = app.cards.tables[0]
    assert heads == [
        *("Setting", "lr 2e-4 · r 64 ★", "lr 2e-4 · r 16", "lr 5e-4 · r 64", "lr 1e-4 · r 16", "lr 5e-5 · r 8"),
    ]
    assert rows[:3] == [
        ["Learning rate", "2e-4", "2e-4", "5e-4", "1e-4", "5e-5"],
        ["LoRA rank", "64", "16", "64", "16", "8"],
        ["LoRA scaling (alpha / rank)", "0.5", "2", "0.5", "2", "4"],
    ]
    assert "All names begin with support-llama-8b" in app.text
    # No value has a majority against it.
    assert app.cards.odd == []


def test_results_have_the_digits_that_the_verdict_gives_them(opened, demo):
    runs = demo.alike[:2]
    rows = {title: values for title, *values in opened(DIFF, run=runs).cards.tables[0]}
    said = " ".join(opened(run=runs).panel)
    for title in ("Score", "Eval loss at its best step", "Gap there"):
        assert all(value in said for value in rows[title]), (title, rows[title])


def test_one_cell_against_the_rest_is_shaded_and_a_row_that_differs_everywhere_is_not(on_folder, tmp_path):
    for place, seed in enumerate((1, 1, 7, 1)):
        write_run(tmp_path / f"run-{place}", [1.0], args={"seed": seed, "learning_rate": 1e-4 * (place + 1)})
    app = on_folder(tmp_path, DIFF, run=[f"run-{place}" for place in range(4)])
    app.assert_sound()
    assert app.cards.odd == ["7"]
    assert "shaded: against the rest" in app.text


def test_a_learning_rate_is_one_row_with_all_its_places(opened, demo):
    app = opened(DIFF, run=demo.alike[:2])
    titles = [title for table in app.cards.tables for title, *_ in table]
    assert "Learning rate" in titles
    assert not {"Max learning rate", "Min learning rate"} & set(titles)
    _, source, others = app.cards.table("Setting", "Value", "From")["Learning rate"]
    assert source == "config.training.learning_rate"
    assert "highest logged" in others


def test_a_method_that_a_run_does_not_use_is_one_row(on_folder, tmp_path):
    lora = {"lora_r": 16, "lora_alpha": 32, "lora_dropout": 0.1, "lora_target_modules": ["q_proj"]}
    write_run(tmp_path / "adapter", [1.0], args={"learning_rate": 1e-4, "seed": 1, **lora})
    write_run(tmp_path / "full", [1.0], args={"learning_rate": 1e-4, "seed": 2})
    app = on_folder(tmp_path, DIFF, run=["adapter", "full"])
    assert app.headings[0] == "2 of 8 settings differ: LoRA, seed"
    lines = app.cards.table("Setting")
    assert sorted(lines["LoRA"]) == ["no LoRA", "rank 16, alpha 32"]
    assert "LoRA dropout" not in lines


def test_below_the_table_stands_which_change_can_be_credited(opened, demo):
    app = opened(DIFF, run=demo.alike[:3])
    (body,) = [body for body in app.html_bodies if 'aria-label="Credit"' in body]
    assert "The difference in eval loss can be credited with" in body
    assert "beyond the noise" in body
    alone = opened(DIFF, run=demo.alike[:1])
    assert not any('aria-label="Credit"' in body for body in alone.html_bodies)


def test_a_switch_brings_equal_settings_into_the_table_and_into_what_is_copied(opened, demo):
    def copied(app: App) -> list[str]:
        (body,) = [body for body in app.html_bodies if "data-copied" in body]
        return html.unescape(body.partition("data-copied")[2].removesuffix("</pre>")).splitlines()

    app = opened(DIFF, run=demo.alike[:3])
    few = len(app.cards.table("Setting", "lr 2e-4 · r 64 ★"))
    # Header, line and the rows that differ; results are no settings.
    assert len(copied(app)) == 2 + 3
    app.turn("checkbox", "widget:equal", True).assert_sound()
    assert app.link["equal"] == ["1"]
    assert len(app.cards.table("Setting", "lr 2e-4 · r 64 ★")) > few + 40
    assert len(copied(app)) > 50
    assert "Same in all runs" not in app.headings


def test_one_run_has_its_effective_configuration_with_its_places_and_no_comparison(opened, demo):
    app = opened(DIFF, run=[demo.longest])
    app.assert_sound()
    table = app.cards.table("Setting", "Value", "From", "Other places")
    assert table["LoRA rank"] == [
        "32",
        "config.lora.r",
        "overrides config.training.lora_config.r = 16, config.training.lora_r = 8",
    ]
    assert table["Effective batch size"][1].startswith("derived: config.training.batch_size × ")
    assert "tokens per optimizer step on average" in app.text
    assert "differ" not in app.headings[0]


def test_the_search_narrows_every_section(opened, odd):
    app = opened(DIFF, run=odd, find="warm-up")
    app.assert_sound()
    titles = {title for table in app.cards.tables for title, *_ in table}
    assert {"Warm-up steps", "Warm-up in effect, share"} <= titles
    assert "Optimizer" not in titles
    assert "Contradictions (1)" in notes(app)


def test_another_spelling_of_the_same_configuration_is_no_difference(on_folder: Callable[..., App], tmp_path):
    write_run(
        tmp_path / "a", [1.0], args={"learning_rate": 2e-4, "num_train_epochs": 3, "max_grad_norm": 1.0, "note": None}
    )
    write_run(tmp_path / "b", [1.0], args={"lr": "2e-4", "num_epochs": 3.0, "gradient_clip_val": 1})
    app = on_folder(tmp_path, DIFF, run=["a", "b"])
    app.assert_sound()
    assert app.headings[0] == "None of the 3 settings differs"


def test_names_of_base_models_stand_where_the_other_values_of_their_runs_do(on_folder, tmp_path):
    for name, model in (("a", "meta-llama/Llama-3.1-8B-Instruct"), ("b", "mistralai/Mistral-7B-Instruct-v0.3")):
        args = {"model_name_or_path": model, "run_note": f"{name}, a text of some words that is read"}
        write_run(tmp_path / name, [1.0, 0.5], [0.8, 0.6], args=args)
    app = on_folder(tmp_path, DIFF, run=["a", "b"])
    (body,) = [body for body in app.html_bodies if "Llama-3.1-8B-Instruct</span></td>" in body]
    found = dict(re.findall(r'<th scope="row">(.*?)</th><td class="(.*?)"', body))
    assert found["Base model"] == "value"
    (text,) = [kind for title, kind in found.items() if "note" in title]
    assert text == "value long", "what is read as a text begins at the left"
