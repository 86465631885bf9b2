"""The datasets of a still picture of a chart: made of what the browser gets, with colours, shapes and pixels in them.

=============  ===========================================================================
name           columns (px, py, above and end are pixels from the plot's upper left)
=============  ===========================================================================
lines          x, y, line, place (of a point in its line), color, width, opacity
marks, best    x, y, color, shape; of a best evaluation also size and ring
beyond         px, py, color, shape: where a line leaves the plot
nonfinite      x, py, color
ship           x, py, end, above, text: the checkpoint to ship
leaders        px, py, line, place, color: from the end of a line to its name
keys           px, py, color, shape: the mark of a run beside its name
names, first   px, py, text: names with last values; "first" is that of the recommended run
rows           px, end, py: the lines of the lane of findings
spans          px, end, py, color: how long a finding lasts
chips          px, py, color, shape: the sign of a finding
heading, found px, py, text: what stands at the left and at the right of the lane
zero           y, px, end: where curves are differences, the level of the baseline
=============  ===========================================================================
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from lib.charts.drawn import NO_POINTS, Points
from lib.charts.lane import path_of
from lib.charts.palette import RUN_COLORS, RUN_SHAPES
from lib.charts.placed import APART, CHIP, Plot, beyond, chips, end_of, plot_of, spread, thinned
from lib.core.facts.foreign import closed, isolated

NAMES = (
    *("lines", "marks", "best", "beyond", "nonfinite", "ship", "leaders", "keys", "names", "first"),
    *("rows", "spans", "chips", "heading", "found", "zero"),
)
"""The datasets."""

WIDTH, HEIGHT, SMALL_HEIGHT = 720, 320, 200
"""Of a plot; the last one of those that are small on the page."""

MANY = 200
"""A pale line through more points is paler."""
LONGEST_AT_END = 40
"""Characters: where a run's name has more, names stand above the plot, and not at the ends of lines."""
LEGEND_LINE = 100
"""Characters of a line there."""
ROW, LINE = 15, 17
"""Pixels from a row of the lane to the next, and from a line of the legend to the next."""
BELOW = 54
"""From the plot to the first row of the lane: the x axis stands there."""
RING = 1.5
"""Pixels around the mark of a best evaluation."""
ABOVE, FLAG = 12, 28
"""What is left free above the plot: as lines may leave it, and where the checkpoint to ship has its name."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a chart is looked at.

    Attributes:
        names: The runs' names by slot, in their order.
        first: The slots of the recommended runs.
        mode: Which losses are shown, as a link has it.
        clips: Whether outliers are ignored.
        theme: The colours ``text``, ``muted``, ``grid``, ``control`` and ``ground``.
    """

    names: Mapping[int, str]
    first: Sequence[int]
    mode: str
    clips: bool
    theme: Mapping[str, str]


@dataclass(slots=True)
class ShownCurve:
    """A curve, and the points of it that are drawn."""

    number: int
    slot: int
    kind: str
    last: str
    behind: bool = False
    points: dict[str, Points] = field(default_factory=dict)

    @property
    def color(self) -> str:
        return RUN_COLORS[self.slot]

    @property
    def shape(self) -> str:
        return RUN_SHAPES[self.slot]

    def of(self, name: str) -> Points:
        return self.points.get(name, NO_POINTS)


Rows = list[dict[str, Any]]


