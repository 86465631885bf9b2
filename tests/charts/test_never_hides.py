"""A planted extreme is in what the browser gets, whatever the source, the axis, the width and the smoothing."""

from __future__ import annotations

import pytest

from bench.planted_extremes import lost, planted_runs
from bench.run_files import write_parquet, write_states
from lib.core.curves.metric_curves import RunCurves
from lib.data.demo.source import EmbeddedSource
from lib.data.folder.source import FolderSource
from tests.curves import reduced


@pytest.fixture(scope="module")
def runs():
    return list(planted_runs(30, longest=3000, seed=1))


@pytest.fixture(scope="module")
def embedded(runs, tmp_path_factory):
    path = tmp_path_factory.mktemp("planted") / "metrics.parquet"
    write_parquet(path, (run.table for run in runs))
    return EmbeddedSource(path, path)


def test_no_extreme_is_lost_from_embedded_files(runs, embedded):
    for run in runs:
        assert lost(embedded.load_curves([run.run_id]).get(run.run_id), run, widths=(3, 50)) == []


def test_no_extreme_is_lost_from_a_folder(runs, tmp_path):
    write_states(tmp_path, (run.table for run in runs))
    source = FolderSource(tmp_path)
    for run in runs:
        assert lost(source.load_curves([run.run_id]).get(run.run_id), run, widths=(3, 50)) == []


def test_no_extreme_is_lost_where_a_source_has_reduced_the_curves_before(runs, embedded):
    for run in runs:
        whole = embedded.load_curves([run.run_id])[run.run_id]
        once = RunCurves(run.run_id, {metric: reduced(curve, 20) for metric, curve in whole.curves.items()})
        assert lost(once, run, widths=(3, 50)) == []


def test_a_lost_extreme_would_be_seen(runs, embedded):
    run = runs[0]
    whole = embedded.load_curves([run.run_id])[run.run_id]
    step, _ = run.extremes["grad_norm"]
    curve = whole.curves["grad_norm"]
    without = RunCurves(run.run_id, {**whole.curves, "grad_norm": curve.where(curve.step != step)})
    named = lost(without, run, widths=(50,))
    assert named
    assert all("grad_norm" in name for name in named)
