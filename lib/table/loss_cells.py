"""Cells of eval loss, train loss, gap and perplexity: all of the checkpoint that would be shipped."""

from __future__ import annotations

import math

from lib.core.facts.runs import RunSummary, eval_loss_of, train_loss_of
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.ranking.scoring import gap_label
from lib.core.text import formatting
from lib.core.text.log_units import unit_of
from lib.core.verdict.metric_words import metric_words
from lib.core.verdict.reasons import why_gap_unknown
from lib.table.columns import LOWEST_AT
from lib.table.inputs import Cell, SummaryInput, cell, first_logged, sentences


def loss_cells(row: SummaryInput) -> dict[str, Cell]:
    """The cells of these columns but perplexity, by key."""
    run = row.run
    train_loss, gap, note = _of_shipped(row)
    shown_train = first_logged(train_loss, run.loss, run.final_loss)
    lost = _non_finite("train loss", train_loss, run.loss)
    return {
        "eval_loss": _eval_loss(row),
        "lowest_eval_loss": _lowest_eval_loss(row),
        LOWEST_AT: cell(LOWEST_AT, _lowest_at(row)),
        "train_loss": cell("train_loss", shown_train, sentences(note, lost)),
        "gap": cell("gap", gap, _gap_note(row)),
    }


def _eval_loss(row: SummaryInput) -> Cell:
    """The eval loss of the checkpoint that would be shipped; the lowest where it is not known which that is."""
    values, run = row.values, row.run
    if values is None or (values.step is None and values.eval_loss is None):
        return _lowest_eval_loss(row)
    is_plain, lowest = row.loss_metric == "eval_loss", eval_loss_of(run)
    if is_plain and values.eval_loss == lowest and values.step in (None, run.best_step):
        return _lowest_eval_loss(row)
    apart = ""
    if is_plain and lowest not in (None, values.eval_loss):
        apart = f"The lowest is {formatting.loss(lowest)}{_at(run, run.best_step)}."
    if values.eval_loss is None:
        return cell("eval_loss", None, sentences(f"No eval loss is logged{_at(run, values.step)}.", apart))
    shown = cell("eval_loss", values.eval_loss)
    named = "" if is_plain else f"It is the {metric_words(row.loss_metric)}."
    measured = "" if values.step is None else f"Measured{_at(run, values.step)}."
    return shown._replace(note=sentences(measured, apart, named))


def _lowest_at(row: SummaryInput) -> int | None:
    eval_loss = eval_loss_of(row.run)
    return row.run.best_step if eval_loss is not None and eval_loss == row.run.best_eval_loss else None


def _lowest_eval_loss(row: SummaryInput) -> Cell:
    run, eval_loss = row.run, eval_loss_of(row.run)
    found = first_logged(eval_loss, run.best_eval_loss, run.eval_loss, run.final_eval_loss)
    notes = []
    if eval_loss is not None and eval_loss != run.best_eval_loss:
        notes.append("No finite best eval loss is recorded; this is the last one logged.")
    elif eval_loss is not None and run.best_step is not None:
        epoch = "" if run.best_epoch is None or run.steps_are_epochs else f", epoch {formatting.figure(run.best_epoch)}"
        notes.append(f"Measured{_at(run, run.best_step)}{epoch}.")
    shown = cell("lowest_eval_loss", found)
    note = sentences(*notes, _non_finite("eval loss", eval_loss, run.eval_loss), row.stored_note)
    return shown._replace(note=note)


def _at(run: RunSummary, step: int | None) -> str:
    return "" if step is None else f" at {unit_of(run)} {formatting.count(step)}"


def _non_finite(name: str, shown: float | None, last: float | None) -> str:
    """A sentence where the table shows a number though the last one logged is none."""
    if shown is None or last is None or math.isfinite(last):
        return ""
    return f"The last {name} logged is {formatting.loss(last)}."


def _of_shipped(row: SummaryInput) -> tuple[float | None, float | None, str]:
    """Train loss and gap of the step of the checkpoint that would be shipped, and a sentence on what they are of."""
    values = row.values
    if values is None or (values.train_loss is None and values.gap is None and values.unknown is None):
        return train_loss_of(row.run), None, ""
    if values.is_matched:
        return values.train_loss, values.gap, f"The mean up to {unit_of(row.run)} {formatting.count(values.step)}."
    return values.train_loss, values.gap, "" if values.train_loss is None else "Of the end of training."


def _gap_note(row: SummaryInput) -> str:
    values = row.values
    if values is None:
        return "Unknown: the run has no value of what decides."
    if values.gap is None:
        why = why_gap_unknown(values)
        return f"Unknown: {why}."
    label = row.score.gap_label if row.score else gap_label(values)
    if label == DEFAULT_POLICY.explained_label:
        label = "explained by averaging, noise or dropout"
    at = f" At {unit_of(row.run)} {formatting.count(values.step)}." if values.is_matched else ""
    error = f" Standard error {formatting.loss(values.gap_error)}." if values.gap_error else ""
    return f"{label[:1].upper()}{label[1:]}.{at}{error}"


def perplexity_cell(row: SummaryInput) -> tuple[Cell, str | None]:
    """That of the checkpoint to ship, and whether it is "logged" or "computed"; what is stored is of the last one."""
    values = row.values
    logged = row.shipped.get("perplexity")
    if logged is not None and values is not None:
        return cell("perplexity", logged, f"As logged{_at(row.run, values.step)}."), "logged"
    eval_loss = eval_loss_of(row.run) if values is None else values.eval_loss
    if row.run.perplexity is not None and (values is None or values.step is None):
        return cell("perplexity", row.run.perplexity, "As logged by the run."), "logged"
    if eval_loss is None:
        return cell("perplexity", None), None
    try:
        value = math.exp(eval_loss)
    except OverflowError:
        value = math.inf
    what = metric_words(row.loss_metric)
    note = f"exp({what}): no perplexity is logged{_at(row.run, values.step if values else None)}."
    return cell("perplexity", value, note), "computed"
