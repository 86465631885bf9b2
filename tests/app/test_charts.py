"""The charts as they are sent: what a link and the page's options make of them."""

from __future__ import annotations

import math

import pytest

from lib.core.curves.metric_curves import frame_of
from lib.ui.charts import chart as module
from tests.app.harness import write_run
from tests.app.reading import rows_of


def test_how_a_chart_looks_does_not_depend_on_the_runs(opened, demo):
    app = opened(run=[demo.hostile])
    before = app.looks
    assert len(before) == 5
    for run_id in (demo.diverged, demo.longest, demo.running):
        app.check(run_id).assert_sound()
        assert app.looks == before
    app.uncheck(demo.hostile)
    assert app.looks == before


HEALTH = ["learning_rate", "grad_norm", "throughput", "gpu_memory_allocated_gb"]


def test_the_loss_stands_above_and_the_others_below(opened, demo):
    app = opened(run=demo.alike[0], metric=["perplexity", "gpu_utilization_percent", "perplexity"])
    assert app.shared["main"] == ["loss"]
    assert app.shared["health"] == [*HEALTH, "more_perplexity", "more_gpu_utilization_percent"]
    assert [chart.head["wide"] for chart in app.charts.values()] == [True, *[False] * 6]
    assert [chart.head["height"] >= 300 for chart in app.charts.values()] == [True, *[False] * 6]


def test_a_metric_that_decides_stands_beside_the_loss(on_folder, tmp_path):
    for name, score in (("a", 0.5), ("b", 0.75)):
        rows = [{"step": step, "eval_f1": score if step == 3 else 0.25} for step in (1, 2, 3, 4)]
        write_run(tmp_path / name, [1.0, 0.9, 0.8, 0.7], [0.8, 0.7, 0.6, 0.5], rows=rows)
    app = on_folder(tmp_path, run=["a", "b"], by="eval_f1")
    app.assert_sound()
    assert app.shared["main"] == ["deciding", "loss"]
    chart = app.charts["F1"]
    assert (chart.head["higher"], chart.head["note"]) == (True, "decides · higher is better")
    # The best step is that of the metric that decides, in both charts.
    assert chart.data["best"]["x"].tolist() == app.charts["Loss"].data["best"]["x"].tolist() == [3.0, 3.0]
    assert "F1" not in app.offered
    assert on_folder(tmp_path, run=["a", "b"]).shared["main"] == ["loss"]


def test_runs_are_called_by_what_differs_and_in_full(opened, demo):
    ids = demo.alike[:2]
    runs = opened(run=ids).shared["runs"]
    names = [run["label"] for run in runs]
    assert all(name.startswith("support-llama-8b · ") for name in names)
    assert [run["short"] for run in runs] == [name.removeprefix("support-llama-8b · ") for name in names]
    (alone,) = opened(run=ids[0]).shared["runs"]
    assert alone["short"] == alone["label"]


def test_at_the_pointer_every_curve_has_its_name_and_the_place_of_its_run(opened, demo):
    app = opened(run=[demo.hostile, demo.diverged, demo.longest])
    slots = {run["label"]: run["slot"] for run in app.shared["runs"]}
    ends = {"Loss": {" · train loss", " · eval loss"}}
    for title, chart in app.charts.items():
        axis, *names = chart.data["hover"].columns
        assert axis == chart.head["axis"] == "Step"
        named = {f"● {label}{end}": slot for label, slot in slots.items() for end in ends.get(title, {""})}
        assert set(names) == set(named)
        assert [curve["name"] for curve in chart.head["curves"]] == names
        assert [curve["slot"] for curve in chart.head["curves"]] == [named[name] for name in names]
        assert len(chart.head["order"]) == len(chart.data["hover"])


def test_the_loss_chart_has_both_losses_whichever_are_shown(opened, demo):
    app = opened(run=demo.alike[0])
    sent = app.charts["Loss"].head
    assert {curve["kind"] for curve in sent["curves"]} == {"train", "eval"}
    for mode in ("eval", "train"):
        app.put(loss=mode).assert_sound()
        assert app.link["loss"] == [mode]
        assert app.shared["options"]["values"]["loss"] == mode
        assert app.charts["Loss"].head == sent
        assert mode in app.shared["lossNotes"][mode]


def test_the_checkpoint_to_ship_is_marked_in_the_chart_of_the_loss(opened, demo):
    app = opened(run=demo.alike[:2])
    flag = app.charts["Loss"].head["flag"]
    (first,) = [run for run in app.shared["runs"] if run["first"]]
    assert flag["slot"] == first["slot"]
    assert flag["text"] == f"★ checkpoint-{flag['x']:.0f}"
    best = app.charts["Loss"].data["best"]
    curves = app.charts["Loss"].head["curves"]
    number = [(curve["slot"], curve["kind"]) for curve in curves].index((flag["slot"], "eval"))
    assert best.loc[best["curve"] == number, "x"].tolist() == [flag["x"]]
    assert all(chart.head["flag"] is None for title, chart in app.charts.items() if title != "Loss")


