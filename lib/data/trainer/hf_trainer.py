"""Making a run of what the Hugging Face ``Trainer`` leaves: its logs, and the files beside them.

When a run counts as completed: it reached its last step or epoch; or its callbacks had stopped it, or the
closing summary stands at its last step (an early stop); or a result file tells that training returned.
Otherwise a manifest's status holds. What is left has merely a log that ends early, which looks the same for a
training that goes on, was killed or crashed: its status is unknown, and says where the log ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from lib.core.curves.evidence import of_training
from lib.core.curves.metric_curves import NO_CURVE
from lib.core.facts.runs import RunStatus, RunSummary, normalise_status
from lib.core.facts.values import finite, moment, number, text, whole
from lib.data.stated.name_hints import NameHints
from lib.data.stated.settings import config_of, manifest_of, results_of, stated, training_returned
from lib.data.trainer.hf_log import TrainerLog
from lib.data.trainer.merged_logs import MergedLogs

_T = TypeVar("_T")

MAX_EPOCHS = 10**6
"""Where the length of the data is unknown the Trainer writes the largest integer there is."""

_STATE_HYPERPARAMETERS = {
    "num_train_epochs": "num_train_epochs",
    "train_batch_size": "batch_size",
    "logging_steps": None,
    "eval_steps": None,
    "save_steps": None,
}
"""Settings that the state repeats, and the parameter that another file may state in their place."""


def summarise_run(
    run_id: str,
    logs: Sequence[TrainerLog],
    side_files: Mapping[str, Mapping[str, Any]],
    folders: Sequence[str],
    changed_at: float,
    found: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[RunSummary, MergedLogs]:
    """Make a run of its logs and of what lies beside them.

    The file system knows no moment of creation that survives a copy: where neither a manifest nor a
    timestamp in the log says when the run began, ``created_at`` is the time of the last change.

    Args:
        run_id: Identity of the run.
        logs: The states of its checkpoints, the one that leads last; at least one.
        side_files: Objects of the JSON files beside them, by file name.
        folders: The names of the folders around the run, from the outermost in.
        changed_at: When the newest of its files changed, in Unix seconds.
        found: Facts of its place, by field of the run: its files and checkpoints, ``extra`` and ``notes`` besides those
            that the logs give.

    Returns:
        The run, named after its innermost folder, and its curves, of which few were made.
    """
    log = logs[-1]
    curves = MergedLogs([each.points for each in logs])
    config = config_of(side_files)
    if trial := log.state.get("trial_params"):
        config = {"trial_params": trial, **config}
    _add_state_hyperparameters(config, log.state)
    hints = NameHints(folders, config, lambda: curves.get("learning_rate", NO_CURVE), log.planned)
    notes = [*log.notes, *hints.notes]
    if borrowed := curves.borrowed():
        notes.append(f"Values that the last checkpoint lacks were taken from others: {borrowed:,}.")
    results, manifest = results_of(side_files), manifest_of(side_files)
    progress, status_notes = _progress(log, results, manifest)
    losses, loss_notes = _losses(curves, log, results, config, hints)
    began = moment(manifest.get("created_at")) or moment(manifest.get("started_at")) or moment(log.started)
    ended = moment(manifest.get("completed_at")) or moment(log.ended)
    more = dict(found)
    volume = _volume(log, results)
    volume["extra"] |= more.pop("extra", {})
    run = RunSummary(
        run_id=run_id,
        name=folders[-1],
        created_at=began or moment(changed_at),
        started_at=moment(manifest.get("started_at")) or moment(log.started),
        completed_at=ended if progress["status"] is RunStatus.COMPLETED else None,
        updated_at=moment(changed_at),
        config=config,
        named=hints.values or None,
        notes=(*notes, *status_notes, *loss_notes, *more.pop("notes", ())),
        **progress,
        **losses,
        **_parameters(config, hints),
        **volume,
        **more,
    )
    return run, curves


def _add_state_hyperparameters(config: dict[str, dict[str, Any]], state: Mapping[str, Any]) -> None:
    """Put what the state itself knows of the settings into the config, where no other file states it."""
    known = {key for section in config.values() for key in section}
    own = {
        key: state[key]
        for key, parameter in _STATE_HYPERPARAMETERS.items()
        if state.get(key) is not None and key not in known
        if parameter is None or stated(config, parameter) is None
    }
    if (finite(own.get("num_train_epochs")) or 0) > MAX_EPOCHS:
        del own["num_train_epochs"]
    if own:
        config["trainer_state"] = own


def _progress(
    log: TrainerLog, results: Mapping[str, float], manifest: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """How far the run came, its status, and sentences on how that is known."""
    step, total = log.last_step, log.planned
    reached = step or 0
    logged = float(np.fmax.reduce(log.points.epoch)) if len(log.points) else None
    epoch = finite(log.state.get("epoch"))
    epoch = epoch if epoch is not None else finite(logged)
    epochs = finite(log.state.get("num_train_epochs"))
    epochs = epochs if epochs and 0 < epochs <= MAX_EPOCHS else None
    share = reached / total if total else epoch / epochs if epochs and epoch is not None else None
    status, notes = RunStatus.COMPLETED, []
    raw: str | None = "completed"
    where = f"step {reached:,} of {total:,}" if total else f"step {reached:,}"
    is_at_end = bool(total and reached >= total) or (epochs is not None and epoch is not None and epoch >= epochs)
    ended_early = not is_at_end and (log.stopped_early or log.closed_at >= reached > 0)
    if is_at_end:
        pass
    elif ended_early:
        notes.append(f"Training was {'stopped' if log.stopped_early else 'ended'} early, at {where}.")
    elif training_returned(results, epoch):
        notes.append(f"A result file says that training ended; the log ends at {where}.")
    elif (said := text(manifest.get("status"))) is not None:
        status, raw = normalise_status(said), said
    else:
        status, raw = RunStatus.UNKNOWN, f"log ends at {where}" if reached else None
    facts = {
        "status": status,
        "raw_status": raw,
        "current_step": step,
        "total_steps": total,
        "current_epoch": epoch,
        "total_epochs": epochs,
        "progress": None if share is None else min(max(share, 0.0), 1.0),
        "ended_early": ended_early,
        "error_message": text(manifest.get("error_message") or manifest.get("error")),
    }
    return facts, notes


def _losses(
    curves: MergedLogs,
    log: TrainerLog,
    results: Mapping[str, float],
    config: Mapping[str, Any],
    hints: NameHints,
) -> tuple[dict[str, Any], list[str]]:
    """Last and best values of the curves, and sentences on them."""
    # What was measured before training is of the base model.
    evaluations = of_training(curves.get("eval_loss", NO_CURVE))
    facts: dict[str, Any] = {
        "loss": curves.last("train_loss"),
        "eval_loss": float(evaluations.value[-1]) if len(evaluations) else None,
        "final_eval_loss": results.get("eval_loss", log.closing.get("eval_loss")),
        "perplexity": _either(curves.last("perplexity"), results.get("perplexity")),
        "learning_rate": curves.last("learning_rate"),
        "max_learning_rate": _either(finite(stated(config, "learning_rate")), hints.value("learning_rate")),
        "best_checkpoint_path": text(log.state.get("best_model_checkpoint")),
    }
    notes = []
    evals = evaluations.finite()
    if facts["max_learning_rate"] is None and (highest := curves.highest("learning_rate")) is not None:
        facts["max_learning_rate"] = highest
        notes.append("The configured learning rate is not recorded; shown is the highest that was logged.")
    if len(evals):
        best = int(evals.value.argmin())
        facts |= {"best_eval_loss": float(evals.value[best]), "best_step": int(evals.step[best])}
        facts["best_epoch"] = finite(evals.epoch[best])
    return facts, notes


def _either(first: _T | None, second: _T | None) -> _T | None:
    return second if first is None else first


def _parameters(config: Mapping[str, Any], hints: NameHints) -> dict[str, Any]:
    """The settings that have a field of their own."""
    counts = ("batch_size", "gradient_accumulation_steps", "warmup_steps", "num_gpus")
    return {
        **{name: _either(whole(stated(config, name)), whole(hints.value(name))) for name in counts},
        "dataset": _listed(stated(config, "dataset")),
        "base_model": _listed(stated(config, "base_model")) or _model_name(config.get("model_config", {})),
    }


def _model_name(model_config: Mapping[str, Any]) -> str | None:
    return _listed(model_config.get("_name_or_path"))


def _listed(value: Any) -> str | None:
    """A text, or several in a list, as one text."""
    if isinstance(value, list):
        return ", ".join(item for item in value if isinstance(item, str)) or None
    return text(value) if isinstance(value, str) else None


def _volume(log: TrainerLog, results: Mapping[str, float]) -> dict[str, Any]:
    """Time, throughput and amounts, and the facts that have no field of their own."""
    closing = {**results, **log.summary}
    clocked = log.ended - log.started
    runtime = closing.get("train_runtime", -1.0)
    # Zero tokens after a step of training means that nobody counted.
    tokens = whole(log.state.get("num_input_tokens_seen")) or None
    extra = {
        "best_metric": number(log.state.get("best_metric")),
        "mean_train_loss": closing.get("train_loss"),
        "total_flos": finite(log.state.get("total_flos")) or None,
        **{f"result.{key}": value for key, value in results.items()},
        **{f"closing.{key}": value for key, value in log.closing.items()},
    }
    return {
        "duration_s": runtime if runtime >= 0 else finite(clocked),
        "samples_per_second": closing.get("train_samples_per_second"),
        "tokens_per_second": closing.get("train_tokens_per_second"),
        "total_tokens_processed": tokens,
        "train_samples": whole(results.get("train_samples")),
        "val_samples": whole(results.get("eval_samples")),
        "extra": {key: value for key, value in extra.items() if value is not None},
    }
