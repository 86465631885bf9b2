"""Folders of many runs, as different programs leave them."""

from __future__ import annotations

import json
import random
from pathlib import Path

ROWS = 200
"""Rows of each log."""


def write_states(root: Path, count: int, rows: int = ROWS) -> None:
    """So many folders with the state of a ``Trainer``, a hundred in each folder around them."""
    for number in range(count):
        _write_state(root / f"group-{number // 100:03}" / f"run-{number:05}", number, rows)


def write_mix(root: Path, count: int, rows: int = ROWS) -> None:
    """The same with logs of other programs among them: CSV files, JSON lines, text, and files of no run."""
    for number in range(count):
        folder = root / f"group-{number // 100:03}" / f"run-{number:05}"
        match number % 5:
            case 0 | 1:
                _write_state(folder, number, rows)
            case 2:
                _write_lightning(folder / "lightning_logs" / "version_0", number, rows)
            case 3:
                _write_lines(folder, number, rows)
            case _:
                _write_text(folder, number, rows)
        if number % 10 == 0:
            (folder / "picture.png").write_bytes(b"no log")


def append_row(root: Path, number: int) -> None:
    """Let one of the runs of ``write_states`` log a row more."""
    file = root / f"group-{number // 100:03}" / f"run-{number:05}" / "trainer_state.json"
    state = json.loads(file.read_text())
    step = state["log_history"][-1]["step"] + 10
    state["log_history"].append({"step": step, "epoch": step / 100, "loss": 0.5, "learning_rate": 1e-6})
    state["global_step"] = step
    file.write_text(json.dumps(state))


def _losses(number: int, rows: int) -> list[tuple[int, float, float]]:
    luck = random.Random(number)
    return [(10 * row, round(2 / row + luck.gauss(0, 0.02), 4), 1e-4 * (1 - row / rows)) for row in range(1, rows + 1)]


def _write_state(folder: Path, number: int, rows: int) -> None:
    folder.mkdir(parents=True)
    history: list[dict[str, float]] = []
    for step, loss, rate in _losses(number, rows):
        history.append({"epoch": step / 100, "grad_norm": 1.5, "learning_rate": rate, "loss": loss, "step": step})
        if step % 200 == 0:
            history.append({"epoch": step / 100, "eval_loss": loss + 0.1, "eval_runtime": 1.5, "step": step})
    state = {"global_step": 10 * rows, "max_steps": 10 * rows, "num_train_epochs": 20, "log_history": history}
    (folder / "trainer_state.json").write_text(json.dumps(state, indent=2))


def _write_lightning(folder: Path, number: int, rows: int) -> None:
    folder.mkdir(parents=True)
    lines = ["epoch,lr,step,train_loss,val_loss"]
    lines += [f"{step // 100},{rate},{step},{loss}," for step, loss, rate in _losses(number, rows)]
    lines.append(f"1,,{10 * rows},,{0.5 + number / 1e6}")
    (folder / "metrics.csv").write_text("\n".join(lines) + "\n")
    (folder / "hparams.yaml").write_text(f"lr: 0.0001\nseed: {number}\n")


def _write_lines(folder: Path, number: int, rows: int) -> None:
    folder.mkdir(parents=True)
    lines = [
        json.dumps({"current_steps": step, "total_steps": 10 * rows, "loss": loss, "lr": rate, "percentage": 1.0})
        for step, loss, rate in _losses(number, rows)
    ]
    (folder / "trainer_log.jsonl").write_text("\n".join(lines) + "\n")


def _write_text(folder: Path, number: int, rows: int) -> None:
    folder.mkdir(parents=True)
    lines = [
        f"step:{step}/{10 * rows} train_loss:{loss} train_time:{step}ms" for step, loss, _ in _losses(number, rows)
    ]
    (folder / "log.txt").write_text("\n".join(lines) + "\n")
