"""What the summary table needs to know of a run, and what a cell of it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lib.core.baseline.differences import Sense
from lib.core.checks.results import Results
from lib.core.facts.runs import RunSummary
from lib.core.ranking.scoring import RunScore
from lib.core.ranking.values import RunValues
from lib.table.columns import COLUMNS, Column


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryInput:
    """What the table needs to know about one run.

    Attributes:
        run: The run, with what its metric rows say.
        label: What the run is called among the selected.
        values: What counts of it, all of the step of the checkpoint that would be shipped; ``None`` where it has no
            value of what decides.
        deciding: The metric of which ``values.value`` is; ``None`` where nothing decides.
        loss_metric: What ``values.eval_loss`` is of: the eval loss, or that of a named evaluation set.
        shipped: Of the evaluated metrics that a column shows, their values at the step of that checkpoint.
        rank: Its place among the ranked runs, from 1 on; ``None`` where it has none.
        recommended: It is the one to ship.
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
    deciding: str | None = None
    loss_metric: str = "eval_loss"
    shipped: Mapping[str, float] = field(default_factory=dict)
    rank: int | None = None
    recommended: bool = False
    score: RunScore | None = None
    unscorable: str | None = None
    configured_learning_rate: float | None = None
    batch: float | None = None
    effective_batch: float | None = None
    effective_batch_text: str = ""
    stored_note: str | None = None
    checks: Results | None = None
    medians: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Summary:
    """The table before it is drawn: a row for each run, in the order of ``run_ids``.

    Attributes:
        columns: All of them, shown or not.
        cells: By the key of the column, a cell for each run.
        extras: What only the export has (``EXTRAS``), by key.
        in_epochs: The logs of all runs count epochs, so that a step is one.
        baseline: The id of the run that all are compared with (``lib.table.against``); "" for none.
    """

    run_ids: tuple[str, ...]
    columns: tuple[Column, ...]
    cells: Mapping[str, Sequence[Cell]]
    extras: Mapping[str, Sequence[str | float | None]]
    in_epochs: bool = False
    baseline: str = ""

    def numbers(self, key: str) -> np.ndarray:
        """The raw values of a column of numbers, float64, NaN where there is none."""
        return np.array([np.nan if each.value is None else each.value for each in self.cells[key]], dtype=np.float64)


class Against(NamedTuple):
    """How far a cell is from that of the baseline: what it shows, what that means, and the raw difference and share."""

    text: str
    sense: Sense = Sense.NEITHER
    value: float | None = None
    share: float | None = None


class Cell(NamedTuple):
    """A cell: its raw value, what it shows, its tooltip, "" for none, and what stands below it of the baseline."""

    value: str | float | None
    text: str
    note: str = ""
    against: Against | None = None


_SHOW = {column.key: column.show for column in COLUMNS if column.show}


def cell(key: str, value: float | None, note: str = "") -> Cell:
    """The cell of a column of numbers."""
    return Cell(value, _SHOW[key](value), note)


def step_of(row: SummaryInput) -> int | None:
    """The step of the checkpoint that would be shipped; that of the lowest eval loss where it is not known."""
    return row.run.best_step if row.values is None or row.values.step is None else row.values.step


def share_to_best(row: SummaryInput) -> float | None:
    """``step_of`` as a share of all steps."""
    steps, best = row.run.total_steps or row.run.current_step, step_of(row)
    return best / steps if best is not None and steps else None


def first_logged(*values: float | None) -> float | None:
    """The first that is there, NaN included."""
    return next((value for value in values if value is not None), None)


def sentences(*parts: str | None) -> str:
    """Those that are there, in a row."""
    return " ".join(part for part in parts if part)
