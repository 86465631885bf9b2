"""The colours and sizes of the app, in both themes: of its pages, and of what is taken away from them."""

from __future__ import annotations

from typing import Any

SIZES = {"headline": 24, "title": 16, "text": 14, "small": 13, "caption": 12}
"""The text sizes of the app, in pixels; there are no others."""

GROUNDS = {
    "ground": ("#ffffff", "#171614"),
    "side": ("#f7f7f5", "#1f1e1b"),
    "hover": ("#f0f0ed", "#272522"),
    "recommended": ("#fbf8ec", "#25221a"),
}
"""What text and marks stand on, in the light and the dark theme."""

COLORS = GROUNDS | {
    "text": ("#1d1e21", "#eceae4"),
    "muted": ("#5c5f66", "#a9a69d"),
    "line": ("#e4e4e0", "#33312d"),
    "control": ("#c9c9c4", "#4b4842"),
    "grid": ("#eeeeeb", "#262420"),
    "accent": ("#1f6feb", "#58a6ff"),
    "accent-ground": ("#e9f1fe", "#18283d"),
    "noise": ("#dddcd6", "#4a463d"),
    "good": ("#11683b", "#84d6a6"),
    "good-ground": ("#e2f3e8", "#16301f"),
    "warn": ("#8a4b00", "#f0bd6a"),
    "warn-ground": ("#fdf0d8", "#352710"),
    "info": ("#1a55b3", "#8fbcff"),
    "info-ground": ("#e6effd", "#182a47"),
    "bad": ("#a3262a", "#f59a94"),
    "bad-ground": ("#fce6e5", "#3b1b1a"),
}
"""Every colour but those of the runs, in the light and the dark theme. Grey is for what is paled, never for a run."""

MARK_SHAPES = (
    "circle(50%)",
    "inset(6%)",
    "polygon(50% 2%, 100% 94%, 0 94%)",
    "polygon(50% 0, 100% 50%, 50% 100%, 0 50%)",
    "polygon(33% 0, 67% 0, 67% 33%, 100% 33%, 100% 67%, 67% 67%, 67% 100%, 33% 100%, 33% 67%, 0 67%, 0 33%, 33% 33%)",
)
"""The shape of each run's mark, as CSS clips it."""


def themed(*, is_dark: bool) -> dict[str, Any]:
    """A theme as the configuration of a chart in Vega-Lite; marks without a colour of their own have its ink."""
    ink, muted, grid = (COLORS[name][is_dark] for name in ("text", "muted", "grid"))
    return {
        "background": "transparent",
        "axis": {
            "labelColor": muted,
            "titleColor": muted,
            "gridColor": grid,
            "domainColor": grid,
            "tickColor": grid,
            "titleFontWeight": "normal",
        },
        "axisX": {"grid": False},
        "title": {"color": ink},
        "line": {"color": ink},
        "point": {"color": ink},
        "rule": {"color": muted},
    }
