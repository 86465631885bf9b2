"""The demo runs show what the app is for."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

import numpy as np
import pytest

from lib.core.curves.evidence import evidence_of, with_evidence
from lib.core.facts.runs import RunStatus, RunSummary, eval_loss_of, train_loss_of
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.ranking.scoring import Recommendation
from lib.data.demo.source import EmbeddedSource
from tests.data.demo.rows import curve, with_metrics
from tests.demo.specs import DEMO_NOW

SOURCE = EmbeddedSource()
IDENTITY_KEYS = {"output_dir", "execution_id"}


def flat(value: object, path: str = "") -> dict[str, object]:
    if not isinstance(value, dict):
        return {path: value}
    return {k: v for key, part in value.items() for k, v in flat(part, f"{path}.{key}".strip(".")).items()}


def verdict_on(runs: list[RunSummary]) -> Recommendation:
    curves = SOURCE.load_curves([run.run_id for run in runs])
    known = [with_evidence(run, evidence_of(curves[run.run_id])) for run in runs]
    return decide(known, curves, DEFAULT_POLICY).recommendation


def test_there_are_enough_runs_models_and_datasets(runs):
    assert len(runs) >= 14
    assert len({run.base_model for run in runs}) == 4
    assert len({run.dataset for run in runs}) == 3
    assert len({run.run_id for run in runs}) == len(runs)
    assert all(run.dataset_name != run.dataset for run in runs)


def test_curves_have_realistic_length(runs, frame):
    counts = [len(curve(frame, run, "train_loss")) for run in with_metrics(frame, runs)]
    assert min(counts) >= 300
    assert max(counts) <= 3000
    for run in with_metrics(frame, runs):
        assert len(curve(frame, run, "eval_loss")) >= 15


def test_five_runs_of_one_day_differ_in_learning_rate_and_rank_alone(same_day):
    configs = [flat(json.loads(json.dumps(run.config))) for run in same_day]
    differing = {key for key in configs[0] if len({repr(config.get(key)) for config in configs}) > 1}
    assert all(config.keys() == configs[0].keys() for config in configs)
    assert {key.rsplit(".")[-1] for key in differing - IDENTITY_KEYS} == {"learning_rate", "r", "lora_r"}
    assert len({(c["training.learning_rate"], c["lora.r"]) for c in configs}) == 5
    assert len({(run.batch_size, run.warmup_steps, run.total_steps, run.num_gpus) for run in same_day}) == 1


def test_among_those_five_the_lowest_eval_loss_wins_in_spite_of_its_gap(same_day):
    verdict = verdict_on(same_day)
    assert len(verdict.scores) == 5
    assert verdict.run_id == min(same_day, key=eval_loss_of).run_id
    assert verdict.winner.gap_label == "moderate overfitting"
    assert {score.gap_label for score in verdict.scores} >= {"good", "excellent"}
    assert verdict.margin > 1.0


def test_stored_best_losses_agree_with_the_rows_but_for_one_run(runs, frame):
    above = []
    for run in with_metrics(frame, runs):
        losses = curve(frame, run, "eval_loss")
        assert losses[run.best_step] == run.best_eval_loss
        if run.best_eval_loss > losses.min():
            above.append(run)
    assert len(above) == 1
    assert above[0].status is RunStatus.COMPLETED


def test_one_completed_run_overfits_after_a_third_of_its_steps(runs, frame):
    rebounds = {}
    for run in with_metrics(frame, runs, RunStatus.COMPLETED):
        losses = curve(frame, run, "eval_loss")
        rebounds[run.run_id] = (losses.iloc[-1] - losses.min(), losses.idxmin() / run.total_steps)
    rise, turn = max(rebounds.values())
    assert rise > 0.3
    assert 0.25 < turn < 0.4


def test_one_failed_run_diverges_to_values_that_are_not_finite(runs, frame):
    diverged = [run for run in with_metrics(frame, runs) if curve(frame, run, "train_loss").isna().any()]
    assert [run.status for run in diverged] == [RunStatus.FAILED]
    losses = curve(frame, diverged[0], "train_loss")
    assert losses.max() > 3 * losses.iloc[len(losses) // 2]
    assert losses.iloc[-5:].isna().all()
    assert np.isinf(curve(frame, diverged[0], "grad_norm")).any()
    assert curve(frame, diverged[0], "eval_loss").isna().any()
    assert np.isnan(diverged[0].loss)
    assert np.isnan(diverged[0].eval_loss)


def test_every_status_occurs_and_one_is_a_synonym(runs):
    assert {run.status for run in runs} == set(RunStatus) - {RunStatus.UNKNOWN}
    assert [run.raw_status for run in runs if run.raw_status != run.status.value] == ["succeeded"]


def test_the_running_run_is_recent_and_its_duration_stands_still(runs, frame):
    (run,) = [run for run in runs if run.status is RunStatus.RUNNING]
    assert timedelta(0) <= DEMO_NOW - run.updated_at < timedelta(minutes=5)
    assert run.completed_at is None
    assert 0.4 < run.progress < 0.9
    assert run.duration_s == (run.updated_at - run.started_at).total_seconds()
    assert len(curve(frame, run, "eval_loss")) >= 30


def test_nothing_happens_after_the_moment_at_which_the_demo_stands_still(runs, raw):
    assert raw["timestamp"].max() <= DEMO_NOW
    moments = [m for r in runs for m in (r.created_at, r.started_at, r.completed_at, r.updated_at) if m]
    assert max(moments) <= DEMO_NOW


def test_stopped_runs_have_no_end_but_a_duration(runs):
    stopped = [run for run in runs if run.status in (RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.PAUSED)]
    assert len(stopped) >= 4
    assert all(run.completed_at is None and run.duration_s > 600 for run in stopped)
    assert all(run.error_message for run in stopped if run.status is RunStatus.FAILED)


def test_the_queued_run_has_neither_metrics_nor_losses(runs, frame):
    (run,) = [run for run in runs if run.status is RunStatus.QUEUED]
    assert run.run_id not in set(frame["run_id"])
    assert (run.started_at, run.duration_s, run.loss, run.eval_loss) == (None, None, None, None)
    assert run.progress == 0.0


def test_one_completed_run_has_an_eval_loss_below_its_train_loss(runs):
    leaks = [run for run in runs if run.status is RunStatus.COMPLETED and eval_loss_of(run) < train_loss_of(run)]
    assert len(leaks) == 1
    assert verdict_on(leaks).winner.gap_label == "potential data leakage"


def test_names_are_long_foreign_and_full_of_markup(runs):
    names = [run.name for run in runs]
    assert max(map(len, names)) == 60
    assert any(not name.isascii() for name in names)
    assert any("<b>" in name and "|" in name for name in names)


def test_one_run_was_resumed_and_repeats_steps(runs, raw):
    (run,) = [run for run in runs if run.resumed_from_run_id]
    parent = SOURCE.load_runs([run.resumed_from_run_id])[0]
    assert run.resumed_from_checkpoint.startswith(parent.config["output_dir"])
    rows = raw[(raw["job_id"] == run.run_id) & raw["train_loss"].notna()]
    assert rows["step"].min() > 1000
    assert (rows["step"].diff() < 0).sum() == 1
    assert rows["step"].duplicated().any()


def test_one_run_trains_all_weights(runs):
    full = [run for run in runs if "lora" not in run.config]
    assert len(full) == 1
    assert not any("lora" in key for key in flat(full[0].config))
    assert (full[0].num_gpus, full[0].distributed_strategy) == (4, "deepspeed_zero3")


def test_train_and_eval_values_of_a_step_are_two_rows(raw):
    evals = raw[raw["eval_loss"].notna() & raw["train_loss"].isna()]
    trains = raw[raw["train_loss"].notna()]
    both = evals.merge(trains, on=["job_id", "step"])
    assert len(both) >= len(evals)
    assert (both["id_x"] != both["id_y"]).all()


def test_one_writer_repeats_its_last_evaluation(runs, frame):
    repeating = [
        run
        for run in with_metrics(frame, runs)
        if (curve(frame, run, "eval_loss").diff() == 0).mean() > 0.9  # a few in a row, not by chance
    ]
    assert len(repeating) == 1


def test_some_providers_log_neither_tokens_nor_memory(runs, frame):
    lacking = Counter()
    for run in with_metrics(frame, runs):
        for metric in ("tokens_per_second", "gpu_memory_allocated_gb", "train_loss", "learning_rate"):
            lacking[metric] += curve(frame, run, metric).empty
    assert lacking == {
        "tokens_per_second": 1,
        "gpu_memory_allocated_gb": 1,
        "train_loss": 0,
        "learning_rate": 0,
    }


def test_stored_speed_is_once_steps_per_second_and_once_null(runs, frame):
    shares = {}
    for run in with_metrics(frame, runs):
        median = curve(frame, run, "samples_per_second").median()
        shares[run.run_id] = None if run.samples_per_second is None else run.samples_per_second / median
    assert list(shares.values()).count(None) == 1
    odd = [run_id for run_id, share in shares.items() if share is not None and share < 0.5]
    assert len(odd) == 1
    run = SOURCE.load_runs(odd)[0]
    effective = run.batch_size * run.gradient_accumulation_steps * run.num_gpus
    assert shares[odd[0]] * effective == pytest.approx(1.0, abs=0.1)


def test_the_stored_learning_rate_is_the_last_scheduled_one(runs, frame):
    for run in with_metrics(frame, runs):
        rates = curve(frame, run, "learning_rate")
        assert run.learning_rate == rates.iloc[-1]
        assert rates.max() <= run.max_learning_rate * 1.000001
        assert rates.argmax() > 0 or run.resumed_from_run_id  # there is a warm-up
    completed = with_metrics(frame, runs, RunStatus.COMPLETED)
    assert sum(run.learning_rate < 0.01 * run.max_learning_rate for run in completed) >= 8


def test_perplexity_is_the_exponential_of_the_loss(runs, frame):
    for run in with_metrics(frame, runs):
        for metric, loss in (("perplexity", "eval_loss"), ("train_perplexity", "train_loss")):
            expected = np.exp(curve(frame, run, loss))
            np.testing.assert_allclose(curve(frame, run, metric), expected, rtol=1e-4)


def test_memory_of_one_run_creeps_until_it_fails(runs, frame):
    growth = {}
    for run in with_metrics(frame, runs):
        memory = curve(frame, run, "gpu_memory_allocated_gb")
        if not memory.empty:
            growth[run.run_id] = memory.iloc[-20:].median() - memory.iloc[:20].median()
            assert (memory <= curve(frame, run, "gpu_memory_reserved_gb")).all()
    creeping = SOURCE.load_runs([run_id for run_id, gb in growth.items() if gb > 2])
    assert len(creeping) == 1
    assert "out of memory" in creeping[0].error_message


def test_gradients_fall_and_spike_and_some_losses_spike_with_them(runs, frame):
    spiking = 0
    for run in with_metrics(frame, runs, RunStatus.COMPLETED):
        norms = curve(frame, run, "grad_norm")
        usual = norms.rolling(51, center=True, min_periods=1).median()
        spiking += (norms > 2 * usual).any()
        if not run.resumed_from_run_id:
            assert norms.iloc[:5].median() > 1.2 * norms.median()
    assert spiking >= 8


def test_throughput_dips_after_evaluations(runs, frame):
    run = next(run for run in with_metrics(frame, runs, RunStatus.COMPLETED) if run.name == "support-llama-8b")
    speed = curve(frame, run, "tokens_per_second")
    after = curve(frame, run, "eval_loss").index + run.config["training"]["logging_steps"]
    assert speed[speed.index.isin(after)].median() < 0.85 * speed.median()


def test_most_completed_runs_name_their_best_checkpoint(runs):
    completed = [run for run in runs if run.status is RunStatus.COMPLETED]
    named = [run for run in completed if run.best_checkpoint_path]
    assert 0.7 * len(completed) < len(named) < len(completed)
    assert all(run.best_checkpoint_path.endswith(f"checkpoint-{run.best_step}") for run in named)


def test_configurations_are_nested_and_have_the_contradictions_of_real_ones(runs):
    top = {"model", "tokenizer", "training", "data", "predictions", "metadata", "provider", "evaluation"}
    top |= {"seed", "dataset_path", "output_dir", "execution_id", "eval_split"}
    configs = [run.config for run in runs]
    assert all(top <= config.keys() <= top | {"lora"} for config in configs)
    trainings = [config["training"] for config in configs]
    assert all({"save_steps", "save_total_limit", "load_best_model_at_end"} <= part.keys() for part in trainings)
    ranks = [
        {c["lora"]["r"], c["training"]["lora_config"]["r"], c["training"]["lora_r"]} for c in configs if "lora" in c
    ]
    assert max(map(len, ranks)) == 3
    assert min(map(len, ranks)) == 1
    assert any({"warmup_steps", "warmup_ratio"} <= part.keys() for part in trainings)
    assert any(config["eval_split"] != config["data"]["eval_split"] for config in configs)
    targets = [part["lora_config"]["target_modules"] for part in trainings if "lora_config" in part]
    assert sum("down_proj:" in modules for modules in targets) == 1
    assert any(isinstance(part["learning_rate"], str) for part in trainings)
    assert any("per_device_train_batch_size" in part for part in trainings)
    assert any("quantization" in part for part in trainings)


def test_one_provider_shows_a_key_that_is_obviously_none(runs):
    keys = [run.config["provider"]["api_key"] for run in runs if "api_key" in run.config["provider"]]
    assert keys == ["demo-not-a-real-key"]
