"""How many examples an evaluation had, by how long it took and how fast it was, and the classes it was told for."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from lib.core.curves.metric_curves import RunCurves

_RUNTIME = re.compile(r"eval_(?:(?P<set>.+)_)?runtime")
_RUNTIME_ROUNDING, _RATE_ROUNDING = 0.5e-4, 0.5e-3
"""Half of the last digit that trainers log of seconds, and of samples per second."""

MOST_EVALUATIONS = 200
"""The last so many evaluations tell the size as well as all do."""


class Size(NamedTuple):
    """A number of examples, which is known to lie within these bounds, both included."""

    low: int
    high: int

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.low}" if self.low == self.high else f"{self.low} to {self.high}"


def evaluated_sizes(curves: RunCurves) -> Mapping[str, Size]:
    """How many examples each evaluation set had, by the set's name; "" for the one without a name.

    An evaluation of N examples in t seconds is logged with t and N / t, both rounded: their product is N to within
    what the rounding takes. Of evaluations of several sizes (the test set at the end) the size of most counts.
    """
    sizes = {}
    for metric, runtime in curves.curves.items():
        found = _RUNTIME.fullmatch(metric)
        rate = curves.get(f"{metric.removesuffix('runtime')}samples_per_second")
        if found is None or not len(rate):
            continue
        _, own, others = np.intersect1d(runtime.step, rate.step, assume_unique=True, return_indices=True)
        size = _size(runtime.value[own][-MOST_EVALUATIONS:], rate.value[others][-MOST_EVALUATIONS:])
        if size is not None:
            sizes[found["set"] or ""] = size
    return sizes


def evaluated_batch(curves: RunCurves) -> int | None:
    """How many examples were evaluated at once on all devices, by the rates of examples and of steps."""
    examples = evaluated_sizes(curves).get("")
    runtime, rate = curves.get("eval_runtime"), curves.get("eval_steps_per_second")
    _, own, others = np.intersect1d(runtime.step, rate.step, assume_unique=True, return_indices=True)
    steps = _size(runtime.value[own][-MOST_EVALUATIONS:], rate.value[others][-MOST_EVALUATIONS:])
    if examples is None or steps is None or steps.low != steps.high:
        return None
    return math.ceil(examples.low / steps.low)


def _size(seconds: np.ndarray, rate: np.ndarray) -> Size | None:
    """The whole numbers that the products of most evaluations allow; ``None`` where no half of them agree."""
    known = np.isfinite(seconds) & np.isfinite(rate) & (seconds > 0.0) & (rate > 0.0)
    seconds, rate = seconds[known], rate[known]
    if not len(seconds):
        return None
    product, slack = seconds * rate, seconds * _RATE_ROUNDING + rate * _RUNTIME_ROUNDING + 1e-6
    low, high = product - slack, product + slack
    agreeing = (low[:, None] <= high[None, :]) & (low[None, :] <= high[:, None])
    # Those that meet the narrowest of the most met.
    counts = agreeing.sum(axis=1)
    most = np.flatnonzero(counts == counts.max())
    middle = most[np.argmin(slack[most])]
    if 2 * counts[middle] <= len(seconds) and len(seconds) > 1:
        return None
    first, last = math.ceil(low[agreeing[middle]].max()), math.floor(high[agreeing[middle]].min())
    if first > last:
        # They meet one another, and not all in one number: as much as the narrowest says.
        first, last = math.ceil(low[middle]), math.floor(high[middle])
    return Size(first, last) if 0 < first <= last else None


_SCORES = "f1|f1[-_]?score|precision|recall|auc|auroc|roc_auc|ap|average_precision|support|iou"
"""Not accuracy: that is logged for each of several benchmarks as often as for each class."""
_OF_CLASS = re.compile(rf"eval[_/](?:.*[_/])?(?P<score>{_SCORES})[/_](?P<name>[^/]{{1,200}})", re.IGNORECASE)
_CLASS_OF = re.compile(r"eval[_/](?P<name>[^/]+)[/_](?P<score>precision|recall)", re.IGNORECASE)
# What was taken is not tried otherwise: of a long row of digits each part could be one of the words.
_NO_CLASS = re.compile(
    r"(?:macro|micro|weighted|mean|avg|average|overall|total|all|score|samples?|std|min|max|best|thresh\w*+|at|top|k|per_\w++"
    r"|class|example|token|sequence|exact|match|strict|loose|balanced|binary|multi|ovr|ovo|norm\w*+|rouge\w*+|bleu\w*+|\d++)"
    r"(?:[-_ @]?(?:macro|micro|weighted|mean|avg|average|score|f1\w*+|precision|recall|accuracy|\d++|k))*+",
    re.IGNORECASE,
)


def named_classes(metrics: Collection[str]) -> frozenset[str]:
    """The classes for which a run logged the same score each (``eval_f1/ClassA``, ``eval_LOC_precision``).

    At least two of one score: a single name may be anything. A name that also has a loss or a runtime is an
    evaluation set.
    """
    sets = {found["set"] for metric in metrics if (found := re.fullmatch(r"eval_(?P<set>.+)_(?:loss|runtime)", metric))}
    by_score: dict[tuple[str, str], set[str]] = defaultdict(set)
    for metric in metrics:
        for pattern in (_OF_CLASS, _CLASS_OF):
            found = pattern.fullmatch(metric)
            if found and found["name"] not in sets and not _NO_CLASS.fullmatch(found["name"]):
                by_score[pattern.pattern, found["score"].casefold()].add(found["name"].casefold())
                break
    return max((frozenset(names) for names in by_score.values() if len(names) > 1), key=_order, default=frozenset())


def _order(names: frozenset[str]) -> tuple[int, list[str]]:
    return len(names), sorted(names)
