"""The metrics that a run logs: key, title, unit and format, said once for axes, tables and exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        key: Name in the metric frame's ``metric`` column.
        title: For people, with a capital letter and no unit.
        unit: What one unit of the value is; "" where it has none.
        spec: Python format specification for one value. Also a valid d3 format.
        evaluated: Measured by evaluations, not at every logging step: never smoothed, never reduced.
    """

    key: str
    title: str
    unit: str = ""
    spec: str = ".4g"
    evaluated: bool = False

    @property
    def axis_title(self) -> str:
        """Title with its unit, as an axis or a column header shows it."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.key: metric
        for metric in (
            Metric("train_loss", "Train loss", "", ".4f"),
            Metric("eval_loss", "Eval loss", "", ".4f", evaluated=True),
            Metric("learning_rate", "Learning rate", "", ".2e"),
            Metric("grad_norm", "Gradient norm", "", ".3f"),
            Metric("tokens_per_second", "Throughput", "tokens/s", ",.0f"),
            Metric("samples_per_second", "Throughput", "samples/s", ",.2f"),
            Metric("gpu_memory_allocated_gb", "GPU memory", "GB", ",.2f"),
            Metric("gpu_memory_reserved_gb", "Reserved GPU memory", "GB", ",.2f"),
            Metric("gpu_utilization_percent", "GPU utilisation", "%", ",.0f"),
            Metric("perplexity", "Perplexity", "", ",.3f", evaluated=True),
            Metric("train_perplexity", "Train perplexity", "", ",.3f"),
        )
    }
)


def metric_of(key: str) -> Metric:
    """Return the metric for ``key``; one that the catalogue does not know is described by its own name.

    Example:
        >>> metric_of("grad_norm").axis_title, metric_of("eval_rouge1").evaluated
        ('Gradient norm', True)
    """
    return METRICS.get(key) or Metric(key, key, evaluated=key.startswith("eval_"))
