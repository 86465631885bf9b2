from __future__ import annotations

from pathlib import Path

import pytest

from lib.core.facts.query import RunQuery
from lib.data.folder import source as folder
from lib.data.folder.source import FolderSource


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 0.0)


def write_log(place: Path, loss: float) -> None:
    place.mkdir(parents=True, exist_ok=True)
    rows = [f"{step},{loss / step:.4f},{loss / step + 0.1:.4f}" for step in range(10, 110, 10)]
    (place / "log.csv").write_text("\n".join(["step,train_loss,val_loss", *rows]) + "\n")


def found_in(source: FolderSource) -> dict[str, str]:
    """The name of each run by its id."""
    return {run.run_id: run.name for run in source.list_runs(RunQuery(limit=10**6)).runs}


@pytest.mark.parametrize("depth", [(), ("outputs",)])
def test_the_table_of_a_sweep_takes_no_name_and_no_identity_away(tmp_path, depth):
    for number in range(3):
        write_log(tmp_path.joinpath(*depth, f"run_{number}"), 10.0 + number)
    source = FolderSource(tmp_path)
    before = found_in(source)
    assert sorted(before.values()) == ["run_0", "run_1", "run_2"]
    rows = [f"run_{number},{lr},{0.5 + number / 10}" for number, lr in enumerate((1e-3, 3e-4, 1e-4))]
    (tmp_path / "sweep.csv").write_text("\n".join(["name,lr,val_loss", *rows]) + "\n")
    assert found_in(source) == before
    rates = {run.name: run.max_learning_rate for run in source.list_runs(RunQuery(limit=10)).runs}
    assert rates == {"run_0": 1e-3, "run_1": 3e-4, "run_2": 1e-4}


def test_rows_of_a_table_that_nothing_else_logs_keep_their_names(tmp_path):
    (tmp_path / "sweep.csv").write_text("name,lr,val_loss\nfirst,0.001,0.5\nsecond,0.0003,0.6\n")
    assert sorted(found_in(FolderSource(tmp_path)).values()) == ["first", "second"]
