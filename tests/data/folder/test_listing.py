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


RUN_ID = "0123456789abcdef0123456789abcde"


def write_mlflow(root: Path, number: int, name: str, parent: int | None, params: dict[str, str], losses: int) -> Path:
    folder = root / "mlruns" / "7" / f"{RUN_ID}{number}"
    facts = {"meta.yaml": f"run_id: {folder.name}\nrun_name: {name}\nstatus: 3\nlifecycle_stage: active\n"}
    facts |= {f"params/{key}": value for key, value in params.items()}
    if parent is not None:
        facts["tags/mlflow.parentRunId"] = f"{RUN_ID}{parent}"
    if losses:
        facts["metrics/loss"] = "".join(f"{1_760_000_000_000 + step} {1 / step} {step}\n" for step in range(1, losses))
    for place, content in facts.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def test_a_run_inside_another_has_its_settings_and_what_has_no_curve_is_named_with_why(tmp_path):
    outer = write_mlflow(tmp_path, 0, "search", None, {"batch_size": "8", "lr": "1.0"}, 0)
    write_mlflow(tmp_path, 1, "trial 1", 0, {"lr": "0.1"}, 10)
    write_mlflow(tmp_path, 2, "trial 2", 0, {"lr": "0.2"}, 12)
    write_mlflow(tmp_path, 3, "report", 1, {"top_k": "5"}, 0)
    source = FolderSource(tmp_path)
    page = source.list_runs(RunQuery(limit=10))
    settings = {run.name: run.config["params"] for run in page.runs}
    assert settings == {"trial 1": {"lr": 0.1, "batch_size": 8}, "trial 2": {"lr": 0.2, "batch_size": 8}}
    assert {run.batch_size for run in page.runs} == {8}
    whys = {path.split("/")[2][-1]: each.why for each in page.unused for path in [each.path]}
    assert whys.keys() == {"0", "3"}
    assert whys["0"] == 'A run "search" without a curve: what it states of settings is read with the 2 runs inside it.'
    assert 'settings of a run "report", but no curve' in whys["3"]
    # A change of the outer one is one of those inside it.
    before = {run.name: run.version for run in page.runs}
    (outer / "params" / "seed").write_text("7")
    source.settle()
    after = {run.name: (run.version, run.config["params"]["seed"]) for run in source.list_runs(RunQuery(limit=10)).runs}
    assert all(version != before[name] and seed == 7 for name, (version, seed) in after.items())
