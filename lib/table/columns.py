"""The columns of the summary table: name, unit, meaning, format, and which direction is better.

Train loss, gap, steps to best, duration, epochs, batch and learning rate have no winner: the run with
less or more of them is not the better model for it (a low train loss beside a higher eval loss is
memorised).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from lib.core.facts.metrics import METRICS, Better, Metric, TableColumn
from lib.core.gap.overfitting import GAP_WARNING
from lib.core.text import formatting

TEXT = "_text"
NOTE = "_note"
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
        of_loss: Best and worst mean something only among runs whose losses mean the same.
        metric: The metric that it is of, if it is of one.
        link_name: What a link calls it, where that is not its key.
    """

    key: str
    title: str
    meaning: str
    show: Callable[[float | None], str] | None = None
    width: int = 90
    unit: str = ""
    unit_in_cell: bool = False
    better: Better | None = None
    essential: bool = False
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
    def tooltip(self) -> str:
        """What the column means and which direction is better."""
        return self.meaning + _DIRECTION.get(self.better or "", "")


_OTHERS = (
    Column("run", "Run", "The run's label; hover a cell for its name and id.", width=168, essential=True),
    Column("model", "Model", "The base model that was fine-tuned.", width=150),
    Column("dataset", "Dataset", "The last part of the dataset's path.", width=86, essential=True),
    Column("status", "Status", "Only completed runs can be recommended.", width=92, essential=True),
    Column(
        "gap",
        "Gap",
        f"Eval loss less train loss, both of the best step. Above +{GAP_WARNING} the run overfits; below 0 the"
        " evaluation set may"
        " have leaked into training.",
        formatting.signed,
        width=100,
        essential=True,
    ),
    Column(
        "lowest_eval_loss",
        "Lowest eval loss",
        "The lowest loss on the evaluation set, @ its step: not that of the checkpoint to ship where another metric"
        " decides.",
        formatting.loss,
        width=154,
        better="lower",
        of_loss=True,
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
        "Optimizer steps until the checkpoint that would be shipped, and their share of all steps.",
        formatting.count,
        width=120,
        unit="steps",
        unit_in_cell=True,
    ),
    Column(
        "duration",
        "Duration",
        "From start to end, or to the last sign of life.",
        formatting.duration,
        width=92,
        unit="s",
        unit_in_cell=True,
        essential=True,
    ),
    Column("epochs", "Epochs", "Epochs done, of those planned.", formatting.figure, width=80),
    Column(
        "findings",
        "Findings",
        "What was noticed of the run's health and data: ✖ critical, ⚠ warning, ● worth knowing. Sorted by the"
        " first two together.",
        formatting.count,
        width=98,
        unit="critical or warning",
        unit_in_cell=True,
        essential=True,
    ),
    Column(
        "score",
        "Score",
        "Composite of eval-loss points and gap points, 0 to 100.",
        formatting.points,
        width=76,
        better="higher",
        essential=True,
        of_loss=True,
    ),
)


def _column_of(metric: Metric, column: TableColumn) -> Column:
    return Column(
        column.key or metric.key,
        column.title,
        column.meaning,
        formatting.shower(metric.spec),
        column.width,
        metric.unit,
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
EXTRAS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "steps_to_best_share": ("Steps to best (share of all steps)", "float64"),
        "batch_effective": ("Effective batch", "float64"),
        "epochs_total": ("Epochs planned", "float64"),
        "perplexity_origin": ("Perplexity origin", "str"),
        "findings_critical": ("Findings (critical)", "float64"),
        "findings_info": ("Findings (worth knowing)", "float64"),
    }
)
"""Raw values that the table shows only inside other cells: header of the export, and dtype."""


def dtypes_of(columns: Sequence[Column]) -> dict[str, str]:
    """The columns of the summary frame that has these, with their dtypes."""
    return (
        {"run_id": "str"}
        | {column.key: "float64" if column.show else "str" for column in columns}
        | {column.key + suffix: "str" for suffix in (TEXT, NOTE) for column in columns}
        | {key: dtype for key, (_, dtype) in EXTRAS.items()}
    )