def still(head: Mapping[str, Any], tables: Mapping[str, pa.Table], look: Look) -> tuple[Plot, dict[str, Rows]]:
    """The plot and the datasets of a picture.

    Args:
        head: Of the chart, as it travels to the browser.
        tables: The chart's datasets (``lib.charts.layout``).
        look: How it is looked at.
    """
    shown = shown_curves(head, tables, look.mode)
    extent = tables["extent"]["x"].to_numpy().tolist()
    # The baseline of a difference is level with zero, which is in view whatever else is.
    zero = [(np.array(extent[:1]), np.zeros(len(extent[:1])))] if head["minus"] else []
    bounds = head["bounds"].get(look.mode) if look.clips else None
    plot = plot_of(
        [*zero, *(points for each in shown for points in each.points.values())],
        extent,
        tuple(bounds[:2]) if bounds else None,
        log=head["log"],
        size=(WIDTH, HEIGHT if head["wide"] else SMALL_HEIGHT),
    )
    data: dict[str, Rows] = {name: [] for name in NAMES}
    data["zero"] = [{"y": 0.0, "px": 0, "end": plot.width}] if zero else []
    for each in sorted(shown, key=lambda one: (one.kind != "train", -one.number)):
        _line(data, each)
        data["marks"] += _points(plot.reached(thinned(each.of("evals"), plot)), color=each.color, shape=each.shape)
        if not each.behind:
            side = 12 if each.slot in look.first else 10
            sizes = {"size": side**2, "ring": (side + 2 * RING) ** 2}
            data["best"] += _points(plot.reached(each.of("best")), color=each.color, shape=each.shape, **sizes)
        if bounds:
            _beyond(data, each, plot)
    by_number = {each.number: each for each in shown}
    for number, x in zip(*(tables["nonfinite"][name].to_pylist() for name in ("curve", "x")), strict=True):
        if number in by_number:
            data["nonfinite"].append({"x": x, "py": plot.height - 4, "color": by_number[number].color})
    _names(data, head, [each for each in shown if not each.behind], look, plot)
    _ship(data, head["flag"], shown, plot)
    _lane(data, head["lane"], tables["findings"].to_pylist(), plot)
    return plot, data


def shown_curves(head: Mapping[str, Any], tables: Mapping[str, pa.Table], mode: str) -> list[ShownCurve]:
    """The curves that a choice of losses shows."""
    curves = [
        ShownCurve(number, curve["slot"], curve["kind"], curve["last"]) for number, curve in enumerate(head["curves"])
    ]
    kinds = {each.kind for each in curves}
    hidden = {"train": "eval", "eval": "train"}.get(mode) if "train" in kinds else None
    shown = [each for each in curves if each.kind != hidden]
    for each in shown:
        each.behind = each.kind == "train" and any(other.kind == "eval" for other in shown)
    columns = {name: {key: tables[name][key].to_numpy() for key in tables[name].column_names} for name in _POINTS}
    for each in shown:
        for name, table in columns.items():
            own = table["curve"] == each.number
            if name == "lines":
                for part, faint in (("faint", 1), ("line", 0)):
                    kept = own & (table["faint"] == faint)
                    each.points[part] = (table["x"][kept], table["y"][kept])
            else:
                each.points[name] = (table["x"][own], table["y"][own])
    return shown


_POINTS = ("lines", "evals", "best")


def _points(points: Points, **constants: Any) -> Rows:
    pairs = zip(points[0].tolist(), points[1].tolist(), strict=True)
    return [{"x": x, "y": y, "place": place, **constants} for place, (x, y) in enumerate(pairs)]


def _line(data: dict[str, Rows], curve: ShownCurve) -> None:
    raw, line = curve.of("faint"), curve.of("line")
    pale = 0.25 if len(raw[0]) > MANY or (curve.behind and len(line[0]) > MANY) else 0.4
    if len(raw[0]):
        opacity = pale * (0.5 if curve.behind else 1)
        data["lines"] += _points(raw, line=2 * curve.number, color=curve.color, width=1, opacity=opacity)
    strength = (0.6 if len(raw[0]) else pale) if curve.behind else 1
    width = 2 if curve.kind == "eval" else 1 if curve.behind else 1.6
    data["lines"] += _points(line, line=2 * curve.number + 1, color=curve.color, width=width, opacity=strength)


def _beyond(data: dict[str, Rows], curve: ShownCurve, plot: Plot) -> None:
    for name in ("faint", "line"):
        for places, py, shape in zip(
            beyond(curve.of(name), plot), (-4, plot.height - 4), ("triangle-up", "triangle-down"), strict=True
        ):
            data["beyond"] += [{"px": px, "py": py, "color": curve.color, "shape": shape} for px in places]


