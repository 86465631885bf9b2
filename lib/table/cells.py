"""The numbers of the summary table before it is drawn: raw values, shown text and tooltips."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from lib.core.checks.results import SIGNS, Results, counted
from lib.core.facts.findings import Severity
from lib.core.facts.foreign import isolated
from lib.core.facts.metrics import MEDIANS
from lib.core.facts.runs import RunStatus, RunSummary, eval_loss_of, train_loss_of
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.ranking.scoring import RunScore, gap_label
from lib.core.ranking.values import RunValues
from lib.core.text import formatting
from lib.core.verdict.reasons import why_gap_unknown
from lib.table.columns import COLUMN_OF, COLUMNS, NOTE, SUMMARY_DTYPES, TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryInput:
    """What the table needs to know about one run.

    Attributes:
        run: The run, with what its metric rows say.
        label: What the run is called among the selected.
        values: What counts of it, all of the step of the checkpoint that would be shipped; ``None`` where it has no
            value of what decides.
        score: Its score, if it is eligible; else ``unscorable`` says why not ("still running").
        configured_learning_rate: The configured peak.
        batch: Samples per device and step.
        effective_batch: Samples per optimizer step; ``effective_batch_text`` says how it was derived.
        stored_note: A sentence where stored best values disagree with the metric rows.
        checks: What all checks of it came to; ``None`` where its curves could not be read.
        medians: Of its curves, by metric: those that a column shows.
    """

    run: RunSummary
    label: str
    values: RunValues | None = None
    score: RunScore | None = None
    unscorable: str | None = None
    configured_learning_rate: float | None = None
    batch: float | None = None
    effective_batch: float | None = None
    effective_batch_text: str = ""
    stored_note: str | None = None
    checks: Results | None = None
    medians: Mapping[str, float | None] = field(default_factory=dict)


SENTENCES = 4
"""So many findings are told in a cell's tooltip, the most severe first."""


class _Cell(NamedTuple):
    value: str | float | None
    text: str
    note: str = ""


def summary_frame(rows: Sequence[SummaryInput]) -> pd.DataFrame:
    """Compute the table: one row per run, in the order given.

    Returns:
        The columns of ``SUMMARY_DTYPES``. Under a column's key the raw value: text, or float64 in the
        column's unit, where NaN is either not recorded or logged as NaN. Under key + ``TEXT`` what the
        cell shows, which tells those two apart; under key + ``NOTE`` its tooltip, "" for none.
        ``steps_to_best_share`` is a share of 1; ``perplexity_origin`` is "logged" or "computed".
    """
    records = [_record(row) for row in rows]
    # Two blocks, text and numbers: making some sixty columns one by one takes twenty times as long.
    texts, numbers = ([k for k, d in SUMMARY_DTYPES.items() if (d == "str") is is_text] for is_text in (True, False))
    index = range(len(records))
    text = pd.DataFrame([[r[k] for k in texts] for r in records], index=index, columns=texts, dtype="str")
    number = pd.DataFrame([[r[k] for k in numbers] for r in records], index=index, columns=numbers, dtype="float64")
    return pd.concat([text, number], axis=1)[list(SUMMARY_DTYPES)]


def _record(row: SummaryInput) -> dict[str, str | float | None]:
    cells = _text_cells(row) | _loss_cells(row) | _training_cells(row) | _median_cells(row)
    run = row.run
    origin: str | None = None
    if run.perplexity is not None:
        origin = "logged"
    elif eval_loss_of(run) is not None:
        origin = "computed"
    record: dict[str, str | float | None] = {
        "run_id": run.run_id,
        "steps_to_best_share": _share_to_best(run),
        "batch_effective": row.effective_batch,
        "epochs_total": run.total_epochs,
        "perplexity_origin": origin,
        "findings_critical": _count(row.checks, Severity.CRITICAL),
        "findings_info": _count(row.checks, Severity.INFO),
    }
    for key, cell in cells.items():
        record |= {key: cell.value, key + TEXT: cell.text, key + NOTE: cell.note}
    return record


def _text_cells(row: SummaryInput) -> dict[str, _Cell]:
    run = row.run
    status = [f'Logged as "{run.raw_status}".'] if run.raw_status not in (None, run.status_text) else []
    return {
        "run": _Cell(row.label, row.label, f"{isolated(run.name)} ({run.run_id})"),
        "model": _Cell(run.base_model, run.base_model or formatting.NOT_RECORDED),
        "dataset": _Cell(run.dataset_name, run.dataset_name or formatting.NOT_RECORDED, run.dataset or ""),
        "status": _Cell(run.status_text, run.status_text, _sentences(*status, run.error_message)),
    }


def _loss_cells(row: SummaryInput) -> dict[str, _Cell]:
    run = row.run
    eval_loss, (train_loss, gap, note) = eval_loss_of(run), _of_shipped(row)
    shown_eval = _first_logged(eval_loss, run.best_eval_loss, run.eval_loss, run.final_eval_loss)
    best = _cell("best_eval_loss", shown_eval, _eval_note(row))
    if run.best_step is not None and eval_loss is not None and eval_loss == run.best_eval_loss:
        best = best._replace(text=f"{best.text} @ {formatting.count(run.best_step)}")
    shown_train = _first_logged(train_loss, run.loss, run.final_loss)
    lost = _non_finite("train loss", train_loss, run.loss)
    return {
        "best_eval_loss": best,
        "train_loss": _cell("train_loss", shown_train, _sentences(note, lost)),
        "gap": _cell("gap", gap, _gap_note(row)),
        "perplexity": _perplexity(run),
        "findings": _findings(row.checks),
        "score": _score(row),
    }


