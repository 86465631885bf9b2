"""Every page with every kind of selection, in every state a source can be in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.secrets import Secrets

from lib.core.facts.query import RunQuery
from lib.core.text import formatting
from lib.data.folder.source import FolderSource
from lib.data.settings import RUNS_VARIABLE
from tests.app.harness import DIFF, GONE, MAIN, PAGES, RANKING, TITLES, App, write_run
from tests.app.shown import LEFT_OUT, assert_shows
from tests.sweep import write_sweep

SELECTIONS = {
    "none": lambda demo: [],
    "one": lambda demo: demo.alike[:1],
    "two": lambda demo: demo.alike[:2],
    "five": lambda demo: [*demo.alike[:2], demo.hostile, demo.diverged, demo.running],
    "a deleted one": lambda demo: [GONE],
    "a deleted one among others": lambda demo: [demo.alike[0], GONE, demo.queued],
    "six": lambda demo: [*demo.alike, demo.longest],
    "the same twice": lambda demo: [demo.alike[0], demo.alike[0]],
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("kind", SELECTIONS)
def test_every_page_opens_from_a_cold_link(opened, demo, page, kind):
    wanted = SELECTIONS[kind](demo)
    expected = tuple(dict.fromkeys(run_id for run_id in wanted if run_id != GONE))[:5]
    app = opened(page, run=wanted)
    assert_shows(app, len(expected))
    assert app.compared == expected
    assert app.checked == set(expected)
    assert (f"{LEFT_OUT} ({GONE})." in app.text) == (GONE in wanted)
    over = f"1 run was left out: at most 5 can be compared ({demo.longest})."
    assert (over in app.text) == (kind == "six")
    assert len(app.at.warning) == int(GONE in wanted or kind == "six")
    if page == MAIN:
        assert len(app.charts) == (5 if expected else 0)
        assert len(set(app.colors.values())) == len(expected)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_reads_a_folder(on_folder, tmp_path, page):
    write_run(tmp_path / "a", [1.0, 0.5], [0.8, 0.6], args={"learning_rate": 1e-4})
    write_run(tmp_path / "b", [1.0, 0.4], [0.8, 0.7], args={"learning_rate": 2e-4})
    app = on_folder(tmp_path, page, run=["a", "b", "c"])
    assert_shows(app, 2)
    assert f"{LEFT_OUT} (c)." in app.text
    assert app.title.startswith(f"{TITLES[page]} 2 runs in {tmp_path.name} ")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_that_demo_runs_are_made_up_and_how_to_see_others(opened, page):
    title = opened(page).title
    assert "Demo runs, made by a script" in title
    assert "To see your own runs, upload their logs" in title
    assert "Upload runs" in title
    assert "make" not in title.replace("made", "")


def test_the_menu_links_every_page_and_carries_the_comparison(opened, demo):
    app = opened(run=demo.alike[:2], weight="0.5")
    query = f"run={demo.alike[0]}&run={demo.alike[1]}&weight=0.5"
    links = [(link.proto.label, link.proto.query_string) for link in app.at.get("page_link")]
    assert {(title, query) for title in TITLES.values()} == set(links)


@pytest.fixture
def on_sweep(on_folder, tmp_path) -> Callable[..., App]:
    """Open the app on a sweep and a run that is not done: ``on_sweep(names, page)``."""
    write_sweep(tmp_path)
    write_run(tmp_path / "stopped", [1.0, 0.5], [0.8, 0.6], total=9)
    ids = {run.name: run.run_id for run in FolderSource(tmp_path).list_runs(RunQuery(limit=1000)).runs}
    return lambda names, *page: on_folder(tmp_path, *page, run=[ids[name] for name in names])


def test_a_sweep_gets_one_verdict_in_list_table_and_panel(on_sweep):
    names = ["8 3e-6", "8 2e-5", "8 3e-5", "8 4e-5", "8 1e-3"]
    app = on_sweep(names)
    assert_shows(app, 5)
    rows = app.grid.rows
    assert set(rows.index) == set(names)
    assert {name: text.lstrip("🏆 ") for name, text in rows["eval_loss_text"].items()} == {
        "8 3e-6": "0.342", "8 2e-5": "0.332", "8 3e-5": "0.329", "8 4e-5": "0.331", "8 1e-3": "0.363",
    }  # fmt: skip
    assert rows["steps_to_best"].to_dict() == {"8 3e-6": 20, "8 2e-5": 3, "8 3e-5": 3, "8 4e-5": 2, "8 1e-3": 20}
    (first,) = rows.index[rows["_recommended"]]
    assert first in {"8 2e-5", "8 3e-5", "8 4e-5"}
    assert first == rows.index[0]
    assert rows["run_text"][first] == f"{first} ★"
    assert list(rows.index[rows["eval_loss_text"].str.contains("🏆")]) == ["8 3e-5"]
    named = app.panel[0]
    assert "8 3e-6" not in named
    assert "8 1e-3" not in named
    assert list(app.colors) == names
    line = app.runs["selected"][0]
    assert (line["name"], line["recommended"]) == (first, True)
    assert line["value"] == f"{rows['eval_loss'][first]:.3f}", "the values were logged with three decimals"


@pytest.mark.parametrize("page", [DIFF, RANKING])
def test_the_other_pages_show_a_sweep(on_sweep, page):
    app = on_sweep(("8 3e-6", "8 3e-5", "stopped"), page)
    assert_shows(app, 3)
    if page == RANKING:
        assert app.cards.tables[0][0] == ["Line", "1. 8 3e-5 ★", "2. 8 3e-6"]
        assert app.cards.table("Line")["Eval-loss points"][0] == "100.0000"
        assert "stopped is left out: " in app.text


def test_runs_without_a_recorded_method_are_not_said_to_compare(on_sweep):
    app = on_sweep(("8 3e-6", "8 3e-5"))
    app.assert_sound()
    assert "We cannot check that these runs have the same method" in app.text
    assert 'class="badge warn">Unsure<' in "".join(app.html_bodies)


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_folder_has_a_sentence_of_its_own(on_folder, tmp_path, page):
    app = on_folder(tmp_path, page)
    assert_shows(app, 0)
    assert "No log of a training was found here. As soon as one is there, it is listed." in app.text
    assert ("There are no runs to compare yet." in "".join(app.html_bodies)) == (page != RANKING)
    assert "compare_newest" not in [button.key for button in app.at.button]


@pytest.mark.parametrize("page", PAGES)
def test_a_folder_that_is_not_there_is_an_error_with_a_hint_and_a_second_try(on_folder, tmp_path, page):
    missing = tmp_path / "not there"
    app = on_folder(missing, page, run="a")
    assert not app.at.exception
    assert len(app.at.error) == 1
    assert "Expected a folder of training outputs at " in app.text
    assert "make run RUNS=path/to/outputs" in app.text
    assert "Traceback" not in app.text
    assert app.compared == ("a",), "the link must survive the error"
    write_run(missing / "a", [1.0], [1.0], args={"learning_rate": 1e-4})
    assert_shows(app.click("retry:page"), 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[runoff\nruns = 1", "Expected secrets.toml to be a TOML file; it could not be read (line 1, column 8)"),
        (
            "\ufeff[runoff]\nruns = 'x'",
            "Expected secrets.toml to be a TOML file; it could not be read (line 1, column 1)",
        ),
        ('[runoff]\nfolder = "x"', "Unknown setting 'folder' in section [runoff]"),
        ("[runoff]\nruns = 5", "to name a folder, found a value of type int"),
        ("runoff = 'x'", "Expected [runoff] in secrets.toml to be a section"),
    ],
)
def test_settings_that_are_wrong_are_an_error_and_never_the_demo(opened, monkeypatch, tmp_path, text, expected):
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(text)
    for page in PAGES:
        app = opened(page)
        assert not app.at.exception
        (panel,) = app.at.error
        assert expected in app.text
        assert panel.value.count("\n\n") == 2, "what came, what to do, and the id"
        assert app.title == f"{TITLES[page]} Share Link Runs Share Pages"
        assert not app.at.get("bidi_component")
    secrets.write_text("")
    monkeypatch.setattr(st, "secrets", Secrets())
    assert_shows(app.click("retry:page"), 0)


def _not_utf8(file):
    file.write_text("[runoff]\nruns = 'x'", encoding="utf-16")


def _latin(file):
    file.write_text("[runoff]\nruns = 'Läufe'", encoding="latin-1")


def _loop(file):
    file.symlink_to(file)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (_not_utf8, "Expected secrets.toml to be text in UTF-8, found another encoding."),
        (_latin, "Expected secrets.toml to be text in UTF-8, found another encoding."),
        # What Docker makes in the place of a file that is to be mounted and is not there.
        (Path.mkdir, "Expected secrets.toml to be a file that can be read, found none (Is a directory)."),
        (_loop, "Expected secrets.toml to be a file that can be read, found none (Too many levels of symbolic links)."),
    ],
)
def test_a_secrets_file_that_cannot_be_read_is_an_error_and_never_the_demo(opened, tmp_path, make, expected):
    make(tmp_path / "secrets.toml")
    app = opened()
    assert not app.at.exception
    assert expected in app.text
    assert not app.at.get("bidi_component")


def test_the_secrets_file_can_name_the_folder(opened, tmp_path):
    write_run(tmp_path / "runs" / "a", [1.0])
    (tmp_path / "secrets.toml").write_text(f"[runoff]\nruns = '{tmp_path / 'runs'}'\n[other]\nkey = 1\n")
    app = opened()
    assert_shows(app, 0)
    assert app.listed == ["a"]


def test_an_empty_environment_variable_is_an_error(opened, monkeypatch):
    monkeypatch.setenv(RUNS_VARIABLE, " ")
    app = opened()
    assert len(app.at.error) == 1
    assert "Expected the environment variable RUNOFF_RUNS to name a folder" in app.text


def test_a_run_without_metrics_is_compared_and_says_so(opened, demo):
    app = opened(run=[demo.queued, demo.alike[0]])
    assert_shows(app, 2)
    assert "code-review-qwen-7b has logged no metrics." in app.text
    rows = app.grid.rows
    assert rows["eval_loss_text"]["code-review-qwen-7b"] == formatting.NOT_RECORDED
    assert rows["_recommended"].to_dict() == {"code-review-qwen-7b": False, "support-llama-8b": True}


def test_where_no_run_can_be_recommended_the_page_says_who_leads(opened, demo):
    app = opened(run=[demo.running, demo.queued])
    assert_shows(app, 2)
    assert "No recommendation yet" in app.text
    assert "gemma-9b has the lowest eval loss, 1.0849" in app.text
    assert not app.grid.rows["_recommended"].any()
    app.uncheck(demo.running)
    assert_shows(app, 1)
    assert "No selected run has logged an eval loss." in app.text


def test_equal_runs_have_no_different_values(on_folder, tmp_path):
    for name in "ab":
        write_run(tmp_path / name, [1.0, 0.5], [0.8, 0.6], args={"learning_rate": 1e-4})
    app = on_folder(tmp_path, DIFF, run=["a", "b"])
    assert_shows(app, 2)
    assert app.headings[0] == "The one recorded setting does not differ"


def test_runs_without_hyperparameters_have_a_sentence_of_their_own(on_folder, tmp_path):
    write_run(tmp_path / "a", [1.0, 0.5])
    app = on_folder(tmp_path, DIFF, run=["a"])
    app.assert_sound()
    assert app.headings == ["No settings are recorded"]
