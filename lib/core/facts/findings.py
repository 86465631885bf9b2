"""A finding: something that was noticed about a run, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters, least first."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing noticed about a run.

    Attributes:
        code: Stable name of the kind of finding ("gradient_spike").
        severity: How much it matters.
        step: Where it is, or begins; ``None`` when it concerns the whole run.
        extent: The last step of it; ``None`` when it is one step or the whole run.
        evidence: The numbers it rests on, by name.
        sentence: For people, without the run's name.
        touches_verdict: It puts into doubt what a recommendation rests on; false for what only charts and tables show.
    """

    code: str
    severity: Severity
    step: int | None
    extent: int | None
    evidence: Mapping[str, float | int | str] = field(default_factory=dict)
    sentence: str = ""
    touches_verdict: bool = False

    @property
    def place(self) -> tuple[int, str] | None:
        """Its step and metric in the charts; ``None`` where it has no step, or is about no metric."""
        metric = self.evidence.get("metric")
        return None if self.step is None or metric is None else (self.step, str(metric))
