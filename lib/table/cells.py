"""The numbers of the summary table before it is drawn: raw values, shown text and tooltips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lib.core.checks.results import SIGNS, Results, counted
from lib.core.facts.findings import Severity
from lib.core.facts.foreign import legible
from lib.core.facts.metrics import MEDIANS, metric_of
from lib.core.facts.runs import RunStatus, count_epochs
from lib.core.ranking.metric_names import REWARD
from lib.core.text import formatting
from lib.core.text.log_units import unit_of
from lib.core.text.precision import decimals_for, to_decimals
from lib.table.columns import COLUMN_OF, COLUMNS, EXTRAS, SHIPPED_AT, Column
from lib.table.inputs import Cell, Summary, SummaryInput, cell, first_logged, sentences, share_to_best, step_of
from lib.table.loss_cells import loss_cells, perplexity_cell

SCORE_DECIMALS = 1
SENTENCES = 4
"""So many findings are told in a cell's tooltip, the most severe first."""


_OF_LOSS = ("eval_loss", "lowest_eval_loss")
"""Cells that have the digits which the noise of the eval losses allows, all together."""
_FEWEST, _MOST = 2, 3
"""Decimals of a gap."""


def summary_of(rows: Sequence[SummaryInput], further: Sequence[Column] = ()) -> Summary:
    """Compute the table: one row per run, in the order given.

    The raw value of a cell is text, or a number in the column's unit; ``None`` where it is not recorded. What it shows
    has the digits that noise allows. Of the extras ``recommended`` is "yes" or "no", ``steps_to_best_share`` a share of
    1, ``perplexity_origin`` "logged" or "computed".

    Args:
        rows: What is known of the runs.
        further: Columns of metrics that have none of their own (``lib.table.further``).
    """
    columns = (*COLUMNS, *further)
    made = [_row(row, further) for row in rows]
    cells: dict[str, Sequence[Cell]] = {column.key: [cells[column.key] for cells, _ in made] for column in columns}
    extras = {key: [extra[key] for _, extra in made] for key in EXTRAS}
    in_epochs = count_epochs(row.run for row in rows)
    return Summary(tuple(row.run.run_id for row in rows), columns, _with_digits(cells, rows), extras, in_epochs)


def _with_digits(cells: Mapping[str, Sequence[Cell]], rows: Sequence[SummaryInput]) -> dict[str, Sequence[Cell]]:
    """The cells of losses and gaps with the decimals that their noise allows, the same for all of a column."""
    values = [row.values for row in rows if row.values is not None]
    losses = [each.value for key in _OF_LOSS for each in cells[key]]
    decimals = dict.fromkeys(_OF_LOSS, decimals_for(map(_number, losses), (each.eval_error for each in values)))
    trained = [_number(each.value) for each in cells["train_loss"]]
    is_known = any(each.train_error for each in values)
    logged = decimals_for(trained, (each.train_error if is_known else each.eval_error for each in values))
    # It is read beside the eval loss: a mean has digits without end.
    decimals["train_loss"] = min(logged, max(decimals["eval_loss"], _FEWEST))
    gaps = [_number(each.value) for each in cells["gap"]]
    most = decimals_for(gaps, (each.gap_error for each in values))
    decimals["gap"] = min(max(most, _FEWEST), _MOST)
    shown = {
        key: [
            each._replace(text=to_decimals(_number(each.value), places, "+" if key == "gap" else ""))
            for each in cells[key]
        ]
        for key, places in decimals.items()
    }
    return {**cells, **shown}


def _number(value: str | float | None) -> float | None:
    return None if isinstance(value, str) else value


def _row(row: SummaryInput, further: Sequence[Column]) -> tuple[dict[str, Cell], dict[str, str | float | None]]:
    perplexity, origin = perplexity_cell(row)
    cells = _text_cells(row) | loss_cells(row) | _training_cells(row) | _median_cells(row)
    cells |= {"perplexity": perplexity, "findings": _findings(row.checks), "score": _score(row)}
    cells |= {column.key: _further_cell(row, column) for column in further}
    return cells, {
        "rank": row.rank,
        "recommended": "yes" if row.recommended else "no",
        "deciding_metric": None if row.values is None else row.deciding,
        "deciding_value": None if row.values is None else row.values.value,
        "steps_to_best_share": share_to_best(row),
        "batch_effective": row.effective_batch,
        "epochs_total": row.run.total_epochs,
        "perplexity_origin": origin,
        "findings_critical": _count(row.checks, Severity.CRITICAL),
        "findings_info": _count(row.checks, Severity.INFO),
    }


