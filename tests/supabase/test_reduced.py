"""Curves that the database reduces: the same as reducing all rows here, or all rows where it cannot."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lib.core.curves.metric_curves import RunCurves, cut, extended, holds
from lib.core.facts.errors import AccessDenied, SourceUnavailable
from lib.core.facts.metrics import LOGGED, metric_of
from lib.data.supabase import client as supabase_client
from lib.data.supabase.reduced import ASK_AGAIN_S
from tests.curves import checked, reduced
from tests.supabase.seed import METRICS
from tests.supabase.stack import migrations
from tests.supabase.test_migration import NASTY, NO_POINTS, ONE_POINT, insert, nasty_rows, rows_table
from tests.supabase.test_source import add_job, add_rows

FUNCTION = "/rest/v1/rpc/reduced_metrics"
REDUCED, EVERY_ROW = "Curves are reduced in the database", "Every row is read"


def calls(project):
    return project.log.of(FUNCTION)


def reduced_here(whole: dict[str, RunCurves], buckets: int, steps=None) -> dict[str, RunCurves]:
    """What is left of all points, in the way of lib/core."""
    ranged = {run_id: run if steps is None else cut(run, *steps) for run_id, run in whole.items()}
    kept = {
        run_id: {
            metric: curve if metric_of(metric).evaluated else reduced(curve, buckets)
            for metric, curve in run.curves.items()
        }
        for run_id, run in ranged.items()
    }
    return {run_id: RunCurves(run_id, curves) for run_id, curves in kept.items() if curves}


def counts(curves: dict[str, RunCurves]) -> dict[tuple[str, str], tuple[int, int]]:
    return {(run.run_id, metric): (c.logged, c.lost) for run in curves.values() for metric, c in run.curves.items()}


def assert_alike(found: dict[str, RunCurves], expected: dict[str, RunCurves]) -> None:
    pd.testing.assert_frame_equal(checked(found), checked(expected), check_exact=True)
    assert counts(found) == counts(expected)
    assert found.keys() == expected.keys()


@pytest.fixture(scope="module")
def nasty(stack):
    """A migrated project with the run whose writer did everything that writers do."""
    project = stack.project("nasty_reduced", migrated=True, seeded=False)
    insert(project, rows_table(nasty_rows()))
    yield project
    stack.remove(project)


@pytest.mark.parametrize("buckets", [1, 50, 1000])
@pytest.mark.parametrize("metrics", [None, ["train_loss", "eval_loss", "tokens_per_second"]])
@pytest.mark.parametrize("schema", ["plain", "migrated", "old"])
def test_the_demo_runs_come_reduced_where_the_database_can_and_whole_elsewhere(
    request, connect, schema, buckets, metrics
):
    project = request.getfixturevalue(schema)
    source, ids = connect(project), list(project.jobs["ann"])
    whole = source.load_curves(ids, metrics)
    assert calls(project) == []
    found = source.load_curves(ids, metrics, None, buckets)
    if schema == "migrated":
        assert_alike(found, reduced_here(whole, buckets))
        assert len(calls(project)) == len(ids)
        assert REDUCED in source.way()
    else:
        assert_alike(found, whole)
        assert EVERY_ROW in source.way()


def test_columns_that_are_missing_are_left_out_and_asked_for_no_more(fresh, connect):
    project = fresh(tables="old", migrated=True)
    source, ids = connect(project), list(project.jobs["ann"])
    found = source.load_curves(ids, None, None, 20)
    assert_alike(found, reduced_here(source.load_curves(ids), 20))
    assert any(entry.status == 400 for entry in calls(project))
    project.log.clear()
    assert_alike(source.load_curves(ids, None, None, 20), found)
    assert [entry.status for entry in calls(project)] == [200] * len(ids)
    assert source.load_curves(ids, ["perplexity"], None, 20) == {}


@pytest.mark.parametrize("steps", [None, (0, 10**12), (100, 700), (37, 37), (500, 100), (-5, 40)])
@pytest.mark.parametrize("buckets", [1, 3, 64, 1000])
def test_a_nasty_run_comes_as_if_all_its_rows_were_reduced_here(nasty, connect, buckets, steps):
    source, ids = connect(nasty), [NASTY, ONE_POINT, NO_POINTS]
    whole = source.load_curves(ids)
    assert_alike(source.load_curves(ids, None, steps, buckets), reduced_here(whole, buckets, steps))


def test_the_median_of_a_throughput_is_that_of_all_rows(nasty, connect):
    source = connect(nasty)
    values = source.load_curves([NASTY])[NASTY].get("tokens_per_second").value
    found = source.load_curves([NASTY], None, None, 2)[NASTY]
    speed = found.get("tokens_per_second")
    assert not speed.is_complete
    assert speed.median == pytest.approx(np.median(values[np.isfinite(values)]), rel=1e-12)
    assert found.get("samples_per_second").median is None, "none of them is finite"
    assert found.get("train_loss").median is None


def test_what_was_not_asked_for_is_named(migrated, connect):
    source, job = connect(migrated), migrated.jobs["ann"][0]
    found = source.load_curves([job], ["train_loss", "eval_loss"], None, 20)[job]
    assert found.curves.keys() == {"train_loss", "eval_loss"}
    assert set(found.unread) == set(LOGGED) - {"train_loss", "eval_loss"}
    assert source.load_curves([job], None, None, 20)[job].unread == ()


@pytest.mark.parametrize("schema", ["plain", "migrated"])
def test_a_metric_that_was_not_asked_for_can_be_asked_for_later_either_way(request, connect, schema):
    project = request.getfixturevalue(schema)
    source, job = connect(project), project.jobs["ann"][0]
    first = source.load_curves([job], ["train_loss"], None, 20)[job]
    assert "perplexity" in first.unread
    assert len(source.load_curves([job], ["perplexity"], None, 20)[job].get("perplexity"))


def test_a_run_that_may_not_be_seen_is_absent(migrated, connect):
    hers, his = migrated.jobs["ann"][0], migrated.jobs["bob"][2]
    source = connect(migrated)
    assert source.load_curves([his, hers, "no such run"], ["train_loss"], None, 20).keys() == {hers}
    assert connect(migrated, None).load_curves([hers], None, None, 20) == {}
    assert connect(migrated, "bob").load_curves([his], None, None, 20).keys() == {his}


def test_without_the_function_it_is_asked_for_once_in_ten_minutes_and_found_when_it_is_there(
    fresh, connect, stack, monkeypatch
):
    project = fresh()
    source, ids = connect(project), list(project.jobs["ann"][:3])
    now = [1000.0]
    monkeypatch.setattr(supabase_client.time, "monotonic", lambda: now[0])
    whole = source.load_curves(ids)
    for run_id in ids:
        found = source.load_curves([run_id], None, None, 20)
        assert_alike(found, {run_id: whole[run_id]})
    assert [entry.status for entry in calls(project)] == [404]
    assert EVERY_ROW in source.way()
    now[0] += ASK_AGAIN_S - 1
    source.load_curves(ids[:1], None, None, 20)
    assert len(calls(project)) == 1
    now[0] += 2
    source.load_curves(ids[:1], None, None, 20)
    assert len(calls(project)) == 2
    for file in migrations():
        stack.cluster.run_file(project.database, file)
    project.reload_schema()
    now[0] += ASK_AGAIN_S + 1
    assert_alike(source.load_curves(ids, None, None, 20), reduced_here(whole, 20))
    assert REDUCED in source.way()


def test_a_metrics_table_of_another_name_is_never_reduced(fresh, connect):
    project = fresh(migrated=True)
    project.execute(f"create view other_metrics with (security_invoker = on) as select * from {METRICS}")
    project.execute("grant select on other_metrics to anon, authenticated")
    project.reload_schema()
    source, job = connect(project, metrics_table="other_metrics"), project.jobs["ann"][0]
    found = source.load_curves([job], None, None, 20)
    assert found[job].is_complete
    assert_alike(found, connect(project).load_curves([job]))
    assert calls(project) == []
    assert EVERY_ROW in source.way()


def test_whoever_may_not_call_the_function_reads_the_rows(fresh, connect):
    project = fresh(migrated=True)
    project.execute("revoke execute on function reduced_metrics from authenticated")
    source, ids = connect(project), list(project.jobs["ann"][:2])
    whole = source.load_curves(ids)
    for _ in range(2):
        assert_alike(source.load_curves(ids[:1], None, None, 20), {ids[0]: whole[ids[0]]})
    assert len(calls(project)) == 1
    assert EVERY_ROW in source.way()
    project.execute(f"revoke select on {METRICS} from authenticated")
    with pytest.raises(AccessDenied):
        source.load_curves(ids, None, None, 20)


def test_a_long_run_travels_in_one_small_answer(fresh, connect):
    project = fresh(migrated=True, seeded=False)
    job = add_job(project)
    add_rows(project, job, 1, 30_000, train_loss="sin(i)", grad_norm="case when i = 777 then 1e6 else cos(i) end")
    source = connect(project)
    project.log.clear()
    run = source.load_curves([job], ["train_loss", "grad_norm", "eval_loss"], None, 500)[job]
    look, call = project.log.of("/rest/")
    assert call.path == FUNCTION
    assert look.query.endswith("&limit=1"), "a row that tells the columns"
    assert (run.logged, run.is_complete) == (60_000, False)
    assert 1000 < run.points <= 2 * 4 * 500
    assert run.get("grad_norm").value.max() == 1e6
    part = source.load_curves([job], ["grad_norm"], (700, 800), 500)[job].get("grad_norm")
    assert part.is_complete
    assert part.step.tolist() == list(range(700, 801))
    whole = source.load_curves([job], ["train_loss", "grad_norm", "eval_loss"])
    assert_alike({job: run}, reduced_here(whole, 500))


def test_a_query_that_takes_too_long_is_asked_for_in_halves(migrated, connect):
    source, job = connect(migrated), migrated.jobs["ann"][0]
    expected = source.load_curves([job], None, None, 20)
    migrated.log.clear()
    cancelled = {"status": 500, "body": {"code": "57014", "message": "canceling statement due to statement timeout"}}
    migrated.faults.add(FUNCTION, times=1, **cancelled)
    assert_alike(source.load_curves([job], None, None, 20), expected)
    assert [entry.status for entry in calls(migrated)] == [500, 200, 200]


@pytest.mark.parametrize("fault", [{"cut": "body"}, {"cut": "connection"}, {"status": 502}])
def test_an_answer_that_breaks_off_is_asked_for_again_and_never_taken_for_whole(migrated, connect, monkeypatch, fault):
    monkeypatch.setattr(supabase_client, "FIRST_PAUSE_S", 0.01)
    source, job = connect(migrated), migrated.jobs["ann"][0]
    expected = source.load_curves([job], None, None, 20)
    migrated.faults.add(FUNCTION, times=1, **fault)
    assert_alike(source.load_curves([job], None, None, 20), expected)
    migrated.faults.add(FUNCTION, **fault)
    with pytest.raises(SourceUnavailable):
        source.load_curves([job], None, None, 20)
    migrated.faults.clear()
    assert_alike(source.load_curves([job], None, None, 20), expected)


def test_a_running_run_that_is_reduced_is_extended_by_its_news(fresh, connect):
    project = fresh(migrated=True, seeded=False)
    job = add_job(project)
    add_rows(project, job, 1, 9000, train_loss="sin(i)")
    source = connect(project)
    held = source.load_curves([job], ["train_loss"], None, 500)[job]
    assert holds(held, source.load_new_curves([job], {job: 9000})[job])
    add_rows(project, job, 9001, 9010, train_loss="sin(i)", eval_loss="case when i = 9005 then 0.5 end")
    news = source.load_new_curves([job], {job: 9000})[job]
    assert not holds(held, news)
    grown = extended(held, news, 9000)
    checked({job: grown})
    assert grown.get("train_loss").logged == 9010
    assert grown.get("train_loss").step[-10:].tolist() == list(range(9001, 9011))
    assert not grown.is_complete
