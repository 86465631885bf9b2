"""Cutting the metrics by run, as docs/scale.md says: the app reads the same, nobody sees more."""

from __future__ import annotations

from lib.core.curves.metric_curves import frame_of
from lib.core.facts.query import RunQuery
from tests.docs.pages import blocks, page
from tests.supabase.policies import READING, statements
from tests.supabase.stack import migrations


def everything(source):
    """All that the app reads of all runs: the list, and the points of their curves."""
    runs = sorted(run.run_id for run in source.list_runs(RunQuery(limit=1000)).runs)
    curves = source.load_curves(runs)
    return runs, frame_of(curves.values()).sort_values(["run_id", "metric", "step"], ignore_index=True)


def test_a_table_that_is_cut_by_run_reads_as_before(fresh, stack, connect):
    project = fresh(migrated=True)
    project.execute(statements(READING))
    before = {name: everything(connect(project, name)) for name in ("ann", "bob")}
    (cut,) = blocks(page("scale"), "sql")
    project.execute(cut)
    project.execute(statements(READING))
    stack.cluster.run_file(project.database, migrations()[1])
    project.reload_schema()
    for name, (runs, points) in before.items():
        again, found = everything(connect(project, name))
        assert again == runs
        assert found.equals(points)
    # The function of the migration reads it too.
    source = connect(project, "ann")
    run = project.jobs["ann"][0]
    assert source.load_curves([run], ["train_loss"], buckets=50)[run].curves
    assert "reduced in the database" in source.way()

    plan = project.execute(
        f"explain (costs off) select step from local_training_metrics where job_id = '{run}' and step >= 5", user="ann"
    )
    text = "\n".join(row["QUERY PLAN"] for row in plan)
    assert text.count("on metrics_run_") == 1
    # The parts by their own names are nobody's.
    part = next(word for word in text.split() if word.startswith("metrics_run_") and "idx" not in word)
    assert project.request("GET", f"/rest/v1/{part}?select=step", token=project.sign_in("ann")).status_code == 403