def _training_cells(row: SummaryInput) -> dict[str, _Cell]:
    run = row.run
    share = _share_to_best(run)
    steps = _cell("steps_to_best", run.best_step)
    if share is not None:
        whole = (
            f"{formatting.count(run.total_steps)} steps planned"
            if run.total_steps
            else f"{formatting.count(run.current_step)} steps done"
        )
        share_text = formatting.percent(share)
        steps = steps._replace(text=f"{steps.text} ({share_text})", note=f"{share_text} of the {whole}.")
    effective = ""
    if row.effective_batch is not None:
        derived = f" ({row.effective_batch_text})" if row.effective_batch_text else ""
        effective = f"Effective batch {formatting.count(row.effective_batch)}{derived}."
    epochs = _cell("epochs", run.current_epoch)
    if run.total_epochs is not None:
        epochs = epochs._replace(text=f"{epochs.text} of {formatting.figure(run.total_epochs)}")
    so_far = "So far: the run has not ended." if run.status is RunStatus.RUNNING else ""
    return {
        "learning_rate": _cell("learning_rate", row.configured_learning_rate),
        "batch": _cell("batch", row.batch, effective),
        "steps_to_best": steps,
        "duration": _cell("duration", run.duration_s, so_far if run.duration_s is not None else ""),
        "epochs": epochs,
    }


def _median_cells(row: SummaryInput) -> dict[str, _Cell]:
    """Cells of the metrics' columns that need no words of their own."""
    found = {key: _first_logged(row.medians.get(key), getattr(row.run, key, None)) for key in MEDIANS}
    return {COLUMN_OF[key]: _cell(COLUMN_OF[key], value) for key, value in found.items()}


_SHOW = {column.key: column.show for column in COLUMNS if column.show}


def _cell(key: str, value: float | None, note: str = "") -> _Cell:
    return _Cell(value, _SHOW[key](value), note)


def _eval_note(row: SummaryInput) -> str:
    run, eval_loss = row.run, eval_loss_of(row.run)
    notes = []
    if eval_loss is not None and eval_loss != run.best_eval_loss:
        notes.append("No finite best eval loss is recorded; this is the last one logged.")
    elif eval_loss is not None and run.best_step is not None:
        epoch = f", epoch {formatting.figure(run.best_epoch)}" if run.best_epoch is not None else ""
        notes.append(f"Measured at step {formatting.count(run.best_step)}{epoch}.")
    return _sentences(*notes, _non_finite("eval loss", eval_loss, run.eval_loss), row.stored_note)


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
        return values.train_loss, values.gap, f"The mean up to step {formatting.count(values.step)}, the best one."
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
    at = f" At step {formatting.count(values.step)}, the best one." if values.is_matched else ""
    error = f" Standard error {formatting.loss(values.gap_error)}." if values.gap_error else ""
    return f"{label[:1].upper()}{label[1:]}.{at}{error}"


def _perplexity(run: RunSummary) -> _Cell:
    if run.perplexity is not None:
        return _cell("perplexity", run.perplexity, "As logged by the run.")
    eval_loss = eval_loss_of(run)
    if eval_loss is None:
        return _cell("perplexity", None)
    try:
        value = math.exp(eval_loss)
    except OverflowError:
        value = math.inf
    return _cell("perplexity", value, "exp(eval loss): the run logged no perplexity.")


def _findings(found: Results | None) -> _Cell:
    if found is None:
        return _cell("findings", None, "The run's metrics could not be read, so nothing could be judged.")
    if not found.findings:
        return _Cell(0, "0", "Nothing was noticed.")
    told = [f"{SIGNS[finding.severity]} {finding.sentence}" for finding in found.findings[:SENTENCES]]
    more = len(found.findings) - len(told)
    return _Cell(len(found.serious), counted(found.counts), _sentences(*told, f"And {more} more." if more else ""))


def _count(found: Results | None, severity: Severity) -> int | None:
    return None if found is None else found.counts.get(severity, 0)


def _score(row: SummaryInput) -> _Cell:
    if row.score is None:
        return _cell("score", None, f"Left out: {row.unscorable}." if row.unscorable else "")
    if row.score.total is None:
        return _cell("score", None, "There is no composite: another metric than a loss decides.")
    loss_points, gap_points = formatting.points(row.score.loss_points), formatting.points(row.score.gap_points)
    told = f"Eval loss {loss_points} points, gap {gap_points} points. It depends on which runs it is ranked with."
    return _cell("score", row.score.total, told)


def _share_to_best(run: RunSummary) -> float | None:
    steps = run.total_steps or run.current_step
    return run.best_step / steps if run.best_step is not None and steps else None


def _first_logged(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _sentences(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)
