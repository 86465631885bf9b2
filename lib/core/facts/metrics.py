"""The metrics: one entry says all that the app knows of one, and everything else follows from it.

From an entry follow what sources are asked for, the charts and their axes, the columns of the summary table and of its
export, what is marked there as best, and the order of the pinned step. A metric that nobody logs names the
metrics that it is derived from; ``lib/core/curves/derived.py`` has the function of its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from lib.core.facts.foreign import legible
from lib.core.facts.scores import has_score

Better = Literal["lower", "higher"]

LOSS_CHART = "loss"
"""The wide chart: train metrics solid, evaluated ones dashed."""
FURTHER = "further"
"""A chart of its own for whoever chooses the metric."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """The column of a metric in the summary table.

    Attributes:
        title: Of the column, without the unit.
        meaning: What a value is.
        after: The column that it stands behind: the metrics' columns are put in one by one, in the order of
            ``METRICS``, so that of two behind the same column the later metric comes first.
        key: The column's name, where it is not the metric's.
        below: A second line of its header, where that is not the unit.
        is_setting: It was configured, not measured.
        essential: Shown by default where the runs differ in it.
        has_winner: Which direction of the metric is better makes a run the better one.
        own_cell: ``lib/table/cells.py`` works its value out. Else that is the median of the run's curve, or
            what the run's summary says under the metric's key.
    """

    title: str
    meaning: str
    after: str
    key: str = ""
    below: str = ""
    is_setting: bool = False
    essential: bool = False
    has_winner: bool = True
    own_cell: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric.

    Attributes:
        key: Its name among a run's curves, and of its column in a table of metrics.
        title: For people, with a capital letter and no unit.
        unit: What one unit of the value is; "" where it has none.
        spec: Python format specification for one value. Also a valid d3 format.
        axis_spec: d3 format of an axis; "" for one that the axis chooses.
        better: Which direction is better; ``None`` where neither is.
        evaluated: Measured by evaluations, not at every logging step: never smoothed, never reduced.
        of_loss: It follows from a loss: comparable only among runs whose losses mean the same.
        hf_keys: What the log of a Hugging Face ``Trainer`` calls it too, beside its key.
        derived_from: The metrics that it is worked out from; none where it is logged.
        chart: ``LOSS_CHART``, ``FURTHER``, or the name of its chart below the losses. Metrics that share a name share
            the chart, which shows the one of them that most runs log.
        column: Its column in the summary table, if it has one.
    """

    key: str
    title: str
    unit: str = ""
    spec: str = ".4g"
    axis_spec: str = ""
    better: Better | None = None
    evaluated: bool = False
    of_loss: bool = False
    hf_keys: tuple[str, ...] = ()
    derived_from: tuple[str, ...] = ()
    chart: str = FURTHER
    column: TableColumn | None = None

    @property
    def axis_title(self) -> str:
        """Title with its unit, as an axis shows it; says so where the metric is derived."""
        told = ", ".join(part for part in (self.unit, "derived" if self.derived_from else "") if part)
        return f"{self.title} ({told})" if told else self.title


_ENTRIES = (
    Metric(
        key="train_loss",
        title="Train loss",
        spec=".4f",
        better="lower",
        of_loss=True,
        hf_keys=("loss",),
        chart=LOSS_CHART,
        column=TableColumn(
            "Train loss",
            "The mean train loss just before the step of the checkpoint that would be shipped. No winner: a low one"
            " beside a higher eval loss is memorised.",
            after="status",
            below="there",
            essential=True,
            has_winner=False,
            own_cell=True,
        ),
    ),
    Metric(
        key="eval_loss",
        title="Eval loss",
        spec=".4f",
        better="lower",
        evaluated=True,
        of_loss=True,
        chart=LOSS_CHART,
        column=TableColumn(
            "Eval loss",
            "The loss on the evaluation set, of the checkpoint that would be shipped.",
            after="status",
            below="there",
            essential=True,
            own_cell=True,
        ),
    ),
    Metric(
        key="learning_rate",
        title="Learning rate",
        spec=".2e",
        axis_spec=".1e",
        chart="learning_rate",
        column=TableColumn(
            "Learning rate",
            "The configured (peak) value, not the last scheduled one.",
            after="gap",
            is_setting=True,
            essential=True,
            own_cell=True,
        ),
    ),
    Metric(key="grad_norm", title="Gradient norm", spec=".3f", chart="grad_norm"),
    Metric(
        key="tokens_per_second",
        title="Throughput",
        unit="tokens/s",
        spec=",.0f",
        axis_spec="~s",
        better="higher",
        hf_keys=("train_tokens_per_second",),
        chart="throughput",
        column=TableColumn("Speed", "Training throughput.", after="steps_to_best"),
    ),
    Metric(
        key="samples_per_second",
        title="Throughput",
        unit="samples/s",
        spec=",.2f",
        better="higher",
        hf_keys=("train_samples_per_second",),
        chart="throughput",
        column=TableColumn(
            "Speed",
            "Training throughput; some trainers log optimizer steps under this name.",
            after="tokens_per_second",
        ),
    ),
    Metric(
        key="tokens_per_second_per_gpu",
        title="Throughput per GPU",
        unit="tokens/s",
        spec=",.0f",
        axis_spec="~s",
        better="higher",
        derived_from=("tokens_per_second",),
        column=TableColumn(
            "Speed per GPU",
            "Derived: training throughput by the configured number of GPUs.",
            after="samples_per_second",
        ),
    ),
    Metric(
        key="gpu_memory_allocated_gb",
        title="GPU memory",
        unit="GB",
        spec=",.2f",
        chart="gpu_memory_allocated_gb",
    ),
    Metric(key="gpu_memory_reserved_gb", title="Reserved GPU memory", unit="GB", spec=",.2f"),
    Metric(key="gpu_utilization_percent", title="GPU utilisation", unit="%", spec=",.0f"),
    Metric(
        key="perplexity",
        title="Perplexity",
        spec=",.3f",
        better="lower",
        evaluated=True,
        of_loss=True,
        hf_keys=("eval_perplexity",),
        column=TableColumn(
            "Perplexity",
            "Of the checkpoint that would be shipped: as logged, else exp(eval loss); the cell says which. Only values"
            " of one kind are compared.",
            after="gap",
            own_cell=True,
        ),
    ),
    Metric(key="train_perplexity", title="Train perplexity", spec=",.3f", better="lower", of_loss=True),
)
METRICS: Mapping[str, Metric] = MappingProxyType({metric.key: metric for metric in _ENTRIES})
"""All entries by key, in the order in which metrics are listed."""
LOGGED = tuple(key for key, metric in METRICS.items() if not metric.derived_from)
"""What a source can be asked for."""
MEDIANS = tuple(key for key, metric in METRICS.items() if metric.column is not None and not metric.column.own_cell)
"""The metrics whose column of the table shows the median of a run's curve."""


