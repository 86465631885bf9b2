"""Runs whose logs do not say whether their training ended are ranked where somebody says that it did."""

from __future__ import annotations

import re

import pytest

from lib.core.facts.query import RunQuery
from lib.data.folder.source import FolderSource
from tests.app.harness import HEALTH, MAIN


@pytest.fixture
def logs(tmp_path):
    """Two tables that anybody may have written: nothing in them says that there are no more rows to come."""
    for name, offset in (("first", 0.1), ("second", 0.4)):
        (tmp_path / name).mkdir()
        lines = ["step,train_loss,eval_loss"]
        for step in range(1, 201):
            train = 2.0 / step**0.3 + offset
            lines.append(f"{step},{train},{train + 0.02 if step % 10 == 0 else ''}")
        (tmp_path / name / "log.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_what_no_log_says_can_be_said_and_taken_back(on_folder, logs):
    ids = [run.run_id for run in FolderSource(logs).list_runs(RunQuery()).runs]
    app = on_folder(logs, run=ids)
    app.assert_sound()
    assert "No recommendation" in headline(app)
    app.click("ended")
    app.assert_sound()
    assert "first" in headline(app)
    assert "No recommendation" not in headline(app)
    assert app.at.query_params["ended"] == "1"
    assert "Its log does not say that its training ended" in html(app)
    app.go(HEALTH, run=ids, ended="1")
    app.assert_sound()
    app.go(MAIN, run=ids, ended="1")
    assert "No recommendation" in headline(app.click("not_ended"))
    assert "ended" not in app.at.query_params


def test_nothing_is_offered_where_runs_say_how_they_ended(opened, demo):
    app = opened(run=demo.alike[:2])
    assert "ended" not in [button.key for button in app.at.button]
    app = opened(run=demo.alike[:2], ended="1")
    assert "somebody here said so" not in html(app)


def html(app) -> str:
    return "\n".join(element.proto.body for element in app.at.get("html"))


def headline(app) -> str:
    return re.search(r"<h2>(.*?)</h2>", html(app), re.DOTALL)[1]
