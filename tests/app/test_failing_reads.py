"""What cannot be read, or changes while it is compared, is said, and the rest stands."""

from __future__ import annotations

import re
import shutil
from types import SimpleNamespace

import pytest

from lib.core.facts.errors import AccessDenied, SourceUnavailable
from lib.data.demo.source import EmbeddedSource
from lib.log.lines import ERROR_ID
from tests.app.harness import DIFF, MAIN, RANKING, write_run
from tests.app.shown import LEFT_OUT, assert_shows, errors_of


@pytest.fixture
def refused(monkeypatch, demo) -> SimpleNamespace:
    """The metrics of one run cannot be read, as long as there is an error."""
    state = SimpleNamespace(run_id=demo.alike[0], error=SourceUnavailable("No answer <b>now</b>.", hint="Wait."))
    load = EmbeddedSource.load_curves

    def failing(self, run_ids, *rest, **named):
        if state.error and state.run_id in run_ids:
            raise state.error
        return load(self, run_ids, *rest, **named)

    monkeypatch.setattr(EmbeddedSource, "load_curves", failing)
    return state


def test_an_error_on_the_page_is_found_in_the_log_by_its_id(opened, refused, caplog):
    app = opened(run=[refused.run_id])
    shown = re.search(r"Error id (\w+)", app.at.error[0].value)[1]
    (entry,) = [record for record in caplog.records if getattr(record, ERROR_ID, "") == shown]
    assert entry.getMessage() == str(refused.error)
    assert entry.exc_info[1] is refused.error
    # Shown again at the next run of the page, it is the same error, and not a further entry.
    app.go(MAIN, run=app.compared)
    assert re.search(r"Error id (\w+)", app.at.error[0].value)[1] == shown
    assert [getattr(record, ERROR_ID, "") for record in caplog.records].count(shown) == 1


def test_metrics_that_cannot_be_read_leave_the_others_compared(opened, demo, refused):
    others = {"support-bot <b>v2</b> | rank 64", "support-qwen-7b"}
    app = opened(run=[refused.run_id, demo.hostile, demo.diverged])
    assert not app.at.exception
    assert errors_of(app) == [r"No answer \<b\>now\</b\>." "\n\nWait. This page tries again by itself."]
    assert "The metrics of support-llama-8b could not be read; it is compared by its summary." in app.text
    assert set(app.grid.rows.index) == {"support-llama-8b", *others}
    assert app.grid.rows["eval_loss"]["support-llama-8b"] == pytest.approx(0.8592, abs=1e-4)
    assert set(app.colors) == others
    assert len(app.charts) == 5
    for page in (DIFF, RANKING):
        assert_shows(app.go(page, run=app.compared), 3)
    app.go(MAIN, run=app.compared)
    assert len(app.at.error) == 1

    refused.error = None
    assert_shows(app.click(f"retry:{refused.run_id}"), 3)
    assert set(app.colors) == {"support-llama-8b", *others}


def test_a_reason_that_several_runs_have_is_given_once_and_who_tries_again_too(opened, demo, monkeypatch):
    def failing(self, run_ids, *rest, **named):
        # Each read has an error of its own.
        raise SourceUnavailable("No answer.", hint="Check the network, then try again.", besides="Check the network.")

    monkeypatch.setattr(EmbeddedSource, "load_curves", failing)
    app = opened(run=[*demo.alike[:2], demo.diverged])
    assert errors_of(app) == ["No answer.\n\nCheck the network. This page tries again by itself."]
    assert len(set(re.findall(r"Error id ([0-9a-f]{8})", app.text))) == 1
    assert app.text.count("No answer.") == 1
    assert "support-qwen-7b could not be read; they are compared by their summaries." in app.text
    buttons = [button.label for button in app.at.button if button.key.startswith("retry:")]
    assert buttons == ["Try now"]


def test_when_no_metrics_can_be_read_the_table_still_stands(opened, refused):
    refused.error = AccessDenied("Not for you.")
    app = opened(run=[refused.run_id])
    assert not app.at.exception
    assert errors_of(app) == ["Not for you."]
    assert len(app.grid.rows) == 1
    assert app.charts == {}


def test_a_list_that_cannot_be_read_is_an_error_on_the_page(opened, monkeypatch, demo):
    def failing(self, query):
        raise SourceUnavailable("The list did not come.", hint="Try later.")

    with monkeypatch.context() as patch:
        patch.setattr(EmbeddedSource, "list_runs", failing)
        app = opened()
        assert not app.at.exception
        assert errors_of(app) == ["The list did not come.\n\nTry later. This page tries again by itself."]
        assert app.compared == ()
    assert_shows(app.click("retry:page"), 0)


def test_a_list_that_cannot_be_read_takes_nothing_else_away(opened, monkeypatch, demo):
    def failing(self, query):
        raise SourceUnavailable("The list did not come.", hint="Try later.")

    with monkeypatch.context() as patch:
        patch.setattr(EmbeddedSource, "list_runs", failing)
        app = opened(run=demo.alike[:2])
        assert_shows(app, 2)
        assert "could not be refreshed: the list of runs, which has only runs that were read before." in app.text
        assert "The list did not come. Try later." in app.text
        assert set(app.listed) == set(demo.alike[:2])
    assert_shows(app.click("refresh_now"), 2)
    assert "could not be refreshed" not in app.text
    assert len(app.listed) == len(demo.runs)


def test_a_run_deleted_while_it_is_compared_is_named_and_left_out(on_folder, tmp_path):
    write_run(tmp_path / "a", [1.0, 0.5], [0.8, 0.6])
    gone = write_run(tmp_path / "b", [1.0, 0.4], [0.8, 0.7])
    app = on_folder(tmp_path, run=["a", "b"])
    assert_shows(app, 2)
    shutil.rmtree(gone)
    assert_shows(app.ask(refresh=True), 1)
    assert f"{LEFT_OUT} (b)." in app.text
    assert app.compared == ("a",)
    assert app.listed == ["a"]


def test_a_log_that_becomes_unreadable_is_named_in_the_list(on_folder, tmp_path):
    write_run(tmp_path / "a", [1.0, 0.5], [0.8, 0.6])
    broken = write_run(tmp_path / "<b>", [1.0], [0.8])
    app = on_folder(tmp_path, run="a")
    (broken / "trainer_state.json").write_text('{"log_history": [')
    assert_shows(app.ask(refresh=True), 1)
    ((path, reason),) = app.runs["unreadable"]
    assert path == "<b>/trainer_state.json"
    assert reason
    assert len(app.listed) == 2, "what was read before stays"


def test_new_runs_appear_after_a_refresh(on_folder, tmp_path):
    write_run(tmp_path / "a", [1.0])
    app = on_folder(tmp_path)
    write_run(tmp_path / "b", [1.0])
    assert app.rerun().listed == ["a"], "the list is cached"
    assert set(app.ask(refresh=True).listed) == {"a", "b"}


def test_what_lies_there_and_is_no_run_is_named(on_folder, tmp_path):
    (tmp_path / "<b>.png").write_bytes(b"")
    (tmp_path / "run" / "checkpoint-10").mkdir(parents=True)
    app = on_folder(tmp_path)
    assert_shows(app, 0)
    assert {path for path, _ in app.runs["unused"]} == {".", "run"}
    shown = "".join(app.html_bodies)
    assert "Files of kinds that are not read: 1 .png." in shown
    assert "checkpoint folder without a log" in shown
    assert "Hugging Face Trainer (trainer_state.json); " in shown
