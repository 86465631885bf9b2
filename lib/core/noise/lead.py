"""Points by bands of a quantity with an error: what to expect of them, and whether a lead in them is beyond noise."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

EDGE_DECIMALS = 9
"""Quantities are compared with edges after rounding to so many decimals: 0.85 - 0.80 is 0.05, not 0.0499999."""


@dataclass(frozen=True, slots=True)
class PointBands:
    """Points of a quantity, as the gap between eval and train loss.

    Attributes:
        edges: Ascending; a quantity that equals one belongs to the band above it.
        points: Of the bands below, between and above the edges: one more than edges.

    Raises:
        ValueError: If the numbers do not fit or the edges do not ascend.
    """

    edges: tuple[float, ...]
    points: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.points) != len(self.edges) + 1 or any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError(f"Edges {self.edges!r} must ascend and be one less than the points {self.points!r}.")

    def band(self, quantity: float) -> int:
        """Index of the band that a quantity is in."""
        return bisect_right(self.edges, round(quantity, EDGE_DECIMALS))

    def at(self, quantity: float) -> float:
        """The points of a quantity that is exactly known."""
        return self.points[self.band(quantity)]

    def expected(self, measured: float, error: float) -> float:
        """The mean points of a quantity that is normal around what was measured.

        Args:
            measured: Finite.
            error: Its standard error, at least 0; with 0 these are the points of its band.
        """
        if error <= 0.0:
            return self.at(measured)
        return sum(share * points for share, points in zip(self.shares(measured, error), self.points, strict=True))

    def shares(self, measured: float, error: float) -> tuple[float, ...]:
        """How likely it is that such a quantity lies in each band; the arguments are those of ``expected``."""
        if error <= 0.0:
            return tuple(float(self.band(measured) == place) for place in range(len(self.points)))
        # Without the rounding a quantity at an edge would have other points for an error next to 0 than for half of it.
        measured = round(measured, EDGE_DECIMALS)
        below = [0.5 * math.erfc((measured - edge) / (math.sqrt(2.0) * error)) for edge in self.edges]
        return tuple(high - low for low, high in pairwise((0.0, *below, 1.0)))

    def range(self, measured: float, reach: float) -> tuple[float, float]:
        """The least and the most points from ``measured - reach`` to ``measured + reach``."""
        inside = self.points[self.band(measured - reach) : self.band(measured + reach) + 1]
        return min(inside), max(inside)


@dataclass(frozen=True, slots=True)
class Scored:
    """A run as far as its composite and the error of that go.

    Attributes:
        value: The estimate of the loss that earns points (not the lowest single value, which is lucky); lower is
            better.
        error: Its standard error.
        gap: Measured; ``None`` where it is unknown.
        gap_error: Its standard error, ``sqrt(V_E + V_T)``.
        bands: Points of its gap. Where what lies below 0 is explained, or the gap was measured at or above 0, the
            caller gives the bands in which that counts in full.
        unknown_points: Least and most points of a gap that is unknown.
    """

    value: float
    error: float
    gap: float | None
    gap_error: float
    bands: PointBands
    unknown_points: tuple[float, float] = (0.0, 100.0)


def reaches(first: float, second: float, quantile: float) -> tuple[float, float]:
    """How far each of two quantities may be off, so that both reaches add up to that of their difference.

    ``q * e * hypot(e1, e2) / (e1 + e2)`` for each error e (Goldstein and Healy, "The graphical presentation of a
    collection of means", JRSS A 1995).

    Args:
        first: Standard error of the one.
        second: Of the other.
        quantile: How many standard errors of the difference are within the noise.
    """
    both = first + second
    share = quantile * math.hypot(first, second) / both if both else 0.0
    return share * first, share * second


def lead_left(
    leader: Scored,
    rival: Scored,
    apart: float,
    within: float,
    quantile: float,
    composite: Callable[[float, float], float],
) -> float:
    """How much of the leader's lead is left, whatever the errors of both losses and gaps may hide; above 0 it holds.

    The worst that may be true of the leader is compared with the best that may be true of the rival: the difference of
    the losses moved by all that is within the noise, and of each gap the band in its reach that is worst, or best.

    Args:
        leader: The run whose composite is higher.
        rival: The other.
        apart: Estimate of the rival's loss less the leader's: of the difference of the curves, where they are paired.
        within: How much of ``apart`` may be noise.
        quantile: That a difference of two gaps has to exceed, in standard errors.
        composite: From loss and gap points to the composite; falls with the loss, rises with the points.

    Returns:
        In points, rounded to ``EDGE_DECIMALS``.
    """
    gap_reaches = reaches(leader.gap_error, rival.gap_error, quantile)
    (least, _), (_, most) = (
        one.unknown_points if one.gap is None else one.bands.range(one.gap, reach)
        for one, reach in zip((leader, rival), gap_reaches, strict=True)
    )
    both = leader.error + rival.error
    share = leader.error / both if both else 0.5
    lowest = composite(leader.value + share * within, least)
    highest = composite(leader.value + apart - (1.0 - share) * within, most)
    return round(round(lowest, EDGE_DECIMALS) - round(highest, EDGE_DECIMALS), EDGE_DECIMALS)
