"""A live source in memory, whose one run grows when it is told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

import numpy as np

from lib.core.curves.metric_curves import MetricCurve, RunCurves, complete_curve, cut
from lib.core.facts.query import RunPage, RunQuery, answer
from lib.core.facts.runs import RunStatus, RunSummary
from lib.data.source import Progress, Wanted

METRICS = (
    "train_loss",
    "eval_loss",
    "learning_rate",
    "grad_norm",
    "tokens_per_second",
    "gpu_memory_allocated_gb",
    "gpu_utilization_percent",
)


class GrowingSource:
    """A ``LiveSource`` of one run that logs ``METRICS`` at every step.

    Args:
        rows: How many it has logged.
        reader: Who reads.
    """

    kind, title, synthetic, refresh_s = "Project", "Growing runs", False, 5.0

    def __init__(self, rows: int, reader: str = "ann") -> None:
        self.cache_key = f"growing:{reader}"
        self.rows = rows
        self.status, self.revision, self.raised = RunStatus.RUNNING, 0, 0.0
        self.reads: list[str] = []

    @property
    def run(self) -> RunSummary:
        return RunSummary(
            run_id="growing",
            name="growing",
            version=f"{self.rows} rows, {self.status}, {self.revision}",
            status=self.status,
            current_step=self.rows,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            updated_at=datetime.now(UTC),
        )

    def now(self) -> datetime:
        return datetime.now(UTC)

    def list_runs(self, query: RunQuery) -> RunPage:
        self.reads.append("list")
        return answer([self.run], query)

    def load_runs(self, run_ids: Sequence[str]) -> tuple[RunSummary, ...]:
        self.reads.append("runs")
        return tuple(self.run for run_id in run_ids if run_id == "growing")

    def load_curves(
        self,
        run_ids: Sequence[str],
        metrics: Sequence[str] | None = None,
        steps: tuple[int, int] | None = None,
        buckets: int | None = None,
        progress: Progress | None = None,
        also: Wanted | None = None,
    ) -> dict[str, RunCurves]:
        self.reads.append("curves")
        whole = RunCurves(
            "growing", MappingProxyType({name: self._curve(name) for name in metrics or METRICS if name in METRICS})
        )
        return {"growing": whole if steps is None else cut(whole, *steps)}

    def load_new_curves(self, run_ids: Sequence[str], after: Mapping[str, int]) -> dict[str, RunCurves]:
        self.reads.append("new")
        whole = RunCurves("growing", MappingProxyType({name: self._curve(name) for name in METRICS}))
        return {"growing": cut(whole, after["growing"], 10**9)}

    def way(self) -> str:
        return "Every row is read."

    def _curve(self, name: str) -> MetricCurve:
        step = np.arange(1, self.rows + 1)
        value = 1.0 + self.raised + 1.0 / step + METRICS.index(name) * np.sin(step) / 100
        return complete_curve(step, value, step / 1000, step * 1.0)
