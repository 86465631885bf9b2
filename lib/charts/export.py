"""A chart as a picture to keep: one Altair specification with its data, and that as SVG or PNG."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from lib.charts.still import Look, still
from lib.core.text.formatting import count

PNG_SCALE = 2.0
"""Pixels per unit: sharp in a slide or on a high-density screen."""
TOLD_LINE = 110
"""Characters of a line below the title."""
WIDER = 1.5
"""Pixels that a letter of another font may be wider: whoever looks at an SVG may have none of those that it names."""


def standalone(head: Mapping[str, Any], tables: Mapping[str, pa.Table], look: Look, note: str) -> dict[str, Any]:
    """The Vega-Lite specification of a chart as it is looked at, which carries its data and needs no page.

    Args:
        head: Of the chart, as it travels to the browser.
        tables: The chart's datasets (``lib.charts.layout``).
        look: How it is looked at.
        note: What its lines are, as the page says beside its title.
    """
    # Imported where it is used: most visits keep no picture, and a page needs no Altair.
    from lib.charts.specification import specification

    plot, data = still(head, tables, look)
    chart: dict[str, Any] = specification(
        plot,
        look.theme,
        title=head["title"],
        told=_lines(_told(head, data, look, note)),
        axis=head["axis"],
        y_format=head["format"],
    ).to_dict()
    return chart | {"datasets": data}


def _told(head: Mapping[str, Any], data: Mapping[str, list[Any]], look: Look, note: str) -> list[str]:
    """What the styles of lines and marks mean, and what is not shown."""
    bounds = head["bounds"].get(look.mode) if look.clips else None
    outside = bounds[2] if bounds else 0
    told = [
        note,
        "a mark for each evaluation, the largest at the best" if data["best"] and "eval" not in note else "",
        f"smoothed with {head['smoothing']}, raw values pale" if head["smoothing"] != "0" else "",
        "log scale" if head["log"] and "log scale" not in note else "",
        f"{count(outside)} of {count(bounds[3])} points lie outside" if bounds and outside else "",
        head["said"],
    ]
    return [*filter(None, told)]


def _lines(parts: Sequence[str]) -> list[str]:
    """Parts beside each other, as far as there is room; what is longer than a line is broken."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) < TOLD_LINE:
            lines[-1] += f" · {part}"
        else:
            lines += textwrap.wrap(part, TOLD_LINE)
    return lines


def to_svg(chart: dict[str, Any]) -> bytes:
    """Draw a stand-alone specification as SVG."""
    import vl_convert

    texts = [row["text"] for name in ("names", "first", "found") for row in chart["datasets"][name]]
    sides = dict.fromkeys(("left", "right", "top", "bottom"), float(chart["padding"]))
    sides["right"] += WIDER * max(map(len, texts), default=0)
    return vl_convert.vegalite_to_svg(chart | {"padding": sides}).encode()


def to_png(chart: dict[str, Any]) -> bytes:
    """Draw a stand-alone specification as PNG."""
    import vl_convert

    return vl_convert.vegalite_to_png(chart, scale=PNG_SCALE)
