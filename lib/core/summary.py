"""The summary table before it is drawn: its columns, its numbers, its marks, and its words.

``COLUMNS`` says once what a column means, in which unit, and which direction is better. Train loss,
gap, steps to best, duration, epochs, batch and learning rate have no winner: the run with less or more
of them is not the better model for it (a low train loss beside a higher eval loss is memorised).
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from lib.core import formatting
from lib.core.runs import RunStatus, RunSummary
from lib.core.scoring import (
    TIE_DECIMALS,
    Recommendation,
    RunScore,
    band_of,
    eval_loss_of,
    gap_of,
    train_loss_of,
)

GAP_WARNING = 0.1
"""Above this gap a run is marked: there the scoring bands begin to speak of overfitting."""
ESSENTIAL_WIDTH = 940
"""Pixels that a window of 1280 px leaves beside the sidebar."""
TEXT = "_text"
NOTE = "_note"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_DIRECTION = {"lower": " Lower is better.", "higher": " Higher is better."}


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        key: Its name in the summary frame.
        title: For people, without the unit.
        meaning: What a value is, and its sign where it has one.
        show: Text of a value; ``None`` for a column of text.
        width: Hint in pixels.
        unit: Unit of the raw value; "" where it has none.
        unit_in_cell: The shown text carries its own unit, so that the header need not.
        better: Which direction wins; ``None`` where neither does.
        essential: Shown by default in a window of 1280 px.
    """

    key: str
    title: str
    meaning: str
    show: Callable[[float | None], str] | None = None
    width: int = 90
    unit: str = ""
    unit_in_cell: bool = False
    better: Literal["lower", "higher"] | None = None
    essential: bool = False

    @property
    def raw_header(self) -> str:
        """Title and unit of the raw value, as an export shows them."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def header(self) -> str:
        """Title, and the unit where the cells do not say it."""
        return self.title if self.unit_in_cell else self.raw_header

    @property
    def tooltip(self) -> str:
        """What the column means and which direction is better."""
        return self.meaning + _DIRECTION.get(self.better or "", "")


COLUMNS: tuple[Column, ...] = (
    Column("run", "Run", "The run's label; hover a cell for its name and id.", width=170, essential=True),
    Column("model", "Model", "The base model that was fine-tuned.", width=150),
    Column("dataset", "Dataset", "The last part of the dataset's path.", width=120, essential=True),
    Column("status", "Status", "Only completed runs can be recommended.", width=95, essential=True),
    Column(
        "best_eval_loss",
        "Best eval loss",
        "The lowest loss on the evaluation set, @ the step where it was measured.",
        formatting.loss,
        width=120,
        better="lower",
        essential=True,
    ),
    Column(
        "train_loss",
        "Train loss",
        "The last logged train loss. No winner: a low one beside a higher eval loss is memorised.",
        formatting.loss,
        essential=True,
    ),
    Column(
        "gap",
        "Gap",
        f"Eval loss less train loss. Above +{GAP_WARNING} the run overfits; below 0 the evaluation set may"
        " have leaked into training.",
        formatting.signed,
        width=85,
        essential=True,
    ),
    Column(
        "perplexity",
        "Perplexity",
        "As logged, else exp(best eval loss); the cell says which. Only values of one kind are compared.",
        lambda value: formatting.figure(value, ",.3f"),
        better="lower",
    ),
    Column(
        "learning_rate",
        "Learning rate",
        "The configured (peak) value, not the last scheduled one.",
        formatting.scientific,
        width=95,
        essential=True,
    ),
    Column(
        "batch",
        "Batch",
        "Samples per device and step; the cell's tooltip has the effective batch.",
        formatting.count,
        width=65,
    ),
    Column(
        "steps_to_best",
        "Steps to best",
        "Optimizer steps until the best eval loss, and their share of all steps.",
        formatting.count,
        width=120,
        unit="steps",
        unit_in_cell=True,
    ),
    Column(
        "tokens_per_second",
        "Speed",
        "Training throughput.",
        lambda value: formatting.figure(value, ",.0f"),
        width=120,
        unit="tokens/s",
        better="higher",
    ),
    Column(
        "samples_per_second",
        "Speed",
        "Training throughput; some trainers log optimizer steps under this name.",
        lambda value: formatting.figure(value, ",.2f"),
        width=130,
        unit="samples/s",
        better="higher",
    ),
    Column(
        "duration",
        "Duration",
        "From start to end, or to the last sign of life.",
        formatting.duration,
        width=95,
        unit="s",
        unit_in_cell=True,
        essential=True,
    ),
    Column("epochs", "Epochs", "Epochs done, of those planned.", formatting.figure, width=80),
    Column(
        "score",
        "Score",
        "Composite of eval-loss points and gap points, 0 to 100.",
        formatting.points,
        width=70,
        better="higher",
        essential=True,
    ),
)
EXTRAS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "steps_to_best_share": ("Steps to best (share of all steps)", "float64"),
        "batch_effective": ("Effective batch", "float64"),
        "epochs_total": ("Epochs planned", "float64"),
        "perplexity_origin": ("Perplexity origin", "str"),
    }
)
"""Raw values that the table shows only inside other cells: header of the export, and dtype."""
SUMMARY_DTYPES: Mapping[str, str] = MappingProxyType(
    {"run_id": "str"}
    | {column.key: "float64" if column.show else "str" for column in COLUMNS}
    | {column.key + suffix: "str" for suffix in (TEXT, NOTE) for column in COLUMNS}
    | {key: dtype for key, (_, dtype) in EXTRAS.items()}
)


class Mark(StrEnum):
    """What stands out about a cell."""

    NONE = ""
    BEST = "best"
    TIE_BEST = "tie-best"
    WORST = "worst"
    HIGH = "high"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryInput:
    """What the table needs to know about one run.

    Attributes:
        run: The run, with what its metric rows say.
        label: What the run is called among the selected.
        score: Its score, if it is eligible; else ``unscorable`` says why not ("still running").
        configured_learning_rate: The configured peak.
        batch: Samples per device and step.
        effective_batch: Samples per optimizer step; ``effective_batch_text`` says how it was derived.
        stored_note: A sentence where stored best values disagree with the metric rows.
    """

    run: RunSummary
    label: str
    score: RunScore | None = None
    unscorable: str | None = None
    configured_learning_rate: float | None = None
    batch: float | None = None
    effective_batch: float | None = None
    effective_batch_text: str = ""
    stored_note: str | None = None


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
    return pd.DataFrame(
        {key: pd.Series([r[key] for r in records], dtype=dtype) for key, dtype in SUMMARY_DTYPES.items()}
    )


def marks(frame: pd.DataFrame) -> pd.DataFrame:
    """Find what stands out: per cell a ``Mark``, in a frame of text with the index of ``frame``.

    Best and worst need two different finite values; NaN and infinities take no part. Several best are
    ``TIE_BEST``, several worst are each ``WORST``. The gap is marked ``HIGH`` or ``NEGATIVE`` instead.
    """
    found = {column.key: pd.Series("", index=frame.index, dtype="str") for column in COLUMNS}
    for column in COLUMNS:
        if column.better:
            _mark_extremes(frame, column, found[column.key])
    # Not by rounding the gap: that overflows for a loss near the largest float.
    noise = 0.5 * 10.0**-TIE_DECIMALS
    found["gap"][frame["gap"] > GAP_WARNING + noise] = Mark.HIGH.value
    found["gap"][frame["gap"] < -noise] = Mark.NEGATIVE.value
    return pd.DataFrame(found, index=frame.index)


def to_csv(frame: pd.DataFrame) -> str:
    """Write the raw values in full precision, with units in the headers.

    What was not recorded is blank, what was logged as NaN is "NaN". Text that a spreadsheet would take
    for a formula gets an apostrophe before it.
    """
    keys = ["run_id", *(column.key for column in COLUMNS), *EXTRAS]
    headers = ["Run id", *(column.raw_header for column in COLUMNS), *(title for title, _ in EXTRAS.values())]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(headers)
    for record in frame.to_dict("records"):
        writer.writerow([_exported(record[key], record.get(key + TEXT, "")) for key in keys])
    return out.getvalue()


def trophy(rows: Sequence[SummaryInput]) -> tuple[str, ...]:
    """The ``run_id`` of the run with the lowest eval loss, completed or not; several where they tie."""
    losses = {row.run.run_id: loss for row in rows if (loss := eval_loss_of(row.run)) is not None}
    lowest = min(losses.values(), default=None)
    return tuple(run_id for run_id, loss in losses.items() if loss == lowest)


def trophy_sentence(
    recommendation: Recommendation, rows: Sequence[SummaryInput], labels: Mapping[str, str]
) -> str | None:
    """Say why a run with the lowest eval loss is not the recommended one.

    Returns:
        A sentence for each such run; ``None`` where there is none, or where no run is recommended.
    """
    winner, holders = recommendation.winner, trophy(rows)
    if winner is None:
        return None
    by_id = {row.run.run_id: row for row in rows}
    scores = {score.run_id: score for score in recommendation.ranking.scores}
    sentences = []
    for run_id in holders:
        if run_id == winner.run_id:
            continue
        verb = "has" if len(holders) == 1 else "shares"
        shown = formatting.loss(eval_loss_of(by_id[run_id].run))
        if run_id not in scores:
            why = _why_left_out(recommendation, by_id[run_id])
            but = f"but cannot be recommended: {why}" if why else "but was not ranked with the recommended run"
        else:
            but = _why_behind(winner, scores[run_id], _called(winner.run_id, labels), by_id)
        sentences.append(f"{_called(run_id, labels)} {verb} the lowest eval loss ({shown}), {but}.")
    return " ".join(sentences) or None


def leader_so_far(
    rows: Sequence[SummaryInput], recommendation: Recommendation, labels: Mapping[str, str]
) -> str | None:
    """Say who leads by eval loss, or why nobody does; ``None`` where a run is recommended."""
    if recommendation.run_id is not None:
        return None
    if not rows:
        return "There is no leader so far: no run is selected."
    by_id = {row.run.run_id: row for row in rows}
    leaders = trophy(rows)
    if not leaders:
        return _why_no_leader(rows, labels)
    shown = formatting.loss(eval_loss_of(by_id[leaders[0]].run))
    reasons = {run_id: _why_left_out(recommendation, by_id[run_id]) for run_id in leaders}
    bracketed = {run_id: f" ({why})" if why else "" for run_id, why in reasons.items()}
    if len(leaders) == 1:
        return f"Leader so far by eval loss: {_called(leaders[0], labels)} with {shown}{bracketed[leaders[0]]}."
    tied = ", ".join(_called(run_id, labels) + bracketed[run_id] for run_id in leaders)
    return f"Leaders so far by eval loss, tied with {shown}: {tied}."


def why_not_others(recommendation: Recommendation, labels: Mapping[str, str]) -> list[str]:
    """A line for every selected run but the recommended: how far behind, or why it was left out."""
    lines = []
    winner = recommendation.winner
    for score in recommendation.ranking.scores if winner else ():
        if score.run_id == winner.run_id:
            continue
        called = _called(score.run_id, labels)
        if _level(winner, score):
            lines.append(
                f"{called}: {formatting.points(score.total)}, level with the recommended run, which wins by"
                f" {_tie_break(winner, score)}."
            )
        else:
            shown, _ = formatting.apart(score.total, winner.total)
            behind, _ = formatting.apart(winner.total - score.total, 0.0)
            lines.append(f"{called}: {shown}, {behind} points behind.")
    lines += [
        f"{_called(left.run_id, labels)}: left out, {left.why}." for left in recommendation.ranking.unscorable
    ]
    return lines


def _called(run_id: str, labels: Mapping[str, str]) -> str:
    return labels.get(run_id, run_id)


def _why_left_out(recommendation: Recommendation, row: SummaryInput) -> str | None:
    whys = {left.run_id: left.why for left in recommendation.ranking.unscorable}
    return whys.get(row.run.run_id, row.unscorable)


def _why_no_leader(rows: Sequence[SummaryInput], labels: Mapping[str, str]) -> str:
    logged = {
        row.run.run_id: _first_logged(row.run.best_eval_loss, row.run.eval_loss, row.run.final_eval_loss)
        for row in rows
    }
    shown = ", ".join(
        f"{_called(run_id, labels)}: {formatting.loss(value)}"
        for run_id, value in logged.items()
        if value is not None
    )
    if shown:
        return f"There is no leader so far: no selected run has a finite eval loss ({shown})."
    return "There is no leader so far: no selected run has logged an eval loss."


def _level(first: RunScore, second: RunScore) -> bool:
    return round(first.total, TIE_DECIMALS) == round(second.total, TIE_DECIMALS)


def _why_behind(winner: RunScore, score: RunScore, called: str, rows: Mapping[str, SummaryInput]) -> str:
    """Why a run whose eval loss is no higher than the winner's is behind it: gap points, or a tie-break."""
    if _level(winner, score):
        completed = {run_id: row.run.completed_at for run_id, row in rows.items()}
        return (
            f"and its score is the same ({formatting.points(score.total)}); {called} wins the tie by"
            f" {_tie_break(winner, score, completed)}"
        )
    gap = (
        "its gap is unknown, which"
        if score.gap is None
        else f"its gap of {formatting.signed(score.gap)} ({score.gap_label})"
    )
    own, best = formatting.apart(score.total, winner.total)
    return (
        f"but {gap} gives {score.gap_points:g} gap points against {winner.gap_points:g} of {called};"
        f" in total {own} against {best}"
    )


