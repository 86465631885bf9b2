"""The charts as they are sent: what a link and the page's options make of them."""

from __future__ import annotations

import math

import pytest

from lib.core.curves.metric_curves import frame_of
from lib.core.facts.metrics import METRICS, metric_of
from lib.core.text import formatting
from lib.ui.charts import chart as module
from lib.ui.session import link
from tests.app.harness import write_run


def rows_of(demo, run_id: str, metric: str):
    return frame_of(demo.source.load_curves([run_id], [metric]).values())


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


def test_the_loss_has_the_full_width_and_the_others_stand_together(opened, demo):
    app = opened(run=demo.alike[0], metric=["perplexity", "gpu_utilization_percent", "perplexity"])
    sections = app.sent[0].head["sections"]
    assert [(section["wide"], section["charts"]) for section in sections] == [
        (True, ["loss"]),
        (False, [*HEALTH, "more_perplexity", "more_gpu_utilization_percent"]),
    ]
    assert [chart.head["height"] > 200 for chart in app.charts.values()] == [True, *[False] * 6]


def test_a_legend_names_every_run_in_its_order_and_gives_way_to_the_charts(opened, demo):
    ids = [demo.hostile, demo.diverged, demo.longest, demo.running]
    names = {run.run_id: run.name for run in demo.runs}
    beside = []
    for count in range(1, 5):
        legends = [section["legend"] for section in opened(run=ids[:count]).sent[0].head["sections"]]
        for legend in legends:
            assert [entry["label"] for entry in legend["runs"]] == [names[run_id] for run_id in ids[:count]]
            shown = [entry["name"] for entry in legend["runs"]]
            assert len(set(shown)) == count, "a cut name is still told apart"
            assert all(len(entry["name"]) <= len(entry["label"]) for entry in legend["runs"])
        beside.append([legend["vertical"] for legend in legends])
        assert [len(legend["keys"]) for legend in legends] == [4, 0]
    assert beside == [[False, False], [False, False], [True, False], [True, True]]


def test_at_the_pointer_every_curve_has_its_name_and_the_colour_of_its_run(opened, demo):
    app = opened(run=[demo.hostile, demo.diverged, demo.longest])
    ends = {"Loss": {" (T)", " (E)"}}
    for title, chart in app.charts.items():
        axis, *names = chart.data["hover"].columns
        assert axis == chart.head["axis"] == "Step"
        named = {f"● {label}{end}": color for label, color in app.colors.items() for end in ends.get(title, {""})}
        assert set(names) == set(named)
        assert chart.head["colors"] == [named[name] for name in names]


@pytest.mark.parametrize(
    ("mode", "kinds"), [("train and eval", {"train", "eval"}), ("train", {"train"}), ("eval", {"eval"})]
)
def test_the_loss_mode_decides_what_the_loss_chart_shows(opened, demo, mode, kinds):
    app = opened(run=demo.alike[0])
    app.turn("segmented_control", "widget:loss", mode).assert_sound()
    assert set(app.charts["Loss"].data["lines"]["kind"]) == kinds
    assert app.link.get("loss", ["train and eval"]) == [mode]


def test_another_x_axis_takes_zoom_and_pin_away(opened, demo):
    run_id = demo.alike[0]
    app = opened(run=run_id, zoom="1000~1200", pin="1100")
    app.turn("selectbox", "widget:x", link.Axis.HOURS).assert_sound()
    assert app.link == {"run": [run_id], "x": ["hours"]}
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
    before = app.charts["Loss"].data["lines"]
    app.turn("select_slider", "widget:smooth", 0.9).assert_sound()
    assert app.link["smooth"] == ["0.9"]
    lines = app.charts["Loss"].data["lines"]
    train = lines[lines["kind"] == "train"]
    assert sorted(set(train["opacity"])) == [0.25, 1.0]
    smoothed, raw = train[train["opacity"] == 1.0], train[train["opacity"] < 1.0]
    assert smoothed["y"].diff().abs().sum() < raw["y"].diff().abs().sum()
    for column in ("x", "y"):
        eval_before, eval_now = (list(each.loc[each["kind"] == "eval", column]) for each in (before, lines))
        assert eval_now == eval_before


