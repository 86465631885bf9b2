"""The look of a report: one style sheet, which is part of its page."""

from __future__ import annotations

from functools import cache

from lib.charts.palette import RUN_COLORS
from lib.charts.theme import COLORS, MARK_SHAPES, SIZES


@cache
def style() -> str:
    """The style of a report, in both themes and on paper."""
    colors = "".join(f"--{name}: light-dark({light}, {dark});" for name, (light, dark) in COLORS.items())
    runs = "".join(
        f".slot-{slot} {{ background: {color}; clip-path: {shape}; }}"
        for slot, (color, shape) in enumerate(zip(RUN_COLORS, MARK_SHAPES, strict=True))
    )
    return f":root {{ color-scheme: light dark; {colors} }} {runs}{_CSS}"


_CSS = f"""
body {{ margin: 0; background: var(--ground); color: var(--text);
  font: {SIZES["text"]}px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }}
main {{ max-width: 860px; margin: 0 auto; padding: 24px 16px; overflow-wrap: anywhere; }}
section {{ border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; margin-bottom: 12px; }}
h1 {{ font-size: {SIZES["headline"]}px; line-height: 1.25; margin: 0 0 6px; }}
h2 {{ font-size: {SIZES["title"]}px; margin: 0 0 6px; }}
summary h2 {{ display: inline; }}
h3 {{ font-size: {SIZES["text"]}px; margin: 12px 0 4px; }}
p {{ margin: 6px 0; }} ul {{ margin: 4px 0; padding-left: 20px; }}
dl {{ display: grid; grid-template-columns: minmax(90px, 200px) minmax(0, 1fr); gap: 6px 12px; margin: 6px 0; }}
dt {{ font-weight: 600; }} dd {{ margin: 0; }} dd ul {{ margin: 0; }}
.muted, footer {{ color: var(--muted); font-weight: 400; font-size: {SIZES["small"]}px; }}
.badge {{ padding: 1px 8px; border-radius: 9px; }}
.badge.good {{ background: var(--good-ground); color: var(--good); }}
.badge.warn {{ background: var(--warn-ground); color: var(--warn); }}
.badge.info {{ background: var(--info-ground); color: var(--info); }}
.badge.bad {{ background: var(--bad-ground); color: var(--bad); }}
.better {{ color: var(--good); }} .worse {{ color: var(--bad); }}
.mark {{ display: inline-block; width: 10px; height: 10px; margin-right: 6px; print-color-adjust: exact; }}
.legend span {{ display: inline-block; margin-right: 16px; }}
.scrolls {{ overflow-x: auto; background: linear-gradient(to right, var(--ground) 40%, transparent),
  linear-gradient(to left, var(--ground) 40%, transparent) right,
  radial-gradient(farthest-side at 0, #0007, transparent),
  radial-gradient(farthest-side at 100%, #0007, transparent) right;
  background-repeat: no-repeat; background-size: 40px 100%, 40px 100%, 12px 100%, 12px 100%;
  background-attachment: local, local, scroll, scroll; }}
table {{ border-collapse: collapse; width: 100%; overflow-wrap: normal; font-size: {SIZES["small"]}px; }}
th, td {{ text-align: left; vertical-align: top; padding: 4px 8px; max-width: 320px;
  border-top: 1px solid var(--line); }}
thead th {{ border-top: 0; color: var(--muted); font-size: {SIZES["caption"]}px; }}
td {{ font-variant-numeric: tabular-nums; }}
figure {{ margin: 10px 0; break-inside: avoid; }}
figcaption {{ font-weight: 600; }}
.chart, .chart.vega-embed {{ display: block; width: 100%; }}
.chart svg {{ max-width: 100%; height: auto; }}
a {{ color: var(--accent); }}
#vg-tooltip-element {{ position: fixed; visibility: hidden; padding: 6px 8px; border-radius: 6px;
  border: 1px solid var(--line); background: var(--ground); color: var(--text); font-size: {SIZES["caption"]}px; }}
#vg-tooltip-element.visible {{ visibility: visible; }}
@media (max-width: 600px) {{
  dl {{ grid-template-columns: minmax(0, 1fr); gap: 0; }} dd {{ margin-bottom: 8px; }}
  .stacks thead {{ display: none; }} .stacks :is(table, tbody) {{ display: block; }}
  .stacks tr {{ display: grid; grid-template-columns: max-content 1fr; gap: 0 12px; padding: 6px 0;
    border-top: 1px solid var(--line); }}
  .stacks td {{ display: grid; grid-column: 1 / -1; grid-template-columns: subgrid; padding: 0; border: 0; }}
  .stacks td:first-child {{ display: block; font-weight: 600; }} .stacks td:empty {{ display: none; }}
  .stacks td:not(:first-child)::before {{ content: attr(data-head); color: var(--muted); }}
}}
@page {{ size: A4; margin: 14mm; }}
@media print {{
  :root {{ color-scheme: light; }} main {{ padding: 0; max-width: none; }} .screen {{ display: none; }}
  section {{ border: 0; padding: 0; }} tr, li, dd {{ break-inside: avoid; }} h2, figcaption {{ break-after: avoid; }}
}}
"""
