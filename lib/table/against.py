"""The summary table beside a baseline: in each cell how far it is from that, in the digits of the cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from lib.core.baseline.against import Baseline
from lib.core.baseline.differences import Difference, Sense
from lib.core.baseline.words import Show, difference_sentence, difference_words
from lib.core.facts.selection import BASELINE_WORD
from lib.core.ranking.metric_names import EVAL_LOSS
from lib.core.text import formatting
from lib.core.text.precision import to_decimals
from lib.table.cells import SCORE_DECIMALS
from lib.table.columns import Column
from lib.table.inputs import Against, Cell, Summary

_METRIC = {"lowest_eval_loss": EVAL_LOSS}
"""The metrics of columns that are of one under another name."""
_OF_LOSS = frozenset(("gap", "score"))
"""Columns that mean something only where losses do, though no metric is theirs."""


def with_baseline(summary: Summary, baseline: Baseline | None) -> Summary:
    """The table with a difference in every cell that has one; as it is where no baseline is pinned."""
    if baseline is None:
        return summary
    place = summary.run_ids.index(baseline.run_id)
    cells = {
        column.key: [*_beside(summary, column, summary.cells[column.key], place, baseline)]
        for column in summary.columns
    }
    return replace(summary, cells=cells, baseline=baseline.run_id)


def _beside(summary: Summary, column: Column, cells: Sequence[Cell], place: int, baseline: Baseline) -> Iterator[Cell]:
    show = _show(column, cells)
    for run_id, each in zip(summary.run_ids, cells, strict=True):
        if column.key == "run" and run_id == baseline.run_id:
            yield each._replace(against=Against(BASELINE_WORD), note=f"{each.note}. The baseline")
            continue
        found = _difference(column, run_id, each, cells[place], baseline)
        if found is None:
            why = _apart(column, run_id, each, baseline)
            yield each._replace(note=f"{each.note} {why}".strip()) if why else each
            continue
        told = difference_sentence(found, show, baseline.label)
        against = Against(difference_words(found, show), found.sense, found.value, found.share)
        yield each._replace(against=against, note=f"{each.note} {told[:1].upper()}{told[1:]}".strip())


def _difference(column: Column, run_id: str, one: Cell, other: Cell, baseline: Baseline) -> Difference | None:
    # How many findings there are says nothing of what they are.
    if column.show is None or column.key == "findings" or isinstance(one.value, str) or isinstance(other.value, str):
        return None
    if column.key == "score":
        return baseline.score(run_id)
    metric = _METRIC.get(column.key) or column.metric or column.key
    found = baseline.difference(run_id, metric, one.value, other.value, column.better, of_loss=column.key in _OF_LOSS)
    if found is None or column.key != "perplexity" or found.sense is not Sense.UNTOLD:
        return found
    # Computed from the eval loss, it has that one's noise.
    return replace(found, sense=baseline.sense_of_loss(run_id, found.value))


def _apart(column: Column, run_id: str, one: Cell, baseline: Baseline) -> str:
    """Why a cell with a value has no difference."""
    if run_id == baseline.run_id or column.show is None or one.value is None:
        return ""
    metric = _METRIC.get(column.key) or column.metric or column.key
    why = baseline.apart(run_id, metric, of_loss=column.key in _OF_LOSS)
    return f"No difference to {baseline.label}: {why}." if why else ""


def _show(column: Column, cells: Sequence[Cell]) -> Show:
    """What writes a difference with the decimals that the cells of its column have."""
    if column.key == "score":
        return partial(to_decimals, decimals=SCORE_DECIMALS)
    if column.show in (formatting.loss, formatting.signed):
        texts = [each.text for each in cells if isinstance(each.value, float) and "e" not in each.text]
        return partial(to_decimals, decimals=max((len(text.partition(".")[2]) for text in texts), default=4))
    return column.show or formatting.figure
