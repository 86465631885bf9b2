"""A chart as a picture to keep: its specification with data, title and legend in one SVG or PNG."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pyarrow as pa

PICTURE_WIDTH = 900
PNG_SCALE = 2.0
"""Pixels per unit: sharp in a slide or on a high-density screen."""
INTERACTIVE = ("hover", "extent", "pin", "spans", "marks")
"""Datasets that a still picture has no use for: it has no tooltips to say what is marked."""


def standalone(spec: str, tables: Mapping[str, pa.Table], *, title: str, legend: Mapping[str, str]) -> dict:
    """Return a chart specification that carries its data, a title and a legend.

    Args:
        spec: From ``lib.charts.curves.curve_spec``.
        tables: The chart's datasets by name.
        title: Plain text.
        legend: Colour to label, in the order shown.
    """
    chart = json.loads(spec)
    chart["title"] = {"text": title, "anchor": "start"}
    chart["width"] = PICTURE_WIDTH
    chart["background"] = "white"
    still = [name for name in tables if name not in INTERACTIVE]
    chart["layer"] = [layer for layer in chart["layer"] if layer["data"].get("name") in still]
    colors = list(legend)
    for layer in chart["layer"]:
        layer.pop("params", None)
        if "color" in layer["encoding"]:
            layer["encoding"]["color"] |= {
                "scale": {"domain": colors, "range": colors},
                # JSON text is a literal of the expression language too, whatever a name holds.
                "legend": {"title": None, "labelExpr": f"{json.dumps(legend)}[datum.label]", "labelLimit": 320},
            }
    chart["datasets"] = {name: tables[name].to_pylist() for name in still}
    return chart


def to_svg(chart: dict) -> bytes:
    """Draw a stand-alone specification as SVG."""
    # Imported where it is used: it is large, and most visits save no picture.
    import vl_convert

    return vl_convert.vegalite_to_svg(chart).encode()


def to_png(chart: dict) -> bytes:
    """Draw a stand-alone specification as PNG."""
    import vl_convert

    return vl_convert.vegalite_to_png(chart, scale=PNG_SCALE)
