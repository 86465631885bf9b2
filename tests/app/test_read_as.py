"""Which metrics are read as ours: told, changed for a session, and carried by the link."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.core.facts.query import RunQuery
from lib.data.folder.source import FolderSource
from tests.app.harness import HEALTH, App

NAMES = ("valid_ce", "heldout_score")


def write(folder: Path, name: str, offset: float, columns: tuple[str, str] = NAMES) -> None:
    """A table of a program that nobody knows: an evaluation every ten steps of 200."""
    place = folder / name
    place.mkdir(parents=True)
    lines = ["step,train_loss,total_steps," + ",".join(columns)]
    for step in range(1, 201):
        train = 2.0 / step**0.3 + offset
        values = f"{train + 0.02},{2.5 - 2 * train}" if step % 10 == 0 else ","
        lines.append(f"{step},{train},200,{values}")
    (place / "log.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def logs(tmp_path) -> Path:
    write(tmp_path, "first", 0.1)
    write(tmp_path, "second", 0.2)
    return tmp_path


def ids(folder: Path) -> list[str]:
    return [run.run_id for run in FolderSource(folder).list_runs(RunQuery()).runs]


def html_of(app: App) -> str:
    return "\n".join(element.proto.body for element in app.at.get("html"))


def choose(app: App, key: str, shown: str) -> App:
    """Choose in a select box by what it shows."""
    box = app.at.selectbox(key=key)
    box.select_index(list(box.options).index(shown))
    return app.rerun()


def guesses(app: App) -> int:
    return html_of(app).count('class="guess"')


def test_a_guess_is_told_and_can_be_said_to_be_right(on_folder, logs):
    app = on_folder(logs, run=ids(logs))
    app.assert_sound()
    told = html_of(app)
    assert "valid_ce → eval loss" in told
    assert guesses(app) == 1, "what is alike in all runs is said once"
    assert "which is a guess." in told
    choose(app, "read_as:0", "eval loss, which is right")
    assert app.link["as"] == ["valid_ce~eval_loss"]
    assert guesses(app) == 0
    assert "which is a guess." not in html_of(app)
    app.click("read_as:back")
    assert "as" not in app.link
    assert guesses(app) == 1


def test_what_was_guessed_is_its_own_metric_where_somebody_says_so(on_folder, logs):
    app = on_folder(logs, run=ids(logs))
    assert {"first", "second"} <= {line["name"] for line in app.runs["selected"]}
    before = {line["name"]: line["value"] for line in app.runs["selected"]}
    choose(app, "read_as:0", "none of these: its own name")
    app.assert_sound()
    assert app.link["as"] == ["valid_ce~"]
    after = {line["name"]: line["value"] for line in app.runs["selected"]}
    assert before != after
    again = on_folder(logs, run=ids(logs))
    assert {line["name"]: line["value"] for line in again.runs["selected"]} == before, "another session is as it was"


def test_a_link_makes_the_same_of_it_in_a_new_session_and_on_every_page(on_folder, logs):
    app = on_folder(logs, run=ids(logs), **{"as": "heldout_score~eval_loss"})
    app.assert_sound()
    assert app.link["as"] == ["heldout_score~eval_loss"]
    assert "heldout_score → eval loss" in html_of(app)
    assert "valid_ce → eval loss" not in html_of(app)
    page = on_folder(logs, HEALTH, run=ids(logs), **{"as": "heldout_score~eval_loss"})
    page.assert_sound()
    assert "heldout_score → eval loss" in page.text
    choose(app, "read_as:eval_loss", "none")
    assert "as" not in app.link
    assert "valid_ce → eval loss" in html_of(app)


@pytest.mark.parametrize("wish", ["valid~eval_loss", "train_loss~eval_loss"])
def test_a_wish_that_names_nothing_leaves_the_link_with_a_message(on_folder, logs, wish):
    app = on_folder(logs, run=ids(logs), **{"as": wish})
    app.assert_sound()
    assert "as" not in app.link
    assert f"as={wish}" in app.text, "what is sure stays as it is"


def test_a_wish_without_sense_is_left_out(on_folder, logs):
    app = on_folder(logs, run=ids(logs), **{"as": "valid_ce~nonsense"})
    app.assert_sound()
    assert "as" not in app.link


def test_two_metrics_are_never_one(on_folder, logs):
    app = on_folder(logs, run=ids(logs))
    choose(app, "read_as:0", "eval loss, which is right")
    choose(app, "read_as:eval_loss", "heldout_score")
    assert app.link["as"] == ["heldout_score~eval_loss"]


def test_runs_that_nobody_has_to_read_have_no_such_button(opened, demo):
    app = opened(run=[run.run_id for run in demo.runs[:2]])
    assert 'class="read-as"' not in html_of(app)