def _text_cells(row: SummaryInput) -> dict[str, Cell]:
    run = row.run
    raw, error = legible(run.raw_status or ""), legible(run.error_message or "")
    status = [f'Logged as "{raw}".'] if raw not in ("", run.status_text) else []
    return {
        "run": Cell(row.label, row.label, f"{legible(run.name)} ({legible(run.run_id)})"),
        "model": _named(run.base_model),
        "dataset": _named(run.dataset_name, legible(run.dataset or "")),
        "status": Cell(run.status_text, run.status_text, sentences(*status, error)),
    }


def _named(name: str | None, note: str = "") -> Cell:
    return Cell(name, legible(name or "") or formatting.NOT_RECORDED, note)


def _training_cells(row: SummaryInput) -> dict[str, Cell]:
    run = row.run
    share = share_to_best(row)
    steps = cell(SHIPPED_AT, step_of(row))
    if share is not None:
        whole = (
            f"{formatting.count(run.total_steps)} {unit_of(run)}s planned"
            if run.total_steps
            else f"{formatting.count(run.current_step)} {unit_of(run)}s done"
        )
        steps = steps._replace(note=f"{formatting.percent(share)} of the {whole}.")
    effective = ""
    if row.effective_batch is not None:
        derived = f" ({row.effective_batch_text})" if row.effective_batch_text else ""
        effective = f"Effective batch {formatting.count(row.effective_batch)}{derived}."
    epochs = cell("epochs", run.current_epoch)
    if run.total_epochs is not None:
        epochs = epochs._replace(text=f"{epochs.text} of {formatting.figure(run.total_epochs)}")
    so_far = "So far: the run has not ended." if run.status is RunStatus.RUNNING else ""
    return {
        "learning_rate": cell("learning_rate", row.configured_learning_rate),
        "batch": cell("batch", row.batch, effective),
        SHIPPED_AT: steps,
        "duration": cell("duration", run.duration_s, so_far if run.duration_s is not None else ""),
        "epochs": epochs,
    }


def _median_cells(row: SummaryInput) -> dict[str, Cell]:
    """Cells of the metrics' columns that need no words of their own."""
    found = {key: first_logged(row.medians.get(key), getattr(row.run, key, None)) for key in MEDIANS}
    return {COLUMN_OF[key]: cell(COLUMN_OF[key], value) for key, value in found.items()}


def _further_cell(row: SummaryInput, column: Column) -> Cell:
    """The value of a metric without a column of its own: of the checkpoint to ship where evaluations measure it."""
    metric, values = column.metric or "", row.values
    show = column.show or formatting.figure
    if values is not None and metric == row.deciding == REWARD:
        return Cell(values.value, show(values.value))
    if not metric_of(metric).evaluated:
        median = row.medians.get(metric)
        is_lost = metric in row.medians and median is None
        return Cell(median, show(median), "Its median is not known where values were left out." if is_lost else "")
    value = row.shipped.get(metric)
    if values is None or values.step is None:
        return Cell(None, show(None), "Which checkpoint would be shipped is not known.")
    at = f"{unit_of(row.run)} {formatting.count(values.step)}"
    return Cell(value, show(value), f"Not logged at {at}." if value is None else f"At {at}.")


def _findings(found: Results | None) -> Cell:
    if found is None:
        return cell("findings", None, "The run's metrics could not be read, so nothing could be judged.")
    if not found.findings:
        return Cell(0, "none", "Nothing was noticed.")
    told = [f"{SIGNS[finding.severity]} {finding.sentence}" for finding in found.findings[:SENTENCES]]
    more = len(found.findings) - len(told)
    return Cell(len(found.serious), counted(found.counts), sentences(*told, f"And {more} more." if more else ""))


def _count(found: Results | None, severity: Severity) -> int | None:
    return None if found is None else found.counts.get(severity, 0)


def _score(row: SummaryInput) -> Cell:
    if row.score is None:
        return cell("score", None, f"Left out: {row.unscorable}." if row.unscorable else "")
    if row.score.total is None:
        return cell("score", None, "There is no composite: another metric than a loss decides.")
    loss_points, gap_points = formatting.points(row.score.loss_points), formatting.points(row.score.gap_points)
    told = f"Eval loss {loss_points} points, gap {gap_points} points. It depends on which runs it is ranked with."
    return Cell(row.score.total, to_decimals(row.score.total, SCORE_DECIMALS), told)
