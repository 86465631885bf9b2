"""The database and its API do what a hosted project's do, wherever the app relies on it."""

from __future__ import annotations

import time

import httpx
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lib.data.demo.source import JOBS_FILE, METRICS_FILE

JOBS = "/rest/v1/local_training_jobs"
METRICS = "/rest/v1/local_training_metrics"
RPC = "/rest/v1/rpc"


def test_row_level_security_keeps_the_two_users_jobs_apart(plain):
    for user, other in (("ann", "bob"), ("bob", "ann")):
        seen = {row["id"] for row in plain.request("GET", f"{JOBS}?select=id", token=plain.sign_in(user)).json()}
        assert seen == set(plain.jobs[user])
        assert seen.isdisjoint(plain.jobs[other])


def test_metrics_are_seen_through_the_jobs_they_belong_to(plain):
    token = plain.sign_in("bob")
    anns, bobs = plain.jobs["ann"][0], plain.jobs["bob"][0]
    assert plain.request("GET", f"{METRICS}?select=id&job_id=eq.{anns}", token=token).json() == []
    assert plain.request("GET", f"{METRICS}?select=id&job_id=eq.{bobs}", token=token).json() != []


@pytest.mark.parametrize("state", ["plain", "migrated", "old"])
def test_a_key_alone_shows_nothing_and_a_secret_key_everything(state, request):
    project = request.getfixturevalue(state)
    everything = sum(map(len, project.jobs.values()))
    for key in (project.anon_key, project.publishable_key):
        assert project.request("GET", f"{JOBS}?select=id", key=key).json() == []
        assert project.request("GET", f"{METRICS}?select=id&limit=1", key=key).json() == []
    for key in (project.service_key, project.secret_key):
        assert len(project.request("GET", f"{JOBS}?select=id", key=key).json()) == everything


def test_a_user_signs_in_on_top_of_either_kind_of_key(plain):
    token = plain.sign_in("ann")
    for key in (plain.anon_key, plain.publishable_key):
        rows = plain.request("GET", f"{JOBS}?select=id", key=key, token=token).json()
        assert len(rows) == len(plain.jobs["ann"])


def test_sql_can_be_run_as_a_user(plain):
    assert plain.execute("select count(*) from public.local_training_jobs", user="bob") == [
        {"count": str(len(plain.jobs["bob"]))}
    ]


@pytest.mark.parametrize(("key", "message"), [("", "No API key found in request"), ("nonsense", "Invalid API key")])
def test_the_gateway_refuses_a_missing_or_wrong_key(plain, key, message):
    headers = {"apikey": key} if key else {}
    for path in (JOBS, "/auth/v1/user"):
        answer = httpx.get(plain.url + path, headers=headers)
        assert (answer.status_code, answer.json()["message"]) == (401, message)


def test_a_user_cannot_write_through_the_api(fresh):
    project = fresh()
    token = project.sign_in("ann")
    row = {"user_id": project.users["ann"].id, "status": "running"}
    assert project.request("POST", JOBS, token=token, json=row).json()["code"] == "42501"
    job = project.jobs["ann"][0]
    assert project.request("PATCH", f"{JOBS}?id=eq.{job}", token=token, json={"status": "lost"}).status_code == 204
    assert project.execute(f"select status from public.local_training_jobs where id = '{job}'") != [{"status": "lost"}]


def test_rows_beyond_the_limit_are_cut_without_a_sign(plain, fresh):
    token = plain.sign_in("ann")
    answer = plain.request("GET", f"{METRICS}?select=step&limit=100000", token=token)
    assert (answer.status_code, len(answer.json()), answer.headers["content-range"]) == (200, 1000, "0-999/*")
    counted = plain.request("GET", f"{METRICS}?select=step", token=token, headers={"Prefer": "count=exact"})
    assert int(counted.headers["content-range"].partition("/")[2]) > len(counted.json()) == 1000

    smaller = fresh(max_rows=300)
    assert len(smaller.request("GET", f"{METRICS}?select=step", token=smaller.sign_in("ann")).json()) == 300


def test_statements_end_after_the_time_of_their_role(fresh):
    project = fresh(seeded=False)
    project.execute(
        "create function public.patience() returns text language sql as"
        " $$ select current_setting('statement_timeout') $$"
    )
    project.reload_schema()
    assert project.request("POST", f"{RPC}/patience").json() == "3s"
    assert project.request("POST", f"{RPC}/patience", token=project.sign_in("ann")).json() == "8s"


def test_the_api_learns_of_a_new_function_by_itself(fresh):
    project = fresh(seeded=False)
    assert project.request("POST", f"{RPC}/later").json()["code"] == "PGRST202"
    project.execute("create function public.later() returns int language sql as 'select 1'")
    deadline = time.monotonic() + 60
    while project.request("POST", f"{RPC}/later").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_tables_hold_the_demos_rows(plain, old):
    metrics = pq.read_table(METRICS_FILE)
    nan = pc.sum(pc.is_nan(metrics["train_loss"])).as_py()
    missing = metrics["train_loss"].null_count
    assert nan
    assert missing
    for project in (plain, old):
        sql = (
            "select count(*) as rows, count(*) filter (where train_loss = 'NaN') as nan,"
            " count(*) filter (where train_loss is null) as missing from public.local_training_metrics"
        )
        assert project.execute(sql) == [{"rows": str(metrics.num_rows), "nan": str(nan), "missing": str(missing)}]
        assert project.execute("select count(*) from public.local_training_jobs where job_token is null") == [
            {"count": "0"}
        ]


def test_both_users_have_runs_and_one_of_anns_is_running(plain):
    running = [job["id"] for job in pq.read_table(JOBS_FILE).to_pylist() if job["status"] == "running"]
    assert len(plain.jobs["ann"]) >= 5
    assert len(plain.jobs["bob"]) >= 5
    assert set(running) <= set(plain.jobs["ann"])


def test_an_empty_project_has_users_and_no_rows(fresh):
    project = fresh(seeded=False)
    assert project.jobs == {"ann": (), "bob": ()}
    assert project.request("GET", JOBS, token=project.sign_in("ann")).json() == []


def columns(project, table):
    rows = project.execute(f"select column_name from information_schema.columns where table_name = '{table}'")
    return {row["column_name"] for row in rows}


def test_the_three_states_differ_in_columns_and_indexes(plain, migrated, old):
    jobs, metrics = "local_training_jobs", "local_training_metrics"
    assert columns(plain, jobs) - columns(old, jobs) >= {"config", "updated_at", "perplexity"}
    assert columns(old, jobs) - columns(plain, jobs) == {"cluster_name"}
    assert columns(plain, metrics) - columns(old, metrics) >= {"perplexity", "tokens_per_second", "epoch"}
    assert columns(plain, metrics) <= columns(migrated, metrics)

    def step_index(project):
        sql = "select indexdef from pg_indexes where tablename = 'local_training_metrics'"
        return any("(job_id, step" in row["indexdef"] for row in project.execute(sql))

    assert not step_index(plain)
    assert not step_index(old)
    assert step_index(migrated)


def test_postgres_owns_the_tables_and_is_no_superuser(plain):
    rows = plain.execute("select rolname, rolsuper, rolbypassrls from pg_roles where rolname = current_user")
    assert rows == [{"rolname": "postgres", "rolsuper": "f", "rolbypassrls": "t"}]
