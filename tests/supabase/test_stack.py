from __future__ import annotations


def test_row_level_security_keeps_the_two_users_jobs_apart(plain):
    for user, others in (("ann", "bob"), ("bob", "ann")):
        rows = plain.request("GET", "/rest/v1/local_training_jobs?select=id", token=plain.sign_in(user)).json()
        seen = {row["id"] for row in rows}
        assert seen == set(plain.jobs[user])
        assert seen.isdisjoint(plain.jobs[others])
