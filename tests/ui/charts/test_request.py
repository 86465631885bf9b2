"""What a chart depends on is one value, and the key that it is remembered under."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lib.core.curves.axes import Axis
from lib.core.curves.metric_curves import MetricCurve, RunCurves, complete_curve
from lib.ui.charts.chart import Chart, make
from lib.ui.charts.request import ChartRequest, ChartRun, CurvesKey, MetricFinding, PartRead, Ship, ToBaseline, Told
from lib.ui.session import link
from lib.ui.session.link import LinkState
from tests.charts_sent import unpacked

OTHER = {"x": Axis.HOURS, "smooth": 0.5, "log": True, "zoom": (2.0, 5.0)}
"""Another value of every parameter that charts are looked at through."""
CHART_PARAMS = [param for param in link.PARAMS.values() if param.charts]


def run(name: str) -> ChartRun:
    return ChartRun(
        CurvesKey(f"reader, {name}, version", (PartRead(("grad_norm",), (2, 5), 4),)),
        f"label of {name}",
        ord(name) - ord("a"),
        4,
        (MetricFinding("train_loss", "divergence", "Divergence", 3, 4, "⚠ Warning: it rises."),),
    )


def request() -> ChartRequest:
    """Made anew each time, of parts that are made anew."""
    state = LinkState().having(link.ZOOM, (1.0, 9.0)).having(link.SMOOTHING, 0.9)
    metrics, ship = ("train_loss", "eval_loss"), Ship(run("a").curves, 6, "checkpoint-6")
    told = tuple(Told(each.curves, metric, "", "lower", 0.1) for each in (run("a"), run("b")) for metric in metrics)
    against = ToBaseline(run("a").curves, "label of a", told, is_drawn=False)
    runs = run("a"), run("b")
    return ChartRequest("loss", "Loss", metrics, runs, state, True, "pale", "lower", ship, against=against)


class OnAxis:
    """The curves of one run, by step or in hours."""

    def __init__(self, curves: RunCurves, axis: Axis = Axis.STEP) -> None:
        self.curves = curves
        self.placing = lambda curve: curve.step / (1.0 if axis is Axis.STEP else 3600.0)

    def curve(self, metric: str) -> MetricCurve | None:
        return self.curves.curves.get(metric)

    def computed(self, subject: str, key: object, make: Callable[[], Any]) -> Any:
        return make()


def made(asked: ChartRequest) -> bytes:
    return chart(asked).sent


def chart(asked: ChartRequest) -> Chart:
    losses = {"train_loss": [3.0, 2.0, 4.0, 1.5, 1.0, 0.5, 0.4, 0.3, 0.2], "eval_loss": [2.5, 2.0, 1.5]}
    curves = {}
    for metric, values in losses.items():
        step = np.arange(1, len(values) + 1) * (9 // len(values))
        curves[metric] = complete_curve(step, np.array(values), np.full(len(values), np.nan), step * 60.0)
    axis = asked.options[link.AXIS]
    return make(asked, {each.curves: OnAxis(RunCurves("a", curves), axis) for each in asked.runs})


def changed(value: Any) -> Iterator[tuple[str, Any]]:
    """The same value with each of its parts changed in turn, down to the last, and where that is."""
    if isinstance(value, LinkState):
        for param in CHART_PARAMS:
            yield param.name, value.having(param, OTHER[param.name])
    elif is_dataclass(value):
        for field in fields(value):
            for place, part in changed(getattr(value, field.name)):
                yield f"{field.name}.{place}", replace(value, **{field.name: part})
    elif isinstance(value, tuple):
        yield "less", value[:-1]
        for at, item in enumerate(value):
            for place, part in changed(item):
                yield f"{at}.{place}", (*value[:at], part, *value[at + 1 :])
    elif isinstance(value, bool):
        yield "other", not value
    else:
        yield "other", value + type(value)(1)


@pytest.mark.parametrize(
    ("place", "other"), [*changed(request())], ids=lambda value: value if type(value) is str else ""
)
def test_whatever_of_it_changes_it_is_another_chart(place, other):
    assert other != request()
    assert len({request(): 1, other: 2}) == 2
    is_smoothing = place.endswith("smooth")
    assert (other.basis == request().basis) is is_smoothing


def test_two_that_are_equal_are_one_chart():
    remembered = {request(): "made"}
    assert remembered[request()] == "made"
    assert request().basis == request().basis
    assert made(request()) == made(request())


def test_the_sample_covers_every_parameter_that_is_declared_to_affect_charts():
    assert {param.name for param in CHART_PARAMS} == set(OTHER)
    assert all(request().options[param] != OTHER[param.name] for param in CHART_PARAMS)


def shown(part):
    """All that the browser draws of a chart, as one text: NaN is not equal to itself."""
    head = {name: value for name, value in part.head.items() if name != "basis"}
    tables = {table: {name: list(column) for name, column in found.items()} for table, found in part.tables.items()}
    return repr((head, tables))


@pytest.mark.parametrize("param", CHART_PARAMS, ids=lambda param: param.name)
def test_every_parameter_that_is_declared_to_affect_charts_does(param):
    other = replace(request(), options=request().options.having(param, OTHER[param.name]))
    before, now = (shown(unpacked(made(asked))[0]) for asked in (request(), other))
    assert before != now


def test_what_a_run_is_called_and_its_place_come_from_the_value():
    sent = unpacked(made(replace(request(), runs=(replace(run("a"), label="other", slot=4), run("b")))))[0]
    assert "● other · train loss" in sent.tables["hover"]
    assert [curve["slot"] for curve in sent.head["curves"]] == [4, 1, 4, 1]
    assert list(sent.tables["findings"]["slot"]) == [4, 1]


def test_what_is_best_and_what_to_ship_come_from_the_value():
    sent = unpacked(made(request()))[0]
    assert sent.head["flag"] == {"x": 6.0, "slot": 0, "text": "★ checkpoint-6"}
    assert list(sent.tables["best"]["x"]) == [], "nothing was evaluated at step 4"
    runs = (replace(run("a"), best_step=6), replace(run("b"), best_step=None))
    sent = unpacked(made(replace(request(), runs=runs, ship=None)))[0]
    assert sent.head["flag"] is None
    # A run that is not ranked has its lowest eval loss for its best.
    assert (list(sent.tables["best"]["x"]), list(sent.tables["best"]["y"])) == ([6.0, 9.0], [2.0, 1.5])


def test_a_lane_has_a_row_for_each_run_with_findings_in_view_and_counts_them():
    spikes = tuple(MetricFinding("train_loss", "loss_spike", "Loss spikes", at, at, f"at {at}") for at in (2, 5))
    odd = MetricFinding("eval_loss", "never_heard_of", "Some other thing", 3, 3, "odd")
    runs = (replace(run("a"), findings=()), replace(run("b"), findings=(*spikes, odd)))
    (row,) = unpacked(made(replace(request(), runs=runs)))[0].head["lane"]
    assert (row["slot"], row["words"]) == (1, "2 loss spikes, some other thing")
    assert row["symbols"] == {"loss_spike": "spike", "never_heard_of": "other"}
    late = request().options.having(link.ZOOM, (4.0, 9.0))
    assert unpacked(made(replace(request(), runs=runs, options=late)))[0].head["lane"][0]["words"] == "loss spike"


def test_a_curve_does_not_depend_on_what_it_is_called_or_compared_with():
    one, other = request(), replace(request(), runs=(replace(run("a"), label="x", slot=3, findings=()),))
    assert one.curve(one.runs[0], "train_loss") == other.curve(other.runs[0], "train_loss")


def test_what_a_chart_shows_is_kept_once():
    seen, left = set(), [chart(request())]
    while left:
        each = left.pop()
        if id(each) not in seen and not isinstance(each, type | ModuleType | FunctionType):
            seen.add(id(each))
            assert not isinstance(each, pa.Table | pa.ChunkedArray)
            assert not isinstance(each, Mapping) or "order" not in each
            left += gc.get_referents(each)
