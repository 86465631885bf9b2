"""Runs of a folder written into a real project, and what comes of it there."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from lib.cli.__main__ import main
from lib.core.facts.query import RunQuery
from lib.data.folder import source as folder_source
from lib.data.folder.source import FolderSource
from lib.data.supabase.source import SupabaseSource
from lib.importer import importing, target
from tests.supabase.readers import project_for, reader_for
from tests.supabase.seed import JOBS, METRICS

SECRET = "hf_PlantedSecretPlantedSecret"
EVERYTHING = RunQuery(limit=1000)
INSERTS = f"""
create policy "own jobs in" on public.{JOBS} for insert to authenticated with check (user_id = auth.uid());
create policy "own rows in" on public.{METRICS} for insert to authenticated
  with check (job_id in (select id from public.{JOBS} where user_id = auth.uid()));
"""
UPDATES = f'create policy "own jobs on" on public.{JOBS} for update to authenticated using (user_id = auth.uid());'


def write_state(path, steps, *, level=1.0, total=None, odd=()):
    """A Trainer's log with evaluations; ``odd`` are steps at which the loss is NaN."""
    rows = []
    for step in range(1, steps + 1):
        loss = math.nan if step in odd else level / step
        rows.append({"step": step, "epoch": step / 4, "loss": loss, "learning_rate": 1e-4, "grad_norm": 1.0 + step})
        if step % 5 == 0:
            rows.append({"step": step, "epoch": step / 4, "eval_loss": 0.5 + level / step, "eval_f1": step / 100})
    path.mkdir(parents=True, exist_ok=True)
    state = {"global_step": steps, "max_steps": total or steps, "log_history": rows}
    (path / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")
    arguments = {"learning_rate": 1e-4, "hub_token": SECRET, "dataset_name": "data/\u0000one"}
    (path / "training_args.json").write_text(json.dumps(arguments), encoding="utf-8")


@pytest.fixture
def outputs(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_source, "SCAN_INTERVAL_S", 0.0)
    monkeypatch.setattr(importing, "SETTLE_S", 0.0)
    monkeypatch.setattr(target, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setenv("RUNOFF_CACHE", "")
    write_state(tmp_path / "outputs" / "first", 30, level=2.0, odd=(7,))
    write_state(tmp_path / "outputs" / "second", 12, level=3.0, total=20)
    return tmp_path / "outputs"


@pytest.fixture
def run_import(monkeypatch, capsys):
    """Call the command for a project; gives the exit code, and what was printed."""

    def call(project, folder, *arguments, **variables):
        for name in ("URL", "KEY", "USER", "EMAIL", "PASSWORD"):
            monkeypatch.delenv(f"RUNOFF_IMPORT_{name}", raising=False)
        given = {"URL": project.url, "KEY": project.service_key, "USER": project.users["ann"].id} | variables
        for name, value in given.items():
            if value is not None:
                monkeypatch.setenv(f"RUNOFF_IMPORT_{name}", value)
        code = main(["import", str(folder), *arguments])
        printed, errors = capsys.readouterr()
        assert project.service_key not in printed + errors
        assert "password" not in (printed + errors).replace("RUNOFF_IMPORT_PASSWORD", "").replace("and password", "")
        return code, printed + errors

    return call


def counts(project):
    (found,) = project.execute(
        f"select (select count(*) from public.{JOBS}) j, (select count(*) from public.{METRICS}) m"
    )
    return int(found["j"]), int(found["m"])


def dump(project):
    jobs = project.execute(f"select * from public.{JOBS} order by id")
    return jobs, project.execute(f"select * from public.{METRICS} order by id")


def check_same(project, folder):
    """What the project has are the runs of the folder, point for point."""
    local = FolderSource(folder)
    local.settle()
    runs = {run.name: run for run in local.list_runs(EVERYTHING).runs}
    with project_for(project) as connections:
        remote = SupabaseSource(connections, reader_for(connections, project, "ann"))
        there = {run.name: run for run in remote.list_runs(EVERYTHING).runs}
        assert there.keys() == runs.keys()
        for name, run in runs.items():
            mine = local.load_curves([run.run_id])[run.run_id].curves
            theirs = remote.load_curves([there[name].run_id])[there[name].run_id].curves
            assert {metric for metric in mine if metric != "eval_f1"} == theirs.keys() - {"eval_f1"}
            for metric, curve in theirs.items():
                assert curve.step.tolist() == mine[metric].step.tolist()
                assert np.array_equal(curve.value, mine[metric].value, equal_nan=True)
                assert np.array_equal(curve.epoch, mine[metric].epoch, equal_nan=True)
            assert (there[name].status, there[name].current_step, there[name].total_steps) == (
                run.status,
                run.current_step,
                run.total_steps,
            )
            assert there[name].best_eval_loss == run.best_eval_loss
    return there


def test_without_write_nothing_is_written(fresh, outputs, run_import):
    project = fresh(seeded=False)
    code, said = run_import(project, outputs)
    assert code == 0
    assert "first: new run, " in said
    assert "Nothing was written; --write does it." in said
    assert "Metrics without a column in the project, left out: eval_f1." in said
    assert counts(project) == (0, 0)
    assert all(entry.method == "GET" for entry in project.log.of("/rest/v1/"))


def test_runs_are_written_once_and_grow(fresh, outputs, run_import):
    project = fresh(seeded=False)
    code, said = run_import(project, outputs, "--write")
    assert code == 0, said
    assert "Written: 2 runs" in said
    there = check_same(project, outputs)
    assert there["first"].dataset == "data/�one", "no database holds NUL"
    assert SECRET not in json.dumps(dump(project))
    before = dump(project)
    code, said = run_import(project, outputs, "--write")
    assert code == 0
    assert "first: all of it is there" in said
    assert dump(project) == before
    write_state(outputs / "second", 20, level=3.0)
    code, said = run_import(project, outputs, "--write")
    assert code == 0
    assert "second: grown run, 8 rows" in said or "second: grown run, 10 rows" in said
    check_same(project, outputs)
    jobs, rows = dump(project)
    assert {job["id"] for job in jobs} == {job["id"] for job in before[0]}
    assert [row for row in rows if row in before[1]] == before[1], "nothing is deleted or changed"


def test_with_a_column_further_metrics_are_written(fresh, outputs, run_import):
    project = fresh(seeded=False)
    project.execute(f"alter table public.{METRICS} add column eval_f1 real")
    project.reload_schema()
    code, said = run_import(project, outputs, "--write")
    assert (code, "left out" in said) == (0, False)
    (found,) = project.execute(f"select count(eval_f1) f from public.{METRICS}")
    assert int(found["f"]) == 8
    # Single precision is no other value.
    assert "first: all of it is there" in run_import(project, outputs, "--write")[1]


def test_an_import_that_was_interrupted_goes_on(fresh, outputs, run_import, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 10)
    project = fresh(seeded=False)
    project.faults.add(f"/rest/v1/{METRICS}", method="POST", status=403, after=3)
    code, said = run_import(project, outputs, "--write")
    assert code == 3
    assert "not all written" in said
    jobs, rows = counts(project)
    assert jobs == 2
    assert 0 < rows < 50
    project.faults.clear()
    code, said = run_import(project, outputs, "--write")
    assert code == 0
    check_same(project, outputs)
    (twice,) = project.execute(
        f"select count(*) n from (select 1 from public.{METRICS} group by job_id, step, epoch, train_loss, eval_loss"
        " having count(*) > 1) t"
    )
    assert twice["n"] == "0"


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "times": 2},
        {"status": 429, "times": 2, "headers": {"Retry-After": "0"}},
        {"cut": "connection", "times": 2},
        {"cut": "body", "times": 1},
    ],
)
def test_faults_on_the_way_leave_no_row_out_and_none_twice(fresh, outputs, run_import, monkeypatch, fault):
    monkeypatch.setattr(importing, "BATCH", 10)
    project = fresh(seeded=False)
    project.faults.add(f"/rest/v1/{METRICS}", method="POST", after=1, **fault)
    code, said = run_import(project, outputs, "--write")
    assert code == 0, said
    check_same(project, outputs)
    (twice,) = project.execute(
        f"select count(*) n from (select 1 from public.{METRICS} group by job_id, step, epoch, train_loss, eval_loss"
        " having count(*) > 1) t"
    )
    assert twice["n"] == "0"


