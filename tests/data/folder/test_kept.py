from __future__ import annotations

import numpy as np

from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.data.folder.memory.kept import POINT_BYTES, room_of
from lib.data.folder.reading import UnitReader
from lib.data.folder.source import FolderSource


def test_what_metrics_share_takes_room_once() -> None:
    step, nothing = np.arange(1000), np.broadcast_to(np.nan, 1000)
    shared = {name: complete_curve(step, np.random.default_rng(0).random(1000), nothing, nothing) for name in "abc"}
    own = {name: complete_curve(*(column.copy() for column in each.columns)) for name, each in shared.items()}
    assert room_of([RunCurves("run", shared)]) * POINT_BYTES == 4 * 8 * 1000
    assert room_of([RunCurves("run", own)]) == 3 * 1000


def test_a_table_whose_metrics_share_their_steps_is_read_once(tmp_path, monkeypatch) -> None:
    rows = "".join(f"{step},{step / 7},{step / 9},{step / 11}\n" for step in range(1000))
    (tmp_path / "log.csv").write_text(f"step,loss,val_loss,grad_norm\n{rows}")
    # Three curves of a thousand points, in the room of half as many.
    monkeypatch.setattr("lib.data.folder.look.KEPT_POINTS", 1500)
    source = FolderSource(tmp_path, is_own=True)
    source.settle()
    again = []
    monkeypatch.setattr(UnitReader, "read", lambda *asked, **more: again.append(asked))
    curves = source.load_curves(["log.csv"])["log.csv"]
    assert curves.points == 3000
    assert again == []
