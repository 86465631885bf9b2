"""The sign-in service answers and errs as the hosted one does."""

from __future__ import annotations

import time

import httpx
from supabase import ClientOptions, create_client

JOBS = "/rest/v1/local_training_jobs"


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
