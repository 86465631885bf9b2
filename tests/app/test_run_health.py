"""The page Run health: every finding of the selected runs, what cannot be told, and what the data can bear."""

from __future__ import annotations

import re

import numpy as np
import pytest

from lib.core.checks.check import Group
from lib.core.checks.registry import CHECKS, checks_of
from lib.core.checks.results import Results
from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.findings import Severity
from lib.data.demo.source import EmbeddedSource
from tests.app.cards import Cards
from tests.app.harness import HEALTH, MAIN, RANKING, App, write_run


def found(app: App) -> dict[str, str]:
    """What was found in each run, by what it is called."""
    return {run.removesuffix(" ★"): said for run, (said, _) in app.cards.table("Run", "Found").items()}


def lines(app: App) -> dict[str, str]:
    """What stands beside the headings below the runs."""
    (body,) = [body for body in app.html_bodies if 'aria-label="Checks"' in body]
    (card,) = re.findall(r'<section class="card" aria-label="Checks">.*?</section>', body)
    return {title: Cards([said]).text for title, said in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", card)}


@pytest.fixture(scope="module")
def results(demo) -> Results:
    """What the checks themselves say of the run that diverged."""
    (run,) = demo.source.load_runs([demo.diverged])
    return checks_of(run, demo.source.load_curves([demo.diverged])[demo.diverged])


def test_every_finding_of_a_run_is_told_once_the_most_severe_first(opened, demo, results):
    app = opened(HEALTH, run=demo.diverged)
    app.assert_sound()
    (said,) = found(app).values()
    notes = lines(app)["Data checks"]
    for finding in results.findings:
        assert (said + notes).count(finding.sentence) == 1, finding.sentence
    # The kinds with critical findings come first; a kind has all of its findings together.
    grave = {each.code for each in results.findings if each.severity is Severity.CRITICAL}
    last = max(said.index(each.sentence) for each in results.findings if each.code in grave)
    others = [each for each in results.findings_in(Group.HEALTH) if each.code not in grave]
    assert said.startswith("critical")
    assert others
    assert all(said.index(each.sentence) > last for each in others)


def test_the_page_opens_with_what_was_found_and_the_recommended_run_stands_first(opened, demo):
    app = opened(HEALTH, run=demo.alike)
    app.assert_sound()
    assert app.headings[0] == "Gradient-norm spikes in four runs, the recommended one among them"
    assert next(iter(app.cards.table("Run", "Found"))) == "lr 2e-4 · r 64 ★"
    assert found(app)["lr 1e-4 · r 16"] == "Stored learning rate: harmless, see the data checks."
    spikes = found(app)["lr 5e-4 · r 64"]
    assert "Gradient-norm spikes: 5 times, at steps 205, 960, 1,045, 2,770 and 2,875." in spikes
    # What is harmless in each is not counted.
    assert "22 findings" in app.text


def test_the_checks_that_are_fine_are_counted_and_named(opened, demo):
    app = opened(HEALTH, run=[demo.diverged, demo.alike[0]])
    app.assert_sound()
    fine = lines(app)["Checked and fine"]
    count = int(fine.partition(" of ")[0])
    assert f" of {len(CHECKS)} checks in every run" in fine
    assert count < len(CHECKS) - 3
    assert "Memory creep" in fine
    assert "ivergence" not in fine


def test_what_cannot_be_told_is_one_line_for_each_reason(on_folder, tmp_path):
    for name in "ab":
        write_run(tmp_path / name, [1.0, 0.9, 0.8], [0.9, 0.8, 0.7])
    untold = lines(on_folder(tmp_path, HEALTH, run=["a", "b"]))["Could not be checked"]
    assert untold.count("The gradient norm was not logged") == 1
    assert "The gradient norm was not logged: gradient-norm spikes, clipping saturation, gradient norm grows." in untold


def test_what_cannot_be_told_of_one_run_names_it(opened, demo):
    untold = lines(opened(HEALTH, run=[demo.diverged, demo.alike[0]]))["Could not be checked"]
    assert "The last eval loss, at step 2,100, is NaN: overfitting, rebound (qwen-7b)." in untold


def test_overfitting_and_steadiness_are_told_in_numbers(opened, demo):
    app = opened(HEALTH, run=demo.alike[0])
    assert "At the best evaluation, step" in app.text
    assert "Near the end the train loss varies by" in app.text


def test_what_lowers_the_confidence_stands_with_the_run_and_is_counted(opened, demo):
    app = opened(HEALTH, run=demo.longest)
    (said,) = found(app).values()
    assert "The job's stored best eval loss is" in said
    assert lines(app)["Data checks"].startswith("Lowered confidence in customer-")


def test_without_a_selection_the_page_says_what_to_do(opened):
    app = opened(HEALTH)
    app.assert_sound()
    assert app.is_empty
    assert app.headings == []


def test_a_run_without_metrics_is_no_row_of_questions(opened, demo):
    app = opened(HEALTH, run=[demo.queued, demo.alike[0]])
    app.assert_sound()
    assert "code-review-qwen-7b has logged no metrics." in app.text
    assert found(app)["code-review-qwen-7b"].startswith("It logged no metrics.")
    assert "code-review-qwen-7b" not in lines(app).get("Could not be checked", "")
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
    said = found(app)
    assert [text for text in said.values() if "could not be read, so nothing could be checked" in text]
    assert said["qwen-7b"].startswith("critical")
    alone = opened(HEALTH, run=demo.alike[0])
    assert "nothing could be checked" in alone.headings[0]
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
    assert not any("<img src=x" in body for body in app.html_bodies)
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
    shown = [row for table in app.cards.tables if table[0] == ["Limit", "Value", "Meaning"] for row in table[1:]]
    values = {title: value for title, value, _ in shown}
    assert values["Unsteady variation"] == "0.15"
    assert values["Spike MADs"] == "8"
    assert values["Window share"] == "0.05"
    assert min(len(meaning) for _, _, meaning in shown) > 10


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
    assert set(found(health).values()) == {"Nothing found."}
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
    assert "At the best evaluation, step 3, the eval loss is 0.7000" in by_loss.text
    assert "a gap of -0.0500" in by_loss.text
    assert "a gap of +0.0500" in by_f1.text
    assert "At the checkpoint to ship, step 2, the eval loss is 0.8000" in by_f1.text


def test_a_demo_run_that_is_under_way_is_not_taken_for_one_that_fell_silent(opened, demo):
    app = opened(HEALTH, run=[demo.running])
    app.assert_sound()
    assert "has not reported for" not in "\n".join([app.text, *(frame.value.to_string() for frame in app.at.dataframe)])
