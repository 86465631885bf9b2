"""What checks look at: a run and all that is known about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np

from lib.core.curves.evidence import RunEvidence, measured
from lib.core.curves.intervals import REGULAR_POINTS, REGULAR_SHARE, REGULAR_TOLERANCE, typical_interval
from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.curves.row_facts import RowFacts
from lib.core.curves.short_curves import SHORT_POINTS
from lib.core.facts.limits import Count, Limit
from lib.core.facts.metrics import metric_of
from lib.core.facts.runs import RunSummary
from lib.core.gap.plausibility import no_measure

# fmt: off
POINTS_NEEDED = Count(24, "Points needed",
    "Finite points below which a train curve is not judged: fewer cannot tell a trend from its noise.")
LARGEST = Limit(1e150, "Largest", "Squares of greater values are infinite.")
LARGE = Limit(1e5, "Large", "Losses from here on are shown with an exponent.")
TOLERATED_INTERVALS = Limit(3.5, "Tolerated intervals",
    "Intervals from which on points are missing. One or two may be lost, or not be logged at the ends of a run; the"
    " half leaves room for rounding.")
LAST_POINTS = Count(5, "Last points", "Intervals at the end of a curve that show how often it was logged there.")
END_SHARE = Limit(0.01, "End share",
    "Share of all steps that the log of a run may lack at its end: planned totals are rounded per epoch.")
ROUGH_END_SHARE = Limit(0.05, "Rough end share",
    "The same where the interval is not known: logs that are reduced have a hundred points or more. In between,"
    " nothing can be told.")
# fmt: on

OF_POINTS = (POINTS_NEEDED, LARGEST)
"""The limits of whoever asks for ``Subject.points``."""
OF_FEW = (*OF_POINTS, SHORT_POINTS)
"""The limits of whoever asks for ``Subject.points_or_few``."""
OF_INTERVALS = (REGULAR_TOLERANCE, REGULAR_SHARE, REGULAR_POINTS, TOLERATED_INTERVALS)
"""The limits of whoever asks for ``Subject.interval``."""
OF_ENDS = (LAST_POINTS, END_SHARE, ROUGH_END_SHARE)
"""The limits of whoever asks for ``Subject.lacks``."""

METRICS_NAMED = 4
"""So many metrics are named in a sentence."""

REDUCED = "only the reduced curve was read"


class CannotTell(Exception):
    """A check cannot be made.

    Attributes:
        because: Goes on after "Cannot tell, because "; without a full stop.
    """

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


@dataclass(frozen=True, eq=False)
class Subject:
    """A run and all that is known about it. What a check asks for and does not get, it cannot tell.

    Attributes:
        run: As the source gave it, before the evidence corrects it.
        curves: Its curves over the whole range of steps, reduced or not.
        evidence: From the same curves.
        now: ``None`` where the moment does not matter, or is not known.
    """

    run: RunSummary
    curves: RunCurves
    evidence: RunEvidence
    now: datetime | None
    _points: dict[str, MetricCurve] = field(default_factory=dict, init=False)

    @property
    def rows(self) -> RowFacts:
        """The facts about the rows.

        Raises:
            CannotTell: Where none were seen: a reduced curve is worked out beside the rows, which never travel.
        """
        if self.curves.rows is None:
            raise CannotTell("the rows themselves were not seen" if self.curves.is_complete else REDUCED)
        return self.curves.rows

    @cached_property
    def no_measure(self) -> str | None:
        """Why the loss is no measure of fit to data, as with reinforcement; ``None`` where it is one."""
        return no_measure(self.run, (*self.curves.curves, *self.curves.unread))

    @property
    def written_s(self) -> tuple[float, float]:
        """When the first and the last row were written, in seconds since 1970.

        Raises:
            CannotTell: Where that is not known.
        """
        first, last = self.rows.first_written_us, self.rows.last_written_us
        if first is None or last is None:
            raise CannotTell("no row has a timestamp")
        return first / 1e6, last / 1e6

    def curve(self, metric: str) -> MetricCurve:
        """The curve of a metric, reduced or not, with one point or more.

        Raises:
            CannotTell: Where there is none.
        """
        curve = self.curves.get(metric)
        if metric in self.curves.unread or not len(curve):
            was = "read" if metric in self.curves.unread else "logged"
            raise CannotTell(f"the {called(metric)} was not {was}")
        return curve

    def complete(self, metric: str) -> MetricCurve:
        """The curve of a metric with every point that was logged.

        Raises:
            CannotTell: Where there is none; a reduced curve loses how many points lie between its extremes.
        """
        curve = self.curve(metric)
        if not curve.is_complete:
            raise CannotTell(f"only the reduced curve of the {called(metric)} was read")
        return curve

    @cached_property
    def evaluations(self) -> MetricCurve:
        """The eval losses that are measurements and not repeats.

        Raises:
            CannotTell: Where there are none, or not all of them were read.
        """
        self.complete("eval_loss")
        return measured(self.curves, "eval_loss")

    def points(self, metric: str, needed: int = POINTS_NEEDED) -> MetricCurve:
        """The finite points of a complete curve, ``needed`` or more, whose values can be computed with.

        Raises:
            CannotTell: Where there are none such.
        """
        curve, title = self.complete(metric), called(metric)
        finite = len(curve) - curve.lost
        if finite < needed:
            raise CannotTell(f"the {title} has {finite} finite points; {needed} are needed")
        points = self._points.get(metric)
        if points is None:
            computable(curve.value, title)
            points = self._points[metric] = curve.finite()
        return points

    @cached_property
    def interval(self) -> float | None:
        """The typical number of steps between two train losses, as ``typical_interval``."""
        return typical_interval(self.curves.get("train_loss"))

    @cached_property
    def tolerance(self) -> float | None:
        """Steps that the log may end before the run does; ``None`` where that is not known.

        A few intervals, or the widest one of a log too short or too irregular to have a typical one.
        """
        train = self.curves.get("train_loss")
        curve = train if len(train) else self.curves.get("eval_loss")
        if not len(curve) or not curve.is_complete:
            return None
        differences = np.diff(curve.step, prepend=0)
        if self.interval is None:
            return float(differences.max())
        # Some runs log less often after a while.
        return TOLERATED_INTERVALS * max(self.interval, float(np.median(differences[-LAST_POINTS:])))

    def points_or_few(self, metric: str) -> tuple[MetricCurve, bool]:
        """``points``, and whether they are so few that only a large effect can be told (``SHORT_POINTS`` or more).

        Raises:
            CannotTell: As ``points`` does, of fewer.
        """
        curve = self.curves.get(metric)
        few = SHORT_POINTS <= len(curve) - curve.lost < POINTS_NEEDED
        return self.points(metric, SHORT_POINTS if few else POINTS_NEEDED), few

    def gradients_stand_still(self, first: int) -> bool | None:
        """Whether all gradient norms from a step on are 0 or no numbers; ``None`` where they were not measured."""
        norm = self.curves.get("grad_norm")
        before, inside = norm.value[norm.step < first], norm.value[norm.step >= first]
        if not len(inside) or (len(before) and not (before > 0.0).any()):
            return None
        return bool(((inside == 0.0) | ~np.isfinite(inside)).all())

    def lacks(self, steps: float, of: int) -> bool | None:
        """Whether a log that ends so many steps before a run of ``of`` steps lacks some; ``None``: cannot tell."""
        if steps <= max(self.tolerance or 0.0, END_SHARE * of):
            return False
        return True if self.tolerance is not None or steps > ROUGH_END_SHARE * of else None


def computable(values: np.ndarray, title: str) -> None:
    """Do nothing.

    Raises:
        CannotTell: Where values are too large to compute with.
    """
    largest = np.abs(values).max(where=np.isfinite(values), initial=0.0)
    if largest > LARGEST:
        raise CannotTell(f"the {title} reaches {largest:.3g}, which is too large to compute with")


def too_few(points: MetricCurve, metric: str) -> CannotTell:
    """No large effect was found among few points, which cannot tell a small one."""
    return CannotTell(
        f"the {called(metric)} has {len(points)} finite points, which show nothing large; {POINTS_NEEDED} are needed"
    )


def changes_sign(values: np.ndarray) -> bool:
    """Whether values lie on both sides of 0, or are all 0: a share of them then means nothing."""
    return bool(values.min() < 0.0 < values.max() or (values == 0.0).all())


def called(metric: str) -> str:
    """A metric's title inside a sentence.

    Example:
        >>> called("grad_norm"), called("gpu_memory_allocated_gb")
        ('gradient norm', 'GPU memory')
    """
    title = metric_of(metric).title
    return title if title.startswith("GPU") else title.lower()


def shown(loss: float) -> str:
    """A loss as sentences show it.

    Example:
        >>> shown(0.32931), shown(-123456789.0)
        ('0.3293', '-1.23e+08')
    """
    return f"{loss:.4f}" if abs(loss) < LARGE else f"{loss:.3g}"
