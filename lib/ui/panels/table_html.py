"""What of the table is plain HTML: its title, the line below it, and the cards that narrow windows have instead."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from html import escape
from itertools import zip_longest

from lib.core.baseline.words import sensed
from lib.core.curves.train_window import WINDOW_SHARE
from lib.core.facts.selection import UPLOADED_SIGN
from lib.core.gap.overfitting import GAP_WARNING
from lib.core.text.formatting import NOT_RECORDED
from lib.core.text.log_units import in_epochs
from lib.table.inputs import Cell, Summary
from lib.table.layout import Layout, Shown
from lib.table.marks import Mark, Marked
from lib.ui.panels.grid_look import SIGNS

TITLE = '<h2 id="table">Table</h2>'
LONG = 16
"""A card's value of more characters takes a line of its own."""


def legend(
    alike: Sequence[str],
    runs: int,
    found: Collection[Mark],
    *,
    is_recommended: bool,
    has_trophy: bool,
    has_uploaded: bool = False,
    has_mean: bool = False,
    counts_epochs: bool = False,
    baseline: str = "",
) -> str:
    """The line below the table: its signs, and what is the same in all runs.

    Args:
        alike: What is the same.
        runs: How many runs there are.
        found: What stands out in the cells that are shown.
        is_recommended: One of the runs is.
        has_trophy: A cell has the trophy.
        has_uploaded: One of the runs was uploaded in this session.
        has_mean: A train loss is shown that is a mean, and no point of a curve.
        counts_epochs: The logs of all runs count epochs.
        baseline: What the run is called that the others are compared with; "" for none.
    """
    signs = [
        "★ recommended" if is_recommended else "",
        f"{UPLOADED_SIGN} uploaded" if has_uploaded else "",
        "<b>bold</b>: best of the column among runs that are compared" if {Mark.BEST, Mark.TIE_BEST} & {*found} else "",
        "= tied" if Mark.TIE_BEST in found else "",
        "▽ worst" if Mark.WORST in found else "",
        "🏆 lowest eval loss of the steps to ship" if has_trophy else "",
        f'<span class="high">orange</span>: gap above {GAP_WARNING:g}' if Mark.HIGH in found else "",
        "⚑ gap below 0" if Mark.NEGATIVE in found else "",
        f"train loss: mean of the last {WINDOW_SHARE:.0%} of the steps up to there" if has_mean else "",
        f"second line: difference to {escape(baseline)}, ▴ better, ▾ worse, ≈ within the noise" if baseline else "",
    ]
    signs = [in_epochs(sign) if counts_epochs else sign for sign in signs]
    same = escape(", ".join(alike))
    said = [*(sign for sign in signs if sign), *([f"in all: {same}" if runs > 1 else same] if same else [])]
    return f'<p class="table-legend">{" · ".join(said)}</p>' if said else ""


def cards(
    summary: Summary,
    layout: Layout,
    found: Mapping[str, Sequence[Marked]],
    slots: Mapping[str, int],
    recommended: str | None,
    signs: Mapping[str, Sequence[str]],
) -> str:
    """A card for each run; arguments as those of ``grid_frame``."""
    drawn = []
    for place, run_id in enumerate(summary.run_ids):
        slot, is_first = slots[run_id], run_id == recommended
        values = "".join(
            _value(each, summary.cells[each.column.key][place], found[each.column.key][place].mark, before, at)
            for each, at in _beside(layout.columns[1:])
            for before in [signs[each.column.key][place] if each.column.key in signs else ""]
        )
        drawn.append(
            f'<div role="listitem" data-run="{slot}"{" class=recommended" if is_first else ""}>'
            f'<h3><i class="run-mark slot-{slot}"></i>'
            f"<span>{escape(layout.names[run_id])}{' ★' if is_first else ''}"
            f"{' · baseline' if run_id == summary.baseline else ''}</span></h3><dl>{values}</dl></div>"
        )
    return f'<div class="table-cards" role="list" aria-labelledby="table">{"".join(drawn)}</div>'


def _beside(columns: Sequence[Shown]) -> Iterator[tuple[Shown, str]]:
    """The columns with their places in a card: a step that is told only by the value before it stands beside that."""
    for each, following in zip_longest(columns, columns[1:]):
        if not each.lines[0]:
            yield each, "beside"
        else:
            yield each, "left" if following is not None and not following.lines[0] else ""


def _value(shown: Shown, cell: Cell, mark: Mark | None, before: str, place: str) -> str:
    text, against = cell.text, cell.against
    name = " ".join(line for line in shown.lines if line)
    sign = SIGNS[mark][0] if mark else ""
    is_long = not place and (len(text) + len(name) > 2 * LONG or len(text) > LONG)
    kind = "long" if is_long else place
    style = f" class={kind}" if kind else ""
    value = escape(f"{before}{sign}{text}" if text != NOT_RECORDED else text)
    if against is not None:
        value += f'<small class="{against.sense}">{escape(sensed(against.text, against.sense))}</small>'
    return f"<div{style}><dt>{escape(name)}</dt><dd{f' class={mark.value}' if mark else ''}>{value}</dd></div>"
