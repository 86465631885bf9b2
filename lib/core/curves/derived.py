"""Metrics that nobody logs: functions of other curves of a run and of the run's facts.

A function here is called as its metric is, and the metric's entry (``lib/core/facts/metrics.py``) names the metrics
that it is ``derived_from``. Whoever reads curves asks for those (``logged_for``) and puts the derived ones beside them
(``with_derived``), whatever the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from types import MappingProxyType

from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.metrics import LOGGED, METRICS
from lib.core.facts.runs import RunSummary

DERIVED = frozenset(METRICS.keys() - set(LOGGED))
"""The metrics that nobody logs."""
Derivation = Callable[[RunCurves, RunSummary], MetricCurve | None]
DERIVATIONS: dict[str, Derivation] = {}
"""By metric: makes its curve of the run's others, and of the run as it was configured; ``None`` where that is not
known. The very curve that it was given says that the metric tells nothing new of this run."""


def derivation(function: Derivation) -> Derivation:
    """Make a function the derivation of the metric of its name."""
    DERIVATIONS[function.__name__] = function
    return function


@derivation
def tokens_per_second_per_gpu(curves: RunCurves, run: RunSummary) -> MetricCurve | None:
    """Throughput by the number of GPUs."""
    speed, gpus = curves.curves.get("tokens_per_second"), run.num_gpus
    if speed is None or gpus is None or gpus < 1:
        return None
    return speed if gpus == 1 else divided(speed, gpus)


def divided(curve: MetricCurve, by: float) -> MetricCurve:
    """A curve with every value divided by a positive number. Of a reduced curve the extremes stay the extremes."""
    median = None if curve.median is None else curve.median / by
    return replace(curve, value=curve.value / by, median=median)


def logged_for(metrics: Iterable[str]) -> tuple[str, ...]:
    """What to ask a source for to have these metrics: the derived ones by what they are derived from."""
    asked: dict[str, None] = {}
    for key in metrics:
        known = METRICS.get(key)
        asked |= dict.fromkeys(logged_for(known.derived_from) if known and known.derived_from else (key,))
    return tuple(asked)


def with_derived(curves: RunCurves, run: RunSummary) -> RunCurves:
    """Put the derived metrics beside the logged ones, in the place of any that were there.

    One of whose parts nobody asked for is unread, as they are.

    Args:
        curves: Of a run.
        run: The same run, with its facts as they were configured.
    """
    found = {key: curve for key, curve in curves.curves.items() if key not in DERIVATIONS}
    unread = [key for key in curves.unread if key not in DERIVATIONS]
    known = replace(curves, curves=MappingProxyType(found))
    for key, derive in DERIVATIONS.items():
        if any(part in unread for part in METRICS[key].derived_from):
            unread.append(key)
        elif (curve := derive(known, run)) is not None and len(curve):
            found[key] = curve
    return replace(known, unread=tuple(unread))


def telling(runs: Iterable[RunCurves]) -> frozenset[str]:
    """The derived metrics that say something new of one of these runs at least, as far as that was read."""
    return frozenset(
        key
        for run in runs
        for key in DERIVATIONS
        if key in run.unread
        or (key in run.curves and all(run.curves[key] is not run.get(part) for part in METRICS[key].derived_from))
    )
