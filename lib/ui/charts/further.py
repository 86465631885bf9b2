"""The metrics that have no chart until one is chosen, in groups: a trainer may log one for each of twenty classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib.core.verdict.metric_titles import metric_title, own_titles

LEAST = 3
"""So many metrics of one kind are a group."""
SPEED = ("_runtime", "_per_second")
"""How the names of metrics end that say how fast an evaluation was."""


def groups(metrics: Sequence[str], chosen: Sequence[str]) -> list[dict[str, Any]]:
    """The metrics as they are offered: those that stand alone first, then the groups, each with its metrics.

    Args:
        metrics: That the runs log and that have no chart.
        chosen: Those of which one is shown.
    """
    kinds: dict[str, list[str]] = {}
    titles = own_titles(metrics)

    def offered(metric: str) -> dict[str, Any]:
        return {"key": metric, "title": titles[metric], "chosen": metric in chosen}

    for metric in metrics:
        kinds.setdefault(_kind(metric), []).append(metric)
    alone = [each[0] for kind, each in kinds.items() if len(each) < LEAST or not kind for each in [[m] for m in each]]
    found = [{"title": "", "metrics": [offered(metric) for metric in sorted(alone, key=titles.__getitem__)]}]
    found += [
        {"title": kind, "metrics": [offered(metric) for metric in each]}
        for kind, each in sorted(kinds.items())
        if kind and len(each) >= LEAST
    ]
    return [group for group in found if group["metrics"]]


def _kind(metric: str) -> str:
    """What a metric is one of; "" where its name does not say."""
    if metric.endswith(SPEED):
        return "Evaluation speed"
    before, slash, _ = metric.rpartition("/")
    return metric_title(before) if slash and before not in ("eval", "train") else ""
