"""What goes wrong on request, and what is noted of the requests."""

from __future__ import annotations

import os
import signal
import time

import httpx
import pytest
from postgrest.exceptions import APIError

from supabase import ClientOptions, create_client

JOBS = "/rest/v1/local_training_jobs"
METRICS = "/rest/v1/local_training_metrics"


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


def test_a_project_whose_database_api_is_down_says_so(fresh):
    project = fresh(seeded=False)
    os.kill(project.rest_pid, signal.SIGKILL)
    assert project.request("GET", JOBS).status_code == 502
    project.reload_schema()
    assert project.request("GET", JOBS).status_code == 200
