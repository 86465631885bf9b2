"""What ``pip-audit`` said is told as it is: nothing looked up is never taken for nothing found."""

from __future__ import annotations

import json

from tests.deploy.audit import result

# As pip-audit 2.10.1 writes them.
NO_NETWORK = """Traceback (most recent call last):
  File "pip_audit/_cli.py", line 554, in audit
requests.exceptions.ConnectionError: HTTPSConnectionPool(host='osv.example', port=443): Max retries exceeded"""
SKIPPED = {"name": "idna", "skip_reason": "Dependency not found and could not be audited: idna (3.4)"}
CLEAN = {"name": "attrs", "version": "26.1.0", "vulns": []}
FOUND = {
    "name": "idna",
    "version": "3.4",
    "vulns": [{"id": "GHSA-jjg7-2v4v-x38h", "fix_versions": ["3.7"], "aliases": [], "description": "Slow."}],
}


def output(*packages: dict) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_what_is_known_is_named_and_fails():
    code, said = result(1, output(CLEAN, FOUND), "Found 1 known vulnerability in 1 package")
    assert code == 1
    assert said.splitlines() == [
        "idna 3.4: GHSA-jjg7-2v4v-x38h, mended in 3.7",
        "2 packages were looked up; 1 with a known vulnerability.",
    ]


def test_nothing_known_is_said_with_how_many_were_looked_up():
    assert result(0, output(CLEAN), "No known vulnerabilities found") == (
        0,
        "1 packages were looked up; none with a known vulnerability.",
    )


def test_without_a_database_it_says_so_and_fails_nothing():
    code, said = result(1, "", NO_NETWORK)
    assert code == 0
    assert said == "The database of vulnerabilities could not be reached: nothing was looked up."


def test_packages_that_the_database_did_not_answer_for_are_not_among_the_clean_ones():
    code, said = result(0, output(SKIPPED, CLEAN), "No known vulnerabilities found")
    assert code == 0
    assert "idna was not looked up: Dependency not found" in said
    assert said.endswith("1 packages were looked up; none with a known vulnerability.")


def test_another_failure_is_one():
    assert result(2, "", "usage: pip-audit [-h]\npip-audit: error: unrecognized arguments: --x")[0] == 2
    assert result(1, "", "")[0] == 1
