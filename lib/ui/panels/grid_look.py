"""The look of the summary table's grid, which lives in a frame of its own, and its signs."""

from __future__ import annotations

from collections.abc import Mapping

from lib.charts.palette import RUN_COLORS
from lib.charts.theme import COLORS, MARK_SHAPES, SIZES
from lib.core.baseline.differences import Sense
from lib.table.marks import Mark

ROW_HEIGHT, TALL_ROW_HEIGHT, HEADER_HEIGHT, SCROLL_BAR = 29, 42, 44, 8
LINE_HEIGHT = 17
"""Of a cell's line where the difference to the baseline stands below the value."""
SIGNS: Mapping[Mark, tuple[str, str]] = {
    Mark.BEST: ("", "best: "),
    Mark.TIE_BEST: ("= ", "best, tied: "),
    Mark.WORST: ("▽ ", "worst: "),
    Mark.HIGH: ("", "high: "),
    Mark.NEGATIVE: ("⚑ ", "negative: "),
}
"""What stands before a cell, and what a screen reader says there."""
SENSES: Mapping[Sense, tuple[str, str]] = {
    Sense.BETTER: ("▴", "better than the baseline"),
    Sense.WORSE: ("▾", "worse than the baseline"),
    Sense.LEVEL: ("≈", "within the noise of the baseline"),
}
"""What stands behind a difference to the baseline, and what a screen reader says there."""