def test_where_the_start_dwarfs_the_rest_outliers_are_counted(opened, demo):
    low, high, outside, points, dwarfed = opened(run=demo.alike[:2]).charts["Loss"].head["bounds"]["train and eval"]
    losses = [rows_of(demo, run, metric)["value"] for run in demo.alike[:2] for metric in ("train_loss", "eval_loss")]
    assert points == sum(map(len, losses))
    assert outside == sum(int(((values < low) | (values > high)).sum()) for values in losses)
    assert dwarfed


def test_a_chart_says_in_words_who_is_lowest_and_where_each_ends(on_folder, tmp_path):
    write_run(tmp_path / "a", [1.0, 0.5, 0.4], [0.8, 0.6, 0.7])
    write_run(tmp_path / "b", [1.0, 0.5, 0.4], [0.9, 0.8, 0.5])
    said = on_folder(tmp_path, run=["a", "b"]).charts["Loss"].head["alt"]
    assert said == (
        "Eval loss by step, train loss behind it. b: lowest 0.5 at step 3, 0.5 at the end;"
        " a: lowest 0.6 at step 2, 0.7 at the end."
    )


def test_schedules_that_are_far_apart_are_drawn_on_a_log_axis(on_folder, tmp_path):
    for name, rate in (("a", 1e-3), ("b", 1e-4), ("c", 2e-6)):
        write_run(
            tmp_path / name, [1.0, 0.5], rows=[{"step": 1, "learning_rate": rate}, {"step": 2, "learning_rate": 0}]
        )
    near, far = (on_folder(tmp_path, run=run).charts["Learning rate"].head for run in (["a", "b"], ["a", "c"]))
    assert [(near["log"], near["note"]), (far["log"], far["note"])] == [(False, ""), (True, "log scale")]


def test_on_another_x_axis_everything_is_placed_anew(opened, demo):
    run_id = demo.alike[0]
    app = opened(run=run_id, x="hours")
    app.assert_sound()
    data = app.charts["Gradient norm"].data
    hours = rows_of(demo, run_id, "grad_norm")["elapsed_s"] / 3600
    assert list(data["extent"]["x"]) == pytest.approx([hours.min(), hours.max()])
    assert data["hover"].columns[0] == "Hours since start"


def test_a_run_that_has_no_place_on_the_axis_is_named(on_folder, tmp_path):
    write_run(tmp_path / "a_", [1.0, 0.5], [0.8, 0.6])
    app = on_folder(tmp_path, run="a_", x="hours")
    app.assert_sound()
    assert "a_ is not shown on this axis. No times are logged with the metrics." in app.text
    assert app.charts == {}


def test_smoothing_smooths_the_train_loss_and_keeps_it_behind(opened, demo):
    app = opened(run=demo.alike[0])
    train, evaluated = (
        next(at for at, curve in enumerate(app.charts["Loss"].head["curves"]) if curve["kind"] == kind)
        for kind in ("train", "eval")
    )
    before = app.charts["Loss"].data["lines"]
    app.put(smooth="0.9").assert_sound()
    assert app.link["smooth"] == ["0.9"]
    lines = app.charts["Loss"].data["lines"]
    own = lines[lines["curve"] == train]
    smoothed, raw = own[own["faint"] == 0], own[own["faint"] == 1]
    assert 0 < smoothed["y"].diff().abs().sum() < raw["y"].diff().abs().sum()
    for column in ("x", "y"):
        eval_before, eval_now = (list(each.loc[each["curve"] == evaluated, column]) for each in (before, lines))
        assert eval_now == eval_before


def test_log_changes_the_scale_of_every_chart(on_folder, tmp_path):
    write_run(tmp_path / "a", [1.0, 0.5, 0.0, -1.0], [0.8, 0.6])
    app = on_folder(tmp_path, run="a")
    assert {chart.head["log"] for chart in app.charts.values()} == {False}
    app.put(log="1").assert_sound()
    assert app.link["log"] == ["1"]
    assert {chart.head["log"] for chart in app.charts.values()} == {True}
    assert (app.charts["Loss"].data["lines"]["y"] > 0).all()
    assert "2 not above zero, hidden by the log axis" in app.text


def test_a_chart_is_made_once_for_all_that_ask_for_the_same(opened, demo, monkeypatch):
    made = []
    make = module.make
    monkeypatch.setattr(module, "make", lambda request, runs: made.append(request.key) or make(request, runs))

    def made_by(action) -> list[str]:
        made.clear()
        action()
        return sorted(made)

    every = sorted(["loss", *HEALTH])
    run = demo.alike[:2]
    assert made_by(lambda: opened(run=run)) == every
    assert made_by(lambda: opened(run=run)) == [], "another session asks for the same"
    app = opened(run=run)
    for change in ({"x": "hours"}, {"smooth": "0.3"}, {"log": "1"}, {"zoom": "1000~1200"}):
        assert made_by(lambda change=change: app.address(run=run, **change)) == every
        assert made_by(lambda change=change: app.address(run=run)) == []
    for change in ({"weight": "0.2"}, {"pin": "1100"}, {"q": "llama"}, {"loss": "train"}, {"outliers": "shown"}):
        assert made_by(lambda change=change: app.address(run=run, **change)) == []
    assert made_by(lambda: app.address(run=run, metric="perplexity")) == ["more_perplexity"]
    assert made_by(lambda: app.address(run=run[::-1])) == every, "the order is another"


