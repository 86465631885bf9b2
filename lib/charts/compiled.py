"""The specification of a chart of curves, compiled for the browser: ``python -m lib.charts.compiled`` writes it.

One compiled specification serves every chart of one scale: titles, the format and the height are signals. So no page
compiles anything, and the browser gets it once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lib.charts.layout import METRIC_HEIGHT, Layout

COMPILED_FILE = Path(__file__).parents[2] / "static" / "curves.json"
TITLES = {"x": "xTitle", "y": "yTitle"}
"""The signals that hold the axes' titles."""


def compiled() -> dict[str, dict[str, Any]]:
    """The Vega specification by scale, "linear" and "log"."""
    return {scale: _compiled(log_y=scale == "log") for scale in ("linear", "log")}


def _compiled(*, log_y: bool) -> dict[str, Any]:
    import vl_convert

    from lib.charts.specification import specification

    layout = Layout(TITLES["y"], TITLES["x"], METRIC_HEIGHT, log_y)
    vega = vl_convert.vegalite_to_vega(specification(layout).to_dict() | {"width": 0})
    del vega["background"]  # the page's own shows through
    vega.setdefault("signals", []).extend([{"name": name, "value": ""} for name in TITLES.values()])
    for axis in vega["axes"]:
        if title := axis.get("title"):
            # Vega-Lite knows plain titles only.
            axis["title"] = {"signal": title}
    (curves,) = [mark for mark in vega["marks"] if "facet" in mark.get("from", {})]
    # Else a curve that comes later lies above those that were there before, whatever its number.
    curves["sort"] = {"field": "datum.series"}
    return vega


def main() -> None:
    """Write the file that the browser gets."""
    COMPILED_FILE.write_text(json.dumps(compiled(), separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
