"""Charts as pictures to keep, made and read from their SVG."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np

from lib.charts.datasets import ChartData, FindingMark, chart_data
from lib.charts.drawn import Curve, View
from lib.charts.export import standalone, to_svg
from lib.charts.still import Look

SVG = "{http://www.w3.org/2000/svg}"
LETTER = 0.6
"""The width of a letter by its height, on average: more than in the fonts that a picture names."""
THEME = {"text": "#010203", "muted": "#040506", "grid": "#070809", "control": "#0a0b0c", "ground": "#fdfefc"}
PLAIN = ("one", "two", "three", "four", "five")
STEPS = np.arange(1.0, 41.0)
NOTE = "eval marked, largest at its best · train pale"
LOOK = Look(dict(enumerate(PLAIN)), (0,), "train and eval", False, THEME)


@dataclass(frozen=True)
class Made:
    """A chart: what travels to the browser."""

    head: dict[str, Any]
    data: ChartData

    def picture(self, look: Look = LOOK, **head: Any) -> dict[str, Any]:
        return standalone(self.head | head, self.data.tables, look, NOTE)


def made(
    curves: list[Curve],
    view: View | None = None,
    marks: tuple[FindingMark, ...] = (),
    **head: Any,
) -> Made:
    view = view or View("Step")
    kinds = {True: "eval", False: "train" if any(each.evaluated for each in curves) else "line"}
    usual = {
        "title": "Loss",
        "axis": view.axis_title,
        "wide": True,
        "log": view.log_y,
        "format": "",
        "curves": [
            {"slot": each.slot, "kind": kinds[each.evaluated], "name": each.name, "last": f"0.5{each.slot}"}
            for each in curves
        ],
        "bounds": {},
        "flag": None,
        "lane": [],
        "said": "",
        "smoothing": f"{view.smoothing:g}",
        "minus": False,
    }
    return Made(usual | head, chart_data(curves, view, marks))


def losses(runs: int = 5) -> list[Curve]:
    """Train and eval loss of runs that end 1 apart; the best evaluation is the last but one."""
    curves = []
    for slot in range(runs):
        curves.append(Curve(f"● {slot} train", slot, STEPS, 1 / STEPS + slot, ".4f"))
        curves.append(Curve(f"● {slot} eval", slot, STEPS[9::10], 2 / STEPS[9::10] + slot, ".4f", True, best=2))
    return curves


def drawn(chart: dict[str, Any]) -> ElementTree.Element:
    return ElementTree.fromstring(to_svg(chart))


def texts(chart: dict[str, Any]) -> list[str]:
    """All texts, each blank in them as one."""
    return [" ".join("".join(element.itertext()).split()) for element in drawn(chart).iter(f"{SVG}text")]


def lines_of(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [
        path
        for group in root.iter(f"{SVG}g")
        if "mark-line" in group.get("class", "").split()
        for path in group.iter(f"{SVG}path")
    ]


def extent_of_texts(root: ElementTree.Element) -> list[tuple[float, float, float, str]]:
    """Of each text its left and right, in a wide font, its height, and what it says."""
    found = []

    def walk(element: ElementTree.Element, x: float, y: float) -> None:
        moved = re.match(r"translate\(([-\d.e]+),\s*([-\d.e]+)\)", element.get("transform", ""))
        if moved:
            x, y = x + float(moved[1]), y + float(moved[2])
        if element.tag == f"{SVG}text":
            text = "".join(element.itertext())
            width = LETTER * float(element.get("font-size").removesuffix("px")) * len(text)
            left = {"start": x, "middle": x - width / 2, "end": x - width}[element.get("text-anchor", "start")]
            found.append((left, left + width, y, text))
        for child in element:
            walk(child, x, y)

    walk(root, 0.0, 0.0)
    return found
