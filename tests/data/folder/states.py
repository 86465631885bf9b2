"""A writer of what the ``Trainer`` leaves, for situations that tests make up."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lib.core.checkpoints.advice import CheckpointAdvice, checkpoint_to_ship
from lib.core.curves.evidence import evidence_of, with_evidence
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.query import RunQuery
from lib.core.facts.runs import RunSummary
from lib.data.folder.source import FolderSource

Row = dict[str, Any]


def training(
    steps: int,
    evals: Mapping[int, float],
    *,
    seed: int = 0,
    rate: float = 1e-4,
    planned: int | None = None,
    every: int = 10,
) -> list[Row]:
    """The rows of a training with a falling loss and a learning rate that falls to 0 at its planned end."""
    luck = random.Random(seed)
    planned = planned or steps
    rows: list[Row] = []
    for step in range(every, steps + 1, every):
        loss = round(2.5 / (1 + step / 200) + luck.gauss(0, 0.05), 4)
        rows.append(
            {"step": step, "epoch": step / 100, "loss": loss, "learning_rate": rate * (1 - step / (planned + 1))}
        )
        if step in evals:
            rows.append({"step": step, "epoch": step / 100, "eval_loss": evals[step]})
    return rows


def until(rows: Sequence[Row], step: int) -> list[Row]:
    """What a checkpoint of this step has of the rows."""
    return [row for row in rows if row["step"] <= step]


def write(folder: Path, rows: Sequence[Row], *, planned: int, **state: Any) -> Path:
    """Write a state into a folder; its step is the last one of its rows."""
    folder.mkdir(parents=True, exist_ok=True)
    last = max((row["step"] for row in rows), default=0)
    content = {"global_step": last, "max_steps": planned, "epoch": last / 100, "log_history": rows, **state}
    (folder / "trainer_state.json").write_text(json.dumps(content))
    return folder


def save(folder: Path, name: str = "adapter_model.safetensors") -> Path:
    """Put a file of weights, or one that is called so, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"weights")
    return folder


def runs_in(root: Path) -> dict[str, RunSummary]:
    """The runs below a folder by name."""
    return {run.name: run for run in FolderSource(root).list_runs(RunQuery(limit=10**6)).runs}


def advice_in(root: Path, name: str) -> CheckpointAdvice:
    """Which checkpoint of a run to ship."""
    source, run = FolderSource(root), runs_in(root)[name]
    curves = source.load_curves([run.run_id]).get(run.run_id, RunCurves(run.run_id))
    evidence = evidence_of(curves)
    return checkpoint_to_ship(with_evidence(run, evidence), evidence, curves)