def test_a_run_that_was_started_anew_is_not_mixed_with_the_old_one(fresh, outputs, run_import):
    project = fresh(seeded=False)
    run_import(project, outputs, "--write")
    before = dump(project)
    write_state(outputs / "first", 30, level=9.0)
    code, said = run_import(project, outputs, "--write")
    assert code == 3
    assert "first: not written, as the project has other values" in said
    assert dump(project) == before
    code, said = run_import(project, outputs, "--write", "--as", "second attempt", "--run", "first")
    assert code == 0
    assert counts(project)[0] == 3


def test_values_that_a_resumed_run_wrote_anew_count(fresh, outputs, run_import):
    project = fresh(seeded=False)
    run_import(project, outputs, "--write", "--run", "first")
    state = json.loads((outputs / "first" / "trainer_state.json").read_text())
    for row in state["log_history"]:
        if row["step"] > 25 and "loss" in row:
            row["loss"] += 1
    (outputs / "first" / "trainer_state.json").write_text(json.dumps(state))
    code, said = run_import(project, outputs, "--write", "--run", "first")
    assert code == 0
    assert "of which 5 replace earlier ones" in said
    (outputs / "second" / "trainer_state.json").unlink()
    check_same(project, outputs)
    assert "first: all of it is there" in run_import(project, outputs)[1]


