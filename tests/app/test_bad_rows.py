"""One bad row is one bad row: its run is listed with what could be read, and all others are as they were."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lib.core.facts import sizes
from lib.data.supabase.settings import PREFIX
from tests.app.answering import PUBLISHABLE, Answers, answering, metric_rows, row, run_id
from tests.app.everything import sent
from tests.app.harness import DIFF, HEALTH, MAIN, PAGES, App
from tests.forgetting import forget_reads


@pytest.fixture
def on_project(monkeypatch):
    """Open a page on a project that answers so."""

    def open_on(answers: Answers, page: str, **query: Any) -> App:
        given = {"URL": answers.url, "KEY": PUBLISHABLE, "SIGN_IN": "off", "TIMEOUT_S": "20"}
        for name, value in given.items():
            monkeypatch.setenv(PREFIX + name, value)
        forget_reads()
        app = App.open(page, **query)
        app.assert_sound()
        return app

    return open_on


def written(**columns: str) -> str:
    """An ordinary row with some columns as JSON text."""
    plain: Mapping[str, Any] = {name: value for name, value in json.loads(row(2)).items() if name not in columns}
    return json.dumps(plain)[:-1] + "".join(f', "{name}": {text}' for name, text in columns.items()) + "}"


NINES = "9" * 9000
DEEP = '{"a":' * 2000 + "1" + "}" * 2000
READ = {
    "nested too deeply": (written(config=DEEP), "nested deeper than 40 levels"),
    "nested too deeply in a list": (written(config="[" * 2000 + "]" * 2000), "expected a JSON object"),
    "9,000 digits in a column": (written(total_samples=NINES), "(9,000 digits)"),
    "9,000 digits in the configuration": (written(config=f'{{"seed": {NINES}}}'), "a number of 9,000 digits"),
    "401 digits": (written(config=f'{{"seed": {"9" * 401}, "max_steps": {"9" * 401}}}'), "a number of 401 digits"),
    "1e400": (written(config='{"training": {"learning_rate": 1e400, "max_steps": 1e400}}'), "the number 1e400"),
    "half a character": (written(model_name='"x\\ud800"', config='{"\\udc00": "\\ud800"}'), ""),
    "NUL": (written(model_name='"x\\u0000y"', config='{"a\\u0000": "\\u0000"}', dataset_path='"\\u0000"'), ""),
    "text that turns around": (written(model_name='"x\\u202ey\\u2066"', config='{"\\u202e": "\\u2066"}'), ""),
    "a raw end of line": (written(model_name='"x\ny"'), ""),
    "a name of a megabyte": (written(model_name=json.dumps("n" * 1_000_000)), "the first 300 of 1,000,000 characters"),
    "an error of 5 MB": (
        written(error_message=json.dumps("e " * 2_500_000)),
        "the first 4,000 characters of a text of 5.0 MB",
    ),
    "a status of a megabyte": (written(status=json.dumps("s" * 1_000_000)), "Status: the first 300 of 1,000,000"),
    "the year 0": (written(created_at='"0000-01-01T00:00:00Z"'), "Column created_at: expected a moment, got '0000"),
    "the year 10000": (written(updated_at='"10000-01-01T00:00:00Z"'), "Column updated_at: expected a moment"),
    "the edges of time": (
        written(created_at='"0001-01-01T00:00:00+14:00"', updated_at='"9999-12-31T23:59:59Z"'),
        "in the future",
    ),
    "no zone, and numbers": (
        written(created_at='"2026-01-01T00:00:00"', started_at="5", completed_at="1e19"),
        "completed_at",
    ),
    "a time to come": (written(updated_at='"2199-01-01T00:00:00Z"'), "2199-01-01 00:00 UTC is in the future"),
    "negative steps": (written(current_step="-5", total_steps="-1", progress="-1e308"), ""),
    "steps of text": (written(current_step='"three"'), "Column current_step: expected a whole number, got 'three'"),
    "a count beyond all counts": (written(total_samples="1e300"), "Column total_samples: expected a whole number"),
    "booleans": (
        written(loss="true", model_name="true", status="false", config="true"),
        "Column loss: expected a number",
    ),
    "text for numbers": (written(loss='"0.5"', eval_loss='"NaN"', config='"{\\"a\\": 1}"'), ""),
    "objects for numbers": (written(loss="{}", current_step="[1]", created_at="{}"), "got an object"),
    "an unknown status": (written(status='"weird"'), ""),
    "10,000 settings": (written(config=json.dumps({f"key_{n}": n for n in range(10_000)})), "9,000 more are left out"),
    "10,000 sections": (
        written(config=json.dumps({f"s_{n}": {"a": n} for n in range(10_000)})),
        "9,000 more are left out",
    ),
    "10,000 names of modules": (
        written(config=json.dumps({"lora": {"target_modules": ["down_porj:"] * 10_000}})),
        "9,000 more",
    ),
    "a vocabulary before the settings": (
        written(config=json.dumps({"label2id": {f"l{n}": n for n in range(32_000)}, "training": {"seed": 77}})),
        "31,000 more",
    ),
    "a list of 100,000": (written(config=json.dumps({"a": list(range(100_000))})), "99,000 more are left out"),
    "a name of a setting of 100,000": (written(config=json.dumps({"k" * 100_000: 1})), "names above 200 characters"),
    "a text of a megabyte": (written(config=json.dumps({"prompt": "p" * 1_000_000})), "the longest of 1,000,000"),
    "a deep column": (written(parameter_updates="[" * 900 + "]" * 900), "nested deeper"),
}
"""Rows of which a run comes, and what is said of it."""


@pytest.mark.parametrize("kind", READ)
def test_a_run_with_a_bad_row_is_listed_with_what_could_be_read(on_project, kind):
    bad, said = READ[kind]
    jobs = {run_id(1): row(1), run_id(2): bad, run_id(3): row(3)}
    with answering(Answers(jobs)) as project:
        for page in (MAIN, DIFF):
            app = on_project(project, page, run=[run_id(1), run_id(2)])
            assert set(app.listed) == {run_id(number) for number in (1, 2, 3)}
            assert app.compared == (run_id(1), run_id(2))
            assert {"run-1", "run-3"} <= {line["name"] for line in app.lines.values()}
            assert said in " ".join(text for _, text in app.lines[run_id(2)]["details"])
            assert len(sent(app)) < 3_000_000, "what is too large does not travel"
        if "vocabulary" in kind:
            assert "77" in app.text, "what stands behind it is still read"


NO_RUNS = {
    "a list": "[1, 2]",
    "a list of null": "[null]",
    "a list in a list": "[[1]]",
    "a list of text": '["x"]',
    "null": "null",
    "a text": '"x"',
    "a number": NINES,
    "no id": written(id="null"),
    "a list for an id": written(id="[1]"),
    "an object for an id": written(id='{"a": 1}'),
    "true for an id": written(id="true"),
    "an id of 100,000 characters": written(id=json.dumps("i" * 100_000)),
    "no JSON": '{"id": nothing}',
    "a deep list": "[" * 3000 + "]" * 3000,
}
"""Rows of which no run comes."""


@pytest.mark.parametrize("kind", NO_RUNS)
def test_a_row_that_is_no_run_is_named_and_the_others_are_shown(on_project, kind):
    jobs = {run_id(1): row(1), run_id(2): NO_RUNS[kind], run_id(3): row(3)}
    with answering(Answers(jobs)) as project:
        for page in PAGES:
            app = on_project(project, page, run=[run_id(1), run_id(3)])
            assert set(app.listed) == {run_id(1), run_id(3)}
            assert app.compared == (run_id(1), run_id(3))
            (named,) = app.runs["unreadable"]
            assert "row 2 of this list" in named[0]
            assert "xpected" in named[1]
            assert len(" ".join(named)) < 500


def test_a_run_whose_id_is_a_number_is_listed_and_says_why_it_cannot_be_selected(on_project):
    with answering(Answers({run_id(1): row(1), "5": written(id="5")})) as project:
        app = on_project(project, MAIN, run=[run_id(1)])
        assert app.listed == [run_id(1), "5"]
        assert any("no uuid" in text for _, text in app.lines["5"]["details"])


def test_an_answer_that_is_cut_off_is_still_taken_for_that(on_project, monkeypatch):
    with answering(Answers({run_id(1): row(1)}, body=f"[{row(1)}, {row(2)[:-9]}".encode())) as project:
        for name, value in {"URL": project.url, "KEY": PUBLISHABLE, "SIGN_IN": "off", "TIMEOUT_S": "2"}.items():
            monkeypatch.setenv(PREFIX + name, value)
        app = App.open(MAIN)
        assert "is not complete" in app.at.error[0].value


def wrong(column: str, value: Any) -> list[dict[str, Any]]:
    rows = [dict(each) for each in metric_rows(5)]
    rows[2][column] = value
    return rows


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("train_loss", "much"),
        ("eval_loss", "true"),
        ("epoch", "first"),
        ("step", "two"),
        ("timestamp", "yesterday"),
        ("train_loss", "1e400"),
        ("train_loss", "NaN"),
        ("step", -3),
        ("step", 1e308),
        ("step", 2**62),
        ("step", 1.5),
        ("timestamp", "9999-12-31T00:00:00Z"),
    ],
)
def test_a_metric_row_with_a_wrong_value_costs_that_value(on_project, column, value):
    with answering(Answers({run_id(1): row(1)}, wrong(column, value))) as project:
        app = on_project(project, MAIN, run=[run_id(1)])
        assert "Loss" in app.charts
        drawn = app.charts["Loss"].data["lines"]
        assert len(drawn) >= 8, "the other values are drawn"


def test_values_that_are_no_numbers_are_counted(on_project):
    with answering(Answers({run_id(1): row(1)}, wrong("train_loss", "much"))) as project:
        assert "1 value that is no number: left out." in on_project(project, HEALTH, run=[run_id(1)]).text


@pytest.mark.parametrize("zone", ["Etc/Unknown", "", "../../etc/passwd", "\0", "Europe", "x" * 5000, None])
def test_charts_of_a_running_run_are_there_whatever_the_browser_calls_its_zone(on_project, monkeypatch, zone):
    from streamlit.runtime.context import ContextProxy

    monkeypatch.setattr(ContextProxy, "timezone", property(lambda _: zone))
    now: Callable[[], str] = lambda: "2026-11-30T00:00:00Z"  # noqa: E731
    with answering(Answers({run_id(1): row(1, status="running", updated_at=now())})) as project:
        app = on_project(project, MAIN, run=[run_id(1)])
        assert "Loss" in app.charts
        assert " UTC" in next(text for text in app.said if "as of" in text)


def test_what_a_link_asks_for_is_bounded_and_said(on_project):
    with answering(Answers({run_id(1): row(1)})) as project:
        app = on_project(
            project, MAIN, run=[run_id(1)], list="100000", q="q" * 5000, metric=["m" * 400, *map(str, range(500))],
            by="b" * 100_000, zoom="1" * 5000 + "~2",
        )  # fmt: skip
        (said,) = [each.value for each in app.at.warning if "not understood" in each.value]
        assert "list=100000" in said
        assert "(5,000 characters)" in said
        assert "(100,000 characters)" in said
        assert "metric behind the first 200 of 501" in said
        assert len(said) < 3000
        assert not [path for path in project.asked if len(path) > 8000]
        assert sizes.LONGEST_LIST == 1000
