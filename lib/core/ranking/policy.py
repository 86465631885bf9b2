"""What can be tuned about the score: weights and bands, in one frozen value that every function takes."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GapBand:
    """One band of the gap. It holds the gaps below ``below`` that no earlier band holds."""

    below: float
    points: float
    label: str


@dataclass(frozen=True, slots=True)
class ScoringPolicy:
    """The weights and bands. Weights are shares and sum to one.

    Attributes:
        eval_weight: The share of the eval-loss points.
        bands: Of the gap, ascending; the first holds the gaps below 0.
        unknown_band: Of a gap that is unknown.
        explained_label: Of a gap below 0 that averaging, noise and dropout explain; it has the most points.
        loss_offset: Added to both losses before they are compared: losses next to 0 differ in digits only.
        loss_power: Of their ratio: points a percent.

    Raises:
        ValueError: If the weight is outside 0 to 1.
    """

    eval_weight: float = 0.70
    bands: tuple[GapBand, ...] = (
        GapBand(0.0, 40.0, "potential data leakage"),
        GapBand(0.05, 100.0, "excellent"),
        GapBand(0.1, 80.0, "good"),
        GapBand(0.2, 60.0, "moderate overfitting"),
        GapBand(math.inf, 30.0, "high overfitting"),
    )
    unknown_band: GapBand = GapBand(math.inf, 50.0, "unknown")
    explained_label: str = "none"
    loss_offset: float = 0.05
    loss_power: int = 10

    def __post_init__(self) -> None:
        if not 0.0 <= self.eval_weight <= 1.0:
            raise ValueError(f"The eval-loss weight must be between 0 and 1, got {self.eval_weight!r}.")

    @property
    def gap_weight(self) -> float:
        """The share that the gap points have."""
        # 1 - 0.7 is 0.30000000000000004; the documented weight is 0.30.
        return round(1.0 - self.eval_weight, 12)

    @property
    def gap_range(self) -> tuple[float, float]:
        """The least and the most points of a gap."""
        points = [band.points for band in self.bands]
        return min(points), max(points)


DEFAULT_POLICY = ScoringPolicy()
