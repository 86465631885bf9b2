"""The columns of the summary table: name, unit, meaning, format, and which direction is better.

Train loss, gap, steps to best, duration, epochs, batch and learning rate have no winner: the run with
less or more of them is not the better model for it (a low train loss beside a higher eval loss is
memorised).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from lib.core.text import formatting

GAP_WARNING = 0.1
"""Above this gap a run is marked: there the scoring bands begin to speak of overfitting."""
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
    Column("run", "Run", "The run's label; hover a cell for its name and id.", width=168, essential=True),
    Column("model", "Model", "The base model that was fine-tuned.", width=150),
    Column("dataset", "Dataset", "The last part of the dataset's path.", width=86, essential=True),
    Column("status", "Status", "Only completed runs can be recommended.", width=92, essential=True),
    Column(
        "best_eval_loss",
        "Best eval loss",
        "The lowest loss on the evaluation set, @ the step where it was measured.",
        formatting.loss,
        width=154,
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
        width=100,
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
    ),
)
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
SUMMARY_DTYPES: Mapping[str, str] = MappingProxyType(
    {"run_id": "str"}
    | {column.key: "float64" if column.show else "str" for column in COLUMNS}
    | {column.key + suffix: "str" for suffix in (TEXT, NOTE) for column in COLUMNS}
    | {key: dtype for key, (_, dtype) in EXTRAS.items()}
)