def test_the_log_toggle_changes_the_scale_of_every_chart(on_folder, tmp_path):
    write_run(tmp_path / "a", [1.0, 0.5, 0.0, -1.0], [0.8, 0.6])
    app = on_folder(tmp_path, run="a")
    assert {chart.head["log"] for chart in app.charts.values()} == {False}
    app.turn("toggle", "widget:log", True).assert_sound()
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
    for change in ({"weight": "0.2"}, {"pin": "1100"}, {"q": "llama"}, {"col": "model"}):
        assert made_by(lambda change=change: app.address(run=run, **change)) == []
    assert made_by(lambda: app.address(run=run, loss="train")) == ["loss"]
    assert made_by(lambda: app.address(run=run, metric="perplexity")) == ["more_perplexity"]
    assert made_by(lambda: app.address(run=run[::-1])) == every, "the order is another"


def test_further_metrics_get_a_chart_each(opened, demo):
    app = opened(run=demo.alike[0])
    before = set(app.charts)
    app.turn("multiselect", "widget:metric", ["perplexity", "gpu_utilization_percent"]).assert_sound()
    assert set(app.charts) - before == {"Perplexity", "GPU utilisation (%)"}
    assert app.link["metric"] == ["perplexity", "gpu_utilization_percent"]
    again = opened(run=demo.alike[0], metric=["perplexity", "not_logged"])
    again.assert_sound()
    assert set(again.charts) - before == {"Perplexity"}


PER_GPU = "Throughput per GPU (tokens/s, derived)"


def test_throughput_per_gpu_can_be_chosen_where_a_run_has_several(opened, demo):
    app = opened(run=[demo.four_gpus, demo.alike[0]], metric="tokens_per_second_per_gpu", pin="300", zoom="100~400")
    app.assert_sound()
    assert PER_GPU in app.at.multiselect(key="widget:metric").options
    whole, each = (app.charts[title].data["lines"] for title in ("Throughput (tokens/s)", PER_GPU))
    shares = (whole["y"] / each["y"]).groupby(whole["series"]).agg(["min", "max"])
    assert shares.to_numpy().ravel() == pytest.approx([4, 4, 1, 1])
    assert PER_GPU in app.at.dataframe[0].value.index


def test_throughput_per_gpu_is_nowhere_where_it_says_nothing_new(opened, demo):
    app = opened(run=demo.alike[:2], metric="tokens_per_second_per_gpu", pin="300")
    app.assert_sound()
    assert PER_GPU not in app.charts
    assert PER_GPU not in app.at.multiselect(key="widget:metric").options
    assert PER_GPU not in app.at.dataframe[0].value.index


def test_throughput_per_gpu_of_a_folder_comes_of_its_configuration(on_folder, tmp_path):
    rows = [{"step": 1, "train_tokens_per_second": 800.0}]
    write_run(tmp_path / "four", [1.0], [1.0], rows=rows, args={"n_gpu": 4})
    write_run(tmp_path / "unknown", [1.0], [1.0], rows=rows)
    app = on_folder(tmp_path, run=["four", "unknown"], metric="tokens_per_second_per_gpu")
    app.assert_sound()
    assert app.charts[PER_GPU].data["lines"]["y"].tolist() == [200.0]
    assert "not logged: unknown" in app.text


def test_the_options_of_a_select_box_are_plain_text(on_folder, tmp_path):
    # Streamlit renders no Markdown there: an escape would be shown.
    write_run(tmp_path / "a", [1.0, 1.0], [1.0], rows=[{"step": 1, "eval_*f1*:macro": 0.5}])
    app = on_folder(tmp_path, run="a", metric="eval_*f1*:macro")
    app.assert_sound()
    assert app.at.multiselect(key="widget:metric").options == ["eval_*f1*:macro"]
    assert "eval_*f1*:macro" in app.at.selectbox(key="download_chart").options


def test_a_zoom_can_be_typed_one_end_at_a_time_and_reset(opened, demo):
    app = opened(run=demo.alike[0])
    last = int(app.at.number_input(key="zoom_1").placeholder.replace(",", ""))
    app.at.number_input(key="zoom_0").set_value(1000).run()
    assert app.link["zoom"] == [f"1000~{last}"]
    assert [field.value for field in app.at.number_input] == [1000, None]
    app.at.number_input(key="zoom_1").set_value(1200).run()
    assert app.link["zoom"] == ["1000~1200"]
    app.at.number_input(key="zoom_1").set_value(900).run()
    assert "zoom" not in app.link, "two ends that leave nothing between them are no range"
    app.at.number_input(key="zoom_0").set_value(1000).run()
    app.at.button(key="reset_zoom").click().run()
    assert "zoom" not in app.link
    assert [field.value for field in app.at.number_input] == [None, None]
    app.assert_sound()


