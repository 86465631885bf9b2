"""What the JSON and YAML files beside a log state: hyperparameters, results, and what a manifest says of the run."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from lib.core.facts.values import finite

MANIFEST_PATTERN = "run_manifest*.json"
HYDRA_CONFIG = ".hydra/config.yaml"
"""All that a job of Hydra was configured with, overrides included."""
RESULT_FILES = ("train_results.json", "eval_results.json", "all_results.json")
SECTION_OF_FILE: Mapping[str, str] = MappingProxyType(
    {
        "training_args.json": "training_args",
        # Of ms-swift.
        "args.json": "args",
        "hyperparameters.json": "hyperparameters",
        "hparams.json": "hparams",
        "training_config.json": "training_config",
        "config.yaml": "config",
        "config.yml": "config",
        "hparams.yaml": "hparams",
        "args.yaml": "args",
        "params.yaml": "params",
        HYDRA_CONFIG: "config",
        MANIFEST_PATTERN: "run_manifest",
        "adapter_config.json": "adapter_config",
        "config.json": "model_config",
    }
)
"""Under which section of ``RunSummary.config`` each file's content is put, in order of precedence."""

_MODEL_MARKS = ("model_type", "architectures", "transformers_version")
"""A ``config.json`` without any of these describes a training, not a model."""
_NOT_HYPERPARAMETERS = {
    # Label tables of classifiers: thousands of keys that nobody sets; how many there are is kept.
    "model_config": ("id2label", "label2id"),
    # Facts about the run, which have fields of their own.
    "run_manifest": (
        "status",
        "created_at",
        "started_at",
        "completed_at",
        "updated_at",
        "error",
        "error_message",
    ),
}
_ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "learning_rate": ("learning_rate", "lr", "max_learning_rate", "peak_learning_rate", "lr0", "base_lr", "max_lr"),
        "batch_size": ("per_device_train_batch_size", "batch_size", "train_batch_size", "micro_batch_size", "batch"),
        "gradient_accumulation_steps": ("gradient_accumulation_steps", "accumulate_grad_batches"),
        "num_train_epochs": ("num_train_epochs", "num_epochs", "epochs", "max_epochs", "n_epochs"),
        "max_steps": (
            "max_steps",
            "max_train_steps",
            "num_training_steps",
            "num_train_steps",
            "total_steps",
            "train_steps",
            "num_iterations",
            "max_iters",
            "max_iterations",
            "train_iters",
            "total_iters",
        ),
        "warmup_steps": ("warmup_steps", "num_warmup_steps", "warmup_iters"),
        "weight_decay": ("weight_decay",),
        "seed": ("seed",),
        "num_gpus": ("num_gpus", "n_gpu", "world_size"),
        "r": ("r", "lora_r", "lora_rank"),
        "lora_alpha": ("lora_alpha",),
        "dataset": ("dataset", "dataset_name", "dataset_path", "train_file", "data_path", "data"),
        "base_model": (
            "base_model_name_or_path",
            "model_name_or_path",
            "base_model",
            "pretrained_model_name_or_path",
            "model_name",
            "model_id",
            "model",
        ),
    }
)


def config_of(side_files: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Arrange the content of side files, keyed by file name, in the sections of ``RunSummary.config``."""
    config: dict[str, dict[str, Any]] = {}
    for pattern, section in SECTION_OF_FILE.items() if side_files else ():
        for name in sorted(side_files):
            if fnmatchcase(name, pattern):
                if section == "model_config" and not any(mark in side_files[name] for mark in _MODEL_MARKS):
                    section = "training_config"
                dropped = _NOT_HYPERPARAMETERS.get(section, ())
                kept = {key: value for key, value in side_files[name].items() if key not in dropped}
                labels = side_files[name].get("id2label")
                if "id2label" in dropped and isinstance(labels, Mapping):
                    kept.setdefault("num_labels", len(labels))
                config.setdefault(section, {}).update(kept)
    return config


def results_of(side_files: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The finite numbers of the result files (``all_results.json`` and its parts)."""
    merged = {
        key: number
        for name in RESULT_FILES
        for key, value in side_files.get(name, {}).items()
        if (number := finite(value)) is not None
    }
    return merged


def training_returned(results: Mapping[str, float], epoch: float | None) -> bool:
    """Whether the result files say that training came to its end.

    An evaluation alone writes no train_ numbers; files of an earlier, shorter training state fewer epochs.

    Args:
        results: As ``results_of`` gives them.
        epoch: The last one that was logged.
    """
    ended = results.get("epoch")
    trained = any(key in results for key in ("train_runtime", "train_loss"))
    return trained and (ended is None or epoch is None or round(ended, 2) >= round(epoch, 2))


def manifest_of(side_files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the run's manifests say, the last by file name winning."""
    names = [name for name in sorted(side_files) if fnmatchcase(name, MANIFEST_PATTERN)]
    return {key: value for name in names for key, value in side_files[name].items()}


def stated(config: Mapping[str, Any], parameter: str) -> Any:
    """The first value that the config states for a parameter under any of its names; ``None`` if none.

    Sections are looked at in their order, outer levels before inner ones. The model's own
    configuration says nothing about its training and is left out.
    """
    names = _ALIASES[parameter]
    level = [content for section, content in config.items() if section != "model_config" and isinstance(content, dict)]
    while level:
        for section in level:
            for name in names:
                value = section.get(name)
                if value is not None and not isinstance(value, dict):
                    return value
        level = [inner for section in level for inner in section.values() if isinstance(inner, dict)]
    return None
