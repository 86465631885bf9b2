"""The summary table as Markdown and as LaTeX: the columns and the numbers that are shown, nothing else."""

from __future__ import annotations

from lib.core.config.report import escaped, markdown_table
from lib.core.facts.foreign import isolated
from lib.core.text.latex import latex, remark, tabular
from lib.table.inputs import Cell, Summary
from lib.table.layout import Layout

STAR = " \N{BLACK STAR}"
"""Behind the name of the recommended run."""


def to_markdown(summary: Summary, layout: Layout, recommended: str | None) -> str:
    """A GitHub table; below it what is the same in all runs.

    Args:
        summary: The table.
        layout: What of it is shown.
        recommended: The run that has a star.
    """
    table = markdown_table(_heads(layout), _rows(summary, layout, recommended))
    return f"{table}\n" + (f"\n{escaped(_alike(layout))}\n" if layout.alike else "")


def to_latex(summary: Summary, layout: Layout, recommended: str | None) -> str:
    """A tabular that needs no package; the arguments are those of ``to_markdown``."""
    right = [each.column.show is not None for each in layout.columns]
    table = tabular(_heads(layout), _rows(summary, layout, recommended), right)
    below = f"\n\n\\noindent {latex(_alike(layout))}\n" if layout.alike else "\n"
    return f"{remark('Letters that are not Latin need XeLaTeX or LuaLaTeX, and a font that has them.')}\n{table}{below}"


def _heads(layout: Layout) -> list[str]:
    return [" ".join(filter(None, each.lines)) for each in layout.columns]


def _rows(summary: Summary, layout: Layout, recommended: str | None) -> list[list[str]]:
    rows = []
    for at, run_id in enumerate(summary.run_ids):
        texts = [_beside_baseline(summary.cells[each.column.key][at]) for each in layout.columns[1:]]
        # Whole: a name that is cut for want of room is nobody's name elsewhere.
        name = _beside_baseline(summary.cells["run"][at]) + (STAR if run_id == recommended else "")
        rows.append([*map(isolated, (name, *texts))])
    return rows


def _beside_baseline(cell: Cell) -> str:
    return cell.text if cell.against is None else f"{cell.text} \N{MIDDLE DOT} {cell.against.text}"


def _alike(layout: Layout) -> str:
    return f"The same in all runs: {', '.join(layout.alike)}."
