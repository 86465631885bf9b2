"""The statements of docs/policies.md, run as they stand there: who sees and writes what afterwards."""

from __future__ import annotations

import pytest

from lib.core.facts.query import RunQuery
from lib.data.source import IncompleteRead
from lib.data.supabase.settings import SignIn
from tests.supabase.cluster import SqlError
from tests.supabase.policies import READING, headings, statements

SHARED, PUBLISHED = "Share with everybody who signs in", "Publish some runs"
CREDENTIAL, WRITING, THERE = "Keep the training script's credential to yourself", "Write your own runs", "What is there"
TABLES = ("local_training_jobs", "local_training_metrics")


@pytest.fixture
def project(fresh):
    """The two tables, with no policy and nothing granted."""
    made = fresh()
    for policy in made.execute(statements(THERE)):
        made.execute(f'drop policy "{policy["policyname"]}" on {policy["tablename"]}')
    made.execute(f"revoke all on {', '.join(TABLES)} from anon, authenticated")
    made.execute("".join(f"alter table {table} disable row level security;" for table in TABLES))
    return made


def seen(source) -> set[str]:
    """The runs that the app lists, and whose curves it gets."""
    listed = [run.run_id for run in source.list_runs(RunQuery(limit=1000)).runs]
    curves = source.load_curves(listed, ["train_loss"])
    assert {run_id for run_id, run in curves.items() if run.curves} <= set(listed)
    return set(listed)


def curves_of(source, run_ids) -> set[str]:
    try:
        return {run_id for run_id, run in source.load_curves(list(run_ids)).items() if run.curves}
    except IncompleteRead:
        return set()


def test_every_part_is_tried_here():
    assert set(headings()) == {THERE, READING, SHARED, PUBLISHED, CREDENTIAL, WRITING}


def test_what_is_there_is_listed(fresh):
    found = fresh().execute(statements(THERE))
    assert [row["tablename"] for row in found] == list(TABLES)


@pytest.mark.parametrize("times", [1, 2])
def test_each_reads_their_own_runs_and_no_other(project, connect, times):
    for _ in range(times):
        project.execute(statements(READING))
    jobs = {name: set(project.jobs[name]) for name in ("ann", "bob")}
    assert all(jobs.values())
    for name, other in (("ann", "bob"), ("bob", "ann")):
        source = connect(project, name)
        assert seen(source) == jobs[name]
        assert curves_of(source, jobs[other]) == set()
        assert source.load_runs(sorted(jobs[other])) == ()
        rows = project.execute(f"select distinct job_id from {TABLES[1]}", user=name)
        assert {row["job_id"] for row in rows} <= jobs[name]
    assert project.request("GET", f"/rest/v1/{TABLES[0]}?select=id").status_code == 401


def test_the_owners_runs_are_found_by_an_index_and_metrics_by_the_runs(project):
    project.execute(statements(READING))
    run = project.jobs["bob"][0]
    explain = "set enable_seqscan = off; explain (costs off) select step from"
    plan = project.execute(f"{explain} {TABLES[1]} where job_id = '{run}'", user="ann")
    text = "\n".join(row["QUERY PLAN"] for row in plan)
    assert "InitPlan" in text
    assert "SubPlan" not in text
    assert "ANY ((InitPlan" in text
    assert "local_training_jobs_owner" in text


def test_shared_runs_are_seen_by_everybody_who_signs_in_and_by_nobody_else(project, connect):
    project.execute(statements(READING))
    project.execute(statements(SHARED))
    everything = {*project.jobs["ann"], *project.jobs["bob"]}
    assert seen(connect(project, "ann")) == seen(connect(project, "bob")) == everything
    assert project.request("GET", f"/rest/v1/{TABLES[0]}?select=id").status_code == 401


def test_only_what_is_published_is_seen_by_those_who_do_not_sign_in(project, connect):
    project.execute(statements(READING))
    project.execute(statements(PUBLISHED))
    project.reload_schema()
    visitor = connect(project, None, sign_in=SignIn.OFF)
    assert seen(visitor) == set()
    published = project.jobs["bob"][0]
    project.execute(f"update {TABLES[0]} set is_public = true where id = '{published}'")
    visitor = connect(project, None, sign_in=SignIn.OFF)
    assert seen(visitor) == {published}
    assert curves_of(visitor, project.jobs["ann"]) == set()
    # Publishing a run is no business of those who sign in: each still reads their own.
    assert seen(connect(project, "ann")) == set(project.jobs["ann"])


def test_the_credential_is_nobodys_and_the_app_reads_as_before(project, connect):
    project.execute(statements(READING))
    project.execute(statements(CREDENTIAL))
    token = project.sign_in("ann")
    mine = seen(connect(project, "ann"))
    assert mine == set(project.jobs["ann"])
    for asked in ("job_token", "*"):
        answer = project.request("GET", f"/rest/v1/{TABLES[0]}?select={asked}", token=token)
        assert answer.status_code == 403
        assert "job-token-" not in answer.text


def test_each_writes_their_own_runs_and_no_other(project):
    project.execute(statements(READING) + statements(WRITING))
    ann, bob = project.users["ann"].id, project.users["bob"].id
    insert = f"insert into {TABLES[0]} (user_id, status) values ('{{}}', 'running')"
    project.execute(insert.format(ann), user="ann")
    with pytest.raises(SqlError, match="row-level security"):
        project.execute(insert.format(bob), user="ann")
    theirs, mine = project.jobs["bob"][0], project.jobs["ann"][0]
    project.execute(f"insert into {TABLES[1]} (job_id, step) values ('{mine}', 1)", user="ann")
    with pytest.raises(SqlError, match="row-level security"):
        project.execute(f"insert into {TABLES[1]} (job_id, step) values ('{theirs}', 1)", user="ann")
    project.execute(f"update {TABLES[0]} set status = 'stolen' where id = '{theirs}'", user="ann")
    assert project.execute(f"select status from {TABLES[0]} where id = '{theirs}'")[0]["status"] != "stolen"
    with pytest.raises(SqlError, match="row-level security"):
        project.execute(f"update {TABLES[0]} set user_id = '{bob}' where id = '{mine}'", user="ann")
