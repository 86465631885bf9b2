"""The charts of a report: specifications of Vega-Lite with their data, which zoom and tell their points.

What is drawn of a curve is what the page draws (``lib.charts.drawn``): every extreme, every evaluation, and a mark for
what is no number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lib.charts.drawn import Curve, DrawnCurve, View, best_of, drawn_of
from lib.charts.palette import RUN_COLORS, RUN_SHAPES
from lib.charts.pareto import HOW_DRAWN, pareto
from lib.charts.specification import PLAIN, Y_LABELS
from lib.core.budget.spent import Kind
from lib.core.budget.words import axis_of, noun_of
from lib.core.curves.evidence import is_evaluation
from lib.core.facts.metrics import metric_of
from lib.core.facts.runs import count_epochs
from lib.core.text.formatting import count
from lib.core.verdict.metric_titles import own_titles
from lib.core.verdict.metric_words import metric_name
from lib.report.compared import Compared

HEIGHT = 260
"""Of a plot; it is as wide as its card."""
LABELS = 48
"""Pixels that the numbers of a y axis take at least, so that all plots begin at one line."""
PADDING = 8
"""Pixels that marks have beside the outermost values."""
LOSS = ("train_loss", "eval_loss")
HEALTH = ("grad_norm", "learning_rate")
MOST_FURTHER = 6
"""Evaluation metrics besides the loss that are drawn, the deciding one first."""


Drawn = tuple[str, dict[str, Any], str]
"""Title, specification, and what a chart does not show by itself."""


def charts(compared: Compared) -> Iterator[Drawn]:
    """Title, specification, and what the chart does not show by itself; none of a metric that no run logged."""
    deciding = compared.decision.deciding
    further = [deciding.metric, *(each.metric for each in deciding.candidates)]
    evaluated = [name for name in dict.fromkeys(further) if name and name not in LOSS][:MOST_FURTHER]
    titles = own_titles((*evaluated, *HEALTH))
    for metrics in (LOSS, *((name,) for name in evaluated), *((name,) for name in HEALTH)):
        drawn = list(_drawn(compared, metrics))
        if drawn:
            title = "Loss" if metrics == LOSS else titles[metrics[0]]
            yield title, _specification(compared, drawn), _said(drawn)


def quality_against_cost(compared: Compared) -> Iterator[Drawn]:
    """What each run's best value took, of the kind that was chosen, or else the nearest to money that is known."""
    found = {each.kind: each for each in compared.at_equal}
    order = (Kind.MONEY, Kind.HOURS, Kind.TOKENS, Kind.SAMPLES, Kind.STEPS)
    kind = compared.budget.at[0] if compared.budget.at is not None else None
    one = found.get(kind) if kind is not None else None
    one = one or next((found[each] for each in order if each in found), None)
    if one is None:
        return
    in_epochs = count_epochs(compared.runs)
    name = metric_name(compared.decision.deciding.metric)
    specification = pareto(
        one,
        compared.labels,
        compared.slots,
        x_title=axis_of(one.kind, compared.budget.price, in_epochs=in_epochs),
        y_title=f"Best {name} so far",
    )
    yield f"Quality against {noun_of(one.kind, in_epochs=in_epochs)}", specification, HOW_DRAWN


def _drawn(compared: Compared, metrics: Sequence[str]) -> Iterator[tuple[int, str, Curve, DrawnCurve]]:
    view = View("Step")
    for metric in metrics:
        known = metric_of(metric)
        for run in compared.runs:
            curves = compared.curves.get(run.run_id)
            if curves is None or metric not in curves.curves or not len(curves.get(metric)):
                continue
            own = curves.get(metric)
            best = None
            values = compared.decision.values.get(run.run_id)
            if known.evaluated and values is not None and values.step is not None:
                at = np.flatnonzero((own.step == values.step) & np.isfinite(own.value))
                best = int(at[0]) if len(at) else None
            slot = compared.slots[run.run_id]
            curve = Curve(
                compared.labels[run.run_id],
                slot,
                own.step.astype(np.float64),
                own.value,
                known.spec,
                known.evaluated,
                best=best,
                real=is_evaluation(curves, metric) if known.evaluated else None,
                unread=own.logged - own.lost - int(np.isfinite(own.value).sum()),
            )
            yield slot, known.title, curve, drawn_of(curve, view)


