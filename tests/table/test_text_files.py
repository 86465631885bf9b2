"""The summary table as Markdown and LaTeX: the numbers that are shown, and names that are nothing but names."""

from __future__ import annotations

import csv
import io
import re

import pytest

from lib.table.cells import summary_of
from lib.table.csv_file import to_csv
from lib.table.inputs import SummaryInput
from lib.table.layout import laid_out
from lib.table.text_files import to_latex, to_markdown
from tests.core.judged_runs import judged, run
from tests.core.text.test_latex import HOSTILE, printed

NAMES = (
    "a|b",
    "$x_1$",
    "<script>alert(1)</script>",
    "back\\slash",
    "two\nlines",
    "\u202e\u05d0\u05d1 right to left",
    "=cmd()",
)
FORMULAS = ("=cmd()", "+1+1", "-lr", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")', "＝1")


def table(names=NAMES):
    runs = [run(f"r{at}", 0.3 + at / 100, 0.29, dataset=name) for at, name in enumerate(names)]
    grounds = judged(*runs)
    decision = grounds.decision
    rows = [
        SummaryInput(
            run=each, label=name, values=decision.values.get(each.run_id), score=decision.scores.get(each.run_id)
        )
        for each, name in zip(runs, names, strict=True)
    ]
    summary = summary_of(rows)
    labels = {each.run_id: name for each, name in zip(runs, names, strict=True)}
    return summary, laid_out(summary, "eval_loss", by_score=True, labels=labels, recommended="r0")


def markdown_cells(line):
    """The cells of a row, as GitHub parts them: at every bar that is not escaped."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_markdown_has_a_row_for_each_run_with_what_is_shown():
    summary, layout = table()
    lines = to_markdown(summary, layout, "r0").splitlines()
    heads = markdown_cells(lines[0])
    assert len(heads) == len(layout.columns)
    assert heads[0] == "Run"
    body = lines[2 : 2 + len(NAMES)]
    for at, line in enumerate(body):
        cells = markdown_cells(line)
        assert len(cells) == len(heads)
        for shown, cell in zip(layout.columns[1:], cells[1:], strict=True):
            if shown.column.show is not None:
                assert cell == summary.cells[shown.column.key][at].text
    assert body[0].startswith("| a\\|b ★ |")
    assert not any("★" in line for line in body[1:])
    text = "\n".join(lines)
    assert "<script" not in text
    assert "\u202e" not in text
    assert "\\$x\\_1\\$" in text
    assert "back\\\\slash" in text
    assert "two lines" in text


def test_latex_has_the_same_rows():
    summary, layout = table()
    lines = to_latex(summary, layout, "r0").splitlines()
    assert lines[0].startswith("% ")
    begin, end = lines.index(r"\end{tabular}"), next(at for at, line in enumerate(lines) if line.startswith(r"\begin"))
    body = [line for line in lines[end + 1 : begin] if line != r"\hline"]
    rows = [[printed(cell) for cell in re.split(r"(?<!\\) & ", line.removesuffix(r" \\"))] for line in body]
    kinds = re.search(r"\{tabular\}\{([lr]+)\}", lines[end])
    assert kinds is not None
    assert {len(row) for row in rows} == {len(layout.columns)} == {len(kinds[1])}
    assert rows[1][0] == "a|b ★"
    for at, row in enumerate(rows[1:]):
        for shown, cell in zip(layout.columns[1:], row[1:], strict=True):
            if shown.column.show is not None:
                assert cell.replace("−", "-") == summary.cells[shown.column.key][at].text


@pytest.mark.parametrize("name", HOSTILE)
def test_no_hostile_name_changes_the_number_of_rows_and_cells(name):
    summary, layout = table((name, "b"))
    markdown, latex = to_markdown(summary, layout, None), to_latex(summary, layout, None)
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert {len(markdown_cells(line)) for line in lines} == {len(layout.columns)}
    assert latex.count(r" \\" + "\n") == 3


def test_a_formula_in_a_spreadsheet_is_text_and_is_read_back():
    summary, _ = table(FORMULAS)
    rows = list(csv.DictReader(io.StringIO(to_csv(summary), newline="")))
    for row, name in zip(rows, FORMULAS, strict=True):
        assert row["Run"] == f"'{name}"
        assert row["Run"].removeprefix("'") == name
        assert not row["Dataset"].lstrip().startswith(("=", "+", "-", "@", "＝"))