def _tie_break(
    winner: RunScore, other: RunScore, completed: Mapping[str, datetime | None] | None = None
) -> str:
    """What put ``winner`` before ``other`` though their totals are equal; the rules of ``scoring.rank``."""
    if winner.eval_loss != other.eval_loss:
        return "its lower eval loss"
    if other.gap is None and winner.gap is not None:
        return "its known gap"
    if winner.gap is not None and abs(winner.gap) != abs(other.gap):
        return f"its smaller gap ({formatting.signed(winner.gap)} against {formatting.signed(other.gap)})"
    if completed is None:
        return "having completed earlier, or else by its id"
    if completed.get(winner.run_id) != completed.get(other.run_id):
        return "having completed earlier"
    return "its id, the last tie-break"


def _record(row: SummaryInput) -> dict[str, Any]:
    cells = _text_cells(row) | _loss_cells(row) | _training_cells(row)
    run, origin = row.run, None
    if run.perplexity is not None:
        origin = "logged"
    elif eval_loss_of(run) is not None:
        origin = "computed"
    record = {
        "run_id": run.run_id,
        "steps_to_best_share": _share_to_best(run),
        "batch_effective": row.effective_batch,
        "epochs_total": run.total_epochs,
        "perplexity_origin": origin,
    }
    for key, cell in cells.items():
        record |= {key: cell.value, key + TEXT: cell.text, key + NOTE: cell.note}
    return record


