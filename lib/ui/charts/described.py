"""A chart in words: for those who do not see it, and at the ends of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from lib.charts.drawn import Curve, DrawnCurve
from lib.core.facts.metrics import metric_of
from lib.core.text import formatting
from lib.core.text.precision import decimals_for, signed, to_decimals, together
from lib.core.verdict.metric_titles import metric_title
from lib.ui.charts.request import ChartRequest

MOST_DECIMALS = 3
"""Of the values at the ends of lines: they are read beside a curve, and stand in full in its tooltip."""


def ends(curves: Sequence[Curve], drawn: Sequence[DrawnCurve]) -> list[str]:
    """The last value in view of each curve, all with as many decimals; "" where there is none."""
    last = [float(each.shown[1][-1]) if len(each.shown[1]) else None for each in drawn]
    known = [value for value in last if value is not None]
    decimals = min(decimals_for(known), MOST_DECIMALS)
    shown = []
    for curve, value in zip(curves, last, strict=True):
        if value is None:
            shown.append("")
        else:
            show = partial(_end, spec=curve.spec, decimals=decimals)
            shown.append(signed(value, show) if curve.signed else show(value))
    return shown


def _end(value: float, spec: str, decimals: int) -> str:
    if spec.startswith(",") or spec.endswith("%"):
        return formatting.figure(value, spec)
    return formatting.scientific(value) if spec.endswith("e") else to_decimals(value, decimals)


def described(request: ChartRequest, curves: Sequence[Curve], drawn: Sequence[DrawnCurve]) -> str:
    """What a chart shows, which run is best in it and where, and where each ends."""
    pairs = [(curve, each) for curve, each in zip(curves, drawn, strict=True) if len(each.shown[1])]
    front = [(curve, each) for curve, each in pairs if curve.evaluated] or pairs
    metric = next((key for key in request.metrics if metric_of(key).evaluated), request.metrics[0])
    behind = any(not curve.evaluated for curve, _ in pairs) and front is not pairs and len(front) < len(pairs)
    axis = request.view.axis_title.lower()
    less = f", difference to {request.against.label}," if request.against and request.is_difference else ""
    title = f"{metric_title(metric)}{less} by {axis}" + (", train loss behind it" if behind else "")
    if not front:
        return f"{title}: no points in view."
    is_higher = request.better == "higher"
    word = "highest" if is_higher else "lowest"
    named: list[tuple[float, str]] = []
    for curve, each in front:
        x, y = each.shown
        at = int(y.argmax() if is_higher else y.argmin())
        values = [float(y[at]), float(y[-1])]
        is_loss = curve.spec == formatting.LOSS_SPEC
        best, last = together(values) if is_loss else map(formatting.shower(curve.spec), values)
        label = curve.name.removeprefix("● ").removesuffix(f" · {metric_title(metric).lower()}")
        sentence = f"{label}: {word} {best} at {axis} {formatting.place(float(x[at]))}, {last} at the end"
        named.append((-float(y[at]) if is_higher else float(y[at]), sentence))
    return f"{title}. {'; '.join(sentence for _, sentence in sorted(named))}."