def _said(drawn: Sequence[tuple[int, str, Curve, DrawnCurve]]) -> str:
    lost = sum(each.lost for *_, each in drawn)
    points, logged = sum(each.points for *_, each in drawn), sum(each.logged for *_, each in drawn)
    said = [f"▼ {count(lost)} NaN or infinite"] if lost else []
    if points < logged:
        said.append(f"{count(points)} of {count(logged)} points drawn, every extreme kept")
    return " · ".join(said)


def _specification(compared: Compared, drawn: Sequence[tuple[int, str, Curve, DrawnCurve]]) -> dict[str, Any]:
    view = View("Step")
    lines, marks, best, lost = [], [], [], []
    for slot, title, curve, each in drawn:
        # By number, so that no name is ever part of a specification's language.
        name = f"{slot}{'e' if curve.evaluated else 't'}"
        about = {"run": curve.name, "metric": title, "slot": slot}
        lines += [
            {"x": x, "y": y, "line": name, "at": at, "pale": not curve.evaluated} | about
            for at, (x, y) in enumerate(_rows(each.line))
        ]
        marks += [{"x": x, "y": y} | about for x, y in _rows(each.evals)]
        best += [{"x": x, "y": y} | about for x, y in _rows(best_of(curve, view))]
        lost += [{"x": float(x)} | about for x in each.nonfinite]
    axis = "Epoch" if count_epochs(compared.runs) else "Step"
    slots = list(range(len(RUN_COLORS)))
    color = {"field": "slot", "type": "nominal", "scale": {"domain": slots, "range": RUN_COLORS}, "legend": None}
    shape = {"field": "slot", "type": "nominal", "scale": {"domain": slots, "range": RUN_SHAPES}, "legend": None}
    x = {
        "field": "x",
        "type": "quantitative",
        "title": axis,
        "scale": {"nice": False, "zero": False, "padding": PADDING},
        "axis": {"tickCount": 8, "labelOverlap": True},
    }
    y = {
        "field": "y",
        "type": "quantitative",
        "title": None,
        "scale": {"nice": False, "zero": False, "padding": PADDING},
        "axis": {"labelExpr": Y_LABELS, "minExtent": LABELS},
    }
    tooltip = [
        {"field": "run", "type": "nominal", "title": "Run"},
        {"field": "metric", "type": "nominal", "title": "Metric"},
        {"field": "x", "type": "quantitative", "title": axis, "format": ",.0f"},
        {"field": "y", "type": "quantitative", "title": "Value", "format": ".6~g"},
    ]
    pale = {"condition": {"test": "datum.pale", "value": 0.45}, "value": 1}
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": lines},
            "mark": {"type": "line", "clip": True, "strokeJoin": "round"},
            "encoding": {
                "x": x,
                "y": y,
                "color": color,
                "detail": {"field": "line"},
                "order": {"field": "at", "type": "quantitative"},
                "strokeOpacity": pale,
                "strokeWidth": {"condition": {"test": "datum.pale", "value": 1}, "value": 2},
            },
        },
        {
            # Nobody hits a line: its points are there to be pointed at.
            "data": {"values": lines},
            "mark": {"type": "point", "clip": True, "size": 60, "opacity": 0},
            "encoding": {"x": x, "y": y, "tooltip": tooltip},
            "params": [{"name": "zoom", "select": {"type": "interval", "encodings": ["x"]}, "bind": "scales"}],
        },
        {
            "data": {"values": marks},
            "mark": {"type": "point", "clip": True, "filled": True, "size": 28, "opacity": 1},
            "encoding": {"x": x, "y": y, "color": color, "shape": shape, "tooltip": tooltip},
        },
        {
            "data": {"values": best},
            "mark": {"type": "point", "clip": True, "filled": True, "size": 130, "opacity": 1},
            "encoding": {"x": x, "y": y, "color": color, "shape": shape, "tooltip": tooltip},
        },
        {
            "data": {"values": lost},
            "mark": {"type": "point", "shape": "triangle-down", "size": 60, "y": HEIGHT - 4},
            "encoding": {"x": x, "color": color, "tooltip": tooltip[:3]},
        },
    ]
    # An empty layer has no extent, and Vega says so in the console.
    layers = [each for each in layers if each["data"]["values"]]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"left": 0, "right": 4, "top": 5, "bottom": 6},
        "height": HEIGHT,
        "layer": layers,
        "config": PLAIN,
    }


def _rows(points: tuple[np.ndarray, np.ndarray]) -> Iterator[tuple[float, float]]:
    return zip(points[0].tolist(), points[1].tolist(), strict=True)