def _text_cells(row: SummaryInput) -> dict[str, _Cell]:
    run = row.run
    status = [f'Logged as "{run.raw_status}".'] if run.raw_status not in (None, run.status_text) else []
    return {
        "run": _Cell(row.label, row.label, f"{run.name} ({run.run_id})"),
        "model": _Cell(run.base_model, run.base_model or formatting.NOT_RECORDED),
        "dataset": _Cell(run.dataset_name, run.dataset_name or formatting.NOT_RECORDED, run.dataset or ""),
        "status": _Cell(run.status_text, run.status_text, _sentences(*status, run.error_message)),
    }


def _loss_cells(row: SummaryInput) -> dict[str, _Cell]:
    run = row.run
    eval_loss, train_loss = eval_loss_of(run), train_loss_of(run)
    shown_eval = _first_logged(eval_loss, run.best_eval_loss, run.eval_loss, run.final_eval_loss)
    best = _cell("best_eval_loss", shown_eval, _eval_note(row))
    if run.best_step is not None and eval_loss is not None and eval_loss == run.best_eval_loss:
        best = best._replace(text=f"{best.text} @ {formatting.count(run.best_step)}")
    shown_train = _first_logged(train_loss, run.loss, run.final_loss)
    return {
        "best_eval_loss": best,
        "train_loss": _cell("train_loss", shown_train, _non_finite("train loss", train_loss, run.loss)),
        "gap": _cell("gap", gap_of(run), _gap_note(row)),
        "perplexity": _perplexity(run),
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
        "tokens_per_second": _cell("tokens_per_second", run.tokens_per_second),
        "samples_per_second": _cell("samples_per_second", run.samples_per_second),
        "duration": _cell("duration", run.duration_s, so_far if run.duration_s is not None else ""),
        "epochs": epochs,
    }


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


