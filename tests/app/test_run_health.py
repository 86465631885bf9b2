"""The page Run health: every finding of the selected runs, what cannot be told, and what the data can bear."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lib.core.checks.check import Group
from lib.core.checks.registry import CHECKS, checks_of
from lib.core.checks.results import Results
from lib.core.facts.errors import SourceUnavailable
from lib.data.demo.source import EmbeddedSource
from tests.app.harness import HEALTH, MAIN, RANKING, App, write_run

FINDINGS = ["Severity", "What", "Sentence", "First step", "Last step"]
PASSPORT = ["Outcome", "Check", "Sentence", "First step", "Last step"]


def tables(app: App, columns: list[str]) -> list[pd.DataFrame]:
    return [each.value for each in app.at.dataframe if list(each.value.columns)[: len(columns)] == columns]


def findings(app: App) -> pd.DataFrame:
    (found,) = tables(app, FINDINGS)
    return found


def matrix(app: App) -> pd.DataFrame:
    (found,) = tables(app, ["area", "check"])
    return found.set_index(["area", "check"])


@pytest.fixture(scope="module")
def results(demo) -> Results:
    """What the checks themselves say of the run that diverged."""
    (run,) = demo.source.load_runs([demo.diverged])
    return checks_of(run, demo.source.load_curves([demo.diverged])[demo.diverged])


def test_every_finding_of_a_run_is_in_its_table_the_most_severe_first(opened, demo, results):
    app = opened(HEALTH, run=demo.diverged)
    app.assert_sound()
    shown = findings(app)
    assert [finding.sentence for finding in results.findings] == list(shown["Sentence"])
    assert len(set(shown["Sentence"])) == len(shown)
    order = [text.split()[1] for text in shown["Severity"]]
    assert order == sorted(order, key=["critical", "warning", "info"].index)
    divergence = shown[shown["What"] == "Divergence"].iloc[0]
    (finding,) = results.of("divergence").findings
    assert (divergence["First step"], divergence["Last step"]) == (finding.step, finding.extent)
    assert divergence["Severity"] == "✖ critical"


def test_the_overview_names_the_outcome_of_every_check_that_is_not_fine(opened, demo):
    app = opened(HEALTH, run=[demo.diverged, demo.alike[0]])
    app.assert_sound()
    shown = matrix(app)
    assert list(shown.loc[("Health", "Divergence")]) == ["✖ critical", "✓ fine"]
    assert shown.loc[("Health", "NaN or infinity")].iloc[0] == "✖ critical × 3"
    assert ("Health", "Memory creep") not in shown.index
    (rest,) = [each.label for each in app.at.expander if each.label.startswith("Nothing found in any run")]
    total = len(CHECKS)
    assert f"({total - len(shown)} of {total} checks)" in rest
    assert "Health: Memory creep" in app.text


def test_what_cannot_be_told_is_said_with_the_reason(opened, demo):
    app = opened(HEALTH, run=demo.diverged)
    assert "Could not be told (1)" in app.text
    assert "Overfitting, rebound: the last eval loss, at step 2100, is NaN." in app.text
    assert "The rebound cannot be told" in app.text


def test_overfitting_and_stability_are_told_in_numbers_and_words(opened, demo):
    app = opened(HEALTH, run=demo.alike[0])
    metrics = {metric.label: metric.value for metric in app.at.metric}
    assert set(metrics) == {"Gap", "Rebound", "Slope at the end"}
    assert all(value[0] in "+-–" for value in metrics.values())
    assert "At the best evaluation, step" in app.text
    assert "loss variation at the end" in app.text


def test_the_passport_has_every_check_and_says_what_lowers_the_confidence(opened, demo):
    app = opened(HEALTH, run=demo.longest)
    odd, fine = tables(app, PASSPORT)
    of_data = [check.title for check in CHECKS if check.group is Group.DATA]
    assert sorted([*odd["Check"], *fine["Check"]]) == sorted(of_data)
    assert set(fine["Outcome"]) == {"✓ fine"}
    assert odd["Outcome"].iloc[0] == "⚠ warning"
    assert "The confidence in a verdict about this run is lowered: The job's stored best eval loss is" in app.text


def test_another_run_is_chosen_by_its_name_and_keeps_its_place(opened, demo):
    app = opened(HEALTH, run=[demo.alike[0], demo.diverged])
    before = list(findings(app)["Sentence"])
    app.turn("segmented_control", "health_run", demo.diverged)
    app.assert_sound()
    after = list(findings(app)["Sentence"])
    assert before != after
    assert any("NaN" in sentence for sentence in after)
    app.uncheck(demo.alike[0]).assert_sound()
    assert list(findings(app)["Sentence"]) == after


def test_without_a_selection_the_page_says_what_to_do(opened):
    app = opened(HEALTH)
    app.assert_sound()
    assert app.is_empty
    assert app.headings == []


def test_a_run_without_metrics_is_no_row_of_questions(opened, demo):
    app = opened(HEALTH, run=[demo.queued, demo.alike[0]])
    app.assert_sound()
    assert "code-review-qwen-7b has logged no metrics." in app.text
    for cells in matrix(app).itertuples(index=False):
        assert cells[1] != "✓ fine" or not cells[0].startswith("?")
    app.turn("segmented_control", "health_run", demo.queued).assert_sound()
    assert "Overfitting cannot be told: no finite eval loss is logged." in app.text


def test_a_run_whose_curves_cannot_be_read_leaves_the_others(opened, demo, monkeypatch):
    load = EmbeddedSource.load_curves

    def failing(self, run_ids, *rest, **named):
        if demo.alike[0] in run_ids:
            raise SourceUnavailable("No answer <b>now</b>.", hint="Wait.")
        return load(self, run_ids, *rest, **named)

    monkeypatch.setattr(EmbeddedSource, "load_curves", failing)
    app = opened(HEALTH, run=[demo.alike[0], demo.diverged])
    assert not app.at.exception
    assert len(app.at.error) == 1
    assert set(matrix(app).iloc[:, 0]) == {"? not read"}
    assert "neither its health nor its data could be judged" in app.text
    app.turn("segmented_control", "health_run", demo.diverged)
    assert "✖ critical" in set(findings(app)["Severity"])
    alone = opened(HEALTH, run=demo.alike[0])
    assert "nothing could be checked" in alone.text
    main = opened(MAIN, run=[demo.alike[0], demo.diverged])
    assert not main.at.exception
    assert main.grid.rows["findings_text"].iloc[0] == "–"


def test_names_stay_names(on_folder, tmp_path):
    hostile = "**a** <img src=x> $x$ :red[y]"
    write_run(tmp_path / hostile, [1.0, float("nan"), 0.4], [0.8, 0.7])
    write_run(tmp_path / "check", [1.0, 0.5], [0.8, 0.7])
    app = on_folder(tmp_path, HEALTH, run=[hostile, "check"])
    app.assert_sound()
    assert not any(hostile in text for text in app.said)
    assert hostile in app.text


def test_the_main_page_counts_and_marks_what_was_noticed(opened, demo, results):
    app = opened(MAIN, run=[demo.diverged, demo.alike[3]])
    app.assert_sound()
    rows = app.grid.rows
    assert rows["findings_text"]["support-qwen-7b"] == "✖3 ⚠3 ●2"
    assert rows["findings"]["support-qwen-7b"] == 6
    marked = "\n".join(text for chart in app.charts.values() for text in chart.data["findings"]["text"])
    for finding in results.findings_in(Group.HEALTH):
        assert finding.sentence in marked


def test_a_run_with_nothing_to_mark_has_no_lane(opened, demo):
    app = opened(MAIN, run=[demo.diverged, demo.alike[3]])
    slots = {run["label"]: run["slot"] for run in app.shared["runs"]}
    (lane,) = app.charts["Loss"].head["lane"]
    assert lane["slot"] == slots["support-qwen-7b"]
    assert "NaN or infinity" in lane["words"]


@pytest.mark.parametrize("axis", ["step", "epoch", "hours", "samples", "tokens"])
def test_marks_are_where_the_curve_is_on_every_axis(opened, demo, axis):
    app = opened(MAIN, run=demo.diverged, x=axis)
    app.assert_sound()
    for chart in app.charts.values():
        marks, extent = chart.data["findings"], chart.data["extent"]["x"]
        assert marks["x"].between(extent.min(), extent.max()).all()
    (gradient,) = [chart for title, chart in app.charts.items() if title.startswith("Gradient")]
    drawn = gradient.data["lines"]
    spike = gradient.data["findings"].iloc[0]
    highest = drawn[drawn["x"].between(spike["x"] * 0.9, spike["x"] * 1.1)]["y"].max()
    assert f"{highest:.2f}" in spike["text"]


def test_marks_outside_of_the_range_are_gone(opened, demo):
    app = opened(MAIN, run=demo.diverged, zoom="1000~1500")
    (gradient,) = [chart for title, chart in app.charts.items() if title.startswith("Gradient")]
    assert gradient.data["findings"].empty
    (loss,) = [chart for title, chart in app.charts.items() if title == "Loss"]
    (plateau,) = loss.data["findings"].itertuples()
    assert plateau.x < 1000 < 1500 < plateau.end, "the plateau goes on through it"


def test_the_page_of_the_ranking_prints_every_threshold(opened):
    app = opened(RANKING)
    app.assert_sound()
    shown = pd.concat(tables(app, ["Limit", "Value", "Meaning"]))
    values = dict(zip(shown["Limit"], shown["Value"], strict=False))
    assert values["Unsteady variation"] == "0.15"
    assert values["Spike MADs"] == "8"
    assert values["Window share"] == "0.05"
    assert shown["Meaning"].str.len().min() > 10


def spiking(path, seed, *at):
    """A run of 200 steps whose gradient norm spikes at some of them."""
    random = np.random.default_rng(seed)
    norms = np.exp(random.normal(0.0, 0.1, 200))
    norms[[step - 1 for step in at]] = 20.0
    rows = [{"step": step, "grad_norm": float(norm)} for step, norm in enumerate(norms, 1)]
    losses = np.linspace(2.0, 1.0, 200) + random.normal(0.0, 0.01, 200)
    write_run(path, losses.tolist(), rows=rows)


def test_spikes_of_all_runs_are_hard_batches_and_said_once(on_folder, tmp_path):
    for seed, name in enumerate(("one", "two", "three")):
        spiking(tmp_path / name, seed, 118, 152)
    said = "Gradient norms spike at steps 118, 152 in all runs: hard batches."
    health = on_folder(tmp_path, HEALTH, run=["one", "two", "three"])
    health.assert_sound()
    assert health.text.count(said) == 1
    assert list(matrix(health).loc[("Health", "Gradient-norm spikes")]) == ["● info × 2"] * 3
    main = on_folder(tmp_path, MAIN, run=["one", "two", "three"])
    main.assert_sound()
    assert main.shared["notes"] == [said]
    assert list(main.grid.rows["findings"]) == [0, 0, 0]
    # Of one run, nobody knows whether others had them.
    alone = on_folder(tmp_path, MAIN, run="one")
    assert said not in alone.text
    assert list(alone.grid.rows["findings"]) == [2]


def test_overfitting_is_told_of_the_checkpoint_that_the_verdict_would_ship(on_folder, tmp_path):
    f1 = [{"step": step, "eval_f1": value} for step, value in ((1, 0.2), (2, 0.9), (3, 0.7))]
    write_run(tmp_path / "a", [0.75, 0.75, 0.75], [0.9, 0.8, 0.7], rows=f1)
    by_loss, by_f1 = (on_folder(tmp_path, HEALTH, run="a", by=by) for by in ("eval_loss", "eval_f1"))
    gaps = [{metric.label: metric.value for metric in app.at.metric}["Gap"] for app in (by_loss, by_f1)]
    assert gaps == ["-0.0500", "+0.0500"]
    assert "At the checkpoint to ship, step 2, the eval loss is 0.8000" in by_f1.text


def test_a_demo_run_that_is_under_way_is_not_taken_for_one_that_fell_silent(opened, demo):
    app = opened(HEALTH, run=[demo.running])
    app.assert_sound()
    assert "has not reported for" not in "\n".join([app.text, *(frame.value.to_string() for frame in app.at.dataframe)])
