"""A chart as a picture to keep: its specification with data, title and legend in one SVG or PNG."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from lib.charts.layout import Layout

PICTURE_WIDTH = 900
PNG_SCALE = 2.0
"""Pixels per unit: sharp in a slide or on a high-density screen."""
STILL = ("lines", "evals", "best", "nonfinite")
"""The datasets that a still picture shows: it has no tooltips to say what is marked, and no range but its own."""


def standalone(
    layout: Layout, tables: Mapping[str, pa.Table], *, title: str, legend: Mapping[str, str]
) -> dict[str, Any]:
    """Return the Vega-Lite specification of a chart that carries its data, a title and a legend.

    Args:
        layout: What it looks like without its data.
        tables: The chart's datasets by name.
        title: Plain text.
        legend: Colour to label, in the order shown.
    """
    # Imported where it is used: most visits save no picture, and a page needs no altair.
    from lib.charts.specification import specification

    chart = specification(layout).to_dict()
    chart |= {"title": {"text": title, "anchor": "start"}, "width": PICTURE_WIDTH, "background": "white"}
    # The margins of the page's charts have no room for a legend.
    chart["autosize"] = "pad"
    chart["layer"] = [layer for layer in chart["layer"] if layer["data"]["name"] in STILL]
    colors = list(legend)
    for layer in chart["layer"]:
        layer["encoding"]["color"] |= {
            "scale": {"domain": colors, "range": colors},
            # JSON text is a literal of the expression language too, whatever a name holds.
            "legend": {"title": None, "labelExpr": f"{json.dumps(legend)}[datum.label]", "labelLimit": 320},
        }
    chart["datasets"] = {name: tables[name].to_pylist() for name in STILL}
    return chart


def to_svg(chart: dict[str, Any]) -> bytes:
    """Draw a stand-alone specification as SVG."""
    import vl_convert

    return vl_convert.vegalite_to_svg(chart).encode()


def to_png(chart: dict[str, Any]) -> bytes:
    """Draw a stand-alone specification as PNG."""
    import vl_convert

    return vl_convert.vegalite_to_png(chart, scale=PNG_SCALE)
