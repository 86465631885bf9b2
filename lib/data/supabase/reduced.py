"""Curves that the database has reduced, by the function of the optional migration.

One request for a run, and an answer whose size does not grow with the run's length.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any

import numpy as np

from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.errors import AccessDenied
from lib.data.supabase.client import Access, Answer, Columns, Damaged
from lib.data.supabase.errors import FunctionMissing, TookTooLong
from lib.data.supabase.settings import METRICS_TABLE

FUNCTION = "reduced_metrics"
ASK_AGAIN_S = 600.0
"""A function that was not there is looked for again after so many seconds: somebody may have added it."""
WORKERS = 5
"""Runs asked for at once: as many as are compared."""


class ReducedReader:
    """Calls the function for one reader, as long as it is there. Safe to share between threads."""

    def __init__(self, access: Access, table: str) -> None:
        self._access = access
        # The function reads the table of the default name.
        self._possible = table == METRICS_TABLE
        self._reader = access.reader.user_id if access.reader is not None else None

    @property
    def is_there(self) -> bool | None:
        """Whether this reader may call the function; ``None`` where nobody has tried."""
        return self._access.project.function_state(FUNCTION, self._reader) if self._possible else False

    def curves(
        self, run_ids: Sequence[str], metrics: Sequence[str], steps: tuple[float, float | None], buckets: int
    ) -> dict[str, RunCurves] | None:
        """The reduced curves of some runs; runs without values are absent.

        Returns:
            ``None`` where the database has no such function for this reader.

        Raises:
            AppError: If there is no answer, or a refusal.
        """
        try:
            with ThreadPoolExecutor(min(WORKERS, len(run_ids))) as threads:
                read = list(threads.map(lambda run_id: self._run(run_id, metrics, steps, buckets), run_ids))
        except (FunctionMissing, AccessDenied):
            # Whoever may not call it may still be let to read the rows.
            self._access.project.note_function(FUNCTION, self._reader, ASK_AGAIN_S)
            return None
        self._access.project.note_function(FUNCTION, self._reader, 0.0)
        return {run.run_id: run for run in read if run.curves}

    def _run(self, run_id: str, metrics: Sequence[str], steps: tuple[float, float | None], buckets: int) -> RunCurves:
        try:
            curves = self._ask(run_id, metrics, steps, buckets)
        except TookTooLong:
            if len(metrics) < 2:
                raise
            # A database has some seconds for a query: fewer metrics take less.
            half = len(metrics) // 2
            parts = (self._run(run_id, some, steps, buckets) for some in (metrics[:half], metrics[half:]))
            curves = {metric: curve for part in parts for metric, curve in part.curves.items()}
        return RunCurves(run_id, MappingProxyType(curves))

    def _ask(
        self, run_id: str, metrics: Sequence[str], steps: tuple[float, float | None], buckets: int
    ) -> dict[str, MetricCurve]:
        first, last = steps

        def arguments(present: Columns) -> Mapping[str, Any]:
            wanted = {"run_ids": [run_id], "metrics": list(present), "buckets": buckets, "first_step": int(first)}
            return wanted if last is None else wanted | {"last_step": int(last)}

        return self._access.call(FUNCTION, METRICS_TABLE, metrics, arguments, lambda answer, _: _curves(answer))


def _curves(answer: Answer) -> dict[str, MetricCurve]:
    try:
        return {curve["metric"]: _curve(curve) for curve in json.loads(answer.body)["curves"]}
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise Damaged from error


def _curve(curve: Mapping[str, Any]) -> MetricCurve:
    lost = curve["nan"] + curve["positive"] + curve["negative"]
    # NaN and the infinities come as text, null as None: numpy reads all three.
    value, epoch, elapsed = (np.array(curve[name], "float64") for name in ("value", "epoch", "elapsed_s"))
    step = np.array(curve["step"], "int64")
    if not len(step) == len(value) == len(epoch) == len(elapsed):
        raise ValueError("Columns of different length.")
    return MetricCurve(step, value, epoch, elapsed, curve["total"] + lost, lost, curve.get("median"))
