from __future__ import annotations

import numpy as np
import pytest

from lib.core.facts.runs import RunStatus
from lib.data.formats.readers.wandb_csv import FORMAT
from tests.data.formats.readers.units import WANDB_CHART, WANDB_HISTORY, WANDB_RUNS, read


def test_a_chart_has_many_runs(tmp_path) -> None:
    first, second = read(FORMAT, tmp_path, WANDB_CHART).runs
    assert [(run.key, run.name, list(run.series)) for run in (first, second)] == [
        ("a - b", "a - b", ["loss"]),
        ("c", "c", ["loss"]),
    ]
    assert first.series["loss"].step.tolist() == [0, 20]
    assert first.series["loss"].value.tolist() == [2.5, 1.5]
    assert [str(value) for value in second.series["loss"].value] == ["3.5", "nan"]
    assert any("means" in note for note in first.notes)
    assert second.notes == ()


def test_two_runs_of_one_name_stay_two(tmp_path) -> None:
    header = '"Step","a - loss","a - loss__MIN","a - loss__MAX","a - loss","a - loss__MIN","a - loss__MAX"\n'
    runs = read(FORMAT, tmp_path, {"w.csv": header + '"0","2","2","2","3","3","3"\n'}).runs
    assert [(run.key, run.name, run.series["loss"].value.tolist()) for run in runs] == [
        ("a", "a", [2.0]),
        ("a (2)", "a", [3.0]),
    ]


def test_another_axis_needs_steps_beside_it(tmp_path) -> None:
    columns = [f"a - {name}{end}" for name in ("_step", "loss") for end in ("", "__MIN", "__MAX")]
    header = ",".join(f'"{name}"' for name in ("Relative Time (Process)", *columns)) + "\n"
    row = '"1.5","10","10","10","2","2","2"\n"2.5","20","20","20","1","1","1"\n'
    (run,) = read(FORMAT, tmp_path, {"w.csv": header + row}).runs
    assert run.series.keys() == {"loss"}
    assert run.series["loss"].step.tolist() == [10, 20]
    assert run.series["loss"].at.tolist() == [1.5, 2.5]
    header = '"Relative Time (Process)","a - loss","a - loss__MIN","a - loss__MAX"\n'
    reading = read(FORMAT, tmp_path / "b", {"w.csv": header + '"1.5","2","2","2"\n'})
    assert reading.runs == ()
    assert "Step" in reading.unused[0].why


def test_an_axis_of_epochs_counts_epochs(tmp_path) -> None:
    header = '"epoch","a - val/loss","a - val/loss__MIN","a - val/loss__MAX"\n'
    (run,) = read(FORMAT, tmp_path, {"w.csv": header + '"1","2","2","2"\n"2","1","1","1"\n'}).runs
    assert (run.counted, run.series["val/loss"].step.tolist()) == ("epoch", [1, 2])


def test_a_history_counts_the_programs_own_steps(tmp_path) -> None:
    (run,) = read(FORMAT, tmp_path, WANDB_HISTORY).runs
    assert run.series.keys() == {"loss"}
    loss = run.series["loss"]
    assert (loss.step.tolist(), loss.value.tolist(), loss.epoch.tolist()) == ([100, 300], [2.0, 1.0], [0.5, 1.5])
    assert loss.at.tolist() == [1729642919.5, 1729642923.5]


def test_a_history_without_them_counts_entries(tmp_path) -> None:
    content = "_step,_timestamp,loss,global_step\n0,1.5,2,\n5,2.5,1,7\n"
    (run,) = read(FORMAT, tmp_path, {"h.csv": content}).runs
    assert run.series["loss"].step.tolist() == [0, 5]


def test_a_table_of_runs_has_settings_and_last_values(tmp_path) -> None:
    first, second = read(FORMAT, tmp_path, WANDB_RUNS).runs
    assert (first.name, first.identity, second.identity) == ("a", "r1", "r2")
    assert first.config == {"wandb": {"lr": 0.001, "optimizer": "adamw"}}
    assert first.last == {"val_loss": 0.5}
    assert np.isnan(second.last["val_loss"])
    assert (first.status, second.status, second.said) == (RunStatus.COMPLETED, RunStatus.FAILED, "crashed")
    assert (first.created_at, first.ended) == (1767312000.0, 1767312060.0)
    assert first.tags == {"notes": "good", "user": "me", "tags": "x"}
    assert first.series == {}


def test_a_chart_may_lack_the_columns_of_what_it_shades(tmp_path) -> None:
    chart = '"Step","good - eval/loss","bad - eval/loss"\n"1","0.5","0.75"\n"2","0.25","0.5"\n'
    reading = read(FORMAT, tmp_path, {"x.csv": chart})
    assert {run.name: run.series["eval/loss"].value.tolist() for run in reading.runs} == {
        "good": [0.5, 0.25],
        "bad": [0.75, 0.5],
    }


@pytest.mark.parametrize(
    "content", ["step,loss\n1,2\n", "", "a,b\n", "Name,Age\nme,3\n", "Step,loss - raw,loss - smooth\n1,2,2\n"]
)
def test_other_tables_are_passed_on(tmp_path, content) -> None:
    assert read(FORMAT, tmp_path, {"x.csv": content}) is None
