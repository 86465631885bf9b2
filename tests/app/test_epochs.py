"""Logs that count epochs and nothing else: the pages say epoch where others say step."""

from __future__ import annotations

import pytest

from lib.core.facts.query import RunQuery
from lib.data.folder.source import FolderSource


@pytest.fixture
def epochs(tmp_path, on_folder):
    """The app on two logs as Keras writes them, and perhaps one that counts steps."""

    def opened(*, with_steps: bool = False, **query):
        for name, offset in (("a", 0.0), ("b", 0.3)):
            rows = [f"{at},{2 / (at + 1) + offset},{2.1 / (at + 1) + offset + 0.002 * at}" for at in range(40)]
            place = tmp_path / name
            place.mkdir()
            (place / "training.log").write_text("epoch,loss,val_loss\n" + "\n".join(rows) + "\n", encoding="utf-8")
        if with_steps:
            lines = "\n".join(f"{at},{2 / at},{2.2 / at}" for at in range(10, 400, 10))
            (tmp_path / "c").mkdir()
            (tmp_path / "c" / "steps.csv").write_text(f"step,train_loss,val_loss\n{lines}\n", encoding="utf-8")
        runs = FolderSource(tmp_path).list_runs(RunQuery()).runs
        return on_folder(tmp_path, run=[run.run_id for run in runs], **query)

    return opened


def test_axis_table_and_toolbar_say_epoch(epochs):
    app = epochs()
    app.assert_sound()
    assert {part.head["axis"] for part in app.parts} == {"Epoch"}
    assert [title for _, title in app.shared["options"]["axes"]].count("Epoch") == 1
    assert "at epoch" in str(app.grid.arguments)
    assert "at step" not in str(app.grid.arguments)


def test_beside_a_log_of_steps_they_say_step(epochs):
    app = epochs(with_steps=True)
    app.assert_sound()
    assert {part.head["axis"] for part in app.parts} == {"Step"}
    assert [title for _, title in app.shared["options"]["axes"]][:2] == ["Step", "Epoch"]


def test_what_is_pinned_and_the_checkpoint_are_called_by_epochs(epochs):
    app = epochs(pin="9")
    assert app.pinned is not None
    assert app.pinned["title"] == "Epoch 9"
    assert app.pinned["note"] == "Bold: best at this epoch."


def test_a_link_to_the_other_axis_is_kept(epochs):
    app = epochs(x="epoch")
    assert app.link["x"] == ["epoch"]
    assert next(value for value, _ in app.shared["options"]["axes"]) == "epoch"
