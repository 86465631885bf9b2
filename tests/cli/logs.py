"""Logs as a trainer writes them, for the command line to judge."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SAME = {"model_name_or_path": "org/base-1b", "dataset_name": "notes.jsonl", "task_type": "CAUSAL_LM", "seed": 1}
GAP_SIGNS = {"leakage", "negative_gap_open", "overfitting"}

Row = dict[str, Any]


def falling(steps: int, level: float = 2.0, **further: float) -> list[Row]:
    """Train losses every 10 steps that fall by 0.025 each: ``level - step / 400``."""
    return [
        {"step": step, "epoch": step / 100, "loss": level - step / 400, "grad_norm": 0.9, **further}
        for step in range(10, steps + 1, 10)
    ]


def evaluated(every: int, **metrics: Sequence[float]) -> list[Row]:
    """Evaluations at every so many steps."""
    return [
        {"step": at * every, "epoch": at * every / 100, **{f"eval_{name}": metrics[name][at - 1] for name in metrics}}
        for at in range(1, len(next(iter(metrics.values()))) + 1)
    ]


def settling(level: float, count: int = 15) -> list[float]:
    """Values that fall to a level, with a little noise; the lowest is just below it."""
    return [level + 0.3 * 0.6**at + 0.0004 * (-1) ** at for at in range(count)]


def leave(
    folder: Path, *rows: Sequence[Row], args: Mapping[str, Any] | None = SAME, name: str = "training_args.json", **state
) -> None:
    """Write what a trainer leaves of these rows."""
    folder.mkdir(parents=True)
    history = sorted((row for part in rows for row in part), key=lambda row: row["step"])
    last = history[-1]["step"]
    content = {"global_step": last, "max_steps": last, "log_history": history, **state}
    (folder / "trainer_state.json").write_text(json.dumps(content))
    if args is not None:
        (folder / name).write_text(json.dumps(args))


def codes(said: Mapping[str, Any]) -> list[str]:
    return [each["code"] for each in said["objections"]]


def values(ranking: Sequence[Mapping[str, Any]]) -> list[tuple[str, float, int]]:
    return [(each["run"], each["value"], each["step"]) for each in ranking]
