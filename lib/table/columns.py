"""The columns of the summary table: name, unit, meaning, format, and which direction is better.

Train loss, gap, steps to best, duration, epochs, batch and learning rate have no winner: the run with
less or more of them is not the better model for it (a low train loss beside a higher eval loss is
memorised).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from lib.core.facts.metrics import METRICS, Better, Metric, TableColumn
from lib.core.gap.overfitting import GAP_WARNING
from lib.core.text import formatting

LOWEST_AT, SHIPPED_AT = "lowest_eval_loss_step", "steps_to_best"
"""The columns of the steps at which the eval loss is lowest, and the checkpoint to ship was."""
_DIRECTION = {"lower": " Lower is better.", "higher": " Higher is better."}


class Group(StrEnum):
    """What columns are offered together, in this order."""

    DECIDES = "Decides"
    LOSSES = "Losses"
    TRAINING = "Training"
    SETTINGS = "Settings"
    FURTHER = "Further metrics"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        key: Its name in the summary frame.
        title: For people, without the unit.
        meaning: What a value is, and its sign where it has one.
        group: What it is offered with.
        show: Text of a value; ``None`` for a column of text.
        name, below: The two lines of its header; the title, and the unit where the cells do not say it, unless said
            otherwise.
        unit: Unit of the raw value; "" where it has none.
        unit_in_cell: The shown text carries its own unit, so that the header need not.
        better: Which direction wins; ``None`` where neither does.
        essential: Shown by default where the runs differ in it.
        exported: It stands in the export too.
        of_loss: Best and worst mean something only among runs whose losses mean the same.
        metric: The metric that it is of, if it is of one.
        link_name: What a link calls it, where that is not its key.
    """

    key: str
    title: str
    meaning: str
    group: Group
    show: Callable[[float | None], str] | None = None
    name: str | None = None
    below: str | None = None
    unit: str = ""
    unit_in_cell: bool = False
    better: Better | None = None
    essential: bool = False
    exported: bool = True
    of_loss: bool = False
    metric: str | None = None
    link_name: str = ""

    @property
    def in_link(self) -> str:
        """What a link calls it."""
        return self.link_name or self.key

    @property
    def raw_header(self) -> str:
        """Title and unit of the raw value, as an export shows them."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def header(self) -> str:
        """Title, and the unit where the cells do not say it."""
        return self.title if self.unit_in_cell else self.raw_header

    @property
    def lines(self) -> tuple[str, str]:
        """The two lines of its header in the table."""
        unit = "" if self.unit_in_cell else self.unit
        return self.title if self.name is None else self.name, unit if self.below is None else self.below

    @property
    def tooltip(self) -> str:
        """What the column means and which direction is better."""
        return self.meaning + _DIRECTION.get(self.better or "", "")


_OTHERS = (
    Column("run", "Run", "The run's label; hover a cell for its name and id.", Group.DECIDES, essential=True),
    Column("model", "Model", "The base model that was fine-tuned.", Group.SETTINGS, essential=True),
    Column("dataset", "Dataset", "The last part of the dataset's path.", Group.SETTINGS, essential=True),
    Column("status", "Status", "Only completed runs can be recommended.", Group.TRAINING, essential=True),
    Column(
        "gap",
        "Gap",
        f"Eval loss less train loss, both of the best step. Above +{GAP_WARNING} the run overfits; below 0 the"
        " evaluation set may"
        " have leaked into training.",
        Group.LOSSES,
        formatting.signed,
        below="there",
        essential=True,
    ),
    Column(
        "lowest_eval_loss",
        "Lowest eval loss",
        "The lowest loss on the evaluation set: not that of the checkpoint to ship where another metric decides.",
        Group.LOSSES,
        formatting.loss,
        better="lower",
        essential=True,
        of_loss=True,
    ),
    Column(
        LOWEST_AT,
        "Step of the lowest eval loss",
        "The step at which the eval loss is lowest.",
        Group.LOSSES,
        formatting.count,
        name="",
        below="at step",
        essential=True,
        exported=False,
    ),
    Column(
        "batch",
        "Batch",
        "Samples per device and step; the cell's tooltip has the effective batch.",
        Group.SETTINGS,
        formatting.count,
        name="Batch size",
        essential=True,
    ),
    Column(
        SHIPPED_AT,
        "Steps to best",
        "Steps until the checkpoint that would be shipped; the cell's tooltip has their share of all steps.",
        Group.TRAINING,
        formatting.count,
        name="",
        below="at step",
        unit="steps",
        unit_in_cell=True,
        essential=True,
    ),
    Column(
        "duration",
        "Duration",
        "From start to end, or to the last sign of life.",
        Group.TRAINING,
        formatting.duration,
        unit="s",
        unit_in_cell=True,
        essential=True,
    ),
    Column("epochs", "Epochs", "Epochs done, of those planned.", Group.TRAINING, formatting.figure),
    Column(
        "findings",
        "Findings",
        "What was noticed of the run's health and data: ✖ critical, ⚠ warning, ● worth knowing. Sorted by the"
        " first two together.",
        Group.TRAINING,
        formatting.count,
        name="Health",
        unit="critical or warning",
        unit_in_cell=True,
        essential=True,
    ),
    Column(
        "score",
        "Score",
        "Composite of eval-loss points and gap points, 0 to 100.",
        Group.DECIDES,
        formatting.points,
        below="of 100",
        better="higher",
        essential=True,
        of_loss=True,
    ),
)


def _column_of(metric: Metric, column: TableColumn) -> Column:
    group = Group.SETTINGS if column.is_setting else Group.LOSSES if metric.of_loss else Group.TRAINING
    return Column(
        column.key or metric.key,
        column.title,
        column.meaning,
        group,
        formatting.shower(metric.spec),
        below=column.below or None,
        unit=metric.unit,
        better=metric.better if column.has_winner else None,
        essential=column.essential,
        of_loss=metric.of_loss,
        metric=metric.key,
    )


def _with_metrics(others: Sequence[Column]) -> tuple[Column, ...]:
    columns = list(others)
    for metric in METRICS.values():
        if metric.column is not None:
            keys = [column.key for column in columns]
            if metric.column.after not in keys:
                raise ValueError(
                    f"The column of {metric.key!r} shall stand after {metric.column.after!r}: expected one of"
                    f" {', '.join(keys)}. Columns of later metrics are not there yet."
                )
            columns.insert(keys.index(metric.column.after) + 1, _column_of(metric, metric.column))
    return tuple(columns)


COLUMNS = _with_metrics(_OTHERS)
"""All columns from left to right; those of metrics come from the metrics' entries (``lib.core.facts.metrics``)."""
COLUMN_OF = {column.metric: column.key for column in COLUMNS if column.metric is not None}
"""Metric to the key of its column."""
EXTRAS: Mapping[str, str] = MappingProxyType(
    {
        "rank": "Rank",
        "recommended": "Recommended",
        "deciding_metric": "Deciding metric",
        "deciding_value": "Deciding value",
        "steps_to_best_share": "Steps to best (share of all steps)",
        "batch_effective": "Effective batch",
        "epochs_total": "Epochs planned",
        "perplexity_origin": "Perplexity origin",
        "findings_critical": "Findings (critical)",
        "findings_info": "Findings (worth knowing)",
    }
)
"""Raw values that the table shows only inside other cells, with their headers in the export."""
