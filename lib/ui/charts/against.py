"""A chart beside the baseline: its curves less the baseline's, and what a tooltip says of the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np

from lib.charts.drawn import Curve
from lib.core.baseline.against import Baseline
from lib.core.baseline.curves import baseline_at, less_baseline
from lib.core.baseline.differences import difference, has_share, is_percentage
from lib.core.baseline.words import difference_words, sensed, shown_by
from lib.core.curves.axes import Placing
from lib.core.curves.metric_curves import MetricCurve
from lib.core.curves.series import nearest_points
from lib.core.facts.metrics import Better, metric_of
from lib.core.text.formatting import LOSS_SPEC, count
from lib.core.text.precision import decimals_for
from lib.ui.charts.on_axis import RunOnAxis
from lib.ui.charts.request import ChartRequest, CurveRequest, CurvesKey, ToBaseline, Told
from lib.ui.session import link, url


class Drawable(Protocol):
    """What is asked of the baseline's run."""

    @property
    def placing(self) -> Placing:
        """Where the points of its curves lie."""

    def curve(self, metric: str) -> MetricCurve | None:
        """A metric as finely as it is looked at."""


def to_baseline(baseline: Baseline | None, runs: Sequence[RunOnAxis], metrics: Sequence[str]) -> ToBaseline | None:
    """What a chart of these metrics depends on of the baseline; ``None`` where none is pinned, or it is not shown."""
    own = None if baseline is None else next((run for run in runs if run.compared.run.run_id == baseline.run_id), None)
    if baseline is None or own is None:
        return None
    told = []
    for metric in metrics:
        better = baseline.better_of(metric)
        for run in runs:
            run_id = run.compared.run.run_id
            within = baseline.within(run_id, metric, better)
            told.append(Told(run.shown.curves, metric, baseline.apart(run_id, metric), better, within))
    is_drawn = url.value(link.MINUS) and any(own.curve(metric) is not None for metric in metrics)
    return ToBaseline(own.shown.curves, baseline.label, tuple(told), is_drawn)


def minus(curve: Curve, x: np.ndarray, y: np.ndarray) -> Curve:
    """A curve less the baseline's, without its points beyond the range of that.

    Args:
        curve: The curve.
        x: Positions of the baseline's.
        y: Its values.
    """
    found, inside = less_baseline(curve.x, curve.y, x, y)
    best = curve.best if curve.best is not None and inside[curve.best] else None
    return replace(
        curve,
        x=curve.x[inside],
        y=found[inside],
        best=None if best is None else int(np.count_nonzero(inside[:best])),
        real=None if curve.real is None else curve.real[inside],
        signed=True,
    )


Found = tuple[CurveRequest, Curve]


def differences(
    request: ChartRequest, found: Sequence[Found], runs: Mapping[CurvesKey, Drawable]
) -> tuple[list[Found], list[Found], list[str]]:
    """The curves of a chart less the baseline's.

    Args:
        request: With a baseline that is drawn.
        found: What was logged.
        runs: Where the baseline's curves are found.

    Returns:
        The differences; what was logged of each of them; and in words what has none, and why.
    """
    against = request.against
    assert against is not None
    drawn: list[Found] = []
    logged: list[Found] = []
    lacking: list[str] = []
    outside = 0
    for one, curve in found:
        told, base = against.of(one.curves, one.metric), runs[against.curves].curve(one.metric)
        name = curve.name.removeprefix("● ")
        if told is None or told.apart or base is None:
            lacking.append(f"{name}: {told.apart if told and told.apart else 'the baseline did not log it'}")
            continue
        less = minus(curve, runs[against.curves].placing(base), base.value)
        outside += len(curve.x) - len(less.x)
        if not len(less.x):
            lacking.append(f"{name}: no point within the baseline's range")
            continue
        drawn.append((one, less))
        logged.append((one, curve))
    said = [f"no difference for {'; '.join(lacking)}"] if lacking else []
    said += [f"{count(outside)} points beyond the baseline's range are not shown"] if outside else []
    return drawn, logged, said


def texts_of(
    request: ChartRequest, found: Sequence[Found], runs: Mapping[CurvesKey, Drawable], grid: np.ndarray
) -> dict[str, list[str]]:
    """For each position of the hover rule how far each curve's nearest point there is from the baseline.

    Args:
        request: With a baseline.
        found: The chart's curves, as they were logged.
        runs: Where the baseline's curves are found.
        grid: The positions, shape (m,).

    Returns:
        Ready text for each curve, by its number; "" where there is no difference.
    """
    against = request.against
    assert against is not None
    columns = {}
    for number, (one, curve) in enumerate(found):
        told, base = against.of(one.curves, one.metric), runs[against.curves].curve(one.metric)
        if one.curves == against.curves or told is None or told.apart or base is None:
            columns[str(number)] = [""] * len(grid)
            continue
        values, origins = nearest_points(curve.x, curve.y, grid)
        bases, _ = baseline_at(origins, runs[against.curves].placing(base), base.value)
        columns[str(number)] = _texts(one.metric, values, bases, told)
    return columns


def _texts(metric: str, values: np.ndarray, bases: np.ndarray, told: Told) -> list[str]:
    spec, share = metric_of(metric).spec, has_share(metric)
    show = shown_by(spec, decimals_for(values.tolist()) if spec == LOSS_SPEC else None)
    # What single steps may differ by is not known; that of evaluations is that of the best ones.
    better: Better | None = told.better if told.within is not None else None
    find = partial(difference, better=better, noise=told.within, has_share=share)
    found = [
        find(value, base, in_points=is_percentage(metric, base))
        for value, base in zip(values.tolist(), bases.tolist(), strict=True)
    ]
    return ["" if one is None else sensed(difference_words(one, show), one.sense) for one in found]


NOTE = "each point less the baseline's value there, interpolated between its two neighbours"


def title_of(request: ChartRequest) -> str:
    """What a chart shows, and of what it is the difference."""
    if request.against is None or not request.is_difference:
        return request.title
    return f"{request.title} - difference to {request.against.label}"