def _css() -> dict[str, dict[str, str]]:
    """The look of the grid, which lives in a frame of its own.

    The grid loses its own theme when the user switches between light and dark; Streamlit's variables are
    kept up to date in its frame, so that it follows: whether the theme is dark is told from the ground.
    """
    colors = {name: _of_theme(*pair) for name, pair in COLORS.items()}
    variables = {
        "--ag-background-color": "var(--background-color) !important",
        "--ag-data-background-color": "var(--background-color) !important",
        "--ag-foreground-color": "var(--text-color) !important",
        "--ag-text-color": "var(--text-color) !important",
        "--ag-cell-text-color": "var(--text-color) !important",
        "--ag-header-text-color": f"{colors['muted']} !important",
        "--ag-header-background-color": f"{colors['side']} !important",
        "--ag-odd-row-background-color": "transparent !important",
        "--ag-accent-color": "var(--primary-color) !important",
        "--ag-border-color": f"{colors['line']} !important",
        "--ag-row-hover-color": f"{colors['hover']} !important",
        "--ag-tooltip-background-color": "var(--background-color) !important",
        "--ag-tooltip-text-color": "var(--text-color) !important",
        "--ag-cell-horizontal-padding": "8px !important",
        "--ag-spacing": "4px !important",
    }
    signs = {
        f".ag-cell.{mark.value} .ag-cell-value::before, .ag-cell.{mark.value}.ag-cell-value::before": {
            "content": f'"{sign or chr(0x200B)}" / "{said}"'
        }
        for mark, (sign, said) in SIGNS.items()
    }
    senses = {
        f".ag-cell.{sense.value} .ag-cell-value::after, .ag-cell.{sense.value}.ag-cell-value::after": {
            "content": f'" {sign}" / "{said}"'
        }
        for sense, (sign, said) in SENSES.items()
    }
    return {
        "html": {"color-scheme": "inherit"},
        "body": {"background-color": "transparent !important"},
        ".ag-root-wrapper, .ag-root-wrapper *, .ag-popup, .ag-tooltip": variables,
        ".ag-root-wrapper, .ag-root-wrapper :not(.ag-icon), .ag-tooltip": {
            "font-family": "'Source Sans Pro', sans-serif !important",
            "font-size": f"{SIZES['small']}px !important",
        },
        ".ag-root-wrapper": {"border": "0 !important", "border-radius": "0 !important"},
        ".ag-cell": {"font-variant-numeric": "tabular-nums", "line-height": f"{ROW_HEIGHT - 2}px !important"},
        ".ag-cell:not(.name)": {"display": "flex", "align-items": "center"},
        ".ag-cell.ag-right-aligned-cell": {"justify-content": "flex-end"},
        ".ag-row": {
            "cursor": "pointer",
            "transition": "none !important",
            "border-bottom-color": f"{colors['line']} !important",
        },
        # Lines between headers are for whoever drags them.
        ".ag-header-cell:not(:hover):not(:focus-visible)::before": {"display": "none !important"},
        ".ag-header-cell:not(:hover):not(:focus-visible)::after": {"display": "none !important"},
        ".ag-pinned-left-header, .ag-cell.ag-cell-last-left-pinned": {"border-right-color": "transparent !important"},
        ".ag-header-cell-text": {
            "white-space": "pre !important",
            "line-height": "16px !important",
            "font-size": f"{SIZES['caption']}px !important",
            "font-weight": "400 !important",
        },
        ".ag-header-cell-text::first-line": {
            "color": "var(--text-color)",
            "font-size": f"{SIZES['small']}px",
            "font-weight": "600",
        },
        ".ag-header-cell": {"padding-left": "8px !important", "padding-right": "8px !important"},
        # Beside the text it would push the text out.
        ".ag-sort-indicator-container": {"position": "absolute", "left": "0", "top": "4px"},
        ".ag-ltr .ag-header-cell:not(.ag-right-aligned-header) .ag-sort-indicator-container": {
            "left": "auto",
            "right": "2px",
        },
        ".ag-icon": {"font-size": "10px !important", "width": "10px !important", "height": "10px !important"},
        ".ag-tooltip": {"max-width": "420px", "white-space": "normal"},
        ".ag-row.recommended": {"background-color": f"{colors['recommended']} !important"},
        ".ag-cell.best, .ag-cell.tie-best": {
            "background-color": f"{colors['good-ground']} !important",
            "font-weight": "600",
        },
        ".ag-cell.high": {"color": f"{colors['warn']} !important", "font-weight": "600"},
        ".ag-cell.negative": {"font-style": "italic", "font-weight": "600"},
        ".ag-cell.worst .ag-cell-value::before": {"color": colors["muted"]},
        ".ag-cell.name": {
            "display": "flex",
            "align-items": "center",
            "gap": "8px",
            "white-space": "normal",
            "line-height": "16px !important",
            "overflow-wrap": "anywhere",
        },
        ".ag-cell.name *": {"line-height": "16px !important", "height": "auto !important", "align-items": "center"},
        ".ag-cell.name::before": {"content": '""', "width": "10px", "height": "10px", "flex": "none"},
        ".ag-center-cols-viewport::-webkit-scrollbar, .ag-body-horizontal-scroll-viewport::-webkit-scrollbar": {
            "height": f"{SCROLL_BAR}px"
        },
        ".ag-cell.against:not(.name)": {
            "display": "block !important",
            "padding-top": "4px !important",
            "line-height": f"{LINE_HEIGHT}px !important",
            "white-space": "pre-line !important",
            "text-align": "right",
            "color": f"{colors['muted']} !important",
            "font-weight": "400 !important",
        },
        ".ag-cell.against:not(.name) .ag-cell-wrapper": {"display": "block !important"},
        ".ag-cell.against.name": {"white-space": "pre-line !important"},
        ".ag-cell.against.better": {"color": f"{colors['good']} !important"},
        ".ag-cell.against.worse": {"color": f"{colors['bad']} !important"},
        ".ag-cell.against::first-line": {"color": "var(--text-color)"},
        ".ag-cell.against.high::first-line": {"color": colors["warn"]},
        ".ag-cell.against.best::first-line, .ag-cell.against.tie-best::first-line": {"font-weight": "600"},
        **signs,
        **senses,
        **{
            f".ag-row.slot-{slot} .ag-cell.name::before": {"background": color, "clip-path": shape}
            for slot, (color, shape) in enumerate(zip(RUN_COLORS, MARK_SHAPES, strict=True))
        },
        **{
            f"html[data-run-shown='{slot}'] .ag-row:not(.slot-{slot})": {"opacity": ".28"}
            for slot in range(len(RUN_COLORS))
        },
    }


def _of_theme(light: str, dark: str) -> str:
    """The colour of the theme that is on: ``light-dark()`` follows a scheme that the grid's frame does not have."""
    pairs = zip(bytes.fromhex(light[1:]), bytes.fromhex(dark[1:]), strict=True)
    # 1 where the ground is light, 0 where it is dark.
    light_share = "clamp(0, r - 127, 1)"
    channels = " ".join(f"calc({of_dark} + {of_light - of_dark} * {light_share})" for of_light, of_dark in pairs)
    return f"rgb(from var(--background-color) {channels})"


CSS = _css()