def _names(data: dict[str, Rows], head: Mapping[str, Any], front: Sequence[ShownCurve], look: Look, plot: Plot) -> None:
    """Names and last values at the ends of the lines, or above the plot where they are long."""
    names = {each.number: isolated(look.names[each.slot]) for each in front}
    ends = {each.number: end for each in front if (end := end_of(each.of("line"), plot)) is not None}
    if max(map(len, names.values()), default=0) > LONGEST_AT_END:
        lines = [(each, textwrap.wrap(_called(each, names), LEGEND_LINE) or [""]) for each in front]
        top = -(FLAG if head["flag"] else ABOVE) - LINE * sum(len(texts) for _, texts in lines)
        for each, texts in lines:
            _key(data, each, 5, top)
            for text in texts:
                _name(data, each, closed(text), 16, top, look)
                top += LINE
        return
    there = [each for each in front if each.number in ends]
    heights = spread([ends[each.number][1] for each in there], plot.height)
    for each, height in zip(there, heights, strict=True):
        end = ends[each.number]
        path = ((end[0] + 3, end[1]), (plot.width + 9, height), (plot.width + 12, height))
        data["leaders"] += [
            {"px": px, "py": py, "line": each.number, "place": place, "color": each.color}
            for place, (px, py) in enumerate(path)
        ]
        _key(data, each, plot.width + 19, height)
        _name(data, each, _called(each, names), plot.width + 28, height, look)
    # Runs without a line in view are named too.
    for rank, each in enumerate(curve for curve in front if curve.number not in ends):
        py = max([*heights, -APART]) + APART * (rank + 1)
        _key(data, each, plot.width + 19, py)
        _name(data, each, _called(each, names), plot.width + 28, py, look)


def _called(curve: ShownCurve, names: Mapping[int, str]) -> str:
    # Blanks that SVG does not make one.
    return "\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}".join(filter(None, (names[curve.number], curve.last)))


def _key(data: dict[str, Rows], curve: ShownCurve, px: float, py: float) -> None:
    data["keys"].append({"px": px, "py": py, "color": curve.color, "shape": curve.shape})


def _name(data: dict[str, Rows], curve: ShownCurve, text: str, px: float, py: float, look: Look) -> None:
    data["first" if curve.slot in look.first else "names"].append({"px": px, "py": py, "text": text})


def _ship(data: dict[str, Rows], flag: Mapping[str, Any] | None, shown: Sequence[ShownCurve], plot: Plot) -> None:
    """The rule of the checkpoint to ship ends above the run's evaluation there."""
    if flag is None or not plot.first <= flag["x"] <= plot.last:
        return
    end = plot.height
    for each in shown:
        x, y = each.of("evals")
        if each.slot == flag["slot"] and len(x):
            end = float(plot.down(y[np.abs(x - flag["x"]).argmin()])) - 9
    text = isolated(flag["text"].removeprefix("★").strip())
    data["ship"].append({"x": flag["x"], "py": -6, "end": max(-6.0, end), "above": -16, "text": text})


def _lane(data: dict[str, Rows], lane: Sequence[Mapping[str, Any]], findings: Rows, plot: Plot) -> None:
    """A row for each run with findings."""
    for number, row in enumerate(lane):
        py, color = plot.height + BELOW + ROW * number, RUN_COLORS[row["slot"]]
        data["rows"].append({"px": 0, "end": plot.width, "py": py})
        places = []
        for each in findings:
            if each["slot"] == row["slot"]:
                begin, end = np.clip(plot.across(np.array([each["x"], each["end"]])), 0.0, plot.width).tolist()
                places.append((each["kind"], begin, end))
                if end - begin >= CHIP:
                    data["spans"].append({"px": begin, "end": end, "py": py, "color": color})
        for kind, px in chips(places, plot.width):
            data["chips"].append({"px": px, "py": py, "color": color, "shape": path_of(row["symbols"][kind])})
        data["found"].append({"px": plot.width + 13, "py": py, "text": row["words"]})
    if lane:
        data["heading"].append({"px": -7, "py": plot.height + BELOW, "text": "health"})
