"""A log of every kind in a folder each, and what disks, crashes and copies make of files."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable
from pathlib import Path

from lib.core.facts.query import RunQuery
from lib.core.facts.runs import RunSummary
from lib.data.folder.source import FolderSource
from tests.data.folder import states
from tests.data.formats import wire
from tests.data.formats.readers import (
    test_llamafactory,
    test_mlflow_db,
    test_mlflow_files,
    test_ms_swift,
    test_neptune,
    test_swanlab,
    test_tensorboard,
    test_text_logs,
    test_trackio,
    test_wandb_run,
    units,
)
from tests.data.formats.readers.test_damaged_tables import parquet_file

MOST = 2**22
"""Bytes of a damaged file: longer ones are cut first, so that a round takes no minute."""


def _written(files: dict[str, str | bytes]) -> Callable[[Path], object]:
    return lambda folder: units.write(folder, files)


def _text(name: str) -> Callable[[Path], object]:
    return _written({"train.log": test_text_logs.PROGRAMS[name][0]})


def _event_file(folder: Path) -> None:
    content = wire.VERSION + test_tensorboard.curve("train/loss", range(200)) + test_tensorboard.curve("lr", range(200))
    units.write(folder, {test_tensorboard.FIRST: content})


def _wandb(folder: Path) -> None:
    rows = (test_wandb_run.row(step, {"train/loss": 2 / step}, 1.7e9 + step) for step in range(1, 301))
    run = test_wandb_run.run_record("abc", "tiny-1", {"lr": 0.001}, 1_700_000_000)
    test_wandb_run.put_run(folder, run, *rows)


def _mlflow_db(folder: Path) -> None:
    test_mlflow_db.make(folder / "mlflow.db", test_mlflow_db.curve("aaa", "loss", [2.0, 1.0, 0.5]))


def _mlflow_files(folder: Path) -> None:
    lines = "".join(test_mlflow_files.line(step, 2 / step) + "\n" for step in range(1, 50))
    test_mlflow_files.write(folder, metrics__loss=lines, params__lr="0.001")


def _neptune(folder: Path) -> None:
    points = [(float(step), step, 2 / (step + 1)) for step in range(60)]
    test_neptune.write(folder / test_neptune.NAME.format(0), *test_neptune.series("train/loss", points))


def _state(folder: Path) -> None:
    rows = states.training(300, {100: 1.5, 200: 1.25, 300: 1.2})
    states.write(folder / "run", rows, planned=300)
    states.write(folder / "run" / "checkpoint-200", states.until(rows, 200), planned=300)


HISTORY = {"history.json": json.dumps([{"step": step, "loss": 2 / step} for step in range(1, 40)])}
WRITERS: dict[str, Callable[[Path], object]] = {
    "chart of W&B": _written(units.WANDB_CHART),
    "DVCLive": _written(units.DVCLIVE),
    "history": _written(HISTORY),
    "history of W&B": _written(units.WANDB_HISTORY),
    "Keras": _written(units.KERAS),
    "Lightning": _written(units.LIGHTNING),
    "lines of JSON": _written(units.LINES),
    "LLaMA-Factory": lambda folder: test_llamafactory.write(folder, test_llamafactory.rows()),
    "MLflow's database": _mlflow_db,
    "MLflow's files": _mlflow_files,
    "ms-swift": lambda folder: test_ms_swift.write(folder, test_ms_swift.rows(), '{"lr": 0.001}'),
    "Neptune": _neptune,
    "Parquet": _written({"log.parquet": parquet_file()}),
    "runs of W&B": _written(units.WANDB_RUNS),
    "SwanLab": lambda folder: test_swanlab.write(
        folder, f1__0=[test_swanlab.line(step, 1 / step) for step in range(1, 9)]
    ),
    "table": _written(units.TABLE),
    "TensorBoard": _event_file,
    "Trackio": lambda folder: test_trackio.make(folder / "project.db"),
    "Trainer": _state,
    "Trainer's prints": _written({"out.log": test_text_logs.hf(quoted=False, bar=True)}),
    "Ultralytics": _written(units.ULTRALYTICS),
    "W&B": _wandb,
    **{f"text of {name}": _text(name) for name in ("nanoGPT", "Megatron", "a bar's postfix", "JSON", "timm")},
}


def damaged(content: bytes, luck: random.Random) -> bytes:
    """A file after one to three accidents."""
    for _ in range(luck.randint(1, 3)):
        if not content:
            break
        at = luck.randrange(len(content))
        match luck.choice(("cut", "flip", "double", "holes", "lose")):
            case "cut":
                content = content[:at]
            case "flip":
                changed = bytearray(content)
                for _ in range(luck.randint(1, 20)):
                    changed[luck.randrange(len(changed))] = luck.randrange(256)
                content = bytes(changed)
            case "double":
                begin = luck.randrange(at + 1)
                content = content[:at] + content[begin:at] + content[at:]
            case "holes":
                content = content[:at] + b"\0" * luck.choice((1, 7, 512, 5000)) + content[at:]
            case _:
                content = content[:at] + content[at + luck.randint(1, 400) :]
    return content[: 2 * MOST]


class Faults(logging.Handler):
    """What was logged as a fault of ours, with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.found.append(logging.Formatter().format(record))


def looked_through(root: Path) -> tuple[dict[str, RunSummary], dict[str, dict[str, int]]]:
    """The runs of a folder and how many points each of their curves has, both by id.

    Raises:
        AssertionError: If a reader failed, with its traceback, or a curve has no points.
    """
    faults, log = Faults(), logging.getLogger()
    log.addHandler(faults)
    try:
        source = FolderSource(root)
        source.settle()
        runs = {run.run_id: run for run in source.list_runs(RunQuery(limit=10**4)).runs}
        points = {
            run_id: {name: len(curve) for name, curve in curves.curves.items()}
            for run_id, curves in source.load_curves(list(runs)).items()
        }
    finally:
        log.removeHandler(faults)
    assert not faults.found, "\n".join(faults.found)
    assert all(all(counts.values()) for counts in points.values()), points
    return runs, points