_OF_EVALUATIONS = frozenset(("eval", "evaluation", "val", "valid", "validation", "test", "dev"))
"""Words that a part of a metric's name begins with where evaluations measure it."""
_AT_THE_END = _OF_EVALUATIONS - {"valid", "dev"}
"""Those that may also be its last word whatever stands before it: "acc_val". A "std_dev" is none, and neither is
"tokens_valid": of these two it must be a score ("f1_dev", "acc_valid")."""
_SPREADS = frozenset(("std", "stddev", "stdev", "standard"))
_BESIDE = frozenset(("avg", "average", "mean", "epoch", "best", "final", "total", "running"))
"""Words that may stand before them."""
_OF_DETECTION = re.compile(r"(?<![A-Za-z])mAP(?![a-z])|^metrics/(?:precision|recall|accuracy|mIoU|PQ)", re.ASCII)
"""Scores that nobody has before an evaluation, as detectors name them: "bbox_mAP", "metrics/precision(B)"."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[A-Za-z0-9]+")
_AMOUNTS = frozenset(("tokens", "token", "ratio", "mask", "count", "fraction", "frac", "share", "length", "len", "num"))
"""After "valid" they say that it is the adjective: how much of a batch counts."""


def is_of_evaluations(name: str) -> bool:
    """Whether a metric's own name says that evaluations measure it, and not every logging step.

    A name has parts ("/" and ":" part it) and these have words. A part counts where it begins with a word such as
    "val", or ends with one.

    Example:
        >>> [is_of_evaluations(name) for name in ("eval_rouge1", "val/f1", "validation acc", "valLoss", "Loss/test")]
        [True, True, True, True, True]
        >>> [is_of_evaluations(name) for name in ("value_loss", "train_val_gap", "std_dev", "valid_tokens", "dev0/mem")]
        [False, False, False, False, False]
        >>> [is_of_evaluations(name) for name in ("f1_dev", "acc_valid", "loss_std_dev", "loss_validity", "json_valid")]
        [True, True, False, False, False]
    """
    if _OF_DETECTION.search(name):
        return True
    for part in re.split(r"[/:]", name):
        words = [word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", part))]
        while len(words) > 1 and words[0] in _BESIDE:
            del words[0]
        if words and _of_evaluations(words):
            return True
    return False


def _of_evaluations(words: list[str]) -> bool:
    if words[0] in _OF_EVALUATIONS:
        return words[0] != "valid" or words[1:2] == [] or words[1] not in _AMOUNTS
    if words[0] in ("train", "training") or words[-1] not in _OF_EVALUATIONS:
        return False
    return words[-1] in _AT_THE_END or (has_score(words[:-1]) and not (_AMOUNTS | _SPREADS) & set(words))


def metric_of(key: str) -> Metric:
    """Return the metric for ``key``; one that the catalogue does not know is described by its own name.

    Example:
        >>> metric_of("grad_norm").axis_title, metric_of("eval_rouge1").evaluated, metric_of("val/f1").evaluated
        ('Gradient norm', True, True)
    """
    return METRICS.get(key) or Metric(key=key, title=legible(key), evaluated=is_of_evaluations(key))
