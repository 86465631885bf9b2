"""A run as a row of the jobs table."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from lib.core.config.secrets import mask
from lib.core.config.values import MASKED
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.facts.secret_names import Secrecy, secrecy

JOB_COLUMNS = (
    *("id", "user_id", "status", "model_name", "dataset_path", "base_model", "current_step", "total_steps"),
    *("current_epoch", "total_epochs", "progress", "learning_rate", "max_learning_rate", "min_learning_rate"),
    *("batch_size", "gradient_accumulation_steps", "warmup_steps", "num_gpus", "distributed_strategy"),
    *("loss", "eval_loss", "perplexity", "best_eval_loss", "final_loss", "final_eval_loss", "best_epoch", "best_step"),
    *("best_checkpoint_path", "samples_per_second", "total_samples", "train_samples", "val_samples"),
    *("total_tokens_processed", "created_at", "started_at", "completed_at", "updated_at", "elapsed_seconds"),
    *("config", "resumed_from_checkpoint", "error_message"),
)
"""All that is ever written of a run; never ``job_token``, a credential that the database makes."""
GROWING = frozenset(
    (
        *("status", "current_step", "total_steps", "current_epoch", "progress", "learning_rate", "loss", "eval_loss"),
        *("perplexity", "best_eval_loss", "final_loss", "final_eval_loss", "best_epoch", "best_step"),
        *("best_checkpoint_path", "samples_per_second", "total_tokens_processed", "completed_at", "updated_at"),
        *("elapsed_seconds", "error_message"),
    )
)
"""What changes as a run goes on. The rest of a row that is there is left alone: people may have changed it."""
EPOCHS = ("current_epoch", "total_epochs", "best_epoch")
"""Whole numbers in some projects."""
_RENAMED = {"model_name": "name", "dataset_path": "dataset", "elapsed_seconds": "duration_s"}
MOST_DEPTH = 50


def job_id_of(user_id: str, folder: str, run_id: str) -> str:
    """The identity of a run's row: the same whenever the same run of the same folder is written for the same user.

    Example:
        >>> job_id_of("a", "/runs", "first") == job_id_of("a", "/runs", "first")
        True
        >>> len({job_id_of("a", "/runs", "first"), job_id_of("b", "/runs", "first"), job_id_of("a", "/r", "first")})
        3
    """
    parts = (part.encode("utf-8", "surrogateescape").hex() for part in (user_id, folder, run_id))
    return str(uuid5(NAMESPACE_URL, "runoff:import:" + ":".join(parts)))


def job_row(
    run: RunSummary, job_id: str, user_id: str | None, columns: Collection[str], whole: Collection[str]
) -> dict[str, Any]:
    """The row; what is not known is left out, so that the table's defaults hold.

    Args:
        run: The run.
        job_id: Its identity there.
        user_id: Who owns it.
        columns: Those that the table has.
        whole: Those of ``EPOCHS`` that take whole numbers only: epochs that are done count there.
    """
    row: dict[str, Any] = {"id": job_id, "user_id": user_id, "status": _status(run)}
    for column in JOB_COLUMNS:
        if column not in row:
            row[column] = getattr(run, _RENAMED.get(column, column))
    row["progress"] = None if run.progress is None else run.progress * 100
    row["config"] = without_secrets(run.config) or None
    for column in EPOCHS:
        if column in whole and row[column] is not None:
            row[column] = math.floor(row[column]) if math.isfinite(row[column]) else None
    return {name: as_json(value) for name, value in row.items() if name in columns and value is not None}


def without_secrets(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration without what looks like a credential: others may read the table."""
    kept = _kept(config, Secrecy.NONE, 0)
    return kept if isinstance(kept, dict) else {}


def as_json(value: Any, depth: int = 0) -> Any:
    """A value as JSON and PostgreSQL can hold it: numbers that are none as text, no zero bytes, no halves of signs."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool) or value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else spelled(value)
    if isinstance(value, Mapping) and depth < MOST_DEPTH:
        return {as_json(str(name)): as_json(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < MOST_DEPTH:
        return [as_json(inner, depth + 1) for inner in value]
    return str(value).replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def spelled(value: float) -> str:
    """NaN or an infinity as PostgreSQL reads it.

    Example:
        >>> spelled(float("nan")), spelled(float("-inf"))
        ('NaN', '-Infinity')
    """
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _status(run: RunSummary) -> str:
    # Where a log ends is no word for a status.
    return run.status.value if run.status is not RunStatus.UNKNOWN else "unknown"


def _kept(value: Any, level: Secrecy, depth: int) -> Any:
    """A part of a configuration; ``MASKED`` for one that is all secret."""
    if depth > MOST_DEPTH:
        return MASKED
    if isinstance(value, Mapping):
        kept = {str(name): _kept(each, max(level, secrecy(str(name))), depth + 1) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each is not MASKED}
    if isinstance(value, list | tuple):
        # As a whole, since an item may say that the next one is a secret ("--hf_token").
        inner = [isinstance(each, Mapping | list | tuple) for each in value]
        shown = mask(tuple(None if is_inner else each for is_inner, each in zip(inner, value, strict=True)), level)
        if not isinstance(shown, tuple):
            return MASKED
        items = (
            _kept(whole, level, depth + 1) if is_inner else each
            for is_inner, whole, each in zip(inner, value, shown, strict=True)
        )
        return [each for each in items if each is not MASKED]
    return mask(value, level)
