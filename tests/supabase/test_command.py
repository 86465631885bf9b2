"""Reports and checks of a project's runs from the command line, on a real project."""

from __future__ import annotations

import json

import pytest

from lib.cli.__main__ import main
from lib.data.supabase.command import OWN, PASSED_ON, PREFIX
from tests.supabase.seed import JOBS, METRICS


@pytest.fixture
def ask(monkeypatch, capsys):
    """Call a command for a project as somebody; gives the exit code, what was printed, and the errors."""

    def call(project, *arguments, who="ann", **variables):
        for name in (*PASSED_ON, *OWN):
            monkeypatch.delenv(PREFIX + name.upper(), raising=False)
        user = project.users.get(who)
        signing = {} if user is None else {"EMAIL": user.email, "PASSWORD": user.password}
        for name, value in ({"URL": project.url, "KEY": project.publishable_key} | signing | variables).items():
            monkeypatch.setenv(PREFIX + name, value)
        code = main([*map(str, arguments)])
        printed, errors = capsys.readouterr()
        secrets = [project.publishable_key, project.service_key, project.secret_key]
        secrets += [] if user is None else [user.password]
        assert not [each for each in secrets if each in printed + errors]
        return code, printed, errors

    return call


@pytest.fixture
def project(fresh):
    """A project with the demo's rows that a test may write into."""
    return fresh()


def named(project, who="ann", count=3):
    return [part for run_id in project.jobs[who][:count] for part in ("--run", run_id)]


def test_a_report_of_a_projects_runs_is_what_its_file_ends_with(plain, ask, tmp_path):
    for ending, begins in ((".html", "<!doctype html>"), (".md", "### "), (".json", "{")):
        out = tmp_path / f"report{ending}"
        assert ask(plain, "report", "--project", *named(plain), "--out", out) == (0, "", "")
        assert out.read_text(encoding="utf-8").startswith(begins)
    code, printed, _ = ask(plain, "report", "--project", *named(plain), "--comment")
    assert code == 0
    assert printed.startswith("<!-- runoff -->")


def test_a_run_is_named_by_its_id_or_as_the_project_calls_it(plain, ask):
    (row,) = plain.execute(
        f"select model_name from public.{JOBS} where user_id = '{plain.users['ann'].id}'"
        " group by model_name having count(*) = 1 order by model_name limit 1"
    )
    code, printed, errors = ask(plain, "verdict", "--project", "--run", row["model_name"], "--json")
    assert (code in (0, 3), errors) == (True, "")
    told = json.loads(printed)
    assert [*told["findings"]] == [row["model_name"]]


def test_a_decision_holds_until_a_row_of_the_project_changes(project, ask, tmp_path):
    record = tmp_path / "decision.json"
    assert ask(project, "report", "--project", *named(project), "--out", record)[0] == 0
    assert ask(project, "check", record, "--project") == (0, "The same: the decision would be made again.\n", "")
    run_id = project.jobs["ann"][0]
    project.execute(
        f"update public.{METRICS} set eval_loss = eval_loss + 0.001 where job_id = '{run_id}' and step ="
        f" (select max(step) from public.{METRICS} where job_id = '{run_id}' and eval_loss is not null)"
    )
    code, printed, errors = ask(project, "check", record, "--project")
    assert (code, errors) == (1, "")
    assert "has other values than on record." in printed


def test_what_may_not_be_read_cannot_be_told(plain, ask, tmp_path):
    record = tmp_path / "decision.json"
    ask(plain, "report", "--project", *named(plain), "--out", record)
    code, printed, errors = ask(plain, "check", record, "--project", who="bob")
    assert code == 2
    assert "is gone, or may not be read." in printed
    assert "cannot be read with this key and this sign-in, or is gone" in errors
    plain.faults.add("/rest/v1/", status=503, body={"message": "no"}, times=100)
    code, printed, errors = ask(plain, "check", record, "--project", TIMEOUT_S="1")
    assert (code, printed) == (2, "")
    assert errors


@pytest.mark.parametrize(
    ("who", "variables", "said"),
    [
        ("ann", {"PASSWORD": "wrong one"}, "E-mail address or password is wrong."),
        ("ann", {"KEY": "nonsense"}, f"{PREFIX}KEY to be an API key"),
        ("nobody", {"EMAIL": "a@b.example"}, f"{PREFIX}PASSWORD together"),
        ("nobody", {"WEIGHT": "1"}, f"Unknown setting: environment variable {PREFIX}WEIGHT"),
        ("nobody", {}, "found none"),
        ("bob", {}, "found none"),
    ],
)
def test_what_is_wrong_is_said(plain, ask, who, variables, said):
    code, printed, errors = ask(plain, "verdict", "--project", *named(plain), who=who, **variables)
    assert (code, printed) == (2, "")
    assert said in errors
    assert "nonsense" not in errors
    assert "wrong one" not in errors


def test_with_a_service_key_every_run_can_be_named(plain, ask):
    runs = [*named(plain, "ann", 1), *named(plain, "bob", 1)]
    code, printed, _ = ask(plain, "verdict", "--project", *runs, "--json", who="nobody", KEY=plain.secret_key)
    assert code in (0, 3)
    assert len(json.loads(printed)["findings"]) == 2


@pytest.mark.parametrize("arguments", [("verdict",), ("verdict", "runs", "--project"), ("check", "record.json")])
def test_where_the_runs_are_is_said_once(ask, plain, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "record.json").write_text("{}")
    code, _, errors = ask(plain, *arguments)
    assert code == 2
    assert errors.startswith(("Expected a folder or --project", "Expected a decision record"))


def test_more_runs_than_can_be_compared_are_counted(plain, ask):
    code, _, errors = ask(plain, "verdict", "--project")
    assert code == 2
    assert f"found {len(plain.jobs['ann'])}" in errors
