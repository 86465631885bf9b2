"""Laws and borders of reading database rows."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.facts.errors import MalformedRow
from lib.core.facts.runs import RunStatus, RunSummary
from lib.data.tables.job_rows import is_credential, run_from_row

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
RUN_ID = "0b9f2d1c-7c1e-4a3e-9a55-000000000001"

# Column -> (what the row holds, where it must be found, what must be there).
COLUMNS = {
    "id": (RUN_ID, "run_id", RUN_ID),
    "user_id": ("u-1", "extra", "u-1"),
    "status": ("Succeeded", "raw_status", "Succeeded"),
    "model_name": ("support-bot", "name", "support-bot"),
    "dataset_path": ("datasets/1/a.jsonl", "dataset", "datasets/1/a.jsonl"),
    "base_model": ("llama", "base_model", "llama"),
    "current_step": (50, "current_step", 50),
    "total_steps": (200, "total_steps", 200),
    "current_epoch": (1.5, "current_epoch", 1.5),
    "total_epochs": (3, "total_epochs", 3.0),
    "progress": (37.5, "progress", 0.375),
    "learning_rate": (0.0, "learning_rate", 0.0),
    "max_learning_rate": ("2e-4", "max_learning_rate", 2e-4),
    "min_learning_rate": (1e-6, "min_learning_rate", 1e-6),
    "batch_size": (4, "batch_size", 4),
    "gradient_accumulation_steps": (8, "gradient_accumulation_steps", 8),
    "warmup_steps": (0, "warmup_steps", 0),
    "num_gpus": (2, "num_gpus", 2),
    "distributed_strategy": ("fsdp", "distributed_strategy", "fsdp"),
    "loss": (Decimal("0.75"), "loss", 0.75),
    "eval_loss": (np.float32(0.5), "eval_loss", 0.5),
    "grad_norm": (1.25, "extra", 1.25),
    "perplexity": (2.5, "perplexity", 2.5),
    "train_perplexity": (2.25, "extra", 2.25),
    "best_eval_loss": (0.45, "best_eval_loss", 0.45),
    "final_loss": (0.7, "final_loss", 0.7),
    "final_eval_loss": (0.48, "final_eval_loss", 0.48),
    "best_epoch": (2, "best_epoch", 2.0),
    "best_step": (40, "best_step", 40),
    "epochs_without_improvement": (1, "extra", 1),
    "loss_trend": ("stable", "extra", "stable"),
    "best_checkpoint_path": ("out/checkpoint-40", "best_checkpoint_path", "out/checkpoint-40"),
    "gpu_memory_allocated_gb": (20.5, "extra", 20.5),
    "gpu_memory_reserved_gb": (24, "extra", 24),
    "gpu_utilization_percent": (97, "extra", 97),
    "samples_per_second": (3.5, "samples_per_second", 3.5),
    "total_samples": (1000, "total_samples", 1000),
    "train_samples": (900, "train_samples", 900),
    "val_samples": (100, "val_samples", 100),
    "total_tokens_processed": (5_000_000_000, "total_tokens_processed", 5_000_000_000),
    "created_at": ("2026-03-01T08:00:00+00:00", "created_at", START),
    "started_at": (pd.Timestamp(START), "started_at", START),
    "completed_at": (np.datetime64("2026-03-01T09:00:00"), "completed_at", START + timedelta(hours=1)),
    "updated_at": ("2026-03-01 09:00:05+00", "updated_at", START + timedelta(hours=1, seconds=5)),
    "elapsed_seconds": (3590.0, "extra", 3590.0),
    "remaining_seconds": (0, "extra", 0),
    "config": ('{"training": {"learning_rate": 2e-4}}', "config", {"training": {"learning_rate": 2e-4}}),
    "resumed_from_job_id": ("parent", "resumed_from_run_id", "parent"),
    "resumed_from_checkpoint": ("out/checkpoint-10", "resumed_from_checkpoint", "out/checkpoint-10"),
    "error_message": ("out of memory", "error_message", "out of memory"),
    "parameter_updates": ([{"step": 5}], "extra", [{"step": 5}]),
    "job_token": ("s3cr3t-value", None, None),
    "column_of_a_later_version": (7, "extra", 7),
}
ROW = {name: value for name, (value, _, _) in COLUMNS.items()}


def run_of(**columns: object) -> RunSummary:
    return run_from_row({"id": RUN_ID, **columns})


@pytest.mark.parametrize("column", [name for name in COLUMNS if name != "job_token"])
def test_every_column_of_the_jobs_table_is_understood(column):
    _, field, expected = COLUMNS[column]
    run = run_from_row(ROW)
    found = run.extra[column] if field == "extra" else getattr(run, field)
    assert found == expected
    assert run.notes == ()


@given(kept=st.sets(st.sampled_from(sorted(COLUMNS))))
@settings(deadline=None)
def test_any_columns_may_be_missing_or_null_and_a_missing_one_is_the_same_as_a_null(kept):
    present = {name: value for name, value in ROW.items() if name in kept | {"id"}}
    nulls = {name: present.get(name) for name in ROW}
    assert run_from_row(present) == run_from_row(nulls)


def test_a_run_of_which_only_the_id_is_known_has_nothing_but_a_name():
    run = run_of()
    assert run.name == "0b9f2d1c"
    assert run.status is RunStatus.UNKNOWN
    known = {field.name for field in fields(run) if getattr(run, field.name) not in (None, (), {})}
    assert known == {"run_id", "name", "status", "version"}


def test_the_version_follows_from_every_column_that_may_be_kept():
    version = run_from_row(ROW).version
    assert run_from_row(dict(reversed(ROW.items()))).version == version
    assert run_from_row(ROW | {"added_since": None, "job_token": "another"}).version == version
    for changed in ({"added_since": 1}, {"status": "lost"}, {"config": "no JSON"}, {"loss": float("nan")}):
        assert run_from_row(ROW | changed).version != version
    assert run_from_row(ROW | {"loss": float("nan")}).version == run_from_row(ROW | {"loss": float("nan")}).version


@pytest.mark.parametrize("long", ["x" * 500_000, ["y"] * 50_000, {"a": {"b": "é" * 500_000}}, "\ud800" * 9])
def test_the_version_follows_from_what_is_cut_too(long):
    def changed(value: Any) -> Any:
        if isinstance(value, str):
            return value[:-1] + "z"
        return [*value[:-1], "z"] if isinstance(value, list) else {name: changed(each) for name, each in value.items()}

    for column in ("error_message", "config", "added_since"):
        versions = [run_from_row(ROW | {column: value}).version for value in (long, changed(long), copy.deepcopy(long))]
        assert versions[0] == versions[2] != versions[1]


def test_no_credential_is_kept_anywhere():
    columns = ("job_token", "api_key", "hf_token", "wandbApiKey", "WEBHOOK_SECRET", "password", "authorization")
    run = run_from_row({**ROW, **dict.fromkeys(columns, "s3cr3t-value")})
    assert all(is_credential(column) for column in columns)
    assert "s3cr3t-value" not in repr(run)
    assert not is_credential("total_tokens_processed")


@pytest.mark.parametrize("row", [{}, {"id": None}, {"id": "  "}, {"id": pd.NA}, {"id": math.nan}])
def test_a_row_without_an_id_is_malformed_and_the_error_names_table_and_column(row):
    with pytest.raises(MalformedRow, match="jobs_2, column id") as caught:
        run_from_row({"model_name": "x", **row}, "jobs_2")
    assert caught.value.hint


@pytest.mark.parametrize("null", [None, pd.NA, pd.NaT, np.datetime64("NaT")])
def test_every_kind_of_null_is_not_recorded(null):
    run = run_from_row({name: RUN_ID if name == "id" else null for name in ROW})
    assert run == run_of()


@pytest.mark.parametrize("nan", [math.nan, "NaN", np.float32("nan"), Decimal("NaN")])
def test_a_loss_that_is_not_a_number_stays_so_and_is_not_missing(nan):
    run = run_of(eval_loss=nan, best_eval_loss="-Infinity", loss=None)
    assert math.isnan(run.eval_loss)
    assert run.best_eval_loss == -math.inf
    assert run.loss is None


@pytest.mark.parametrize("zero", [0, 0.0, "0", Decimal(0), np.int64(0)])
def test_zero_is_a_value(zero):
    run = run_of(eval_loss=zero, current_step=zero, total_steps=10, progress=None, learning_rate=zero)
    assert (run.eval_loss, run.current_step, run.progress, run.learning_rate) == (0.0, 0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (" SUCCEEDED ", RunStatus.COMPLETED),
        ("starting", RunStatus.RUNNING),
        ("canceled", RunStatus.CANCELLED),
        ("pending", RunStatus.QUEUED),
        ("warp", RunStatus.UNKNOWN),
        (None, RunStatus.UNKNOWN),
    ],
)
def test_status_synonyms_are_folded_and_the_raw_word_is_kept(raw, status):
    run = run_of(status=raw)
    assert run.status is status
    assert run.raw_status == (raw.strip() if raw else None)


def test_the_name_falls_back_to_the_base_model_and_then_to_the_id():
    assert run_of(model_name="a", base_model="b").name == "a"
    assert run_of(model_name=" ", base_model="b").name == "b"
    assert run_of(model_name=math.nan, base_model=None).name == RUN_ID[:8]


@pytest.mark.parametrize(
    ("columns", "seconds"),
    [
        ({"completed_at": START + timedelta(hours=1), "elapsed_seconds": 5}, 3600.0),
        ({"elapsed_seconds": 0, "updated_at": START + timedelta(hours=2)}, 0.0),
        ({"updated_at": START + timedelta(hours=2), "status": "failed"}, 7200.0),
        ({"updated_at": START + timedelta(hours=2), "status": "running"}, None),
        ({"elapsed_seconds": 60, "status": "running"}, 60.0),
        ({"completed_at": START - timedelta(hours=1), "elapsed_seconds": 5}, 5.0),
        ({"completed_at": START - timedelta(hours=1), "elapsed_seconds": -5}, None),
        ({"elapsed_seconds": "NaN"}, None),
        ({"started_at": None, "updated_at": START}, None),
        ({}, None),
    ],
)
def test_a_duration_ends_where_the_run_ended_and_is_never_negative(columns, seconds):
    assert run_of(**{"started_at": START, **columns}).duration_s == seconds


@given(
    percent=st.none() | st.floats(),
    step=st.none() | st.integers(-5, 10**9),
    total=st.none() | st.integers(-5, 10**9),
)
@settings(deadline=None)
def test_progress_is_a_share_or_unknown(percent, step, total):
    progress = run_of(progress=percent, current_step=step, total_steps=total).progress
    assert progress is None or 0.0 <= progress <= 1.0
    if percent is None and step == total and step is not None and step > 0:
        assert progress == 1.0


@pytest.mark.parametrize(
    ("value", "config", "noted"),
    [
        ({"seed": 1}, {"seed": 1}, False),
        (json.dumps(json.dumps({"seed": 1})), {"seed": 1}, False),
        ('{"eps": NaN, "none": null, "text": "null"}', {"eps": math.nan, "none": None, "text": "null"}, False),
        ("", {}, False),
        ("null", {}, False),
        ('{"seed": ', {}, True),
        ("[" * 100_000, {}, True),
        ("[1, 2]", {}, True),
        (3, {}, True),
    ],
)
def test_a_configuration_that_cannot_be_read_is_noted_and_the_run_kept(value, config, noted):
    run = run_of(config=value, loss=1.0)
    assert repr(dict(run.config)) == repr(config)
    assert any("config" in note for note in run.notes) is noted
    assert run.loss == 1.0


def test_a_value_of_the_wrong_kind_is_left_out_and_noted():
    run = run_of(loss="n/a", batch_size=2.5, started_at="yesterday", progress="half")
    assert (run.loss, run.batch_size, run.started_at, run.progress) == (None, None, None, None)
    assert [note.split(":")[0] for note in run.notes] == [
        "Column loss",
        "Column batch_size",
        "Column started_at",
        "Column progress",
    ]