def test_a_zoom_narrows_every_chart_and_shows_all_that_is_in_it(opened, demo):
    run_id = demo.alike[0]
    whole = opened(run=run_id)
    app = opened(run=run_id, zoom="1000~1200")
    app.assert_sound()
    assert [field.value for field in app.at.number_input] == [1000, 1200]
    assert app.link["zoom"] == ["1000~1200"]
    for chart in app.charts.values():
        assert list(chart.data["extent"]["x"]) == [1000, 1200]
        assert chart.data["lines"]["x"].between(1000, 1200).all()
        assert chart.data["hover"]["Step"].between(1000, 1200).all()
    norms = rows_of(demo, run_id, "grad_norm")
    drawn = {title: shown.charts["Gradient norm"].data["lines"] for title, shown in (("all", whole), ("part", app))}
    assert len(drawn["all"]) < len(norms)
    assert list(drawn["part"]["y"]) == list(norms.loc[norms["step"].between(1000, 1200), "value"])

    app.click("reset_zoom").assert_sound()
    assert "zoom" not in app.link
    assert app.charts["Gradient norm"].data["lines"].equals(drawn["all"])


def test_a_zoom_beyond_the_data_shows_nothing_and_raises_nothing(opened, demo):
    app = opened(run=demo.alike[0], zoom="900000~900001", pin="5")
    app.assert_sound()
    assert all(chart.data["lines"].empty for chart in app.charts.values())


def test_the_pinned_table_holds_the_values_of_all_rows(opened, demo):
    runs, pin = [demo.alike[0], demo.diverged], 1234
    app = opened(run=runs, pin=str(pin))
    app.assert_sound()
    assert "Pinned at step 1,234" in app.text
    table = app.at.dataframe[0].value
    assert list(table.columns) == ["support-llama-8b", "support-qwen-7b"]
    metrics = {
        metric_of(key).axis_title: key for key in frame_of(demo.source.load_curves(runs).values())["metric"].unique()
    }
    assert set(metrics) <= set(table.index)
    derived = {metric.axis_title for metric in METRICS.values() if metric.derived_from}
    assert set(table.index) - set(metrics) <= derived
    for title, key in metrics.items():
        for label, run_id in zip(table.columns, runs, strict=True):
            rows = rows_of(demo, run_id, key)
            rows = rows[rows["step"] <= pin]
            assert table.loc[title, label] == _pinned(rows, pin, metric_of(key).spec)
    assert any("(at 1,200)" in cell for cell in table.to_numpy().ravel())
    assert [chart.pin for chart in app.charts.values()] == [pin] * 5


def _pinned(rows, pin: int, spec: str) -> str:
    if rows.empty:
        return formatting.NOT_RECORDED
    last = rows.iloc[-1]
    return formatting.shower(spec)(last["value"]) + ("" if last["step"] == pin else f" (at {last['step']:,})")


def test_a_pin_at_a_value_that_is_not_finite_shows_it(opened, demo):
    rows = rows_of(demo, demo.diverged, "train_loss")
    broken = rows[~rows["value"].map(math.isfinite)]
    app = opened(run=demo.diverged, pin=str(int(broken["step"].iloc[-1])))
    app.assert_sound()
    assert app.at.dataframe[0].value.loc["Train loss"].iloc[0] in ("NaN", "∞")


def test_a_pin_before_the_first_row_says_that_nothing_was_logged(opened, demo):
    app = opened(run=demo.alike[0], pin="-5")
    app.assert_sound()
    assert "No run has logged anything up to here." in app.text
    assert [chart.pin for chart in app.charts.values()] == [-5] * 5
    assert all(chart.data["extent"]["x"].min() > -5 for chart in app.charts.values()), "out of view"


def test_unpin_takes_the_pin_away(opened, demo):
    app = opened(run=demo.alike[0], pin="500").click("unpin")
    app.assert_sound()
    assert "pin" not in app.link
    assert "Pinned at" not in app.text
    assert [chart.pin for chart in app.charts.values()] == [None] * 5


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
    assert "GPU memory (GB): not logged by any of the runs on this axis." in app.captions
    assert "GPU memory (GB)" not in app.charts
