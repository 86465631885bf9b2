"""The stand-in for a Supabase project does what a hosted one does, wherever the app's tests rely on it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from postgrest.exceptions import APIError

from lib.data.embedded import JOBS_FILE, METRICS_FILE
from supabase import ClientOptions, create_client
from tests.supabase.live import LiveJob

PROJECT_ROOT = Path(__file__).parents[2]
JOBS = "/rest/v1/local_training_jobs"
METRICS = "/rest/v1/local_training_metrics"
RPC = "/rest/v1/rpc"


# Who sees what


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


# Limits of a hosted project


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
    deadline = time.monotonic() + 10
    while project.request("POST", f"{RPC}/later").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


# The rows


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


# Signing in


def test_the_python_client_signs_in_reads_and_signs_out(plain):
    with httpx.Client(timeout=20) as pool:
        client = create_client(
            plain.url, plain.publishable_key, ClientOptions(httpx_client=pool, auto_refresh_token=False)
        )
        ann = plain.users["ann"]
        client.auth.sign_in_with_password({"email": ann.email, "password": ann.password})
        assert client.auth.get_user().user.id == ann.id
        jobs = client.table("local_training_jobs").select("id", count="exact").execute()
        assert jobs.count == len(jobs.data) == len(plain.jobs["ann"])
        client.auth.sign_out({"scope": "local"})
        assert client.table("local_training_jobs").select("id").execute().data == []


def auth(project, path, bearer=None, **body):
    return project.request("POST", f"/auth/v1/{path}", token=bearer, json=body)


def refresh(project, token):
    return auth(project, "token?grant_type=refresh_token", refresh_token=token)


def test_a_wrong_password_is_refused(plain):
    answer = auth(plain, "token?grant_type=password", email=plain.users["ann"].email, password="guess")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_credentials")


def test_a_refresh_token_gives_a_new_pair_and_works_again_only_for_a_moment(plain):
    first = plain.session("ann")
    second = refresh(plain, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert refresh(plain, first["refresh_token"]).status_code == 200
    plain.accounts.reuse_seconds = 0
    time.sleep(0.01)
    answer = refresh(plain, first["refresh_token"])
    assert (answer.status_code, answer.json()["code"]) == (400, "refresh_token_already_used")
    # A token that was stolen ends its whole session.
    assert refresh(plain, second["refresh_token"]).json()["code"] == "refresh_token_not_found"


def test_a_code_from_an_e_mail_signs_in_once(plain):
    email = plain.users["bob"].email
    assert auth(plain, "otp", email=email).status_code == 200
    code = plain.accounts.codes[email]
    assert auth(plain, "verify", type="email", email=email, token="x" + code).json()["code"] == "otp_expired"
    session = auth(plain, "verify", type="email", email=email, token=code).json()
    assert session["user"]["id"] == plain.users["bob"].id
    assert len(plain.request("GET", f"{JOBS}?select=id", token=session["access_token"]).json()) == len(
        plain.jobs["bob"]
    )
    assert auth(plain, "verify", type="email", email=email, token=code).status_code == 403
    assert auth(plain, "otp", email="stranger@example.com", create_user=False).json()["code"] == "otp_disabled"


def test_signing_out_ends_this_session_or_all(plain):
    sessions = [plain.session("ann") for _ in range(3)]
    bobs = plain.session("bob")

    def alive():
        return [
            plain.request("GET", "/auth/v1/user", token=session["access_token"]).status_code == 200
            for session in [*sessions, bobs]
        ]

    assert auth(plain, "logout?scope=local", sessions[0]["access_token"]).status_code == 204
    assert alive() == [False, True, True, True]
    assert refresh(plain, sessions[0]["refresh_token"]).json()["code"] == "refresh_token_not_found"
    # The token itself reads on until it expires: the database knows nothing of sessions.
    assert plain.request("GET", f"{JOBS}?select=id", token=sessions[0]["access_token"]).json() != []
    assert auth(plain, "logout?scope=global", sessions[1]["access_token"]).status_code == 204
    assert alive() == [False, False, False, True]


def test_an_expired_or_forged_token_is_refused(plain):
    for token in (plain.token("ann", seconds=-60), plain.token("ann")[:-4] + "AAAA"):
        answer = plain.request("GET", JOBS, token=token)
        assert (answer.status_code, answer.json()["code"]) == (401, "PGRST301")
        assert plain.request("GET", "/auth/v1/user", token=token).json()["code"] == "bad_jwt"


def test_the_lifetime_of_tokens_can_be_set(plain):
    plain.accounts.token_seconds = -60
    assert plain.request("GET", JOBS, token=plain.sign_in("ann")).status_code == 401


# What goes wrong, and what was asked


def test_a_fault_answers_in_the_projects_place(plain):
    plain.faults.add("/rest/v1/", status=429, headers={"Retry-After": "2"}, body={"message": "slow down"})
    answer = plain.request("GET", JOBS)
    assert (answer.status_code, answer.headers["retry-after"], answer.json()) == (429, "2", {"message": "slow down"})
    assert plain.session("ann")["access_token"]
    plain.faults.clear()
    assert plain.request("GET", JOBS).status_code == 200


@pytest.mark.parametrize("status", [502, 520])
def test_a_fault_can_be_a_page_of_html(plain, status):
    plain.faults.add("/rest/v1/", status=status)
    answer = plain.request("GET", JOBS)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert str(status) in answer.text


def test_a_fault_strikes_from_one_request_on_for_so_many(plain):
    plain.faults.add("/rest/v1/local_training_jobs", status=503, after=1, times=2, method="GET")
    statuses = [plain.request("GET", f"{JOBS}?select=id").status_code for _ in range(4)]
    assert statuses == [200, 503, 503, 200]
    assert plain.request("GET", f"{METRICS}?select=id&limit=1").status_code == 200


def test_a_true_answer_can_come_late_or_under_a_wrong_name(plain):
    token = plain.sign_in("ann")
    plain.faults.add("/rest/v1/", delay=0.2, content_type="text/html")
    begin = time.monotonic()
    answer = plain.request("GET", f"{JOBS}?select=id", token=token)
    assert time.monotonic() - begin >= 0.2
    assert answer.headers["content-type"] == "text/html"
    assert len(answer.json()) == len(plain.jobs["ann"])


def test_a_body_can_be_cut_with_and_without_a_sign(plain):
    token = plain.sign_in("ann")
    whole = plain.request("GET", f"{JOBS}?select=id", token=token).text
    silent = plain.faults.add("/rest/v1/", cut="body")
    answer = plain.request("GET", f"{JOBS}?select=id", token=token)
    assert (answer.status_code, answer.text) == (200, whole[: len(whole) // 2])
    plain.faults.remove(silent)
    plain.faults.add("/rest/v1/", cut="connection")
    with pytest.raises(httpx.RemoteProtocolError):
        plain.request("GET", f"{JOBS}?select=id", token=token)


def test_a_server_can_hang(plain):
    plain.faults.add("/auth/v1/", hang=True)
    with httpx.Client(timeout=0.2) as client, pytest.raises(httpx.ReadTimeout):
        client.get(f"{plain.url}/auth/v1/user")


def test_the_python_client_meets_the_faults(plain):
    plain.faults.add("/rest/v1/", status=502)
    with httpx.Client(timeout=20) as pool:
        client = create_client(plain.url, plain.anon_key, ClientOptions(httpx_client=pool, auto_refresh_token=False))
        with pytest.raises(APIError) as error:
            client.table("local_training_jobs").select("id").execute()
    assert error.value.code == "502"


def test_the_log_tells_what_was_asked_and_how_much_came(plain):
    assert plain.log == [], "left behind by the test before"
    token = plain.sign_in("ann")
    answer = plain.request("GET", f"{JOBS}?select=id&order=id", token=token, headers={"Accept-Encoding": "identity"})
    entry = plain.log.of("/rest/v1/")[0]
    assert [entry.path for entry in plain.log] == ["/auth/v1/token", JOBS]
    assert (entry.method, entry.query, entry.status) == ("GET", "select=id&order=id", 200)
    assert entry.response_bytes == len(answer.content)
    assert entry.headers["authorization"] == f"Bearer {token}"
    plain.log.clear()
    assert plain.log == []


# Its beginning and its end


def test_a_project_whose_database_api_is_down_says_so(fresh):
    project = fresh(seeded=False)
    os.kill(project.rest_pid, signal.SIGKILL)
    assert project.request("GET", JOBS).status_code == 502
    project.reload_schema()
    assert project.request("GET", JOBS).status_code == 200


def is_running(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def test_nothing_stays_behind_when_the_starter_is_killed():
    script = (
        "import time\nfrom tests.supabase.stack import Stack\nstack = Stack()\nstack.start()\n"
        "project = stack.project('p', seeded=False)\n"
        "print(stack.cluster.folder, stack.cluster.pid, project.rest_pid, flush=True)\ntime.sleep(600)\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", script], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True)
    with starter:
        folder, *pids = starter.stdout.readline().split()
        assert Path(folder).is_dir()
        assert all(is_running(int(pid)) for pid in pids)
        starter.kill()
    deadline = time.monotonic() + 20
    while Path(folder).exists() or any(is_running(int(pid)) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def served():
    command = [sys.executable, "-m", "tests.supabase.serve", "--port", "0", "--live", "0.1"]
    server = subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with server:
        yield server
        server.kill()


@pytest.mark.usefixtures("stack")
def test_the_served_project_says_how_to_use_it_and_ends_cleanly(served):
    said = ""
    for line in served.stdout:
        said += line
        if "gets a new row" in line:
            break
    url = re.search(r'^url = "(.+)"$', said, re.MULTILINE)[1]
    key = re.search(r'^key = "(.+)"$', said, re.MULTILINE)[1]
    email, password = re.search(r"(ann@\S+)\s+password (\S+)", said).groups()
    folder = Path(re.search(r"psql -h (\S+)", said)[1])
    credentials = {"email": email, "password": password}
    with httpx.Client(base_url=url, headers={"apikey": key}) as client:
        session = client.post("/auth/v1/token?grant_type=password", json=credentials).json()
        client.headers["Authorization"] = f"Bearer {session['access_token']}"

        def step():
            return client.get(f"{JOBS}?select=current_step&status=eq.running").json()[0]["current_step"]

        first = step()
        deadline = time.monotonic() + 10
        while step() == first:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    served.send_signal(signal.SIGINT)
    assert served.wait(15) == 0
    assert "Stopped." in served.stdout.read()
    assert not folder.exists()


def test_a_live_job_grows_row_by_row_and_completes(fresh):
    project = fresh()
    live = LiveJob(project)
    counting = f"select count(*) from public.local_training_metrics where job_id = '{live.job}'"
    before = int(project.execute(counting)[0]["count"])
    steps = [live.grow() for _ in range(10)]
    assert steps == [steps[0] + 5 * place for place in range(10)]
    # Ten logged steps, and one evaluation.
    assert int(project.execute(counting)[0]["count"]) == before + 11
    project.execute("update public.local_training_jobs set total_steps = current_step + 3 where status = 'running'")
    last = live.grow()
    assert last == steps[-1] + 3
    assert live.grow() == last
    status = project.execute(f"select status from public.local_training_jobs where id = '{live.job}'")
    assert status == [{"status": "completed"}]