def test_further_metrics_get_a_chart_each(opened, demo):
    app = opened(run=demo.alike[0])
    before = set(app.charts)
    app.put(metric=["perplexity", "gpu_utilization_percent"]).assert_sound()
    chosen = {each["key"] for group in app.shared["further"] for each in group["metrics"] if each["chosen"]}
    assert chosen == {"perplexity", "gpu_utilization_percent"}
    assert set(app.charts) - before == {"Perplexity", "GPU utilisation (%)"}
    assert app.link["metric"] == ["perplexity", "gpu_utilization_percent"]
    again = opened(run=demo.alike[0], metric=["perplexity", "not_logged"])
    again.assert_sound()
    assert set(again.charts) - before == {"Perplexity"}


PER_GPU = "Throughput per GPU (tokens/s, derived)"


def test_throughput_per_gpu_can_be_chosen_where_a_run_has_several(opened, demo):
    app = opened(run=[demo.four_gpus, demo.alike[0]], metric="tokens_per_second_per_gpu", pin="300", zoom="100~400")
    app.assert_sound()
    assert PER_GPU in app.offered
    whole, each = (app.charts[title].data["lines"] for title in ("Throughput (tokens/s)", PER_GPU))
    shares = (whole["y"] / each["y"]).groupby(whole["curve"]).agg(["min", "max"])
    assert shares.to_numpy().ravel() == pytest.approx([4, 4, 1, 1])
    assert PER_GPU in [each["title"] for each in app.pinned["all"]]


def test_throughput_per_gpu_is_nowhere_where_it_says_nothing_new(opened, demo):
    app = opened(run=demo.alike[:2], metric="tokens_per_second_per_gpu", pin="300")
    app.assert_sound()
    assert PER_GPU not in app.charts
    assert PER_GPU not in app.offered
    assert PER_GPU not in [each["title"] for each in app.pinned["all"]]


def test_throughput_per_gpu_of_a_folder_comes_of_its_configuration(on_folder, tmp_path):
    rows = [{"step": 1, "train_tokens_per_second": 800.0}]
    write_run(tmp_path / "four", [1.0], [1.0], rows=rows, args={"n_gpu": 4})
    write_run(tmp_path / "unknown", [1.0], [1.0], rows=rows)
    app = on_folder(tmp_path, run=["four", "unknown"], metric="tokens_per_second_per_gpu")
    app.assert_sound()
    assert app.charts[PER_GPU].data["lines"]["y"].tolist() == [200.0]
    assert "not logged: unknown" in app.text


def test_what_foreign_metrics_are_called_is_plain_text(on_folder, tmp_path):
    # The browser shows it as text: an escape would be shown.
    write_run(tmp_path / "a", [1.0, 1.0], [1.0], rows=[{"step": 1, "eval_*f1*:macro": 0.5}])
    app = on_folder(tmp_path, run="a", metric="eval_*f1*:macro")
    app.assert_sound()
    assert app.offered == ["*f1*:macro"]
    assert "*f1*:macro" in app.charts


def test_non_finite_values_are_marked_and_counted(opened, demo):
    app = opened(run=[demo.diverged])
    app.assert_sound()
    values = frame_of(demo.source.load_curves([demo.diverged], ["train_loss", "eval_loss"]).values())["value"]
    broken = sum(not math.isfinite(value) for value in values)
    assert broken
    assert f"▼ {broken} NaN or infinite" in app.text
    assert len(app.charts["Loss"].data["nonfinite"])


def test_a_metric_that_a_run_lacks_names_it(opened, demo):
    logged = frame_of(demo.source.load_curves([run.run_id for run in demo.runs]).values())
    having = set(logged.loc[logged["metric"] == "gpu_memory_allocated_gb", "run_id"])
    lacking = [run for run in demo.runs if run.run_id not in having and (logged["run_id"] == run.run_id).any()]
    assert lacking, "the demo holds a run that logs no GPU memory"
    app = opened(run=[lacking[0].run_id, demo.hostile])
    app.assert_sound()
    assert f"not logged: {lacking[0].name}" in app.text
    app.uncheck(demo.hostile).assert_sound()
    assert "Not logged by these runs: GPU memory." in app.captions
    assert "GPU memory (GB)" not in app.charts


def test_a_chart_says_how_much_of_what_was_logged_it_draws(opened, demo):
    rows = rows_of(demo, demo.alike[0], "grad_norm")
    whole, part = (opened(run=demo.alike[0], **zoom) for zoom in ({}, {"zoom": "1000~1200"}))
    drawn = len(whole.charts["Gradient norm"].data["lines"])
    assert whole.charts["Gradient norm"].head["counted"] == f"{drawn} of {len(rows)} points drawn, every extreme kept"
    inside = int(rows["step"].between(1000, 1200).sum())
    assert part.charts["Gradient norm"].head["counted"] == f"all {inside} points drawn"
