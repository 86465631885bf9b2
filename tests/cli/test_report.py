"""Reports and records from the command line, of folders of training outputs."""

from __future__ import annotations

import json

import pytest

from lib.cli.__main__ import main
from tests.app.harness import write_run

FALLING = [2.0 / step for step in range(1, 41)]


@pytest.fixture
def folder(tmp_path):
    """Two runs that compare, the first of them the better one."""
    runs = tmp_path / "runs"
    for name, rate, loss in (("better", 1e-4, 1.0), ("worse", 2e-4, 1.2)):
        write_run(runs / name, FALLING, [loss * value for value in FALLING], args={"learning_rate": rate})
    return runs


@pytest.fixture
def ask(capsys):
    """Call a command; gives the exit code, what was printed, and the errors."""

    def call(*arguments):
        code = main([*map(str, arguments)])
        return code, *capsys.readouterr()

    return call


def test_a_report_is_what_its_file_ends_with(ask, folder, tmp_path):
    for ending, begins in ((".html", "<!doctype html>"), (".md", "### "), (".json", "{")):
        out = tmp_path / f"report{ending}"
        assert ask("report", folder, "--out", out) == (0, "", "")
        text = out.read_text(encoding="utf-8")
        assert text.startswith(begins)
        assert "better" in text
    assert json.loads(text)["kind"] == "runoff decision"


def test_without_a_file_it_is_printed_and_a_comment_is_short(ask, folder):
    code, printed, _ = ask("report", folder, "--comment", "--link", "https://runs.example/?run=1")
    assert code == 0
    assert printed.startswith("<!-- runoff -->\n### ")
    assert "[Open the comparison](https://runs.example/?run=1)" in printed
    assert len(printed.splitlines()) < 60


def test_a_baseline_stands_in_the_ranking_and_changes_no_verdict(ask, folder):
    code, printed, _ = ask("report", folder, "--baseline", "worse")
    assert code == 0
    assert "Baseline: worse, which the verdict does not depend on." in printed
    assert printed.splitlines()[:4] == ask("report", folder)[1].splitlines()[:4]


def test_a_baseline_that_is_not_compared_is_refused(ask, folder):
    code, printed, errors = ask("report", folder, "--run", "better", "--baseline", "worse")
    assert (code, printed) == (2, "")
    assert errors == "Expected the baseline to be one run called worse, found none.\nThe runs are: better\n"


def test_a_budget_and_a_price_are_those_of_the_report(ask, tmp_path):
    for name, least in (("better", 0.2), ("worse", 0.3)):
        rows = [f"{step * 10},{1.7e9 + step * 360},{least + 2 / step}" for step in range(1, 41)]
        (tmp_path / f"{name}.csv").write_text("\n".join(("step,wall_time,eval_loss", *rows)), encoding="utf-8")
    code, printed, _ = ask("report", tmp_path, "--ended", "--budget", "steps~300", "--price", "2.5~€")
    assert code == 0
    assert "At 300 steps better leads" in printed
    # 39 intervals of six minutes each.
    assert "**Equal cost**: At €9.75, the most that all reached" in printed
    assert "At 400 steps, the most that all reached" in ask("report", tmp_path, "--ended")[1]


def test_a_budget_that_these_runs_do_not_have_is_refused(ask, folder):
    code, printed, errors = ask("report", folder, "--budget", "money~3")
    assert (code, printed) == (2, "")
    assert errors.startswith("Expected runs that have a count of money, got fewer than two.\n")
    assert "a price of a GPU hour is set" in errors


def test_a_price_needs_times(ask, folder):
    code, _, errors = ask("report", folder, "--price", "2.5~$")
    assert code == 2
    assert errors.endswith("their logs have times. Known are: steps\n")


@pytest.mark.parametrize("wrong", [("--budget", "joules~3"), ("--budget", "steps~0"), ("--price", "2.5~dollars")])
def test_an_amount_that_makes_no_sense_says_what_was_expected(folder, capsys, wrong):
    with pytest.raises(SystemExit) as left:
        main(["report", str(folder), *wrong])
    assert left.value.code == 2
    assert f"got {wrong[1]}" in capsys.readouterr().err


def test_a_comment_is_told_to_be_markdown_alone(ask, folder, tmp_path):
    code, _, errors = ask("report", folder, "--comment", "--out", tmp_path / "comment.html")
    assert code == 2
    assert errors.startswith("Expected a file that ends with .md, got ")


@pytest.mark.parametrize("name", ["report.pdf", "report", "missing/report.md"])
def test_where_it_cannot_be_written_it_says_so(ask, folder, tmp_path, name):
    code, printed, errors = ask("report", folder, "--out", tmp_path / name)
    assert code == 2
    assert printed == ""
    assert errors.startswith(("Expected a file", "The report could not"))


def test_a_decision_holds_until_something_changes(ask, folder, tmp_path):
    record = tmp_path / "decision.json"
    assert ask("report", folder, "--out", record)[0] == 0
    before = record.read_bytes()
    assert ask("report", folder, "--out", record)[0] == 0
    assert record.read_bytes() == before
    assert ask("check", record, folder) == (0, "The same: the decision would be made again.\n", "")
    state = next((folder / "worse").rglob("trainer_state.json"))
    data = json.loads(state.read_text(encoding="utf-8"))
    entry = next(each for each in data["log_history"] if "eval_loss" in each)
    entry["eval_loss"] += 1e-6
    state.write_text(json.dumps(data), encoding="utf-8")
    code, printed, _ = ask("check", record, folder)
    assert code == 1
    assert "The eval loss of worse has other values than on record." in printed


def test_a_run_that_is_gone_changes_it(ask, folder, tmp_path):
    record = tmp_path / "decision.json"
    ask("report", folder, "--out", record)
    (folder / "worse").rename(tmp_path / "elsewhere")
    code, printed, _ = ask("check", record, folder)
    assert code == 1
    assert "worse is gone, or may not be read." in printed


def test_another_folder_tells_nothing_of_it(ask, folder, tmp_path):
    ask("report", folder, "--out", tmp_path / "decision.json")
    code, printed, errors = ask("check", tmp_path / "decision.json", folder / "better")
    assert code == 2
    assert "is gone" in printed
    assert "name the folder that it was made of" in errors


def test_what_was_said_of_the_runs_is_said_again(ask, tmp_path):
    runs = tmp_path / "runs"
    for name, loss in (("one", 1.0), ("other", 1.2)):
        (runs / name).mkdir(parents=True)
        rows = [f"{step},{2 * loss / step},{2.1 * loss / step}" for step in range(1, 30)]
        (runs / name / "log.csv").write_text("\n".join(("step,train_loss,dev_score", *rows)), encoding="utf-8")
    record = tmp_path / "decision.json"
    assert ask("report", runs, "--ended", "--as", "dev_score~eval_loss", "--out", record)[0] == 0
    assert json.loads(record.read_text())["verdict"]["recommended"] == "one"
    assert ask("check", record, runs)[0] == 0


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"kind": "runoff decision", "format": 9}'])
def test_what_is_no_record_is_refused(ask, folder, tmp_path, content):
    record = tmp_path / "decision.json"
    record.write_bytes(content)
    code, printed, errors = ask("check", record, folder)
    assert code == 2
    assert printed == ""
    assert errors.startswith("Expected a decision record")


def test_a_record_that_is_not_there_is_named(ask, folder, tmp_path):
    assert ask("check", tmp_path / "none.json", folder)[0] == 2
