"""Quality against cost: how each run's best value fell with what it spent, and the runs that nobody beats in both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from lib.charts.palette import RUN_COLORS, RUN_SHAPES
from lib.core.budget.equal import Course, EqualBudget
from lib.core.facts.foreign import isolated

WIDTH, HEIGHT = 620, 240
MOST_POINTS = 400
"""Of a course that are drawn: more are nearer to each other than a pixel."""
PADDING = 12
_LABELS = "abs(datum.value) >= 1e4 ? format(datum.value, '.3~s') : datum.label"
HOW_DRAWN = (
    "A line is a run's best so far, its mark stands where it had its best; worse beginnings lie outside. Ringed and"
    " joined: no run was better for as much."
)


def pareto(
    budget: EqualBudget,
    labels: Mapping[str, str],
    slots: Mapping[str, int],
    *,
    x_title: str,
    y_title: str,
    width: int | Literal["container"] = WIDTH,
) -> dict[str, Any]:
    """The specification, with its data; what its theme is, says who shows it (``lib.charts.theme.themed``).

    A rule stands at the amount at which the runs are compared.

    Args:
        budget: What the runs spent, and what they came to.
        labels: What they are called, by id.
        slots: Which colour and mark each has, by id.
        x_title: What is spent.
        y_title: The metric.
        width: Of the plot, or "container".
    """
    # Imported where it is used: most visits look at no such picture.
    import altair as alt

    from lib.charts.specification import PLAIN

    courses = [(each, {"run": isolated(labels[each.run_id]), "slot": slots[each.run_id]}) for each in budget.courses]
    lines = [row | about for each, about in courses for row in _improvements(each, budget.sign)]
    ends = [_end(each, budget) | about for each, about in courses]
    front = sorted((row for row in ends if row["place"] is not None), key=lambda row: int(row["place"]))
    scale = alt.Scale(nice=False, zero=False, padding=PADDING)
    x = alt.X("x:Q", title=x_title, scale=scale, axis=alt.Axis(tickCount=6, labelExpr=_LABELS))
    y_scale = alt.Scale(nice=False, zero=False, padding=PADDING, domain=_reach(ends, lines, budget.sign))
    y = alt.Y("y:Q", title=y_title, scale=y_scale, axis=alt.Axis(tickCount=5, labelExpr=_LABELS))
    every = list(range(len(RUN_COLORS)))
    color = alt.Color("slot:N", scale=alt.Scale(domain=every, range=list(RUN_COLORS)), legend=None)
    shape = alt.Shape("slot:N", scale=alt.Scale(domain=every, range=list(RUN_SHAPES)), legend=None)
    tooltip = [
        alt.Tooltip("run:N", title="Run"),
        alt.Tooltip("x:Q", title=x_title, format=",.6~g"),
        alt.Tooltip("y:Q", title=y_title, format=".6~g"),
        alt.Tooltip("what:N", title="Here"),
    ]
    drawn: list[Any] = [
        alt.Chart(_inline(lines))
        .mark_line(clip=True, interpolate="step-after", strokeOpacity=0.5)
        .encode(x=x, y=y, color=color, detail="slot:N", order="at:Q"),
        # Nobody hits a line: its corners are there to be pointed at.
        alt.Chart(_inline(lines)).mark_point(clip=True, opacity=0, size=60).encode(x=x, y=y, tooltip=tooltip),
        alt.Chart(_inline(front))
        .mark_line(interpolate="step-after", strokeDash=[4, 3])
        .encode(x=x, y=y, order="place:Q"),
        alt.Chart(_inline(front)).mark_point(filled=False, size=260, shape="circle").encode(x=x, y=y),
        alt.Chart(_inline(ends))
        .mark_point(filled=True, size=110, opacity=1)
        .encode(x=x, y=y, color=color, shape=shape, tooltip=tooltip),
    ]
    rule = alt.Chart(_inline([{"x": budget.amount}])).mark_rule(strokeDash=[1.5, 2.5])
    drawn.append(rule.encode(x=x))
    found: dict[str, Any] = alt.LayerChart(layer=drawn).properties(width=width, height=HEIGHT).to_dict()
    return found | {"config": PLAIN}


def _reach(ends: Sequence[Mapping[str, Any]], lines: Sequence[Mapping[str, Any]], sign: float) -> list[float]:
    """Where the y axis goes: as far beyond the worst end as that is from the best, and no further than the lines."""
    best, worst = (of(sign * row["y"] for row in ends) for of in (min, max))
    beyond = min(worst + (worst - best), max(sign * row["y"] for row in lines))
    beyond = beyond if beyond > best else best + (abs(best) or 1.0) / 10
    return sorted((sign * best, sign * beyond))


def _inline(rows: Sequence[Mapping[str, Any]]) -> Any:
    import altair as alt

    return alt.InlineData(values=list(rows))


def _improvements(course: Course, sign: float) -> Iterator[dict[str, Any]]:
    """The first evaluation, each that was better than all before, and the last."""
    best = course.best
    kept = np.flatnonzero(np.concatenate(([True], best[1:] != best[:-1])))
    if len(kept) > MOST_POINTS:
        kept = kept[np.unique(np.linspace(0, len(kept) - 1, MOST_POINTS).astype(int))]
    for at, index in enumerate(np.unique(np.append(kept, len(best) - 1))):
        yield {"x": float(course.amount[index]), "y": sign * float(best[index]), "what": "its best so far", "at": at}


def _end(course: Course, budget: EqualBudget) -> dict[str, Any]:
    amount, best = course.end
    place = budget.front.index(course.run_id) if course.run_id in budget.front else None
    what = "its best" if place is None else "its best; no run was better for as much"
    return {"x": amount, "y": budget.sign * best, "what": what, "place": place}