def test_signed_in_with_policies_runs_are_ones_own(fresh, outputs, run_import):
    project = fresh(seeded=False)
    ann = project.users["ann"]
    as_ann = {"KEY": project.anon_key, "USER": None, "EMAIL": ann.email, "PASSWORD": ann.password}
    code, said = run_import(project, outputs, "--write", **as_ann)
    assert code == 3
    assert "the database does not let this user" in said
    assert counts(project) == (0, 0)
    project.execute(INSERTS)
    code, said = run_import(project, outputs, "--write", **as_ann)
    assert code == 0, said
    check_same(project, outputs)
    owners = project.execute(f"select distinct user_id from public.{JOBS}")
    assert [row["user_id"] for row in owners] == [ann.id]
    write_state(outputs / "second", 20, level=3.0)
    code, said = run_import(project, outputs, "--write", **as_ann)
    assert code == 3
    assert "second: not all written" in said
    assert "policies for insert and update" in said
    project.execute(UPDATES)
    assert run_import(project, outputs, "--write", **as_ann)[0] == 0
    check_same(project, outputs)


def test_tables_that_look_otherwise_are_refused(fresh, outputs, run_import):
    project = fresh(seeded=False)
    project.execute(
        "create table public.other (id uuid, status text, x int); grant all on public.other to service_role"
    )
    project.execute("create table public.rows (job_id uuid, step int); grant all on public.rows to service_role")
    project.reload_schema()
    for tables, said in (
        ({"JOBS_TABLE": "other"}, "to be a table of jobs"),
        ({"METRICS_TABLE": "rows"}, "to be a table of metrics"),
        ({"METRICS_TABLE": "nothing"}, "found none"),
        ({"JOBS_TABLE": METRICS}, "found none"),
    ):
        variables = {"JOBS_TABLE": JOBS, "METRICS_TABLE": METRICS} | tables
        code, printed = run_import(project, outputs, "--write", **variables)
        assert code == 2
        assert said in printed
    assert counts(project) == (0, 0)


def test_an_unknown_user_is_said(fresh, outputs, run_import):
    project = fresh(seeded=False)
    code, said = run_import(project, outputs, "--write", USER="c0000000-0000-4000-8000-00000000000c")
    assert code == 3
    assert "RUNOFF_IMPORT_USER is the id of a user" in said


def test_a_project_with_older_tables_takes_what_it_has_columns_for(fresh, outputs, run_import):
    project = fresh(tables="old", seeded=False)
    code, said = run_import(project, outputs, "--write")
    assert code == 0, said
    assert "lacks columns, which are left out: " in said
    assert counts(project)[0] == 2
