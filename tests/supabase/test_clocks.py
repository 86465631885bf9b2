"""A project whose times are numbers, in whatever unit, or texts: runs and curves are those of the same times."""

from __future__ import annotations

import numpy as np
import pytest

from tests.supabase.seed import JOBS, METRICS

TIMES = ("created_at", "started_at", "completed_at", "updated_at")
KINDS = {
    "seconds": "double precision using extract(epoch from {0})",
    "milliseconds": "bigint using (extract(epoch from {0}) * 1e3)",
    "microseconds": "bigint using (extract(epoch from {0}) * 1e6)",
    "nanoseconds": "bigint using (extract(epoch from {0}) * 1e9)",
    "text of milliseconds": "text using ((extract(epoch from {0}) * 1e3)::bigint::text)",
    "ISO text": "text using to_char({0} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
}


@pytest.mark.parametrize("kind", KINDS)
def test_times_of_any_kind_are_those_times(fresh, connect, kind):
    project = fresh()
    jobs = project.jobs["ann"][:2]
    plain = connect(project)
    runs, curves = plain.load_runs(jobs), plain.load_curves(jobs)
    assert any(np.nanmax(curve.elapsed_s) > 0 for run in curves.values() for curve in run.curves.values())
    for table, names in ((JOBS, TIMES), (METRICS, ("timestamp",))):
        for name in names:
            column = f'"{name}"'
            project.execute(
                f"alter table {table} alter {column} drop default, alter {column} type {KINDS[kind].format(column)}"
            )
    project.reload_schema()
    source = connect(project)
    for before, after in zip(runs, source.load_runs(jobs), strict=True):
        for name in TIMES:
            was, now = getattr(before, name), getattr(after, name)
            assert (was is None) == (now is None)
            assert was is None or abs((now - was).total_seconds()) < 0.002
    found = source.load_curves(jobs)
    assert found.keys() == curves.keys()
    for run_id, run in curves.items():
        assert found[run_id].curves.keys() == run.curves.keys()
        for name, curve in run.curves.items():
            np.testing.assert_array_equal(found[run_id].curves[name].value, curve.value)
            np.testing.assert_allclose(found[run_id].curves[name].elapsed_s, curve.elapsed_s, atol=0.002)
