"""What the reader makes of real logs."""

from __future__ import annotations

from collections import Counter

import pytest

from lib.core.facts.query import RunQuery
from lib.core.facts.runs import RunStatus
from lib.data.folder.source import FolderSource

SWEEP = {"2": ["3e-5", "4e-5"], "4": ["3e-5", "4e-5"], "8": ["3e-6", "2e-5", "3e-5", "4e-5", "3e-4", "1e-3"]}
"""Learning rates by batch size: a folder is called by both."""


def curves_of(source, run):
    return source.load_curves([run.run_id])[run.run_id]


def test_the_sweep_lists_eleven_runs(logs):
    source = FolderSource(logs / "hf_trainer_state" / "semeval_human_values")
    page = source.list_runs(RunQuery(limit=1000))
    runs = {run.name: run for run in page.runs}
    assert set(runs) == {f"{batch} {rate}" for batch in SWEEP for rate in SWEEP[batch]} | {"final_model"}
    assert {run.status for run in runs.values()} == {RunStatus.COMPLETED}
    assert page.unreadable == ()
    assert any('"2 3e-5"' in note for note in runs["final_model"].notes)
    assert any('"final_model"' in note for note in runs["2 3e-5"].notes)
    assert runs["final_model"].batch_size is None
    assert "eval_f1-score/Benevolence: caring" in curves_of(source, runs["8 3e-5"]).curves


def test_every_format_that_is_there_is_listed(source, runs, logs):
    page = source.list_runs(RunQuery(limit=1000))
    assert page.unreadable == ()
    assert {"mt5_news_summaries", "tinyllama_dpo", "8 3e-5"} <= set(runs)
    by_format = Counter(run.formats[0] for run in page.runs)
    assert by_format["Hugging Face Trainer"] == 13
    assert page.total >= 13


def test_a_sweep_of_text_logs(logs):
    if not (logs / "text_logs" / "nanogpt_optimizers").is_dir():
        return
    source = FolderSource(logs / "text_logs" / "nanogpt_optimizers")
    found = sorted((run.best_eval_loss, run.best_step) for run in source.list_runs(RunQuery(limit=9)).runs)
    assert found == [(3.2752, 5100), (3.2755, 5100), (3.276, 5100), (3.2858, 5100), (3.3406, 5100)]


@pytest.mark.parametrize(
    ("place", "count"),
    [
        ("tensorboard/nanogpt_hyperbolic", 11),
        ("llamafactory/llamafactory_grpo", 1),
        ("wandb/nanogpt_tokenizers", 10),
        ("lightning/protein_bert", 2),
        ("lightning/videollava_qlora", 2),
    ],
)
def test_each_run_is_listed_once_however_many_forms_it_has(logs, place, count):
    if not (logs / place).is_dir():
        return
    page = FolderSource(logs / place).list_runs(RunQuery(limit=99))
    assert (page.total, page.unreadable, page.looked_at) == (count, (), None)


def test_an_aborted_run_says_where_its_log_ends(logs):
    if not (logs / "llamafactory" / "llamafactory_grpo").is_dir():
        return
    (run,) = FolderSource(logs / "llamafactory" / "llamafactory_grpo").list_runs(RunQuery()).runs
    assert run.progress == pytest.approx(0.04, abs=0.001)
    assert run.status is not RunStatus.COMPLETED


@pytest.mark.parametrize(
    ("name", "best", "step", "last_loss"),
    [
        ("8 3e-6", 0.3416, 13500, 0.2926),
        ("8 2e-5", 0.3325, 2025, 0.0415),
        ("8 3e-5", 0.3293, 2025, 0.0203),
        ("8 4e-5", 0.3317, 1350, 0.0136),
        ("8 1e-3", 0.3626, 13500, 0.3243),
    ],
)
def test_losses_are_those_of_the_log(runs, name, best, step, last_loss):
    run = runs[name]
    assert (round(run.best_eval_loss, 4), run.best_step, run.loss) == (best, step, last_loss)
    assert run.status is RunStatus.COMPLETED
    assert run.batch_size == 8
    assert run.max_learning_rate == float(name.split()[1])


def test_a_stopped_run_is_not_called_completed(source, runs):
    run = runs["mt5_news_summaries"]
    assert run.status_text == "log ends at step 7,000 of 9,411"
    assert run.progress == pytest.approx(0.7438, abs=1e-4)
    assert {"train_loss", "eval_loss", "eval_rouge1", "learning_rate"} <= curves_of(source, run).curves.keys()


def test_a_run_on_preferences_keeps_all_its_metrics(source, runs):
    run = runs["tinyllama_dpo"]
    curves = curves_of(source, run)
    # 29 keys, less step, epoch and the five of the closing summary.
    assert len(curves.curves) == 29 - 2 - 5
    assert (curves.get("rewards/margins").value < 0).any()
    assert run.duration_s == pytest.approx(21062.2956)
    assert run.samples_per_second == 8.826
    assert run.config == {
        "trainer_state": {"num_train_epochs": 3, "logging_steps": 10, "eval_steps": 100, "save_steps": 500}
    }
