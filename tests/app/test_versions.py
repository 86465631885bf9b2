"""A page shows the version of a run that is there: what changed since the last look is looked at anew."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from lib.ui.session import reads
from tests.app.harness import DIFF

OLD = 1_600_000_000


def put(path: Path, content: object, at: int = OLD) -> None:
    """Write a file that is as old as it looks, as one copied with ``rsync -a`` is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    os.utime(path, (at, at))


@pytest.fixture
def outputs(tmp_path) -> Path:
    """Two runs with the lowest eval loss at step 20 of 40, where the first one has a checkpoint."""
    for number, name in enumerate(("first", "second")):
        rows = [{"step": step, "epoch": step / 20, "loss": 2 - step / 50 + number} for step in range(1, 41)]
        rows += [
            {"step": step, "eval_loss": loss + number} for step, loss in ((10, 1.9), (20, 1.4), (30, 1.6), (40, 1.8))
        ]
        state = {"global_step": 40, "max_steps": 40, "log_history": sorted(rows, key=lambda row: row["step"])}
        put(tmp_path / name / "trainer_state.json", state, OLD + 9)
        for step in (20, 40):
            part = [row for row in state["log_history"] if row["step"] <= step]
            put(
                tmp_path / name / f"checkpoint-{step}" / "trainer_state.json",
                state | {"global_step": step, "log_history": part},
            )
        put(tmp_path / name / "training_args.json", {"learning_rate": 0.001})
    return tmp_path


def after_the_list_is_read_again(app):
    """What comes half a minute later by itself."""
    reads._RUNS.forget()
    reads._LISTS.forget()
    return app.rerun()


def test_a_checkpoint_that_was_deleted_is_no_longer_recommended(on_folder, outputs):
    app = on_folder(outputs, run=["first", "second"])
    app.assert_sound()
    assert app.panel[1] == "If you must pick: first, checkpoint-20 Tie"
    assert app.text.count("Ship checkpoint-20.") == 2
    shutil.rmtree(outputs / "first" / "checkpoint-20")
    after_the_list_is_read_again(app).assert_sound()
    assert app.panel[1] != "If you must pick: first, checkpoint-20 Tie"
    assert app.text.count("Ship checkpoint-20.") == 1


def test_a_configuration_that_was_copied_with_its_old_time_is_seen(on_folder, outputs):
    app = on_folder(outputs, DIFF, run=["first", "second"])
    app.assert_sound()
    assert not any("2e-3" in table for table in tables(app))
    put(outputs / "second" / "training_args.json", {"learning_rate": 0.002})
    after_the_list_is_read_again(app).assert_sound()
    assert any("2e-3" in table for table in tables(app))


def cell(app, column: str) -> str:
    return app.grid.rows.loc["first", f"{column}_text"]


def tables(app) -> list[str]:
    return [app.cards.text, *(each.value.to_string() for each in app.at.dataframe)]


def test_a_run_that_was_trained_anew_is_shown_of_one_version_whoever_looked_first(on_folder, outputs):
    """Each selection lists its runs at a time of its own; what is shown of a run is of one version all the same."""
    alone = on_folder(outputs, run=["first"])
    assert cell(alone, "eval_loss") == "1.4"
    state = json.loads((outputs / "first" / "trainer_state.json").read_text())
    for row in state["log_history"]:
        for name in ("loss", "eval_loss"):
            if name in row:
                row[name] += 5
    for path in sorted((outputs / "first").rglob("trainer_state.json")):
        put(path, state | {"log_history": [row for row in state["log_history"] if row["step"] <= 40]}, OLD + 20)
    both = on_folder(outputs, run=["first", "second"])
    assert "6.4" in cell(both, "eval_loss")
    alone.rerun().assert_sound()
    assert "6.4" in cell(alone, "eval_loss")
    assert float(cell(alone, "train_loss")) == pytest.approx(6.6, abs=0.3)
