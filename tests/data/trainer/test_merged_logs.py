"""The logs of a run as curves: what a list is told without making them is what they hold."""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lib.data.folder.reading import Files, UnitReader, digest, stamps_of
from lib.data.folder.scan import scan_tree
from lib.data.trainer.hf_log import logs_of
from lib.data.trainer.log_points import Points
from lib.data.trainer.merged_logs import MergedLogs
from lib.data.trainer.training_files import JsonFile

NUMBERS = st.floats(allow_infinity=False, width=32) | st.integers(-5, 5) | st.sampled_from(["NaN", "0.5", None])
ROWS = st.fixed_dictionaries(
    {"step": st.integers(-1, 6) | st.sampled_from([2.5, "3", None])},
    optional={
        "loss": NUMBERS,
        "eval_loss": NUMBERS,
        "learning_rate": NUMBERS,
        "epoch": NUMBERS,
        "timestamp": st.integers(1_700_000_000, 1_700_000_050),
        "train_runtime": st.integers(0, 9),
        "more": st.dictionaries(st.sampled_from("ab"), NUMBERS, max_size=2),
    },
)
HISTORY = st.lists(ROWS, max_size=12)


def points_of(*histories: list) -> list[Points]:
    return [log.points for log in logs_of([JsonFile({"log_history": history}, "d") for history in histories])]


def one_by_one(logs: list[Points]) -> dict[str, dict[int, tuple[int, float]]]:
    """The log and the value that hold at each step, by metric."""
    found: dict[str, dict[int, tuple[int, float]]] = {}
    for number, points in enumerate(logs):
        for code, step, value in zip(points.metric.tolist(), points.step.tolist(), points.value.tolist(), strict=True):
            found.setdefault(points.names[code], {})[step] = number, value
    return found


@given(st.lists(HISTORY, min_size=1, max_size=3))
def test_curves_are_what_was_written_last(histories) -> None:
    logs = points_of(*histories)
    expected = one_by_one(logs)
    merged = MergedLogs(logs)
    assert list(merged) == sorted(expected)
    assert merged.counts() == {metric: len(points) for metric, points in expected.items()}
    assert merged.borrowed() == sum(
        number < len(logs) - 1 for points in expected.values() for number, _ in points.values()
    )
    curves = merged.curves("r").curves
    assert list(curves) == sorted(expected)
    for metric, points in expected.items():
        steps = sorted(points)
        assert curves[metric].step.tolist() == steps
        np.testing.assert_array_equal(curves[metric].value, [points[step][1] for step in steps])


@given(st.lists(HISTORY, min_size=2, max_size=4))
def test_logs_that_are_made_together_are_what_each_is_alone(histories) -> None:
    states = [JsonFile({"log_history": history, "number": at}, str(at)) for at, history in enumerate(histories)]
    for together, state in zip(logs_of(states), states, strict=True):
        (alone,) = logs_of([state])
        assert together.points.names == alone.points.names
        for name in ("metric", "step", "epoch", "at", "value"):
            np.testing.assert_array_equal(getattr(together.points, name), getattr(alone.points, name))
        np.testing.assert_array_equal(together.points.by_metric.order, alone.points.by_metric.order)
        np.testing.assert_array_equal(together.points.by_metric.ends, alone.points.by_metric.ends)
        assert together.points.by_metric.is_in_order == alone.points.by_metric.is_in_order
        assert repr(replace(together, points=None)) == repr(replace(alone, points=None))


@given(HISTORY, HISTORY)
def test_seconds_count_from_the_first_row_of_all_logs(first, second) -> None:
    logs = points_of(first, second)
    moments = np.concatenate([points.at for points in logs])
    known = moments[np.isfinite(moments)]
    for metric, curve in MergedLogs(logs).items():
        at = {}
        for points in logs:
            if metric in points.names:
                own = points.metric == points.names.index(metric)
                at |= dict(zip(points.step[own].tolist(), points.at[own].tolist(), strict=True))
        began = known.min() if len(known) else math.nan
        np.testing.assert_array_equal(curve.elapsed_s, [at[step] - began for step in curve.step.tolist()])


@given(HISTORY, HISTORY, st.integers(0, 8))
def test_a_list_is_told_the_same_without_curves(rows, of_checkpoint, planned) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for folder, history in (("lr3e-4", rows), ("lr3e-4/checkpoint-3", of_checkpoint)):
            (root / folder).mkdir()
            state = {"log_history": history, "max_steps": planned, "global_step": planned // 2}
            (root / folder / "trainer_state.json").write_text(json.dumps(state))
        scan = scan_tree(root)
        files = Files(scan, dict(scan.files))
        sight = digest(stamps_of(("lr3e-4",), files))
        quick, none = UnitReader(root, "top").read(("lr3e-4",), files, sight, facts_only=True)
        whole, curves = UnitReader(root, "top").read(("lr3e-4",), files, sight)
        assert repr(quick) == repr(whole)
        assert not none
        assert [form.metrics for form in quick.forms] == [
            {metric: len(curve) for metric, curve in curves[form.run_id].curves.items()} for form in quick.forms
        ]


@given(HISTORY, st.lists(st.integers(0, 40), max_size=4), st.sampled_from([1, 2, 5, 65_536]))
def test_marks_do_not_depend_on_how_much_is_looked_at_together(history, counts, part) -> None:
    from lib.data.trainer import log_points

    (points,) = points_of(history * 2)
    counts = sorted(min(count, len(points)) for count in counts)
    alone = [points.openings([count])[0] for count in counts]
    before = log_points._PART
    log_points._PART = part
    try:
        assert points.openings(counts) == alone
    finally:
        log_points._PART = before