def _gap_note(row: SummaryInput) -> str:
    gap = gap_of(row.run)
    if gap is None:
        unknown = [
            name
            for name, value in (("eval", eval_loss_of(row.run)), ("train", train_loss_of(row.run)))
            if value is None
        ]
        return f"Unknown: there is no finite {' and no finite '.join(unknown)} loss."
    label = row.score.gap_label if row.score else band_of(gap).label
    return f"{label[:1].upper()}{label[1:]}."


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


def _score(row: SummaryInput) -> _Cell:
    if row.score is None:
        return _cell("score", None, f"Left out: {row.unscorable}." if row.unscorable else "")
    loss_points, gap_points = formatting.points(row.score.loss_points), f"{row.score.gap_points:g}"
    return _cell("score", row.score.total, f"Eval loss {loss_points} points, gap {gap_points} points.")


def _share_to_best(run: RunSummary) -> float | None:
    steps = run.total_steps or run.current_step
    return run.best_step / steps if run.best_step is not None and steps else None


def _first_logged(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _sentences(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)


def _mark_extremes(frame: pd.DataFrame, column: Column, found: pd.Series) -> None:
    values = frame[column.key].where(np.isfinite(frame[column.key]))
    if column.key == "score":
        values = values.round(TIE_DECIMALS)
    lowest, highest = values.min(), values.max()
    # Two kinds of perplexity (of the last evaluation, of the best one) say nothing about each other.
    mixed = column.key == "perplexity" and frame.loc[values.notna(), "perplexity_origin"].nunique() > 1
    if mixed or not lowest < highest:
        return
    best, worst = (lowest, highest) if column.better == "lower" else (highest, lowest)
    found[values == worst] = Mark.WORST.value
    found[values == best] = (Mark.TIE_BEST if (values == best).sum() > 1 else Mark.BEST).value


def _exported(value: Any, text: str) -> str:
    if isinstance(value, str):
        return f"'{value}" if value.lstrip(" ").startswith(_FORMULA_STARTS) else value
    if pd.isna(value):
        return "NaN" if text == "NaN" else ""
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))
